"""The list of issues: as a page, and as text and JSON for programs. Its whole state is in the URL."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from vedette._inbox.asked import PER_PAGE, number_in_query, page_of
from vedette._inbox.event import safe
from vedette._inbox.json_api import json_response
from vedette._inbox.rows_as_json import issue_as_json, rfc3339

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

    from vedette._inbox.models import Issue
    from vedette._inbox.web.renderer import Renderer

_MAX_Q = 500  # characters of a search


class IssueLists:
    """``/`` (also ``/issues``), ``/issues.json`` and ``/issues.txt``; ``q`` searches, ``before`` pages."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._store = renderer.store

    def routes(self) -> list[Route]:
        """The list in its three forms."""
        return [
            Route("/", self._page, methods=["GET"]),
            Route("/issues", self._page, methods=["GET"]),
            Route("/issues.json", self._json, methods=["GET"]),
            Route("/issues.txt", self._text, methods=["GET"]),
        ]

    def _page(self, request: Request) -> Response:
        q, before = _q(request), number_in_query(request, "before")
        found, has_more = self._found(q, PER_PAGE, before)
        if not found and not q and before is None:
            return self._empty()
        return self._renderer.page(
            "issues.html",
            "/",
            q=q,
            issues=found,
            shows_release=_varies(issue.release for issue in found),
            shows_environment=_varies(issue.environment for issue in found),
            is_first=before is None,
            first=_address(q),
            following=_address(q, before=found[-1].newest_row) if has_more else "",
        )

    def _empty(self) -> Response:
        settings = self._renderer.settings
        return self._renderer.page(
            "empty.html",
            "/",
            url=settings.url,
            database=settings.database,
            dsn=settings.dsn,
            attempt=settings.attempt,
            refused=self._store.refused_count(),
        )

    def _json(self, request: Request) -> Response:
        limit, before = page_of(request)
        found, has_more = self._found(_q(request), limit, before)
        following = found[-1].newest_row if has_more else None
        return json_response({"results": [issue_as_json(issue) for issue in found], "next": following})

    def _text(self, request: Request) -> Response:
        limit, before = page_of(request)
        found, _ = self._found(_q(request), limit, before)
        return PlainTextResponse("".join(f"{_as_line(issue)}\n" for issue in found))

    def _found(self, q: str, limit: int, before: int | None) -> tuple[list[Issue], bool]:
        """A page, and whether another follows."""
        found = self._store.issues(q, limit=limit + 1, before=before)
        return found[:limit], len(found) > limit


def _q(request: Request) -> str:
    return request.query_params.get("q", "").strip()[:_MAX_Q]


def _as_line(issue: Issue) -> str:
    """Number, times seen, last seen, level, title and place, with tabs between: for ``cut`` and ``grep``."""
    parts = (str(issue.id), str(issue.count), rfc3339(issue.last_seen), issue.level, issue.title, issue.place)
    return "\t".join(safe.line(part) for part in parts)


def _varies(values: Iterable[str]) -> bool:
    return len(set(values)) > 1


def _address(q: str, **more: int) -> str:
    query = urlencode({**({"q": q} if q else {}), **more}, errors="replace")
    return f"/?{query}" if query else "/"
