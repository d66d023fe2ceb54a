"""What templates may do with a value: times, sizes and quantities in words, texts cut to a line."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from vedette._inbox.event.fields import as_text
from vedette._inbox.rows_as_json import rfc3339
from vedette._inbox.web.kinds import counted
from vedette._inbox.words import grouped, size_in_words

if TYPE_CHECKING:
    from vedette._inbox.models import Item


def local_time(seconds: float) -> str:
    """The time of day of something of today, the date and the time of all else; in the inbox's time zone."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone()
    today = datetime.fromtimestamp(time.time(), tz=timezone.utc).astimezone().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")


def short_time(seconds: float) -> str:
    """For a column of a list: the time of day of something of today, else the day; in the inbox's time zone."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone()
    now = datetime.fromtimestamp(time.time(), tz=timezone.utc).astimezone()
    if moment.date() == now.date():
        return moment.strftime("%H:%M:%S")
    return f"{moment.day} {moment:%b %H:%M}" if moment.year == now.year else moment.strftime("%Y-%m-%d")


def clock(seconds: float) -> str:
    """For a log: like ``short_time``, to the millisecond for something of today."""
    shown = short_time(seconds)
    return f"{shown}.{int(seconds * 1000) % 1000:03}" if shown.count(":") == 2 else shown  # noqa: PLR2004 - hours, minutes, seconds


def duration(seconds: float) -> str:
    """A time that something took: ``0.4 ms``, ``1.25 s``."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:,.2f} s".replace(",", " ")


def one_line(text: str, limit: int = 200) -> str:
    """The beginning of a text, blanks and line ends squeezed."""
    squeezed = " ".join(text[: limit * 4].split())
    return squeezed if len(squeezed) <= limit and len(text) <= limit * 4 else squeezed[:limit] + "…"


def gist(item: Item) -> str:
    """What an item is about, in a line: the name of a file, else the beginning of the content."""
    name = item.headers.get("filename")
    if isinstance(name, str) and name:
        kind = item.headers.get("content_type")
        return one_line(f"{name} · {kind}" if isinstance(kind, str) and kind else name)
    return one_line(item.excerpt) or "(no content)"


def level_class(level: str) -> str:
    """The class of a level that has a colour; what else a sender may call a level must not choose classes."""
    return f"level-{level}" if level in _COLOURED else ""


_COLOURED: Final = frozenset({"fatal", "error", "warning"})
_EACH: Final = (
    *(as_text, clock, counted, duration, gist, grouped, level_class, local_time, one_line, rfc3339, short_time),
)
FILTERS: Final[dict[str, Any]] = {"size": size_in_words, **{one.__name__: one for one in _EACH}}
"""By the name that templates use."""
