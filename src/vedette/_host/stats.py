"""What the host is told about everything that it captured."""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn


class Stats:
    """How many items one process captured, and what became of them: a snapshot that cannot be changed.

    Each attribute maps a data category (``"error"``, ``"feedback"``, ``"attachment_item"``, ``"attachment"`` in
    bytes, ...) to a number; ``dropped`` maps it to a mapping of discard reason to number. What is zero is left out.
    Once nothing is in motion (after ``flush``, say), of each category

        captured + adopted = delivered + refused + dropped + waiting + kept

    A forked child starts at zero. See docs/stats.md.
    """

    __slots__ = ("_adopted", "_captured", "_delivered", "_dropped", "_kept", "_refused", "_waiting")

    _captured: Mapping[str, int]
    _adopted: Mapping[str, int]
    _delivered: Mapping[str, int]
    _refused: Mapping[str, int]
    _dropped: Mapping[str, Mapping[str, int]]
    _waiting: Mapping[str, int]
    _kept: Mapping[str, int]

    def __init__(
        self,
        *,
        captured: Mapping[str, int] | None = None,
        adopted: Mapping[str, int] | None = None,
        delivered: Mapping[str, int] | None = None,
        refused: Mapping[str, int] | None = None,
        dropped: Mapping[str, Mapping[str, int]] | None = None,
        waiting: Mapping[str, int] | None = None,
        kept: Mapping[str, int] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "_captured", MappingProxyType(dict(captured or {})))
        put(self, "_adopted", MappingProxyType(dict(adopted or {})))
        put(self, "_delivered", MappingProxyType(dict(delivered or {})))
        put(self, "_refused", MappingProxyType(dict(refused or {})))
        frozen = {category: MappingProxyType(dict(reasons)) for category, reasons in (dropped or {}).items()}
        put(self, "_dropped", MappingProxyType(frozen))
        put(self, "_waiting", MappingProxyType(dict(waiting or {})))
        put(self, "_kept", MappingProxyType(dict(kept or {})))

    @property
    def captured(self) -> Mapping[str, int]:
        """All that this process captured, whatever became of it."""
        return self._captured

    @property
    def adopted(self) -> Mapping[str, int]:
        """Taken over from a client or a process that ended before (``cache_dir``)."""
        return self._adopted

    @property
    def delivered(self) -> Mapping[str, int]:
        """Answered 2xx, or a user's transport returned."""
        return self._delivered

    @property
    def refused(self) -> Mapping[str, int]:
        """Answered 429, which the server has counted itself."""
        return self._refused

    @property
    def dropped(self) -> Mapping[str, Mapping[str, int]]:
        """Lost, by category and then by the reason that client reports tell the server."""
        return self._dropped

    @property
    def waiting(self) -> Mapping[str, int]:
        """In memory, or on its way."""
        return self._waiting

    @property
    def kept(self) -> Mapping[str, int]:
        """On disk, and not on its way."""
        return self._kept

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = f"Stats is a snapshot and cannot be changed (setting {name!r})"
        raise AttributeError(message)

    def __repr__(self) -> str:
        fields = ("captured", "adopted", "delivered", "refused", "waiting", "kept")
        parts = [f"{name}={dict(getattr(self, name))}" for name in fields]
        parts.insert(4, f"dropped={ {category: dict(why) for category, why in self.dropped.items()} }")
        return f"Stats({', '.join(parts)})"
