"""The renderer of values: what any object looks like in an event. No code of the program runs (decision 5).

The table of built-in types is in `builtin_values`; for any other type the planners below are asked once, in order.
"""

from __future__ import annotations

from vedette._events.builtin_values import plan_subclass
from vedette._events.dispatch_values import CUT, DEPTH, PLANNERS, render
from vedette._events.exception_values import exception_text
from vedette._events.json_values import render_json
from vedette._events.library_values import plan_inner, plan_library
from vedette._events.reading_values import MAX_NAME, clean, plain_str, type_names
from vedette._events.stdlib_values import plan_stdlib
from vedette._events.structured_values import plan_enum, plan_hidden, plan_object, plan_structured
from vedette._privacy.denylist import FILTERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from vedette._events.settings import EventSettings

    Seen = dict[int, tuple[object, str, int, int]]
    """By id: the value, held so that the id stays its own, its text, the text's size, the room that it had (bytes)."""

__all__ = ["exception_text", "render_json", "render_text", "render_vars", "type_names"]

MIN_SHARE: Final = 48
"""Bytes that a variable may have however many there are, as long as the frame's budget lasts."""

_OVERHEAD = 6  # two pairs of quotes, colon and comma, in JSON
_WORD_BITS = 64
_MIN_TEXT = len(FILTERED)
_NOTE = 40  # bytes that saying how many variables are missing may take

PLANNERS[:] = (
    plan_hidden,
    plan_enum,
    plan_library,
    plan_structured,
    plan_stdlib,
    plan_subclass,
    plan_inner,
    plan_object,
)


def render_text(value: object, budget: int, settings: EventSettings) -> str:
    """One value as ``repr``-like text of at most ``budget`` bytes of UTF-8; a cut is shown by ``…``.

    Containers show 10 items, four deep; a string 1024 characters (``max_value_length``). What stands under a
    deny-listed name inside is ``[Filtered]``. Never raises, but for control flow out of ``custom_repr``.
    """
    return render(value, max(budget, 0), DEPTH, settings)


def render_vars(
    pairs: list[tuple[str, object]], budget: int, settings: EventSettings, seen: Seen | None = None
) -> dict[str, str]:
    """A frame's variables in their order, in at most ``budget`` bytes as JSON would write names and texts, unescaped.

    Each may have ``max(48, what is left / variables left)`` bytes and passes on what it does not use, so none is
    lost before the budget is gone; then the entry ``…`` says how many are missing. The value of a deny-listed
    name is not looked at (ERR-11, EVT-49, PAIN-06).

    ``seen`` remembers texts from frame to frame of one event: callers hand the same objects on.
    """
    rendered: dict[str, str] = {}
    matches = settings.matches_variable
    short = settings.short_string
    waiting = len(pairs)
    left = budget
    missing = 0
    for name, value in pairs:
        share = left // waiting
        if share < MIN_SHARE:
            share = min(MIN_SHARE, left)
        if type(name) is str and name.isascii():
            overhead = len(name) + _OVERHEAD
        else:
            name = clean(plain_str(name, MAX_NAME) or "?")  # noqa: PLW2901 - the same name, fit for the wire
            overhead = len(name.encode()) + _OVERHEAD
        room = max(share - overhead, _MIN_TEXT)  # a long name may eat up a share
        waiting -= 1
        if left < overhead + room:
            missing += 1
            continue
        cls = type(value)
        if matches(name):
            text = FILTERED
        elif (
            # What most variables are, without a call; `render` comes to the same.
            (cls is str and len(value) <= short)  # type: ignore[arg-type] # a str
            or (cls is int and value.bit_length() <= _WORD_BITS)  # type: ignore[attr-defined] # an int
            or value is None
            or cls is bool
        ):
            text = repr(value)  # an exact atom
            if len(text) > room or not text.isascii():
                text = render(value, room, DEPTH, settings)
        elif seen is None:
            text = render(value, room, DEPTH, settings)
        else:
            known = seen.get(id(value))
            # The text of another room will do if it fits, and if more room would show no more of the value.
            if known is not None and known[2] <= room and (room <= known[3] or CUT not in known[1]):
                text = known[1]
            else:
                text = render(value, room, DEPTH, settings)
                seen[id(value)] = (value, text, len(text) if text.isascii() else len(text.encode()), room)
        rendered[name] = text
        left -= overhead + (len(text) if text.isascii() else len(text.encode()))
    while missing and rendered and left < _NOTE:
        name, text = rendered.popitem()
        left += len(name.encode()) + _OVERHEAD + len(text.encode())
        missing += 1
    if missing:
        rendered[CUT] = f"+{missing} variables"
    return rendered
