"""What the integrations of HTTP clients share: one outgoing request, and its breadcrumb (INT-31 to INT-38).

Guarantees
- Nothing in here raises into the program: it is called in the middle of the program's own requests (`quietly`).
- User and password of a URL are nowhere kept. Query and fragment stand apart from it, their sensitive values filtered.
- Requests to the server of the DSN are left out, whoever sends them.

Spans, and the headers by which a trace goes on, begin where `outgoing` is called and end where `add_crumb` is.
"""

from __future__ import annotations

import importlib

from vedette._host import guests, log
from vedette.api import add_breadcrumb
from vedette.integrations._web.statuses import status_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final, TypeAlias

    from vedette._protocol.dsn import Dsn
    from vedette.integrations._failed_requests import FailedRequests

    StatusCodes: TypeAlias = Iterable[int | range]
    Targets: TypeAlias = Iterable[str | re.Pattern[str]]

FAILED_TARGETS: Final[Targets] = (".*",)
"""The default of ``failed_request_targets`` (INT-56)."""

_LONGEST: Final = 4096  # characters of a URL, a query or a fragment that are looked at
_PORTS: Final = {"http": "80", "https": "443"}
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500


def quietly(what: str, function: Callable[..., Any], *args: Any) -> Any:
    """Call what is vedette's own: its answer, or None if it failed, which is said once and stays in here."""
    try:
        return function(*args)
    except Exception as error:
        if guests.is_control_flow(error):
            raise
        log.warn_once(f"integration {what}", "internal error in the integration %r", what, exc_info=True)
        return None


class Outgoing:
    """One request of the program's to another server."""

    __slots__ = ("body_size", "fragment", "method", "query", "url")

    method: str
    """In upper case."""
    url: str
    """Without user, password, query and fragment."""
    query: str
    """As it was sent; `add_crumb` filters it."""
    fragment: str
    body_size: int | None
    """Bytes of the body, if that is known."""

    def __init__(self, method: str, url: str, query: str, fragment: str, body_size: int | None = None) -> None:
        self.method = method
        self.url = url
        self.query = query
        self.fragment = fragment
        self.body_size = body_size


def outgoing(client: Any, method: str, url: str, body_size: int | None = None) -> Outgoing | None:
    """A request to this absolute URL; None if it goes to the server of the client's DSN (INT-31, BRC-29)."""
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    rest, _, fragment = rest.partition("#")
    rest, _, query = rest.partition("?")
    authority, slash, path = rest.partition("/")
    server = authority.rpartition("@")[2]
    dsn: Dsn | None = client.parsed_dsn
    if dsn is not None and _is_for(dsn, scheme, server, slash + path):
        return None
    shown = f"{scheme}://{server}{slash}{path}"
    return Outgoing(str.upper(method), _bounded(shown), _bounded(query), _bounded(fragment), body_size)


def _is_for(dsn: Dsn, scheme: str, server: str, path: str) -> bool:
    host, colon, port = server.rpartition(":")
    if not colon or server.endswith("]"):
        host, port = server, ""
    if host.strip("[]").rstrip(".").lower() != dsn.host.lower():
        return False
    port_of_dsn = _PORTS[dsn.scheme] if dsn.port is None else str(dsn.port)
    if (port or _PORTS.get(scheme)) != port_of_dsn:
        return False
    return not dsn.path or path == dsn.path or path.startswith(f"{dsn.path}/")


def _bounded(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def add_crumb(
    client: Any,
    request: Outgoing,
    status: int | None,
    *,
    response_size: int | None = None,
    error: BaseException | None = None,
    hint: Mapping[str, Any] | None = None,
) -> None:
    """Remember a request that is over, in the scope of whoever ended it (INT-32 to INT-38, ruling 47).

    Args:
        client: Whose policy says what may be kept.
        request: What was asked.
        status: The code of the answer; None if there was none.
        response_size: Bytes of the answer's body, if that was announced.
        error: What was raised instead of an answer.
        hint: What ``before_breadcrumb`` is told beside it.
    """
    data: dict[str, Any] = {"url": request.url, "method": request.method, "http.request.method": request.method}
    if status is not None:
        data["status_code"] = data["http.response.status_code"] = status
    elif error is not None:
        data["error.type"] = type(error).__name__
    if request.query:
        query = client.policy.query(request.query)
        if query is not None:
            data["http.query"] = query
    if request.fragment:
        fragment = client.policy.query(request.fragment)  # such as `#access_token=...`
        if fragment is not None:
            data["http.fragment"] = fragment
    if request.body_size is not None:
        data["http.request.body.size"] = request.body_size
    if response_size is not None:
        data["http.response.body.size"] = response_size
    add_breadcrumb(type="http", category="http", level=_level(status, error), data=data, hint=hint)  # type: ignore[arg-type]  # a mapping is a hint


def _level(status: int | None, error: BaseException | None) -> str:
    """What is no Exception is a way in which programs stop a request themselves, such as a task's cancellation."""
    if status is None:
        return "error" if isinstance(error, Exception) else "info"
    if status < _CLIENT_ERROR:
        return "info"
    return "warning" if status < _SERVER_ERROR else "error"


def size_of(content_length: object) -> int | None:
    """The value of a Content-Length header as a number; None if there is none."""
    text = content_length.decode("latin-1") if isinstance(content_length, bytes) else content_length
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 19 else None  # noqa: PLR2004 - fits 63 bits


def failed_requests(capture: bool, statuses: frozenset[int], targets: Targets) -> FailedRequests | None:  # noqa: FBT001 - the option's value
    """What captures failed requests by these options of an integration; None where that was not asked for.

    It is loaded only then: it takes with it what builds events by hand.
    """
    if not capture:
        return None
    loaded = importlib.import_module("vedette.integrations._failed_requests")
    made: FailedRequests = loaded.FailedRequests(statuses, targets)
    return made


def failed_requests_of(client: Any, integration: str) -> FailedRequests | None:
    """The same by the client's options, for an integration that was given none of its own."""
    options = client.options
    statuses = status_codes(options["failed_request_status_codes"], integration)
    return failed_requests(options["capture_failed_requests"], statuses, options["failed_request_targets"])
