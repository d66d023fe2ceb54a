"""The one template environment: everything is escaped, and an unknown name is an error."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from vedette._inbox.rows_as_json import rfc3339

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
        )
        self._environment.filters["rfc3339"] = rfc3339
        self._environment.filters["local_time"] = local_time

    def page(self, template: str, /, status: int = 200, **values: object) -> HTMLResponse:
        """A whole page."""
        return HTMLResponse(self.fragment(template, **values).encode("utf-8", "backslashreplace"), status)

    def fragment(self, template: str, /, **values: object) -> str:
        """A part of a page."""
        return self._environment.get_template(template).render(values)


def local_time(seconds: float) -> str:
    """The time of day of something of today, the date and the time of all else; in the inbox's time zone."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc).astimezone()
    today = datetime.fromtimestamp(time.time(), tz=timezone.utc).astimezone().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")
