"""Deleting everything: a page that asks, and a form that does it. No script is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse
from starlette.routing import Route

from vedette._inbox.asked import check_own_change
from vedette._inbox.web.kinds import counted

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from vedette._inbox.web.renderer import Renderer


class DeletePages:
    """``/delete``: GET asks, POST deletes and leads to the list."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._store = renderer.store

    def routes(self) -> list[Route]:
        """Asking and doing."""
        return [Route("/delete", self._ask, methods=["GET"]), Route("/delete", self._delete, methods=["POST"])]

    def _ask(self, request: Request) -> Response:
        del request
        stats = self._store.stats()
        what = [
            f"{counted(stats.issues, 'issue')} with {counted(stats.events, 'event')}",
            counted(stats.items, "other item"),
            counted(self._store.refused_count(), "refused envelope"),
        ]
        return self._renderer.page(
            "confirm.html",
            "/",
            question="Delete everything?",
            what=", ".join(what),
            action="/delete",
            button="Delete everything",
            back="/",
        )

    def _delete(self, request: Request) -> Response:
        check_own_change(request)
        self._store.clear()
        return RedirectResponse("/", 303)
