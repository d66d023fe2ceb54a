"""Flask: what its views raise, with the request and the endpoint (FW-flask)."""

from __future__ import annotations

from vedette.api import get_client, get_isolation_scope
from vedette.integrations import DidNotEnable, Integration
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._web.stored import fields_of, stored_in, user_of
from vedette.integrations._web.wsgi import WsgiRequest, is_under_way, run_in_request
from vedette.integrations.wsgi import HTTP_METHODS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, ClassVar

__all__ = ["FlaskIntegration"]

_STYLES = ("endpoint", "url")


class FlaskIntegration(Integration):
    """Captures what views raise and no error handler takes, of all applications of the program.

    By Flask's own signal; an error that an ``errorhandler`` answers is none. Each request gets a scope of its own.

    Args:
        transaction_style: ``endpoint`` names a transaction ``shop.pay``, ``url`` names it ``/shop/<item>``.
        http_methods_to_capture: Of which requests there will be transactions, once vedette has tracing.

    Raises:
        ValueError: There is no such style.
    """

    identifier: ClassVar[str] = "flask"
    library: ClassVar[str] = "flask"
    minimum_version: ClassVar[tuple[int, ...]] = (2, 0)

    def __init__(
        self, transaction_style: str = "endpoint", http_methods_to_capture: tuple[str, ...] = HTTP_METHODS
    ) -> None:
        if transaction_style not in _STYLES:
            raise ValueError(f"FlaskIntegration: transaction_style is one of {_STYLES}, not {transaction_style!r}")
        self.transaction_style = transaction_style
        self.http_methods_to_capture = http_methods_to_capture

    def setup(self, client: Any) -> None:
        """Listen to the signals, and give each request a scope."""
        import flask  # noqa: PLC0415 - the program has imported it

        if not getattr(flask.signals, "signals_available", True):
            raise DidNotEnable("this Flask has no signals without the package blinker")
        flask.got_request_exception.connect(_on_exception, weak=False)
        flask.request_started.connect(_on_start, weak=False)
        put_in(self, flask.Flask, "__call__", _make_call)
        put_in(self, flask.Flask, "wsgi_app", _make_call)  # which dispatchers and subclasses call by itself

    def close(self) -> None:
        """Undo it."""
        import flask  # noqa: PLC0415 - it is there, or `setup` was not called

        take_out(self)
        if flask.Flask.__call__.__dict__.get("__wrapped__") is None:  # else another client still listens
            flask.got_request_exception.disconnect(_on_exception)
            flask.request_started.disconnect(_on_start)


def _on_start(_sender: Any, **_: Any) -> None:
    work: Any = get_isolation_scope().work
    if type(work) is FlaskRequest:
        # Of the environ it is had at once: Werkzeug leaves it there until Flask forgets it.
        work.request = work.environ.get("werkzeug.request") or _current()


def _on_exception(_sender: Any, exception: BaseException, **_: Any) -> None:
    client = get_client()
    if client.get_integration(FlaskIntegration) is not None:
        client.capture_uncaught(exception, "flask")


def _make_call(previous: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    @look_like(previous)
    def call(self: Any, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        __tracebackhide__ = True
        if is_under_way(environ, FlaskRequest) or get_client().get_integration(FlaskIntegration) is None:
            return previous(self, environ, start_response)

        def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            __tracebackhide__ = True
            return previous(self, environ, start_response)

        return run_in_request(app, environ, start_response, FlaskRequest)

    return call


class FlaskRequest(WsgiRequest):
    """A request as Flask knows it, once it has come that far."""

    __slots__ = ("request",)

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ, mechanism="flask")
        self.request: object = None
        """Flask's own, as soon as there is one; Flask forgets it before the answer is sent."""

    def end(self) -> None:
        """Let go of Flask's request, too."""
        super().end()
        self.request = None

    def transaction(self) -> tuple[str, str] | None:
        """The endpoint, or the rule of its URL; where none fits, the path."""
        rule = stored_in(self.request or _current()).get("url_rule")
        integration = get_client().get_integration(FlaskIntegration)
        if rule is None or integration is None:
            return super().transaction()
        if integration.transaction_style == "url":
            return str(rule.rule), "route"
        return str(rule.endpoint), "component"

    def form(self) -> Any:
        """The fields, if the view has looked at the form."""
        return fields_of(stored_in(self.request or _current()).get("form"))

    def user(self) -> dict[str, Any] | None:
        """Whom ``flask-login`` has loaded already, by the fields that are stored with them."""
        import flask  # noqa: PLC0415 - it is there

        if not flask.has_app_context():
            return None
        proxy: Any = flask.g
        return user_of(stored_in(proxy._get_current_object()).get("_login_user"))  # noqa: SLF001 - of a LocalProxy, and public there


def _current() -> object:
    """The request that Flask is at, if it is at one."""
    import flask  # noqa: PLC0415 - it is there

    proxy: Any = flask.request
    return proxy._get_current_object() if flask.has_request_context() else None  # noqa: SLF001 - as above
