"""The one template environment: everything is escaped, and an unknown name is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from vedette._inbox.event import safe
from vedette._inbox.web.filters import FILTERS

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
        self._environment.filters.update(FILTERS)

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
