"""What users set, in the form that servers accept; what cannot be kept is named in debug mode."""

from __future__ import annotations

import sys
import time

from vedette._host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._protocol.types import LogLevel

    Render = Callable[[object], Any]

YEAR_10000: Final = 253_402_300_800  # seconds since 1970; servers read no later time
_LONGEST_TIME: Final = 64  # characters; RFC 3339 takes 35
_INFINITY: Final = float("inf")
_LARGEST_TIME: Final = 1e12  # seconds, some 30 000 years
LONGEST_TAG: Final = 200  # characters of a tag's key, a tag's value, a transaction name; servers cut there (EVT-20)

_LEVELS: Final[dict[str, LogLevel]] = {
    "fatal": "fatal",
    "critical": "fatal",
    "error": "error",
    "warning": "warning",
    "warn": "warning",
    "info": "info",
    "debug": "debug",
}
LEVELS: Final = frozenset({"fatal", "error", "warning", "info", "debug"})
"""What servers know (EVT-11)."""

PLAIN_KEYS: Final[set[str]] = set()
"""Keys of tags and breadcrumbs that were found to be as servers want them, so that they are looked at once."""

_PRIMITIVES: Final = frozenset({str, bool, int, float})
_VALUE_AND_UNIT: Final = frozenset({"value", "unit"})
_LONGEST_ATTRIBUTE: Final = 8192  # characters of what is turned into text
_MOST_PLAIN_KEYS: Final = 1024
_TAG_KEY: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:-")


def level_of(value: object) -> LogLevel | None:
    """The level that servers know by this name, in any case; None for any other value.

    ``critical`` is ``fatal`` and ``warn`` is ``warning`` (EVT-11, BRC-06).
    """
    level = _LEVELS.get(value.lower()) if type(value) is str else None
    if level is None:
        log.debug("level %.50s is ignored; the levels are fatal, error, warning, info, debug", shown(value))
    return level


def shown(value: object) -> str:
    """For messages about a value that was not expected: runs none of its code."""
    return repr(value) if type(value) is str else f"of type {type.__dict__['__name__'].__get__(type(value))}"


def is_exactly(cls: type, value: object) -> bool:
    """Whether the value is of this very class. Type checkers learn nothing from it."""
    return type(value) is cls


def text_of(value: object, render: Render) -> str:
    """A value as text: an exact ``str`` as it is, else the text of what the renderer makes of it."""
    if type(value) is str:
        return value
    rendered = render(value)  # exact built-ins, so that str() runs nobody's code
    return rendered if type(rendered) is str else str(rendered)


def name_of(value: object, render: Render) -> str:
    """A tag's value or a transaction's name: one line of at most 200 characters, a cut shown by ``…``.

    Cut rather than dropped: the beginning still tells most, and can be searched for.
    """
    text = text_of(value, render)
    if "\n" in text:
        text = text.replace("\n", " ")
    return text if len(text) <= LONGEST_TAG else f"{text[: LONGEST_TAG - 1]}…"


def tag_key_of(value: object, render: Render) -> str:
    """A tag's key: characters that servers refuse become ``_``, and it is cut after 200 of them."""
    if type(value) is str and is_plain_key(value):
        return value
    key = text_of(value, render)[:LONGEST_TAG]
    if not _TAG_KEY.issuperset(key):
        key = "".join(char if char in _TAG_KEY else "_" for char in key)
    return key or "_"


def is_plain_key(key: str) -> bool:
    """Whether an exact ``str`` can be a tag's key as it is."""
    if key in PLAIN_KEYS:
        return True
    if not (0 < len(key) <= LONGEST_TAG and _TAG_KEY.issuperset(key)):
        return False
    if len(PLAIN_KEYS) < _MOST_PLAIN_KEYS:
        PLAIN_KEYS.add(key)
    return True


