"""The one template environment: everything is escaped, and an unknown name is an error."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from vedette._inbox.event import safe
from vedette._inbox.limits import KIB, MIB
from vedette._inbox.rows_as_json import rfc3339
from vedette._inbox.web.kinds import counted, grouped

if TYPE_CHECKING:
    from vedette._inbox.models import Item

_TEMPLATES: Final = Path(__file__).parent / "templates"


class Templates:
    """Renders the files in ``templates/``. What is received stands in them as text, never as markup."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            finalize=_made_visible,
        )
        self._environment.filters["rfc3339"] = rfc3339
        self._environment.filters["local_time"] = local_time
        self._environment.filters["short_time"] = short_time
        self._environment.filters["counted"] = counted
        self._environment.filters["grouped"] = grouped
        self._environment.filters["size"] = size
        self._environment.filters["duration"] = duration
        self._environment.filters["one_line"] = one_line
        self._environment.filters["as_text"] = as_text
        self._environment.filters["gist"] = gist

    def page(self, template: str, /, status: int = 200, **values: object) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.fragment(template, **values).encode("utf-8", "backslashreplace"), status)

    def fragment(self, template: str, /, **values: object) -> str:
        """A part of a page."""
        return self._environment.get_template(template).render(values)


def _made_visible(value: object) -> object:
    """What every expression of a template goes through: what could hide or reorder text is written out."""
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    if value.isprintable() and len(value) <= safe.MAX_VALUE:
        return value
    return "\n".join(safe.lines(value))


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


def size(number: int) -> str:
    """Bytes in words: ``512 B``, ``2.1 KiB``."""
    if number < KIB:
        return f"{number} B"
    return f"{number / KIB:.1f} KiB" if number < MIB else f"{number / MIB:.1f} MiB"


def duration(seconds: float) -> str:
    """A time that something took: ``0.4 ms``, ``1.25 s``."""
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:,.2f} s".replace(",", " ")


def one_line(text: str, limit: int = 200) -> str:
    """The beginning of a text, blanks and line ends squeezed."""
    squeezed = " ".join(text[: limit * 4].split())
    return squeezed if len(squeezed) <= limit and len(text) <= limit * 4 else squeezed[:limit] + "…"


def as_text(value: object) -> str:
    """Any decoded value: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def gist(item: Item) -> str:
    """What an item is about, in a line: the name of a file, else the beginning of the content."""
    name = item.headers.get("filename")
    if isinstance(name, str) and name:
        kind = item.headers.get("content_type")
        return one_line(f"{name} · {kind}" if isinstance(kind, str) and kind else name)
    return one_line(item.excerpt) or "(no content)"
