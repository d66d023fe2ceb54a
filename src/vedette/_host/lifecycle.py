"""Lifecycle hooks: ``client.on(name, callback)`` and ``client.emit(name, *args)``, chiefly for integrations.

Guarantees
- Callbacks of a name run in the order in which they were registered (HOOK-05), on the thread that emits. Nothing
  is kept of what was emitted: who comes later has missed it (HOOK-06).
- A callback that raises is named once, and the others run all the same (ruling 38).
- ``on``, ``emit`` and undoing are safe in any thread, in a signal handler, and inside of a callback; who is
  registered or taken out while a name is emitted counts from the next time on.

Relies on: ``dict.setdefault``, ``list.append``, ``list.remove`` and ``tuple(list)`` being each done in one step,
with and without the GIL. The entries compare by identity, so that none of these runs foreign code.
"""

from __future__ import annotations

from vedette._host import guests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class _Entry:
    """One registration: the same callback may be registered twice."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callable[..., object]) -> None:
        self.callback = callback


class Lifecycle:
    """The callbacks of one client, by name of the hook."""

    def __init__(self) -> None:
        self._entries: dict[str, list[_Entry]] = {}

    def on(self, name: str, callback: Callable[..., object]) -> Callable[[], None]:
        """Register; what is returned undoes it. Raises TypeError for what cannot be called, or not be waited for."""
        given: object = callback
        if not callable(given):
            message = f"on({name!r}, ...) takes a function, got {type(given).__qualname__}"
            raise TypeError(message)
        if guests.is_async(callback):
            message = f"on({name!r}, ...) takes a plain function, got an async one, which nobody would wait for"
            raise TypeError(message)
        entry = _Entry(callback)
        entries = self._entries.setdefault(name, [])
        entries.append(entry)

        def undo() -> None:
            try:
                entries.remove(entry)
            except ValueError:
                return  # undone already

        return undo

    def has(self, name: str) -> bool:
        """Whether anybody listens."""
        return bool(self._entries.get(name))

    def emit(self, name: str, *args: Any) -> None:
        """Call everybody who registered for this name with these very objects (HOOK-04, HOOK-07)."""
        for entry in tuple(self._entries.get(name, ())):
            guests.ask(f"a callback of {name!r}", entry.callback, *args, so="the others go on")