def attribute_of(value: object, render: Render) -> Any:
    """An attribute's value: a primitive, a list of one kind of them, or either with its unit.

    ATTR-04, ATTR-07, ATTR-11. What servers would drop becomes text (ATTR-08): its beginning still tells most.
    """
    rendered = render(value)
    if is_exactly(dict, rendered) and "value" in rendered and rendered.keys() <= _VALUE_AND_UNIT:
        unit = rendered.get("unit")
        of_value = _attribute(rendered["value"])
        return {"value": of_value} if unit is None else {"value": of_value, "unit": str(unit)}  # an exact built-in
    return _attribute(rendered)


def _attribute(rendered: Any) -> Any:
    if type(rendered) in _PRIMITIVES:
        return rendered
    if is_exactly(list, rendered):
        kinds = set(map(type, rendered))
        if kinds <= {int, float}:
            return [float(item) for item in rendered] if float in kinds else rendered
        if len(kinds) == 1 and kinds <= _PRIMITIVES:
            return rendered
    text = str(rendered)  # of exact built-ins
    return text if len(text) <= _LONGEST_ATTRIBUTE else f"{text[: _LONGEST_ATTRIBUTE - 1]}…"


def pairs_of(value: Any, what: str) -> list[tuple[Any, object]]:
    """The keys and values of a mapping that a user gave; none if it is no mapping. No key is hashed."""
    try:
        return [(key, each) for key, each in value.items()]  # what is no pair raises here, and is caught
    except Exception:  # noqa: BLE001 - foreign code; a setter never raises into the host
        log.debug("%s must be a mapping, and is %s: ignored", what, shown(value))
        return []


def dict_of(value: Any, what: str) -> dict[Any, object]:
    """A mapping that a user gave, as a dict of our own; an empty one if it is no mapping."""
    return dict(value) if is_exactly(dict, value) else dict(pairs_of(value, what))


def seconds_of(value: Any) -> float | int | str:
    """A time stamp that JSON knows: as it is, a ``datetime`` as seconds since the epoch, or now."""
    if (
        is_exactly(str, value)
        or is_exactly(int, value)
        or (is_exactly(float, value) and -_INFINITY < value < _INFINITY)
    ):
        return value  # type: ignore[no-any-return]
    module = sys.modules.get("datetime")
    datetime = getattr(module, "datetime", None)  # there is none while another thread imports the module
    if module is not None and datetime is not None and issubclass(type(value), datetime):
        try:
            zoned = value if value.tzinfo is not None else value.replace(tzinfo=module.timezone.utc)
            return float(zoned.timestamp())
        except Exception:  # noqa: BLE001, S110 - a foreign tzinfo; the time of recording will do
            pass
    return time.time()


def read_time(given: object) -> float | None:
    """Seconds since 1970 of a number, a text or a ``datetime``; None for what is no time."""
    seconds: Any = seconds_of(given)
    if type(seconds) is str:
        return _parsed(seconds[:_LONGEST_TIME])
    return float(seconds) if -_LARGEST_TIME < seconds < _LARGEST_TIME else None


def _parsed(text: str) -> float | None:
    """Seconds of ``2026-11-25T12:00:00.5Z`` and its like; without a zone it is UTC."""
    from datetime import datetime, timezone  # noqa: PLC0415 - few give text, and no program should pay for the others

    text = text.strip()
    if text.endswith(("Z", "z")):
        text = f"{text[:-1]}+00:00"
    start, point, rest = text.partition(".")
    if point:  # Python 3.10 reads three or six digits
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        text = f"{start}.{digits[:6]:0<6}{rest[len(digits) :]}"
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, OverflowError):
        return None


def time_of_breadcrumb(value: object) -> float | int | str:
    """As it is, or now where it is no time that servers take: for one before 1970 they lose the whole breadcrumb."""
    given = seconds_of(value)
    seconds = read_time(given)
    return given if seconds is not None and 0 <= seconds < YEAR_10000 else time.time()
