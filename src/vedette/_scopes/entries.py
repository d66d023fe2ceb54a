"""Which scopes are active in a context: the one ContextVar of this room; how scopes are entered and left.

Entering puts an `Entry` on top: the isolation and the current scope in force, and a link to the entry below.

Guarantees (test_entering_and_leaving.py)
- After a ``with`` block, the context that it was entered in stands where it stood before, whatever was
  entered inside and is still open, such as the scope of a suspended generator.
- A generator that ends takes off its own scopes only: a ``with`` block that was entered above them, while it was
  suspended, stays in force (SCO-23). Unless that block stands on an isolation scope of the generator's: a request
  that is over must not go on in whatever is still open above it (PAIN-07).
- Leaving from a foreign context (another task or thread, the garbage collector) never raises. The entry is
  marked as left, and whoever still stands on it falls to the nearest one that was not (PAIN-20).
- A task that took a copy of its creator's context keeps its scopes after the creator has left them: it may
  outlive the request that it belongs to (PAIN-08).
- A chain of entries is no longer than the square of the number of entries that were open at once: what was
  left is skipped by those above it, and what ended in order forgets those below it.
- Readers take no lock and change nothing: they are safe in signal handlers and ``__del__``.

Relies on: a Token refusing to reset its variable in any context but the one it was made in. This is how a
foreign context is told from the own one.
"""

from __future__ import annotations

from _contextvars import ContextVar  # `contextvars` is one more module to load

from vedette._host import callers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from types import FrameType
    from typing import Final

    from vedette._scopes.scope import Scope


class Entry:
    """One isolation and one current scope, in force from when they were entered until they are left.

    ``token`` is there while a ``with`` block is open; an entry without one was put there to stay.
    """

    __slots__ = ("current", "isolation", "left", "previous", "tags", "token")

    current: Scope
    isolation: Scope
    previous: Entry | None
    left: bool
    tags: dict[str, str] | None
    """The tags of the isolation scope, to be written without a question: None once the entry is left."""
    token: Token[Entry | None] | None


def _entry(isolation: Scope, current: Scope, previous: Entry | None) -> Entry:
    entry = Entry()
    entry.isolation = isolation
    entry.tags = isolation._tags  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    entry.current = current
    entry.previous = previous
    entry.left = False
    entry.token = None
    return entry


_top: ContextVar[Entry | None] = ContextVar("vedette_scopes", default=None)
top: Final = _top.get
"""What stands on top in this context. It may have been left: `active` tells what is in force."""
put_on_top: Final = _top.set
"""Puts an entry on top, and returns the token that `leave` takes it off with. `enter` asks first what is in force."""
take_off: Final = _top.reset
"""Undoes what the token came from; ValueError or RuntimeError where that is not for this context to do."""


def active() -> Entry | None:
    """The entry in force in this context, if there is any."""
    entry = _top.get()
    return _not_left(entry) if entry is not None and entry.left else entry


def enter(isolation: Scope, current: Scope) -> Entry:
    """Make these scopes the active ones until ``leave`` gets what is returned."""
    previous = active()
    if previous is not _top.get():
        _top.set(previous)  # else the token would hold, and bring back, an entry that was left
    entry = _entry(isolation, current, previous)
    entry.token = _top.set(entry)
    return entry


def stay(isolation: Scope, current: Scope) -> Entry:
    """Make these scopes the active ones, until an enclosing ``with`` block ends or they are replaced."""
    below = active()
    if below is not None and below.token is None:
        below = below.previous  # replaced, and not to be kept alive
    entry = _entry(isolation, current, below)
    _top.set(entry)
    return entry


def leave(entry: Entry) -> None:
    """Undo ``enter``. From anywhere, at any time, any number of times."""
    token = entry.token
    if token is None:
        return
    entry.token = None
    on_top = top()
    if on_top is not entry:
        # Foreign context, or not the innermost one: others may stand on this entry.
        mark_as_left(entry)
        if on_top is None or not _is_below(entry, on_top) or _may_stay_above(on_top, entry):
            return
    try:
        take_off(token)
    except (ValueError, RuntimeError):
        # Made in another Context, of which this one is a copy; or used by another thread meanwhile.
        mark_as_left(entry)
    if not entry.left:
        # Copies of this context may stand on the entry for ever, and will never fall below it.
        entry.previous = None


def mark_as_left(entry: Entry) -> None:
    """Whoever stands on the entry falls to the nearest one below that was not left."""
    entry.left = True
    entry.tags = None
    entry.previous = _not_left(entry.previous)


def _not_left(entry: Entry | None) -> Entry | None:
    while entry is not None and entry.left:
        entry = entry.previous
    return entry


def _may_stay_above(on_top: Entry, entry: Entry) -> bool:
    """Whether what stands on top is in force still, though this entry below it is left.

    Where a function leaves its block, all that was entered inside is over but for what generators hold that are
    suspended in there. Where a generator does, it may be a block of those who resumed, closed or collected it.
    """
    below = entry.previous
    begins_here = below is None or below.isolation is not entry.isolation
    return not (begins_here and on_top.isolation is entry.isolation) and _is_a_generator_leaving()


_GENERATORS: Final = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR


def _is_a_generator_leaving() -> bool:
    """Whether the block that is being left stands in a generator; in that of a context manager, whose uses this?"""
    frame = callers.frame_and_level()[0]
    while frame is not None:
        if not _is_of_contextlib(frame):
            if not frame.f_code.co_flags & _GENERATORS:
                return False
            caller = frame.f_back
            if caller is None or not _is_of_contextlib(caller):
                return True
        frame = frame.f_back
    return False


def _is_of_contextlib(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__") == "contextlib"


def _is_below(entry: Entry, other: Entry | None) -> bool:
    while other is not None and other is not entry:
        other = other.previous
    return other is entry
