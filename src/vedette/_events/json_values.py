"""Values as what JSON knows: for breadcrumb data, contexts, extras, tags, user, and events that a hook touched.

Structure stays structure; deny lists are not applied to its keys, for that is done at the end, by
`vedette._privacy.scrub`, which knows where in an event a name stands. Pairs, which are tuples here alone, and text
made of other objects are filtered here.
"""

from __future__ import annotations

import sys
from itertools import islice

from vedette._events.builtin_values import int_text, is_hidden, is_secret_pair
from vedette._events.dispatch_values import ATOMS, CUT, DEPTH, before_credentials, fit, render
from vedette._events.reading_values import clean, dict_items, dict_len, list_len, list_slice, mro_of, plain_str, str_len
from vedette._events.registered_values import custom_text, registered_text
from vedette._events.structured_values import is_secretive
from vedette._late import late
from vedette._privacy.denylist import FILTERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from vedette._events import array_values
    from vedette._events.settings import EventSettings
else:
    array_values = late("vedette._events.array_values")

MAX_DEPTH: Final = 10  # containers inside each other
MAX_WIDTH: Final = 250  # items of one container
MAX_BYTES: Final = 262_144  # of one value; as much as all extras may have (errors.md, limits)

_SMALLEST_INT, _LARGEST_INT = -(1 << 63), (1 << 64) - 1  # what servers read as integers
_MAX_TEXT = 2048  # bytes of the text of one object that is no JSON
_MAX_KEY = 200  # characters
_INFINITY = float("inf")


def render_json(
    value: object,
    settings: EventSettings,
    *,
    max_depth: int = MAX_DEPTH,
    max_width: int = MAX_WIDTH,
    max_bytes: int = MAX_BYTES,
    max_string: int | None = None,
    hide: bool = False,
) -> Any:
    """The value as exact ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and None, running no code of it.

    Args:
        value: Anything; cycles, endless depth and containers that change meanwhile included.
        settings: Length of strings (8192 characters, or ``max_value_length``), ``custom_repr``, deny list.
        max_depth: Containers inside each other; what is deeper becomes text.
        max_width: Items of one container.
        max_bytes: About what the whole may take when encoded; what does not fit is left out with a mark.
        max_string: Length of one string in characters, if it is to be another.
        hide: Whether values under deny-listed names are filtered here; in events that is done at the end.

    What is clean already and within the bounds comes back equal. Never raises, but for control flow out of
    ``custom_repr``.
    """
    text_limit = settings.text_limit if max_string is None else max_string
    writer = _Writer(settings, max_width, max_bytes, text_limit, hide=hide)
    return writer.convert(value, max_depth)


