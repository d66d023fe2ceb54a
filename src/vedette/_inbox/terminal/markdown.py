"""One event as Markdown, for a ticket or an assistant: the whole text view, with all variables."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vedette._inbox.event.received import read
from vedette._inbox.terminal.screen import Screen
from vedette._inbox.terminal.view import crumb_text, render_event

if TYPE_CHECKING:
    from vedette._inbox.models import Issue, StoredEvent

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~&!])")
_LONG_AGO = 0.0
"""As the time of reading: so that each time is given with its date."""


def render_markdown(event: StoredEvent, issue: Issue, *, url: str | None = None) -> str:
    """The event as a Markdown document; what was received stands in it as text, never as markup."""
    screen = Screen()
    reading = read(event)
    text = screen.render(render_event(event, issue, screen, locals_=True, url=url, now=_LONG_AGO))
    title = _SPECIAL.sub(r"\\\1", reading.title)
    parts = [f"# {title}", _fenced(text.rstrip("\n"))]
    if reading.crumbs:
        crumbs = (crumb_text(crumb, reading.at, screen) for crumb in reading.crumbs)
        parts += ["## Before, oldest first", _fenced("\n".join(crumbs))]
    return "\n\n".join(parts) + "\n"


def _fenced(text: str) -> str:
    """A code block that the text in it cannot end."""
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall("`+", text)), 0)
    return f"{fence}text\n{text}\n{fence}"
