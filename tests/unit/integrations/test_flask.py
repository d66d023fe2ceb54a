"""Flask, the real one: each failure once, with its request and endpoint."""

from __future__ import annotations

import inspect
import io
import logging
import subprocess
import sys
import threading
from contextlib import suppress
from typing import Any

import flask
import flask_login
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

import vedette
from vedette.integrations.flask import FlaskIntegration
from vedette.integrations.wsgi import SentryWsgiMiddleware
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"
PLAIN_CALL = flask.Flask.__call__


@pytest.fixture(autouse=True)
def client():
    return vedette.init(DSN, transport=MemoryTransport())


@pytest.fixture
def app():
    app = flask.Flask("shop")
    app.secret_key = "s3cret"

    @app.route("/pay/<int:item>", methods=["GET", "POST"], endpoint="checkout")
    def pay(item: int) -> str:
        flask.request.get_data()
        raise ValueError(f"no stock of {item}")

    return app


def ask(app: Any, path: str = "/pay/3", method: str = "get", **arguments: Any) -> Any:
    return getattr(app.test_client(), method)(path, **arguments)


@pytest.mark.spec("FW-flask-02", "FW-flask-03", "FW-flask-04", "FW-flask-06", "FW-common-21")
def test_what_a_view_raises_arrives_once_with_its_request_and_endpoint(app) -> None:
    headers = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Thing": "thing"}
    with capture_events() as events:
        answer = ask(app, "/pay/3?token=s3cret&a=1", "post", json={"password": "s3cret", "card": 4}, headers=headers)
    assert answer.status_code == 500
    (event,) = events
    assert event["transaction"] == "checkout"
    assert event["transaction_info"] == {"source": "component"}
    request = event["request"]
    assert request["url"] == "http://localhost/pay/3"
    assert request["method"] == "POST"
    assert request["query_string"] == "token=[Filtered]&a=1"
    assert request["headers"]["Authorization"] == "[Filtered]"
    assert request["headers"]["X-Thing"] == "thing"
    assert request["data"] == {"password": "[Filtered]", "card": 4}
    assert "cookies" not in request
    assert "s3cret" not in str(request)
    exception = event["exception"]["values"][-1]
    assert exception["mechanism"]["type"] == "flask"
    assert exception["mechanism"]["handled"] is False
    assert exception["stacktrace"]["frames"][-1]["function"].endswith("pay")


@pytest.mark.spec("FW-flask-04")
def test_the_rule_of_the_url_can_be_the_name_and_a_wrong_style_raises(app) -> None:
    vedette.init(DSN, transport=MemoryTransport(), integrations=[FlaskIntegration(transaction_style="url")])
    with capture_events() as events:
        ask(app)
    assert events[0]["transaction"] == "/pay/<int:item>"
    assert events[0]["transaction_info"] == {"source": "route"}
    with pytest.raises(ValueError, match="endpoint"):
        FlaskIntegration(transaction_style="path")


def test_a_form_is_told_field_by_field_without_its_files(app) -> None:
    @app.post("/form")
    def form() -> str:
        assert flask.request.form["name"] == "me"
        raise ValueError("no stock")

    sent = {"name": "me", "password": "s3cret", "file": (io.BytesIO(b"s3cret file"), "x.txt")}
    with capture_events() as events:
        ask(app, "/form", "post", data=sent)
    assert events[0]["request"]["data"] == {"name": "me", "password": "[Filtered]"}


@pytest.mark.parametrize("handled", [ValueError, Exception, 500])
def test_what_the_application_handles_is_no_event_unless_it_is_the_handler_of_500(app, handled: Any) -> None:
    @app.errorhandler(handled)
    def handler(error: Any) -> Any:
        return "sorry", 503

    with capture_events() as events:
        assert ask(app).status_code == 503
    assert len(events) == (handled == 500)  # which Flask calls for what nobody else has handled


@pytest.mark.parametrize("code", [400, 404, 503])
def test_an_answer_by_abort_is_no_event(app, code: int) -> None:
    @app.get("/abort")
    def view() -> None:
        flask.abort(code)

    with capture_events() as events:
        assert ask(app, "/abort").status_code == code
    assert events == []


def test_what_is_captured_where_no_rule_fits_is_named_by_the_path(app) -> None:
    @app.errorhandler(404)
    def missing(error: Any) -> Any:
        vedette.capture_message("missing")
        return "", 404

    with capture_events() as events:
        ask(app, "/nowhere")
    assert events[0]["transaction"] == "/nowhere"
    assert events[0]["transaction_info"] == {"source": "url"}


@pytest.mark.spec("PAIN-17")
@pytest.mark.parametrize("propagates", [False, True])
def test_one_failure_is_one_event_also_where_it_is_logged_on_its_way(app, propagates: bool) -> None:
    @app.get("/logged")
    def view() -> None:
        try:
            raise ValueError("no stock")
        except ValueError:
            logging.getLogger("shop").exception("it failed")
            raise

    app.config["PROPAGATE_EXCEPTIONS"] = propagates
    with capture_events() as events:
        if propagates:
            with pytest.raises(ValueError, match="no stock"):
                ask(app, "/logged")
        else:
            ask(app, "/logged")
    assert len(events) == 1


