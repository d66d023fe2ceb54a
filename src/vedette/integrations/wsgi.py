"""Any WSGI application: wrapped, its errors arrive with their request (FW-wsgi)."""

from __future__ import annotations

from vedette.integrations._web.wsgi import WsgiRequest, run_in_request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["SentryWsgiMiddleware"]

HTTP_METHODS = ("CONNECT", "DELETE", "GET", "PATCH", "POST", "PUT", "TRACE")


class SentryWsgiMiddleware:
    """Wraps a WSGI application: each request gets a scope of its own; what it raises is captured, with its request.

    Which client it works for is looked up with each request, so ``init`` may come later (FW-wsgi-02).

    Args:
        app: The application.
        use_x_forwarded_for: Whether address, scheme and host are those that a proxy tells of.
        span_origin: What the spans of requests will say of their origin, once vedette has tracing.
        http_methods_to_capture: Of which requests there will be transactions then. Errors are captured with any method.
    """

    def __init__(
        self,
        app: Callable[[dict[str, Any], Any], Iterable[bytes]],
        use_x_forwarded_for: bool = False,  # noqa: FBT001, FBT002 - the unified API's signature
        span_origin: str = "manual",
        http_methods_to_capture: tuple[str, ...] = HTTP_METHODS,
    ) -> None:
        self.app = app
        self.use_x_forwarded_for = use_x_forwarded_for
        self.span_origin = span_origin
        self.http_methods_to_capture = http_methods_to_capture

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve one request."""
        __tracebackhide__ = True
        return run_in_request(
            self.app, environ, start_response, self._make if self.use_x_forwarded_for else WsgiRequest
        )

    @staticmethod
    def _make(environ: dict[str, Any]) -> WsgiRequest:
        return WsgiRequest(environ, trusts_proxy=True)
