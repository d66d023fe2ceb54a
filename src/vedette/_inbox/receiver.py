"""The inbox as an ASGI application: where envelopes come in, and what stands around every route."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final, Literal

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vedette._inbox.access import TOKEN_COOKIE, Hosts, check_project, has_token, key_in_request
from vedette._inbox.bodies import Bodies
from vedette._inbox.json_api import JsonApi, json_response, refusal_response
from vedette._inbox.limits import Refused
from vedette._inbox.recording import Refusal
from vedette._inbox.schema import StoreError
from vedette._inbox.web.errors import NO_ROUTE
from vedette._inbox.web.pages import Pages
from vedette._inbox.writer import Submission

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store
    from vedette._inbox.streaming import Streams
    from vedette._inbox.web.errors import ErrorPages
    from vedette._inbox.writer import Writer

_INGEST: Final = re.compile(r"/stream|/api/[0-9]+/(?:envelope|store)/?")
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "content-type, content-encoding, x-sentry-auth, authorization",
    "Access-Control-Max-Age": "3600",
}
_ALWAYS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def build_app(store: Store, writer: Writer, streams: Streams, settings: Settings) -> ASGIApp:
    """The application: ingest, JSON routes, pages, and the guard around them. ``writer`` must have been started."""
    receiver, pages = Receiver(writer, settings), Pages(store, settings)
    routes = [
        *receiver.routes(),
        *JsonApi(store, settings).routes(),
        *streams.routes(),
        *pages.routes(),
    ]
    app = Starlette(routes=routes, exception_handlers=_handlers(pages.errors))
    app.router.redirect_slashes = False
    return _Guard(app, receiver, pages.errors, settings)


class Receiver:
    """The ingest routes: everything that any of the known servers takes, and more."""

    def __init__(self, writer: Writer, settings: Settings) -> None:
        self._writer = writer
        self._bodies = Bodies(settings)
        self._hosts = Hosts(settings.allow_hosts)

    def routes(self) -> list[Route]:
        """With and without the closing slash; OPTIONS for the web pages that ask first."""
        return [
            Route(path + slash, endpoint, methods=["POST", "OPTIONS"])
            for path, endpoint in (("/api/{project}/envelope", self._envelope), ("/api/{project}/store", self._store))
            for slash in ("", "/")
        ] + [Route("/stream", self._spotlight, methods=["POST", "OPTIONS"])]

    async def refuse(self, request: Request, refused: Refused) -> Response:
        """Answer a refusal, after it was recorded with the beginning of the body."""
        async with self._bodies.body_of(request) as received:
            project = request.path_params.get("project", "")
            await self._writer.submit(Refusal(str(project), bytes(received.body), received.size, refused))
        return refusal_response(refused)

    async def _envelope(self, request: Request) -> Response:
        return await self._take(request, "envelope", request.path_params["project"])

    async def _store(self, request: Request) -> Response:
        return await self._take(request, "store", request.path_params["project"])

    async def _spotlight(self, request: Request) -> Response:
        return await self._take(request, "spotlight", "")

    async def _take(self, request: Request, kind: Literal["envelope", "store", "spotlight"], project: str) -> Response:
        try:
            check_project(project)
            origin = self._hosts.check_origin(request.headers)
        except Refused as refused:
            return await self.refuse(request, refused)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_PREFLIGHT, **_cors(origin)})
        async with self._bodies.body_of(request) as received:
            if received.refused is None:
                encoding = request.headers.get("content-encoding", "")
                key = key_in_request(request.headers, request.query_params)
                work: Submission | Refusal = Submission(kind, project, received.body, encoding, key)
            else:
                work = Refusal(project, bytes(received.body), received.size, received.refused)
            answer = await self._writer.submit(work)
        response = (
            refusal_response(answer) if isinstance(answer, Refused) else json_response({"id": answer} if answer else {})
        )
        response.headers.update(_cors(origin))
        return response


class _Guard:
    """Around every route: the names we answer to, the token of readers, and headers that keep pages apart."""

    def __init__(self, app: ASGIApp, receiver: Receiver, errors: ErrorPages, settings: Settings) -> None:
        self._app = app
        self._receiver = receiver
        self._errors = errors
        self._hosts = Hosts(settings.allow_hosts)
        self._token = settings.token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        cookie = self._cookie_for(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                if cookie:
                    headers.append("Set-Cookie", cookie)
            await send(message)

        refused = self._refused(scope)
        if refused is None:
            await self._app(scope, receive, send_with_headers)
            return
        request = Request(scope, receive)
        is_ingest = _INGEST.fullmatch(request.url.path) is not None
        if is_ingest:
            response = await self._receiver.refuse(request, refused)
        else:
            response = self._errors.answer_stranger(request, refused)
        await response(scope, receive, send_with_headers)

    def _cookie_for(self, scope: Scope) -> str:
        """Who came with the right token in the URL keeps it as a cookie."""
        given = Request(scope).query_params.get("token", "")
        if self._token is None or not secrets.compare_digest(given.encode(), self._token.encode()):
            return ""
        return f"{TOKEN_COOKIE}={self._token}; HttpOnly; SameSite=Strict; Path=/"

    def _refused(self, scope: Scope) -> Refused | None:
        try:
            self._hosts.check_host(Headers(scope=scope).get("host", ""))
        except Refused as refused:
            return refused
        path: str = scope["path"]
        if self._token is None or _INGEST.fullmatch(path) or path == "/api/health" or path.startswith("/static/"):
            return None  # what the pages are dressed with is no secret, and the page that asks for the token needs it
        request = Request(scope)
        if has_token(request.headers, request.query_params, request.cookies, self._token):
            return None
        return Refused(401, "no_token", "reading from elsewhere needs the token that the inbox printed: /?token=...")


def _cors(origin: str) -> dict[str, str]:
    return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}


def _handlers(errors: ErrorPages) -> dict[object, Callable[[Request, Exception], Response]]:
    """From what a route raises to what is answered."""

    def on_http_error(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        detail = f"{error.detail}: {request.method} {request.url.path[:200]!a}"
        code = NO_ROUTE if error.status_code == 404 else "http"  # noqa: PLR2004 - HTTP
        response = errors.answer(request, Refused(error.status_code, code, detail))
        response.headers.update(error.headers or {})
        return response

    def on_refused(request: Request, error: Exception) -> Response:
        if not isinstance(error, Refused):
            raise error
        return errors.answer(request, error)

    def on_store_error(request: Request, error: Exception) -> Response:
        refused = Refused(503, "not_stored", "the inbox's database cannot be used", (str(error),))
        return errors.answer(request, refused)

    def on_fault(request: Request, error: Exception) -> Response:
        cause = f"{type(error).__name__}: {ascii(str(error))[:200]}"
        fault = Refused(
            500, "fault", "a bug in vedette, please report it: what went wrong is on the terminal", (cause,)
        )
        return errors.answer_stranger(request, fault)  # bare: whatever failed is not asked again

    return {HTTPException: on_http_error, Refused: on_refused, StoreError: on_store_error, Exception: on_fault}
