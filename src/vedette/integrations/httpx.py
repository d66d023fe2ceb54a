"""Breadcrumbs of requests through HTTPX, from ``Client`` and ``AsyncClient`` (FW-httpx-01).

``send`` is what all requests of a client go through, and public. An event hook would stand in the program's own
client; a transport may be the program's own. Each answer that led to another request (redirect, authentication) has a
breadcrumb of its own: they are in the ``history`` of the last one. Bodies are not touched.
"""

from __future__ import annotations

from vedette.api import get_client
from vedette.integrations import Integration
from vedette.integrations._http_client import (
    FAILED_TARGETS,
    add_crumb,
    failed_requests,
    failed_requests_of,
    outgoing,
    quietly,
    size_of,
)
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._web.statuses import SERVER_ERRORS, status_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Final

    from vedette._scopes.client import BaseClient
    from vedette.integrations._failed_requests import FailedRequests
    from vedette.integrations._http_client import Outgoing, StatusCodes, Targets

__all__ = ["HttpxIntegration"]

_NAME: Final = "httpx"


class HttpxIntegration(Integration):
    """Breadcrumbs of requests sent with HTTPX, by sync and async clients.

    Args:
        capture_failed_requests: Whether answers that are failures are events as well.
        failed_request_status_codes: Which answers are: their codes, or ranges of them.
        failed_request_targets: Regular expressions; one of them must be found in the URL.

    Raises:
        ValueError: One of these is none, or there is no such status code.
        TypeError: The targets are no list of them.
    """

    identifier = _NAME
    library = "httpx"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 16)

    def __init__(
        self,
        *,
        capture_failed_requests: bool = False,
        failed_request_status_codes: StatusCodes = SERVER_ERRORS,
        failed_request_targets: Targets = FAILED_TARGETS,
    ) -> None:
        statuses = status_codes(failed_request_status_codes, "HttpxIntegration")
        self.failed_requests: FailedRequests | None = failed_requests(
            capture_failed_requests, statuses, failed_request_targets
        )

    def setup(self, client: BaseClient) -> None:
        """Take over the clients' ``send``."""
        if self.failed_requests is None:
            self.failed_requests = failed_requests_of(client, "HttpxIntegration")
        import httpx  # noqa: PLC0415 - it is there, for somebody imported it

        put_in(self, httpx.Client, "send", _make_send)
        put_in(self, httpx.AsyncClient, "send", _make_async_send)

    def close(self) -> None:
        """Put back what was there."""
        take_out(self)


def _make_send(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if get_client().get_integration(_NAME) is None:
            return previous(self, request, *args, **kwargs)
        try:
            response = previous(self, request, *args, **kwargs)
        except BaseException as error:
            quietly(_NAME, _failed, request, error)
            raise
        quietly(_NAME, _answered, response)
        return response

    return send


def _make_async_send(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if get_client().get_integration(_NAME) is None:
            return await previous(self, request, *args, **kwargs)
        try:
            response = await previous(self, request, *args, **kwargs)
        except BaseException as error:
            quietly(_NAME, _failed, request, error)
            raise
        quietly(_NAME, _answered, response)
        return response

    return send


def _answered(response: Any) -> None:
    for each in response.history:
        _note(each)
    _note(response)


def _failed(request: Any, error: BaseException) -> None:
    import httpx  # noqa: PLC0415 - as above

    if isinstance(error, httpx.HTTPStatusError):  # which a hook of the program's raised
        _answered(error.response)
        return
    if isinstance(error, httpx.RequestError):
        try:
            request = error.request  # where it was redirected to, if it was
        except RuntimeError:  # it was made by hand, without one
            pass
    client = get_client()
    sent = _outgoing(client, request)
    if sent is not None:
        add_crumb(client, sent, None, error=error, hint={"request": request})


def _outgoing(client: Any, request: Any) -> Outgoing | None:
    return outgoing(client, request.method, str(request.url), size_of(request.headers.get("content-length")))


def _note(response: Any) -> None:
    client = get_client()
    integration = client.get_integration(_NAME)
    request = response.request
    sent = _outgoing(client, request)
    if sent is None or integration is None:
        return
    size = size_of(response.headers.get("content-length")) if sent.method != "HEAD" else None
    hint = {"request": request, "response": response}
    add_crumb(client, sent, response.status_code, response_size=size, hint=hint)
    if integration.failed_requests is not None:
        integration.failed_requests.capture(
            client,
            sent,
            response.status_code,
            _NAME,
            request_headers=request.headers.multi_items(),
            response_headers=response.headers.multi_items(),
            response_size=size,
            hint=hint,
        )