@pytest.mark.spec("PAIN-07", "FW-common-13")
def test_requests_at_the_same_time_never_mix(app) -> None:
    barrier = threading.Barrier(6)

    @app.get("/mix/<marker>")
    def view(marker: str) -> None:
        vedette.set_tag("marker", marker)
        vedette.add_breadcrumb(message=marker)
        barrier.wait(10)
        raise ValueError(marker)

    with capture_events() as events:
        threads = [threading.Thread(target=ask, args=[app, f"/mix/{n}"]) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert len(events) == 6
    for event in events:
        marker = event["exception"]["values"][-1]["value"]
        assert event["tags"] == {"marker": marker}
        assert event["request"]["url"].endswith(marker)
        crumbs = [crumb["message"] for crumb in event["breadcrumbs"]["values"] if crumb.get("category") is None]
        assert crumbs == [marker]


@pytest.mark.spec("PAIN-33")
def test_it_is_put_in_once_looks_like_the_original_and_is_taken_out_again() -> None:
    first = vedette.get_client()
    second = vedette.Client(DSN, transport=MemoryTransport())
    patched = flask.Flask.__call__
    assert patched is not PLAIN_CALL
    assert patched.__wrapped__ is PLAIN_CALL
    assert inspect.signature(patched) == inspect.signature(PLAIN_CALL)
    first.close()
    assert flask.Flask.__call__ is patched
    second.close()
    assert flask.Flask.__call__ is PLAIN_CALL
    assert not flask.got_request_exception.receivers


def test_another_client_still_hears_of_errors_when_one_is_closed(app) -> None:
    other = vedette.Client(DSN, transport=MemoryTransport())
    other.close()
    with capture_events() as events:
        ask(app)
    assert len(events) == 1


def test_in_a_plain_middleware_there_is_one_event_and_it_knows_the_endpoint(app) -> None:
    app.wsgi_app = SentryWsgiMiddleware(app.wsgi_app)
    with capture_events() as events:
        ask(app)
    assert [event["transaction"] for event in events] == ["checkout"]
    wrapped = SentryWsgiMiddleware(flask.Flask.__call__.__get__(app))
    with capture_events() as events:
        Client(wrapped).get("/pay/3")
    assert [event["transaction"] for event in events] == ["checkout"]


def streams() -> Any:
    def pieces() -> Any:
        yield "a"
        raise ValueError("no stock")

    return flask.Response(flask.stream_with_context(pieces()))


def fails_when_closed() -> Any:
    def close() -> None:
        raise ValueError("no stock")

    answer = flask.Response("ok")
    answer.call_on_close(close)
    return answer


@pytest.mark.spec("FW-flask-04", "FW-common-21")
@pytest.mark.parametrize("view", [streams, fails_when_closed])
def test_what_fails_after_flask_is_done_with_a_request_has_its_endpoint_too(app, view: Any) -> None:
    app.add_url_rule("/late/<item>", "late", lambda item: view())
    with capture_events() as events:
        answer = ask(app, "/late/3")
        with suppress(ValueError):
            answer.get_data()
        with suppress(ValueError):
            answer.close()
    assert [event["transaction"] for event in events] == ["late"]


@pytest.mark.spec("FW-flask-04")
def test_what_a_function_at_the_end_of_a_request_raises_has_its_endpoint_too(app) -> None:
    app.add_url_rule("/fine", "fine", lambda: "ok")

    @app.teardown_request
    def fail(_: Any) -> None:
        raise ValueError("no stock")

    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        ask(app, "/fine")
    assert [event["transaction"] for event in events] == ["fine"]


class CallsItself(flask.Flask):
    def __call__(self, environ: Any, start_response: Any) -> Any:
        return self.wsgi_app(environ, start_response)


@pytest.mark.spec("FW-flask-02", "FW-common-13")
@pytest.mark.parametrize("path", ["/own/pay/3", "/mounted/pay/3"])
def test_an_application_that_is_not_called_itself_has_requests_too(app, path: str) -> None:
    own = CallsItself("own")
    own.add_url_rule("/pay/<item>", "checkout", app.view_functions["checkout"])
    with capture_events() as events:
        Client(DispatcherMiddleware(app.wsgi_app, {"/own": own, "/mounted": app.wsgi_app})).get(path)
    (event,) = events
    assert event["request"]["url"] == f"http://localhost{path}"
    assert event["transaction"] == "checkout"


class User(flask_login.UserMixin):
    def __init__(self) -> None:
        self.id = "7"
        self.email = "me@example.com"
        self.username = "me"

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


@pytest.mark.spec("FW-flask-07", "DAT-16", "DAT-17")
@pytest.mark.parametrize("allowed", [False, True])
def test_the_user_that_flask_login_has_loaded_is_told_where_that_is_allowed(app, allowed: bool) -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=allowed)
    manager = flask_login.LoginManager(app)
    manager.request_loader(lambda request: User())

    @app.get("/mine")
    def mine() -> None:
        assert flask_login.current_user.id == "7"
        raise ValueError("no stock")

    with capture_events() as events:
        ask(app, "/mine")
    expected = {"id": "7", "email": "me@example.com", "username": "me", "ip_address": "127.0.0.1"}
    assert events[0].get("user") == (expected if allowed else None)


@pytest.mark.spec("PAIN-34", "FW-common-01")
def test_init_does_not_import_it_and_it_is_set_up_when_the_program_does() -> None:
    program = f"""
import sys, vedette
client = vedette.init({DSN!r})
assert "flask" not in sys.modules and "vedette.integrations.flask" not in sys.modules
assert client.get_integration("flask") is None
import flask
assert client.get_integration("flask") is not None
client.close()
assert not hasattr(flask.Flask.__call__, "__wrapped__") and not hasattr(flask.Flask.wsgi_app, "__wrapped__")
assert not flask.request_started.receivers
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30)
