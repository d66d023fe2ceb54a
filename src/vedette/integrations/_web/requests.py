"""A request that describes itself in the events captured while it runs; the base of what servers and frameworks know.

Everything is read when an event is captured, from what is stored: no property of a framework's is asked, for it might
read the body, query a session or run the application's own code (design decision 5).
"""

from __future__ import annotations

from vedette.integrations._web.bodies import Body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from vedette.scope import Scope

__all__ = ["REQUEST_KEY", "UnderWay", "WebRequest", "quoted"]

REQUEST_KEY: Final = "vedette.request"
"""Where a WSGI environ or an ASGI scope holds the request that is under way."""


def quoted(path: str) -> str:
    """A path as it stands in a URL."""
    from urllib.parse import quote  # noqa: PLC0415 - no program without errors needs it

    return quote(path, safe="/:@!$&'()*+,;=~")


class WebRequest:
    """One request. Subclasses say where its parts stand."""

    __slots__ = ("body", "is_over", "mechanism")

    def __init__(self, mechanism: str) -> None:
        self.mechanism: str = mechanism
        """What events say of who caught an error: the server interface, or the framework."""
        self.body: Body | None = None
        """What the application has read of the body; None where there is none, or none may be kept."""
        self.is_over: bool = False

    def describe(self, event: dict[str, Any], client: Any) -> None:
        """Write ``request``, ``transaction`` and ``user``, where nobody else has (EVT-60, DAT-122)."""
        if self.is_over:
            return
        if "request" not in event:
            event["request"] = self._described(client.policy)
        if not event.get("transaction"):
            named = self.transaction()
            if named is not None:
                event["transaction"], event["transaction_info"] = named[0], {"source": named[1]}
        if client.policy.user_info and not event.get("user"):
            user = {"ip_address": self.client_address(), **(self.user() or {})}
            known = {name: value for name, value in user.items() if value is not None}
            if known:
                event["user"] = known

    def _described(self, policy: Any) -> dict[str, Any]:
        headers = list(self.headers())
        cookies = "; ".join([value for name, value in headers if name.lower() == "cookie"])
        address = self.client_address() if policy.user_info else None
        env = {**self.server(), "REMOTE_ADDR": address}
        parts = {
            "url": self.url(),
            "method": self.method(),
            "query_string": policy.query(self.query()) if self.query() else None,
            "headers": policy.headers([pair for pair in headers if pair[0].lower() != "cookie"]),
            "cookies": policy.cookies(cookies) if cookies else None,
            "data": self._data(policy),
            "body_size": self.body.size if self.body is not None else None,
            "env": {name: value for name, value in env.items() if value is not None},
        }
        return {name: value for name, value in parts.items() if value is not None}

    def _data(self, policy: Any) -> Any:
        form = self.form()
        if form is not None:
            return policy.body("incomingRequest", form)
        read = None if self.body is None else self.body.read_so_far()
        return None if read is None else policy.body("incomingRequest", read)

    def keep_body(self, limit: int) -> Body:
        """Remember what the application reads of the body, up to so many bytes; for 0 how many there were."""
        body = self.body = Body(limit)
        return body

    def end(self) -> None:
        """Let go of the server's objects: threads that the request has started may outlive it, with its scope."""
        self.is_over = True

    # --- what subclasses know --------------------------------------------------------------------------

    def method(self) -> str | None:
        """Such as ``GET``."""
        raise NotImplementedError

    def url(self) -> str:
        """Scheme, host and path, without the query string."""
        raise NotImplementedError

    def query(self) -> str:
        """What stands behind the question mark."""
        raise NotImplementedError

    def headers(self) -> Iterable[tuple[str, str]]:
        """Names and values, as they came."""
        raise NotImplementedError

    def server(self) -> dict[str, str | None]:
        """Server variables."""
        return {}

    def client_address(self) -> str | None:
        """Where the request came from."""

    def transaction(self) -> tuple[str, str] | None:
        """A name for what was asked for, of low cardinality if it is known, and where that is from (``source``)."""

    def user(self) -> dict[str, Any] | None:
        """Who is logged in, where the framework has found that out already."""

    def form(self) -> Any:
        """The fields of a form, where the framework has parsed it already; without files."""


class UnderWay:
    """The request of an environ or an ASGI scope, and the scope of its own; whoever knows it best describes it."""

    __slots__ = ("request", "scope")

    def __init__(self, request: Any, scope: Scope) -> None:
        self.request: Any = request
        self.scope: Scope = scope

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """A copy that somebody makes of what the server gave, deep or pickled, is no request that is under way."""
        return type(None), ()
