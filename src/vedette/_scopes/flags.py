"""The feature flags that were evaluated in a scope: the newest, each of them once (INT-120 to INT-124)."""

from __future__ import annotations

from vedette._scopes.client import BaseClient
from vedette._scopes.normal import text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

MOST_FLAGS: Final = 100  # INT-120


class FlagBuffer:
    """The last ``capacity`` flags by name. A flag that is evaluated again becomes the newest one.

    It may be written from any thread and from a signal handler: each step is one operation on a dict.
    """

    __slots__ = ("_flags", "capacity")

    def __init__(self, capacity: int = MOST_FLAGS) -> None:
        self.capacity: int = capacity
        self._flags: dict[str, Any] = {}

    def set(self, flag: str, result: bool) -> None:  # noqa: FBT001 - the unified API's signature
        """Remember what a flag was evaluated to; what is no bool, number or text is rendered (INT-128, INT-129)."""
        name = text_of(flag, _render)
        self._flags.pop(name, None)
        self._flags[name] = _render(result)
        self._keep_to_capacity()

    def update(self, other: FlagBuffer) -> None:
        """Take over the flags of another buffer, as newer than those here."""
        for name, value in other._flags.copy().items():
            self._flags.pop(name, None)
            self._flags[name] = value
        self._keep_to_capacity()

    def get(self) -> list[dict[str, Any]]:
        """The flags, newest last, each as ``{"flag": name, "result": value}`` (EVT-96)."""
        return listed(self._flags.copy())

    def clear(self) -> None:
        """Forget all flags."""
        self._flags = {}

    def fork(self) -> FlagBuffer:
        """A buffer with the same flags and a life of its own (INT-122, INT-123)."""
        fork = FlagBuffer(self.capacity)
        fork._flags = self._flags.copy()
        return fork

    def snapshot(self) -> dict[str, Any]:
        """What the flags were evaluated to, by name, newest last; for vedette's own use."""
        return self._flags.copy()

    def __len__(self) -> int:
        return len(self._flags)

    def _keep_to_capacity(self) -> None:
        excess = len(self._flags) - self.capacity
        if excess > 0:
            for oldest in list(self._flags.copy())[:excess]:
                self._flags.pop(oldest, None)


def listed(flags: dict[str, Any]) -> list[dict[str, Any]]:
    """The flags of an event's context, at most a hundred of them."""
    return [{"flag": name, "result": value} for name, value in list(flags.items())[-MOST_FLAGS:]]


_render: Final = BaseClient().render
