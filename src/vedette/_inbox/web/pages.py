"""The pages' routes. Each is a function of the store: Starlette runs them on its worker threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from vedette._inbox.web.assets import Assets
from vedette._inbox.web.event_page import EventPages
from vedette._inbox.web.templating import Templates
from vedette._inbox.web.top import top_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store

_PER_PAGE = 50


class Pages:
    """All that a person opens in a browser."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._assets = Assets()
        self._templates = Templates()

    def routes(self) -> list[Route]:
        """The pages, and what they are dressed with."""
        events = EventPages(self._store, self._settings, self._page)
        return [Route("/", self._issues, methods=["GET"]), *events.routes(), *self._assets.routes()]

    def _issues(self, request: Request) -> Response:
        q = request.query_params.get("q", "")
        found = self._store.issues(q, limit=_PER_PAGE)
        return self._page("issues.html", "/", q=q, issues=found)

    def _page(self, template: str, path: str, *, q: str = "", status: int = 200, **values: object) -> Response:
        top = top_of(self._settings, self._store.stats(), q=q, path=path)
        return self._templates.page(template, status, assets=self._assets.urls, top=top, **values)
