"""Breadcrumbs of requests through ``http.client``: urllib, urllib3, requests, botocore and others use it.

A request begins with `putrequest` and ends where its answer's head was read, with an error, or when its connection is
closed before anybody asked for the answer. In between it is kept on the connection, in an attribute of its own, and
goes when that goes. Requests of vedette's own transport are told by the class of their connection, those of
another transport by the DSN.

Methods of the base class are taken over, for subclasses such as urllib3's call them. `connect` is none of these: what
fails there is seen by `send`, which calls it.
"""

from __future__ import annotations

from vedette.api import get_client
from vedette.integrations._http_client import add_crumb, outgoing, quietly, size_of
from vedette.integrations._patching import look_like, put_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    from vedette.integrations import Integration
    from vedette.integrations._http_client import Outgoing

_NAME: Final = "stdlib"
_PENDING: Final = "_vedette_request"
_LONGEST_HEAD: Final = 65_536  # bytes of a request's head that are kept for an event


def take_over(user: Integration) -> None:
    """Put the patches in; ``http.client`` is there, for the program imported it."""
    from http.client import HTTPConnection  # noqa: PLC0415

    put_in(user, HTTPConnection, "putrequest", _make_putrequest)
    put_in(user, HTTPConnection, "send", _make_send)
    put_in(user, HTTPConnection, "getresponse", _make_getresponse)
    put_in(user, HTTPConnection, "close", _make_close)


class _Pending:
    """A request whose answer was not read yet."""

    __slots__ = ("error", "head", "is_begun", "keeps_head", "request")

    def __init__(self, request: Outgoing, *, keeps_head: bool) -> None:
        self.request = request
        self.keeps_head = keeps_head
        self.is_begun = False
        self.head = b""
        self.error: BaseException | None = None


# --- the patches -------------------------------------------------------------------------------------------


def _make_putrequest(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def putrequest(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        client = get_client()
        integration = client.get_integration(_NAME)
        kind: Any = type(self)  # pyright: ignore[reportUnknownVariableType] - of any subclass
        if integration is None or hasattr(kind, "is_vedettes_own"):
            return previous(self, method, url, *args, **kwargs)
        result = previous(self, method, url, *args, **kwargs)
        quietly(_NAME, _begin, client, integration, self, method, url)
        return result

    return putrequest


def _make_send(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def send(self: Any, data: Any) -> Any:
        __tracebackhide__ = True
        # Taken off meanwhile: a tunnel that cannot be had closes the connection before it raises.
        pending: _Pending | None = self.__dict__.pop(_PENDING, None)
        if pending is None:
            return previous(self, data)
        try:
            result = previous(self, data)
        except BrokenPipeError as error:  # the answer may be there nevertheless: the server wanted no more of the body
            pending.error = error.with_traceback(None)
            self.__dict__[_PENDING] = pending
            raise
        except BaseException as error:
            quietly(_NAME, _end, pending, error)
            raise
        self.__dict__[_PENDING] = pending
        if not pending.is_begun:
            quietly(_NAME, _look_at_head, pending, data)
        return result

    return send


def _make_getresponse(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def getresponse(self: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        pending: _Pending | None = self.__dict__.pop(_PENDING, None)
        if pending is None:
            return previous(self, *args, **kwargs)
        try:
            response = previous(self, *args, **kwargs)
        except BaseException as error:
            if type(error).__name__ == "ResponseNotReady":  # asked too early; the request goes on
                self.__dict__[_PENDING] = pending
            else:
                quietly(_NAME, _end, pending, error)
            raise
        quietly(_NAME, _end, pending, None, response)
        return response

    return getresponse


def _make_close(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def close(self: Any) -> Any:
        __tracebackhide__ = True
        pending: _Pending | None = self.__dict__.pop(_PENDING, None)
        if pending is None:
            return previous(self)
        try:
            return previous(self)
        finally:
            quietly(_NAME, _end, pending, pending.error)

    return close


# --- what they note ----------------------------------------------------------------------------------------


def _begin(client: Any, integration: Any, connection: Any, method: str, url: str) -> None:
    request = outgoing(client, method, _absolute(connection, url or "/"))
    if request is not None:
        connection.__dict__[_PENDING] = _Pending(request, keeps_head=integration.failed_requests is not None)


def _absolute(connection: Any, url: str) -> str:
    """What is sent to a proxy is absolute as it is; through a tunnel, the tunnel's end is who is asked."""
    if url[:7].lower() == "http://" or url[:8].lower() == "https://":
        return url
    scheme, default_port = ("https", 443) if connection.default_port == 443 else ("http", 80)  # noqa: PLR2004 - https
    tunnel: str | None = connection._tunnel_host  # noqa: SLF001 - there is no other way to know
    host: str = tunnel or connection.host
    port: int | None = connection._tunnel_port if tunnel else connection.port  # noqa: SLF001 - as above
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    server = host if port in {None, default_port} else f"{host}:{port}"
    return f"{scheme}://{server}{url}" if url.startswith("/") else f"{scheme}://{server}/{url}"


def _look_at_head(pending: _Pending, data: object) -> None:
    """The first bytes of a request are its head: `http.client` keeps it nowhere else."""
    pending.is_begun = True
    if not isinstance(data, bytes):
        return
    head = data[:_LONGEST_HEAD]
    start = head.lower().find(b"\r\ncontent-length:")
    if start >= 0:
        line = head[start + 2 : head.find(b"\r\n", start + 2)]
        pending.request.body_size = size_of(line.partition(b":")[2].strip())
    if pending.keeps_head:
        pending.head = head


def _end(pending: _Pending, error: BaseException | None, response: Any = None) -> None:
    client = get_client()
    integration = client.get_integration(_NAME)
    if integration is None:
        return
    if response is None:
        add_crumb(client, pending.request, None, error=error)
        return
    size: int | None = None if pending.request.method == "HEAD" else getattr(response, "length", None)
    hint = {"response": response}
    add_crumb(client, pending.request, response.status, response_size=size, hint=hint)
    if integration.failed_requests is not None:
        integration.failed_requests.capture(
            client,
            pending.request,
            response.status,
            "http.client",
            request_headers=_headers_in(pending.head),
            response_headers=response.getheaders(),
            response_size=size,
            hint=hint,
        )


def _headers_in(head: bytes) -> Iterator[tuple[str, str]]:
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            yield name, value.strip()
