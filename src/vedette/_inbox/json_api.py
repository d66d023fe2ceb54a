"""The JSON routes: what the inbox knows, for programs.

Lists are ``{"results", "next"}``, times RFC 3339 in UTC, errors ``{"detail", "causes"}``.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from vedette._inbox.arrival import as_event_id
from vedette._inbox.asked import check_own_change, not_there, number_in_path, page_of
from vedette._inbox.rows_as_json import event_as_json, issue_as_json, item_as_json
from vedette._protocol.version import VERSION

if TYPE_CHECKING:
    from starlette.requests import Request

    from vedette._inbox.limits import Refused
    from vedette._inbox.models import Issue, Item
    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store

HEALTH_NAME: Final = "vedette-inbox"
_NOT_IN_FILE_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]")
_MAX_FILE_NAME: Final = 100


def json_response(value: object, status: int = 200) -> Response:
    """Any decoded value as JSON. In ASCII, so that no text of an event can break the encoding."""
    body = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Response(body.encode("ascii"), status, media_type="application/json")


def refusal_response(refused: Refused) -> Response:
    """An error as all routes answer it."""
    response = json_response({"detail": refused.detail, "causes": list(refused.causes)}, refused.status)
    if refused.status == 503:  # noqa: PLR2004 - HTTP
        response.headers["Retry-After"] = "1"
    return response


class JsonApi:
    """Functions over the store; Starlette runs them on its worker threads."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def routes(self) -> list[Route]:
        """All routes, for reading and for deleting."""
        return [
            Route("/api/health", self._health, methods=["GET"]),
            Route("/api/stats", self._stats, methods=["GET"]),
            Route("/api/issues", self._issues, methods=["GET"]),
            Route("/api/issues/{number}", self._issue, methods=["GET"]),
            Route("/api/issues/{number}", self._delete_issue, methods=["DELETE"]),
            Route("/api/issues/{number}/events", self._events_of_issue, methods=["GET"]),
            Route("/api/events", self._clear, methods=["DELETE"]),
            Route("/api/events/{event_id}", self._event, methods=["GET"]),
            Route("/api/events/{event_id}/envelope", self._envelope, methods=["GET"]),
            Route("/api/items", self._items, methods=["GET"]),
            Route("/api/items/{number}/payload", self._payload, methods=["GET"]),
        ]

    def _health(self, request: Request) -> Response:
        del request
        known = {"name": HEALTH_NAME, "version": VERSION}
        if self._settings.token is None:  # else anyone may ask, and the key in the DSN is a secret
            known["dsn"] = self._settings.dsn
        return json_response(known)

    def _stats(self, request: Request) -> Response:
        del request
        return json_response(asdict(self._store.stats()))

    def _issues(self, request: Request) -> Response:
        limit, before = page_of(request)
        found = self._store.issues(request.query_params.get("q"), limit=limit, before=before)
        return _list([issue_as_json(issue) for issue in found], limit, found[-1].newest_row if found else 0)

    def _issue(self, request: Request) -> Response:
        return json_response(issue_as_json(self._wanted_issue(request)))

    def _events_of_issue(self, request: Request) -> Response:
        issue = self._wanted_issue(request)
        limit, before = page_of(request)
        found = self._store.events_of_issue(issue.id, limit, before)
        return _list([event_as_json(event) for event in found], limit, found[-1].row_id if found else 0)

    def _event(self, request: Request) -> Response:
        event = self._store.event(_event_id(request))
        if event is None:
            raise not_there("event")
        return json_response(event_as_json(event))

    def _envelope(self, request: Request) -> Response:
        parts = self._store.envelope_parts(_event_id(request))
        if parts is None:
            raise not_there("event")
        disposition = {"Content-Disposition": f'attachment; filename="{_event_id(request)}.envelope"'}
        return StreamingResponse(parts, media_type="application/octet-stream", headers=disposition)

    def _items(self, request: Request) -> Response:
        limit, before = page_of(request)
        found = self._store.items(request.query_params.get("type") or None, limit, before)
        return _list([item_as_json(item) for item in found], limit, found[-1].row_id if found else 0)

    def _payload(self, request: Request) -> Response:
        """Always a download of bytes: an attachment may be a page with a script in it."""
        row_id = number_in_path(request, "number")
        item, parts = self._store.item(row_id), self._store.item_payload_parts(row_id)
        if item is None or parts is None:
            raise not_there("item")
        disposition = {"Content-Disposition": f'attachment; filename="{_file_name(item)}"'}
        return StreamingResponse(parts, media_type="application/octet-stream", headers=disposition)

    def _delete_issue(self, request: Request) -> Response:
        check_own_change(request)
        if not self._store.delete_issue(number_in_path(request, "number")):
            raise not_there("issue")
        return Response(status_code=204)

    def _clear(self, request: Request) -> Response:
        check_own_change(request)
        self._store.clear()
        return Response(status_code=204)

    def _wanted_issue(self, request: Request) -> Issue:
        issue = self._store.issue(number_in_path(request, "number"))
        if issue is None:
            raise not_there("issue")
        return issue


def _list(results: list[dict[str, Any]], limit: int, cursor: int) -> Response:
    """``next`` is the value of ``before`` for the following page, null on the last one."""
    return json_response({"results": results, "next": cursor if len(results) == limit else None})


def _file_name(item: Item) -> str:
    """Of a download. Led by the row's number, so it is never hidden, a device's name or a path."""
    given = item.headers.get("filename")
    name = given if isinstance(given, str) and given else f"{item.type}.bin"
    return f"{item.row_id}-{_NOT_IN_FILE_NAMES.sub('_', name[-_MAX_FILE_NAME:])}"


def _event_id(request: Request) -> str:
    return as_event_id(request.path_params["event_id"]) or ""
