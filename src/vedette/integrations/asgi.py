"""Any ASGI application: wrapped, its errors arrive with their request (FW-asgi)."""

from __future__ import annotations

from vedette.integrations._web.asgi import AsgiRequest, run_in_request
from vedette.integrations.wsgi import HTTP_METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SentryAsgiMiddleware"]

_COROUTINE = 0x80  # CO_COROUTINE


class SentryAsgiMiddleware:
    """Wraps an ASGI application: each request gets a scope of its own; what it raises is captured, with its request.

    To servers it is an application of ASGI 3, whichever version the wrapped one is of (FW-asgi-03). Which client it
    works for is looked up with each request, so ``init`` may come later.

    Args:
        app: The application, of ASGI 3 or 2.
        unsafe_context_data: Accepted for the sake of the unified API: context variables work on every Python here.
        transaction_style: How frameworks name transactions; an application without one has paths only.
        mechanism_type: What events say of who caught the error.
        span_origin: What the spans of requests will say of their origin, once vedette has tracing.
        http_methods_to_capture: Of which requests there will be transactions then. Errors are captured with any method.
        asgi_version: 2 or 3, where it cannot be told from the application.
    """

    def __init__(
        self,
        app: Any,
        unsafe_context_data: bool = False,  # noqa: FBT001, FBT002 - the unified API's signature
        transaction_style: str = "endpoint",
        mechanism_type: str = "asgi",
        span_origin: str = "manual",
        http_methods_to_capture: tuple[str, ...] = HTTP_METHODS,
        asgi_version: int | None = None,
    ) -> None:
        self.app = app
        self.transaction_style = transaction_style
        self.mechanism_type = mechanism_type
        self.span_origin = span_origin
        self.http_methods_to_capture = http_methods_to_capture
        is_double = _is_double_callable(app) if asgi_version is None else asgi_version == 2  # noqa: PLR2004 - the version
        self._single = _as_single(app) if is_double else app

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        """Serve one request."""
        __tracebackhide__ = True
        return await run_in_request(self._single, scope, receive, send, self._make)

    def _make(self, scope: dict[str, Any]) -> AsgiRequest:
        return AsgiRequest(scope, mechanism=self.mechanism_type)


def _is_double_callable(app: Any) -> bool:
    """Whether it is of ASGI 2: called with the scope, it gives what is then called with ``receive`` and ``send``."""
    if isinstance(app, type):
        return True
    for each in (app, getattr(app, "__call__", None)):  # noqa: B004 - its code is wanted
        function: Any = getattr(each, "__func__", each)
        code = getattr(function, "__code__", None)
        if code is not None:
            return not code.co_flags & _COROUTINE and code.co_argcount - hasattr(each, "__self__") == 1
    return False


def _as_single(app: Any) -> Any:
    async def single(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        __tracebackhide__ = True
        return await app(scope)(receive, send)

    return single
