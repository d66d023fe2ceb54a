"""Breadcrumbs of requests through aiohttp's client, by its own tracing (``aiohttp.TraceConfig``).

Each ``ClientSession`` that is made while the integration is set up gets our configuration beside its own ones. It is
one object for all sessions: who is asked for a client is found out when a request ends.
"""

from __future__ import annotations

import sys

from vedette.api import get_client
from vedette.integrations._http_client import add_crumb, outgoing, quietly, size_of
from vedette.integrations._patching import look_like, put_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette.integrations import Integration
    from vedette.integrations._http_client import Outgoing

_NAME: Final = "aiohttp"


def take_over(user: Integration) -> None:
    """Have sessions that are made from now on trace their requests."""
    put_in(user, _aiohttp().ClientSession, "__init__", _make_init)


def _aiohttp() -> Any:
    """It is there, for the program imported it."""
    return sys.modules["aiohttp"]


def _make_init(previous: Callable[..., Any]) -> Callable[..., Any]:
    tracing = _tracing()

    @look_like(previous)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it takes the place of one
        __tracebackhide__ = True
        if get_client().get_integration(_NAME) is not None:
            kwargs["trace_configs"] = [*(kwargs.get("trace_configs") or ()), tracing]
        previous(self, *args, **kwargs)

    return __init__


def _tracing() -> Any:
    tracing = _aiohttp().TraceConfig()
    tracing.on_request_redirect.append(_on_answer)
    tracing.on_request_end.append(_on_answer)
    tracing.on_request_exception.append(_on_exception)
    tracing.freeze()
    return tracing


async def _on_answer(_session: Any, _context: Any, params: Any) -> None:
    quietly(_NAME, _note, params, params.response)


async def _on_exception(_session: Any, _context: Any, params: Any) -> None:
    quietly(_NAME, _note_failure, params)


def _request(client: Any, params: Any, headers: Any) -> Outgoing | None:
    return outgoing(client, params.method, str(params.url), size_of(headers.get("Content-Length")))


def _note(params: Any, response: Any) -> None:
    client = get_client()
    integration = client.get_integration(_NAME)
    if integration is None:
        return
    request = _request(client, params, response.request_info.headers)  # those that were sent
    if request is None:
        return
    size = size_of(response.headers.get("Content-Length")) if request.method != "HEAD" else None
    hint = {"request": response.request_info, "response": response}
    add_crumb(client, request, response.status, response_size=size, hint=hint)
    if integration.failed_requests is not None:
        integration.failed_requests.capture(
            client,
            request,
            response.status,
            _NAME,
            request_headers=response.request_info.headers.items(),
            response_headers=response.headers.items(),
            response_size=size,
            hint=hint,
        )


def _note_failure(params: Any) -> None:
    client = get_client()
    if client.get_integration(_NAME) is None:
        return
    request = _request(client, params, params.headers)
    if request is not None:
        status = getattr(params.exception, "status", None)  # of what `raise_for_status` raises
        status = status if isinstance(status, int) and status > 0 else None
        add_crumb(client, request, status, error=params.exception)
