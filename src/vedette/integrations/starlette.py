"""Starlette: what its applications raise, with the request and the route (FW-starlette)."""

from __future__ import annotations

from vedette.api import get_client
from vedette.integrations import Integration
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._starlette_routes import route_of
from vedette.integrations._web.asgi import AsgiRequest, run_in_request
from vedette.integrations._web.statuses import SERVER_ERRORS, status_codes
from vedette.integrations._web.stored import stored_in, user_of
from vedette.integrations.wsgi import HTTP_METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Final

__all__ = ["StarletteIntegration"]

_STYLES = ("url", "endpoint")


class StarletteIntegration(Integration):
    """Captures what applications raise, their middleware included, and answers by ``HTTPException`` that are failures.

    What an exception handler of the application answers is no error, but for those of 500 and ``Exception``, which
    Starlette raises on. Each request gets a scope of its own.

    Args:
        transaction_style: ``url`` names a transaction ``/shop/{item}``, ``endpoint`` by the function.
        failed_request_status_codes: Which ``HTTPException`` is captured, by its status; an empty set: none.
        middleware_spans: Whether there will be spans of middleware, once vedette has tracing.
        http_methods_to_capture: Of which requests there will be transactions then.

    Raises:
        ValueError: There is no such style, or these are no status codes.
    """

    identifier: ClassVar[str] = "starlette"
    library: ClassVar[str] = "starlette"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 20, 1)

    def __init__(
        self,
        transaction_style: str = "url",
        failed_request_status_codes: Any = SERVER_ERRORS,
        middleware_spans: bool = False,  # noqa: FBT001, FBT002 - the unified API's signature
        http_methods_to_capture: tuple[str, ...] = HTTP_METHODS,
    ) -> None:
        name = type(self).__name__
        if transaction_style not in _STYLES:
            raise ValueError(f"{name}: transaction_style is one of {_STYLES}, not {transaction_style!r}")
        self.transaction_style = transaction_style
        self.failed_request_status_codes: frozenset[int] = status_codes(failed_request_status_codes, name)
        self.middleware_spans = middleware_spans
        self.http_methods_to_capture = http_methods_to_capture

    def setup(self, client: Any) -> None:
        """Give each request a scope, and see what exception handlers answer."""
        from starlette.applications import Starlette  # noqa: PLC0415 - the program has imported it
        from starlette.middleware.exceptions import ExceptionMiddleware  # noqa: PLC0415 - the same

        put_in(self, Starlette, "__call__", _make_call)
        put_in(self, ExceptionMiddleware, "__call__", _make_handling)

    def request(self, scope: dict[str, Any]) -> StarletteRequest:
        """One request of an application."""
        return StarletteRequest(scope, self)

    def close(self) -> None:
        """Undo both. Applications that were asked meanwhile keep handlers of ours, which pass on."""
        take_out(self)


def _integration_for(app: object) -> Any:
    """That of FastAPI for its applications, where it is set up; else that of Starlette."""
    client = get_client()
    of_fastapi = client.get_integration("fastapi")
    if of_fastapi is not None and any(kind.__module__.startswith("fastapi.") for kind in type(app).__mro__):
        return of_fastapi
    return client.get_integration(StarletteIntegration)


# --- scopes of requests, and what nobody handles ---------------------------------------------------------


def _make_call(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> Any:  # noqa: N807 - as Starlette names it
        __tracebackhide__ = True
        integration = _integration_for(self)
        if integration is None:
            return await previous(self, scope, receive, send)

        async def app(scope: Any, receive: Any, send: Any) -> Any:
            __tracebackhide__ = True
            return await previous(self, scope, receive, send)

        return await run_in_request(app, scope, receive, send, integration.request)

    return __call__


class StarletteRequest(AsgiRequest):
    """A request as Starlette knows it, once it has been routed."""

    __slots__ = ("integration",)

    def __init__(self, scope: dict[str, Any], integration: StarletteIntegration) -> None:
        super().__init__(scope, mechanism=integration.identifier)
        self.integration: StarletteIntegration = integration

    def transaction(self) -> tuple[str, str] | None:
        """The route, or the function behind it; where none fits, the path."""
        endpoint = self.scope.get("endpoint")
        if endpoint is None:
            return super().transaction()
        if self.integration.transaction_style == "endpoint":
            name = getattr(endpoint, "__qualname__", None) or type(endpoint).__qualname__
            return str(name), "component"
        path = route_of(self.scope)
        return super().transaction() if path is None else (path, "route")

    def user(self) -> dict[str, Any] | None:
        """Whom an ``AuthenticationMiddleware`` has found, by what is stored with them."""
        return user_of(self.scope.get("user"))


# --- answers by HTTPException ------------------------------------------------------------------------------


def _make_handling(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def __call__(self: Any, scope: Any, receive: Any, send: Any) -> Any:  # noqa: N807 - as Starlette names it
        __tracebackhide__ = True
        fields = stored_in(self)
        if _SEEN not in fields and _integration_for(scope.get("app")) is not None:
            fields[_SEEN] = True
            _see(fields)
        return await previous(self, scope, receive, send)

    return __call__


_SEEN: Final = "_vedette_sees"
"""In the dict of a middleware whose handlers are seen: applications make it before `init`, too."""


def _see(fields: dict[str, Any]) -> None:
    for name in ("_status_handlers", "_exception_handlers"):
        handlers = fields.get(name)
        if type(handlers) is dict:
            for key, handler in list(handlers.items()):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                handlers[key] = _seeing(handler)  # pyright: ignore[reportUnknownArgumentType]


def _seeing(handler: Callable[..., Any]) -> Callable[..., Any]:
    """A handler that captures first, where the answer is a failure; async if the other is, for Starlette asks."""
    from starlette._utils import is_async_callable  # noqa: PLC0415 - it is there

    if not is_async_callable(handler):

        @look_like(handler)
        def seen(request: Any, error: Exception) -> Any:
            __tracebackhide__ = True
            _capture_failure(request, error)
            return handler(request, error)

        return seen

    @look_like(handler)
    async def awaited(request: Any, error: Exception) -> Any:
        __tracebackhide__ = True
        _capture_failure(request, error)
        return await handler(request, error)

    return awaited


def _capture_failure(request: Any, error: Exception) -> None:
    status = stored_in(error).get("status_code")
    if type(status) is not int:  # an exception of the application's, which its own handler takes
        return
    scope: Any = stored_in(request).get("scope") or {}
    integration = _integration_for(scope.get("app"))
    if integration is not None and status in integration.failed_request_status_codes:
        mechanism = {"type": integration.identifier, "handled": True}
        get_client().capture_exception(error, mechanism=mechanism)
