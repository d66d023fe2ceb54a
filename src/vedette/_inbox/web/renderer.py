"""A page from a template, with what all pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vedette._inbox.schema import StoreError
from vedette._inbox.web.assets import Assets
from vedette._inbox.web.templating import Templates
from vedette._inbox.web.top import top_of
from vedette._protocol.version import VERSION

if TYPE_CHECKING:
    from starlette.responses import Response

    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store


class Renderer:
    """Renders pages; ``store`` and ``settings`` are for those who make them."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self.assets = Assets()
        self.templates = Templates()

    def page(self, template: str, path: str, *, q: str = "", status: int = 200, **values: object) -> Response:
        """A page below the tab ``path``, under the top bar."""
        top = top_of(self.settings, self.store, q=q, path=path)
        return self._page(template, status, top=top, **values)

    def bare_page(self, template: str, *, status: int, **values: object) -> Response:
        """A page for somebody who may not, or cannot, see what is in the inbox: nothing of it is on it."""
        return self._page(template, status, top=None, **values)

    def page_or_bare(self, template: str, path: str, *, status: int, **values: object) -> Response:
        """A page that must come, also if the database cannot be read."""
        try:
            return self.page(template, path, q="", status=status, **values)
        except StoreError:
            return self.bare_page(template, status=status, **values)

    def _page(self, template: str, status: int, **values: object) -> Response:
        return self.templates.page(template, status, assets=self.assets.urls, version=VERSION, **values)
