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

    Shown = tuple[object, str, int, int]
    """A value, held so that its id stays its own; its text, the bytes of that, and the largest room it will do for."""
    Larger = tuple[int, int, str, object]
    """The bytes that a value needs, as far as is known; its number among these; name and value."""

__all__ = ["exception_text", "render_json", "render_text", "render_vars", "type_names"]

MIN_SHARE: Final = 48
"""Bytes that a variable may have however many there are, as long as the frame's budget lasts."""

_OVERHEAD = 6  # two pairs of quotes, colon and comma, in JSON
_WORD_BITS = 64
_MIN_TEXT = len(FILTERED)
_LITTLE = 4  # for a quarter more room, a value that was cut is not rendered again: the rooms of two frames differ
_ANY_ROOM = 1 << 30  # more than any budget
_NOT_YET = (None, "", 1 << 27, _ANY_ROOM)  # nobody knows how many bytes it takes: more than any value that was rendered

# A value is rendered in three shares, so that one which is only a little larger is rendered once. After one that is cut
# even there, no other of its frame is, but when it is known what is left for them.
_SHARES = 3
_LARGE, _LONG_TEXT = 1 << 28, 1 << 29  # beside what a value needs: these come last, texts for they use all that is left
_NOTE = 40  # bytes that saying how many variables are missing may take


class Seen:
    """What the frames of one event showed of their values, for callers hand the same objects on: by id."""

    __slots__ = ("larger", "texts")

    def __init__(self) -> None:
        self.texts: dict[int, Shown] = {}
        """How it was shown whole, or in several shares."""
        self.larger: dict[int, list[Shown]] = {}
        """Of what was cut: a text for each room that frames had for it."""

    def in_room(self, value: object, room: int) -> Shown | None:
        """How a value was shown whole, or in about so many bytes, if it was."""
        shown = self.texts.get(id(value))
        if shown is not None and shown[3] == _ANY_ROOM and shown[2] <= room:
            return shown
        for shown in self.larger.get(id(value), ()):
            if shown[2] <= room <= shown[3]:
                return shown
        return None

    def remember(self, shown: Shown) -> None:
        """For the next frames."""
        if shown[3] == _ANY_ROOM:
            self.texts[id(shown[0])] = shown
        else:
            self.larger.setdefault(id(shown[0]), []).append(shown)


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


def render_vars(  # noqa: C901, PLR0915 - calls would cost a tenth
    pairs: list[tuple[str, object]], budget: int, settings: EventSettings, seen: Seen | None = None
) -> dict[str, str]:
    """A frame's variables in their order, in at most ``budget`` bytes as JSON would write names and texts, unescaped.

    Each may have ``max(48, what is left / variables left)`` bytes and passes on what it does not use, so none is
    lost before the budget is gone; then the entry ``…`` says how many are missing. Those that want more come last:
    what the others left over is divided evenly among them, so that a frame is cut only where its budget is used up.
    The value of a deny-listed name is not looked at (ERR-11, EVT-49, PAIN-06).

    ``seen`` remembers texts from frame to frame of one event: callers hand the same objects on.
    """
    rendered: dict[str, str] = {}
    if seen is None:
        seen = Seen()
    texts = seen.texts
    matches = settings.matches_variable
    count = len(pairs)
    left = budget
    even = budget // (count or 1)
    longest = min(even, settings.string_limit)
    third = budget // _SHARES
    larger: list[Larger] = []
    kept = missing = 0
    is_thrifty = False
    for name, value in pairs:
        if type(name) is str and name.isascii():
            overhead = len(name) + _OVERHEAD
        else:
            name = clean(plain_str(name, MAX_NAME) or "?")  # noqa: PLW2901 - the same name, fit for the wire
            overhead = len(name.encode()) + _OVERHEAD
        cls = type(value)
        hidden = matches(name)
        if not hidden and (
            # What most variables are, without a call; `render` comes to the same.
            (cls is str and len(value) <= longest and value.isascii())  # type: ignore[arg-type, attr-defined] # a str
            or (cls is int and value.bit_length() <= _WORD_BITS)  # type: ignore[attr-defined] # an int
            or value is None
            or cls is bool
            or cls is float
        ):
            text = repr(value)  # an exact atom
            size = overhead + len(text)
            if size <= even <= left:
                rendered[name] = text
                left -= size
                continue
        share = left // (count - len(rendered) - missing)
        if share < MIN_SHARE:
            share = min(MIN_SHARE, left)
        room = share - overhead if overhead + _MIN_TEXT < share else _MIN_TEXT  # a long name may eat up a share
        if left < overhead + room:
            missing += 1
            continue
        left -= overhead
        wide = room * _SHARES if room < third else left
        need = 0
        if hidden:
            text, size = FILTERED, _MIN_TEXT
        elif (cls is str or cls is bytes) and len(value) > room:  # type: ignore[arg-type] # one of these
            text, size, need = "", room, len(value)  # type: ignore[arg-type] # one of these
            if need > wide:
                need += _LONG_TEXT
        else:
            shown = texts.get(id(value))
            if shown is None or wide > shown[3]:
                if is_thrifty:
                    shown = _NOT_YET
                else:
                    shown = texts[id(value)] = _shown(value, wide, settings)
            _, text, size, most = shown
            if size > room:
                need = size
                if most < _ANY_ROOM:
                    need += _LARGE
                    is_thrifty = True
        if need:
            larger.append((need, len(larger), name, value))
            kept += room
            size = room
        rendered[name] = text
        left -= size
    if larger:
        left += kept
        left -= _share_out(rendered, larger, max(left - _NOTE, kept) if missing else left, settings, seen)
    if missing:
        _say_how_many(rendered, missing, left)
    return rendered


def _share_out(rendered: dict[str, str], larger: list[Larger], budget: int, settings: EventSettings, seen: Seen) -> int:
    """Put the texts of these values into their places, of so many bytes together; returns how many they take.

    What needs least comes first, so that most is left for the others.
    """
    larger.sort()  # no two have the same number: it ends there, and no value is compared
    left = budget
    waiting = len(larger)
    for _, _, name, value in larger:
        room = left // waiting
        waiting -= 1
        shown = seen.in_room(value, room)
        if shown is None:
            shown = _shown(value, room, settings)
            seen.remember(shown)
        _, text, size, _ = shown
        rendered[name] = text
        left -= size
    return budget - left


def _shown(value: object, room: int, settings: EventSettings) -> Shown:
    text = render(value, room, DEPTH, settings)
    if text.isascii():
        return value, text, len(text), _ANY_ROOM
    return value, text, len(text.encode()), room + room // _LITTLE if CUT in text else _ANY_ROOM


def _say_how_many(rendered: dict[str, str], missing: int, left: int) -> None:
    """Note how many variables are missing, and take away as many more as the note needs room for."""
    while rendered and left < _NOTE:
        name, text = rendered.popitem()
        left += len(name.encode()) + _OVERHEAD + len(text.encode())
        missing += 1
    rendered[CUT] = f"+{missing} variables"
