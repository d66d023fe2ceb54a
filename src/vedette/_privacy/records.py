"""A name and its value that stand beside each other instead of one under the other.

``{'name': 'password', 'value': 'x'}`` is what HAR files, Kubernetes and forms write, ``['password', 'x']`` is how lists
hold headers. Both occur as data and, once they were rendered, in texts.
"""

from __future__ import annotations

from vedette._privacy.credentials import joined
from vedette._privacy.denylist import FILTERED
from vedette._privacy.pairs import value_at
from vedette._privacy.patterns import expressions
from vedette._privacy.texts import unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Any, Final

    from vedette._privacy.denylist import DenyList
    from vedette._privacy.texts import Matches

# What a record may call its name (as in `patterns`).
NAMES: Final = frozenset(
    {"name", "key", "field", "header", "param", "parameter", "property", "attribute", "variable", "path", "id"}
    | {"Name", "Key"}
)
VALUES: Final = frozenset({"value", "Value"})
"""What it may call its value."""
_LONGEST_RECORD: Final = 2048
_OPENING, _CLOSING = "{(<", "})>"
_END_OF_LIST: Final = frozenset({"]", ")", "", "…"})
_LONGEST_GAP: Final = 8


def hide_value(record: dict[Any, Any], matches: Matches) -> None:
    """Filter the ``value`` of a mapping that names something deny-listed beside it."""
    if NAMES.isdisjoint(record) or VALUES.isdisjoint(record):
        return  # an exception, most of the time
    if any(type(record[key]) is str and matches(record[key]) for key in NAMES.intersection(record)):
        for value in VALUES.intersection(record):
            record[value] = FILTERED


def without_listed(text: str, names: DenyList) -> str:
    """Without the second item of lists of two whose first one, in quotes, is a deny-listed name."""
    parts: list[str] = []
    done = 0
    find = expressions().listed.search
    found = find(text)
    while found is not None and found.end() < len(text):
        at = found.end()
        if names.matches(unquoted(found[2])):
            end, shown = value_at(text, at, expressions().item_end)
            if text[end : end + _LONGEST_GAP].lstrip()[:1] in _END_OF_LIST:
                parts += (text[done:at], shown)
                done = at = end
        found = find(text, at)
    return joined(parts, text, done)


def without_records(text: str, names: DenyList) -> str:
    """Without the values that stand beside deny-listed names."""
    parts: list[str] = []
    done = 0
    find = expressions().record_name.search
    found = find(text)
    while found is not None:
        following = find(text, found.end())
        if names.matches(found[2] or found[3]):
            for value in _values_beside(text, found, done, len(text) if following is None else following.start()):
                if done <= value.end() < len(text):
                    end, shown = value_at(text, value.end(), _ending(text, value))
                    parts += (text[done : value.end()], shown)
                    done = end
            following = find(text, max(done, found.end()))
        found = following
    return joined(parts, text, done)


def _values_beside(text: str, name: re.Match[str], start: int, end: int) -> list[re.Match[str]]:
    """Each ``value`` in the same brackets as a name, before and behind it, else the next one; between two places."""
    find = expressions().record_value.search
    start = max(start, name.start() - _LONGEST_RECORD)
    end = min(end, name.end() + _LONGEST_RECORD)
    opened = max(text.rfind(sign, start, name.start()) for sign in _OPENING)
    before = find(text, opened, name.start()) if opened >= 0 else None
    if before is not None:
        closed = [text.find(sign, name.end(), end) for sign in _CLOSING]
        end = min((at for at in closed if at >= 0), default=end)
    return [value for value in (before, find(text, name.end(), end)) if value is not None]


def _ending(text: str, value: re.Match[str]) -> re.Pattern[str]:
    """What a bare value ends at: a line of YAML holds one, a tag or a call may hold more."""
    if value[1]:
        return expressions().item_end
    return expressions().line_end if text[value.end() - 1] in " \t" else expressions().word_end
