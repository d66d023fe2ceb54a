"""What a person gets to see who asked for something that isn't there, or may not be had. Programs get JSON."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from vedette._inbox.json_api import refusal_response
from vedette._inbox.limits import Refused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from vedette._inbox.web.renderer import Renderer

NO_ROUTE: Final = "no_route"
"""The code of a refusal by which no route has the path."""
_FOR_PROGRAMS: Final = ("/api/", "/stream")


class ErrorPages:
    """Answers refusals, as a page or as JSON by what the caller accepts."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def answer(self, request: Request, refused: Refused) -> Response:
        """To somebody who may read the inbox."""
        if not _is_person(request):
            return refusal_response(refused)
        if refused.code == NO_ROUTE:
            refused = Refused(404, NO_ROUTE, f"There is nothing at {request.url.path[:200]}")
        return self._renderer.page_or_bare(
            "error.html", "", status=refused.status, title=_title(refused.status), refused=refused, asks_token=False
        )

    def answer_stranger(self, request: Request, refused: Refused) -> Response:
        """To somebody who may not: there is nothing of the inbox in it."""
        if not _is_person(request):
            return refusal_response(refused)
        return self._renderer.bare_page(
            "error.html",
            status=refused.status,
            title=_title(refused.status),
            refused=refused,
            asks_token=refused.code == "no_token",
        )


def _is_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.url.path.startswith(_FOR_PROGRAMS)


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Error {status}"
