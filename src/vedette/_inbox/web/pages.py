"""The pages' routes. Each is a function of the store: Starlette runs them on its worker threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vedette._inbox.web.deleting import DeletePages
from vedette._inbox.web.errors import ErrorPages
from vedette._inbox.web.event_page import EventPages
from vedette._inbox.web.lists import IssueLists
from vedette._inbox.web.other import OtherPage
from vedette._inbox.web.renderer import Renderer
from vedette._inbox.web.telemetry import TelemetryPages

if TYPE_CHECKING:
    from starlette.routing import Route

    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store


class Pages:
    """All that a person opens in a browser."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._renderer = Renderer(store, settings)
        self.errors = ErrorPages(self._renderer)

    def routes(self) -> list[Route]:
        """The pages, and what they are dressed with."""
        return [
            *IssueLists(self._renderer).routes(),
            *EventPages(self._renderer).routes(),
            *OtherPage(self._renderer).routes(),
            *TelemetryPages(self._renderer).routes(),
            *DeletePages(self._renderer).routes(),
            *self._renderer.assets.routes(),
        ]
