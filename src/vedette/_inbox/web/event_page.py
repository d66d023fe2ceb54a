"""The page of one event, the same in other forms, and the form that deletes its issue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from vedette._inbox.arrival import as_event_id
from vedette._inbox.asked import check_own_change, not_there, number_in, number_in_path
from vedette._inbox.json_api import json_response
from vedette._inbox.rows_as_json import event_as_json
from vedette._inbox.schema import StoreError
from vedette._inbox.terminal.markdown import render_markdown
from vedette._inbox.terminal.screen import Screen
from vedette._inbox.terminal.view import render_event
from vedette._inbox.web.editors import Editor
from vedette._inbox.web.event_view import view_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from vedette._inbox.models import Issue, StoredEvent
    from vedette._inbox.web.renderer import Renderer

_FORMS: Final = (".md", ".txt", ".json")


class EventPages:
    """``/issues/12``, its newest event, and ``/events/ID``: each as a page, and as ``.md``, ``.txt``, ``.json``."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._store = renderer.store
        self._editor = Editor(renderer.settings.editor, renderer.settings.path_map)

    def routes(self) -> list[Route]:
        """Reading, and deleting an issue."""
        return [
            Route("/issues/{name}", self._newest, methods=["GET"]),
            Route("/issues/{name}/delete", self._delete, methods=["POST"]),
            Route("/events/{name}", self._one, methods=["GET"]),
        ]

    def _newest(self, request: Request) -> Response:
        number, form = _parted(request.path_params["name"])
        found = self._store.events_of_issue(number_in(number), limit=1)
        return self._answer(found[0] if found else None, form, "issue")

    def _one(self, request: Request) -> Response:
        event_id, form = _parted(request.path_params["name"])
        return self._answer(self._store.event(as_event_id(event_id) or ""), form, "event")

    def _delete(self, request: Request) -> Response:
        check_own_change(request)
        self._store.delete_issue(number_in_path(request, "name"))  # it may be gone already: what was asked for is so
        return RedirectResponse("/", 303)

    def _answer(self, event: StoredEvent | None, form: str, what: str) -> Response:
        issue = None if event is None else self._store.issue(event.issue_id)
        if event is None or issue is None:
            raise not_there(what)
        url = f"{self._renderer.settings.url}/events/{event.event_id}"
        if form == ".json":
            return json_response(event_as_json(event))
        if form == ".md":
            return _text(render_markdown(event, issue, url=url), "text/markdown")
        if form == ".txt":
            screen = Screen()
            return _text(screen.render(render_event(event, issue, screen, locals_=True, url=url)), "text/plain")
        return self._as_page(event, issue)

    def _as_page(self, event: StoredEvent, issue: Issue) -> Response:
        beside, attachments = self._store.neighbours(event), self._store.attachments(event.event_id)
        try:
            view = view_of(event, issue, beside, attachments, self._editor)
            return self._renderer.page("event.html", "/", view=view)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - the border to hostile data: a fault of ours hides no event
            fault = f"{type(error).__name__}: {ascii(str(error))[:200]}"
            return self._renderer.page("broken_event.html", "/", event=event, issue=issue, fault=fault)


def _parted(name: str) -> tuple[str, str]:
    """``12.md`` as the name and the form that is asked for; an empty one is the page."""
    form = next((form for form in _FORMS if name.endswith(form)), "")
    return name.removesuffix(form), form


def _text(text: str, kind: str) -> Response:
    return PlainTextResponse(text.encode("utf-8", "backslashreplace"), media_type=kind)
