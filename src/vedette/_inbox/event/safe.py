"""Received text, made fit for a terminal: what could move the cursor, reorder or hide text is written out.

All text of an event passes through here before it is laid out (``received.py`` is the only door), so that no
ESC byte on the screen comes from data, a line stays a line, and what is seen is what was sent.
"""

from __future__ import annotations

import re

MAX_VALUE = 64 * 1024
"""Characters of one value that are looked at; the rest is in the JSON."""

# C0, DEL and C1; soft hyphen, zero-width space and word joiner; what changes the direction of text; Unicode's
# line separators; lone surrogates; interlinear marks; tags. ZWJ and ZWNJ stay: words and emoji need them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def line(text: str, limit: int = MAX_VALUE) -> str:
    """Text for a field of one line: line breaks are written out too. Cut after ``limit`` characters."""
    text = _cut(text, limit)
    return text if text.isprintable() else _UNSAFE.sub(_written_out, text)


def lines(text: str, limit: int = MAX_VALUE) -> list[str]:
    """Text of several lines, as a list of safe ones."""
    if len(text) <= limit and text.isprintable():  # most are, and there may be thousands
        return [text]
    return [line(part, limit) for part in _cut(text, limit).replace("\r\n", "\n").expandtabs(4).split("\n")]


def code(text: str, limit: int = MAX_VALUE) -> str:
    """A source line: tabs become blanks, so that its indentation survives; the end of the line is dropped."""
    return line(_cut(text, limit).rstrip().expandtabs(4))


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _written_out(match: re.Match[str]) -> str:
    character = match.group()
    if character in _SHORT:
        return _SHORT[character]
    return character.encode("raw_unicode_escape" if character > "\xff" else "unicode_escape", "surrogatepass").decode()