class _Writer:
    """One conversion, and the bytes that it may still use."""

    __slots__ = ("hide", "left", "max_string", "max_width", "settings")

    def __init__(self, settings: EventSettings, max_width: int, max_bytes: int, max_string: int, *, hide: bool) -> None:
        self.hide = hide
        self.settings = settings
        self.max_width = max_width
        self.left = max_bytes
        self.max_string = max_string

    def convert(self, value: object, depth: int) -> Any:
        cls = type(value)
        convert = _CONVERSIONS.get(id(cls))
        if convert is not None and (self.settings.custom_repr is None or id(cls) in _NATIVE):
            return convert(self, value, depth)
        said = custom_text(value, self.max_string, self.settings)
        if said is None:
            said = registered_text(value, self.max_string)
        if said is not None:
            return self._string(said, len(said))
        if convert is not None:
            return convert(self, value, depth)
        for base in mro_of(cls):
            if id(base) in _ALSO_SUBCLASSES and not is_secretive(cls):
                return _CONVERSIONS[id(base)](self, value, depth)
        number = array_values.plain_number(value) if "numpy" in sys.modules else None
        return self._text(value) if number is None else self.convert(number, depth)

    def _string(self, start: str, length: int) -> str:
        """A string of which at least the first ``max_string`` characters are given."""
        text = clean(start if length <= self.max_string else before_credentials(start[: self.max_string - 1]) + CUT)
        return self._spent(fit(text, max(self.left, len(CUT.encode()))))

    def _text(self, value: object) -> str:
        return self._spent(render(value, max(0, min(self.left, _MAX_TEXT)), DEPTH, self.settings))

    def _spent(self, text: str) -> str:
        self.left -= 2 + (len(text) if text.isascii() else len(text.encode()))
        return text

    def from_str(self, value: Any, _depth: int) -> str:
        return self._string(plain_str(value, self.max_string) or "", str_len(value))

    def from_constant(self, value: object, _depth: int) -> object:
        self.left -= 5
        return value

    def from_int(self, value: Any, _depth: int) -> int | str:
        number = int.__int__(value)
        self.left -= 20
        return number if _SMALLEST_INT <= number <= _LARGEST_INT else int_text(number)

    def from_float(self, value: Any, _depth: int) -> float | str:
        number = float.__float__(value)
        self.left -= 20
        return number if -_INFINITY < number < _INFINITY else repr(number)  # an exact float

    def from_list(self, value: Any, depth: int) -> object:
        return self._list(list_slice(value, slice(0, self.max_width)), list_len(value), value, depth)

    def from_tuple(self, value: tuple[object, ...], depth: int) -> object:
        if len(value) == 2 and depth > 0 and is_secret_pair(value, self.settings):  # noqa: PLR2004 - a pair
            value = (value[0], FILTERED)
        return self._list(value[: self.max_width], len(value), value, depth)

    def from_set(self, value: Any, depth: int) -> object:
        items: list[object] = []
        try:
            items.extend(islice(value, self.max_width))
        except RuntimeError:  # resized by another thread
            items.append(CUT)
        return self._list(items, max(len(value), len(items)), value, depth)

    def _list(self, items: Iterable[object], total: int, value: object, depth: int) -> object:
        if depth <= 0 and total:
            return self._text(value)
        self.left -= 2
        converted: list[object] = []
        for item in items:
            if self.left <= 0:
                break
            converted.append(self.convert(item, depth - 1))
        if len(converted) < total:
            converted.append(f"{CUT} +{total - len(converted)}")
        return converted

    def from_dict(self, value: Any, depth: int) -> object:
        total = dict_len(value)
        if depth <= 0 and total:
            return self._text(value)
        self.left -= 2
        converted: dict[str, object] = {}
        seen = 0
        try:
            for key, item in islice(dict_items(value), self.max_width):
                if self.left <= 0:
                    break
                name = self._spent(self._key(key))
                hidden = self.hide and is_hidden(key, self.settings)
                converted[name] = self._spent(FILTERED) if hidden else self.convert(item, depth - 1)
                seen += 1
        except RuntimeError:  # resized by another thread
            converted[CUT] = "resized"
        else:
            if seen < total:
                converted[CUT] = f"+{total - seen}"
        return converted

    def _key(self, key: object) -> str:
        text = plain_str(key, _MAX_KEY + 1)
        if text is None:
            return render(key, _MAX_KEY, 1, self.settings)
        return clean(text if len(text) <= _MAX_KEY else text[: _MAX_KEY - 1] + CUT)


_CONVERSIONS: dict[int, Callable[[_Writer, Any, int], object]] = {
    id(str): _Writer.from_str,
    id(type(None)): _Writer.from_constant,
    id(bool): _Writer.from_constant,
    id(int): _Writer.from_int,
    id(float): _Writer.from_float,
    id(dict): _Writer.from_dict,
    id(list): _Writer.from_list,
    id(tuple): _Writer.from_tuple,
    id(set): _Writer.from_set,
    id(frozenset): _Writer.from_set,
}
# What an instance of a subclass becomes too: a safe string, an HTTP status, a multi-dict. A named tuple is text.
_ALSO_SUBCLASSES = frozenset(map(id, (str, int, float, dict, list)))
# What custom_repr is not asked about: it is there for the program's own classes.
_NATIVE = ATOMS | {id(dict), id(list), id(tuple)}
