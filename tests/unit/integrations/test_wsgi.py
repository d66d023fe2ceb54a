"""Any WSGI application behind the middleware: its errors with their request, and nothing changed for it."""

from __future__ import annotations

import copy
import io
import pickle
import threading
from contextlib import suppress
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults

import pytest

import vedette
from vedette.integrations._web.requests import WebRequest
from vedette.integrations._web.wsgi import WsgiRequest
from vedette.integrations.wsgi import SentryWsgiMiddleware
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"


@pytest.fixture(autouse=True)
def client():
    return vedette.init(DSN, transport=MemoryTransport())


def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
    return lambda data: None


def call(app: Any, **environ: Any) -> list[bytes]:
    """What a server does: fill the environ, call, iterate, close."""
    setup_testing_defaults(environ)
    response = app(environ, start_response)
    try:
        return list(response)
    finally:
        if hasattr(response, "close"):
            response.close()


def body_of(text: bytes, content_type: str = "application/json") -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(text)),
        "wsgi.input": io.BytesIO(text),
    }


def failing(environ: Any, start: Any) -> Any:
    environ["wsgi.input"].read()
    raise ValueError("no stock")


@pytest.mark.spec("FW-wsgi-03", "FW-wsgi-04", "FW-common-07", "EVT-60", "EVT-68", "DAT-103", "DAT-107")
def test_what_the_application_raises_arrives_once_with_its_request() -> None:
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(
            SentryWsgiMiddleware(failing),
            PATH_INFO="/pay me",
            SCRIPT_NAME="/shop",
            QUERY_STRING="basket=3&token=s3cret",
            HTTP_HOST="shop.example:8000",
            HTTP_AUTHORIZATION="Bearer s3cret",
            HTTP_COOKIE="session=s3cret",
            HTTP_X_THING="thing",
            REMOTE_ADDR="192.0.2.7",
        )
    (event,) = events
    request = event["request"]
    assert request["url"] == "http://shop.example:8000/shop/pay%20me"
    assert request["method"] == "GET"
    assert request["query_string"] == "basket=3&token=[Filtered]"
    assert request["headers"] == {"Host": "shop.example:8000", "Authorization": "[Filtered]", "X-Thing": "thing"}
    assert "cookies" not in request
    assert request["env"] == {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80"}
    assert "user" not in event
    assert event["transaction"] == "/shop/pay me"
    assert event["transaction_info"] == {"source": "url"}
    exception = event["exception"]["values"][-1]
    assert exception["mechanism"] == {"type": "wsgi", "handled": False, "exception_id": 0}
    assert [frame["function"] for frame in exception["stacktrace"]["frames"]] == ["failing"]


@pytest.mark.spec("FW-wsgi-05", "FW-common-09", "FW-common-12", "DAT-16")
def test_who_asked_is_told_only_where_that_is_allowed() -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=True)
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(
            SentryWsgiMiddleware(failing, use_x_forwarded_for=True),
            HTTP_COOKIE="theme=dark; session=s3cret",
            HTTP_X_FORWARDED_FOR="198.51.100.9, 10.0.0.1",
            HTTP_X_FORWARDED_PROTO="https",
            HTTP_X_FORWARDED_HOST="shop.example",
        )
    (event,) = events
    assert event["request"]["cookies"] == "theme=dark; session=[Filtered]"
    assert event["request"]["url"] == "https://shop.example/"
    assert event["user"] == {"ip_address": "198.51.100.9"}


@pytest.mark.spec("PAIN-10", "FW-common-10", "DAT-40", "EVT-61")
@pytest.mark.parametrize(
    ("content_type", "sent", "expected"),
    [
        ("application/json", b'{"card": 4, "password": "s3cret"}', {"card": 4, "password": "[Filtered]"}),
        ("application/x-www-form-urlencoded", b"card=4&password=s3cret", [["card", "4"], ["password", "[Filtered]"]]),
        ("text/plain", b"password is s3cret", None),
        ("multipart/form-data; boundary=x", b"--x s3cret", None),
    ],
)
def test_the_body_is_told_as_far_as_it_can_be_filtered(content_type: str, sent: bytes, expected: Any) -> None:
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(failing), **body_of(sent, content_type))
    assert events[0]["request"].get("data") == expected
    assert events[0]["request"]["body_size"] == len(sent)
    assert "s3cret" not in str(events[0]["request"])


@pytest.mark.spec("PAIN-10")
@pytest.mark.parametrize(
    "reads",
    [
        lambda stream: None,
        lambda stream: stream.read(5),
        lambda stream: stream.read(),
        lambda stream: (stream.readline(), stream.read()),
        list,
        lambda stream: stream.readlines(),
        lambda stream: (stream.readinto(buffer := bytearray(5)), bytes(buffer)),
        lambda stream: stream.read1(7),
    ],
    ids=["nothing", "a part", "all", "lines and all", "iterated", "readlines", "readinto", "read1"],
)
def test_the_application_reads_what_it_reads_without_us_and_no_more_is_read(reads: Any) -> None:
    text = b'{"a": 1,\n "b": 2}'
    got: list[Any] = []

    def app(environ: Any, start: Any) -> Any:
        got.append((reads(environ["wsgi.input"]), environ["wsgi.input"].tell()))
        return [b""]

    call(app, **body_of(text))
    with capture_events() as events:
        call(SentryWsgiMiddleware(app), **body_of(text))
        assert got[0] == got[1]
    assert events == []


@pytest.mark.spec("FW-common-11", "EVT-62")
@pytest.mark.parametrize(
    ("option", "size", "is_sent"),
    [
        ("never", 9, False),
        ("small", 5000, False),
        ("medium", 5000, True),
        ("medium", 20_000, False),
        ("always", 20_000, True),
    ],
)
def test_how_large_a_body_may_be_is_an_option(option: Any, size: int, is_sent: bool) -> None:
    vedette.init(DSN, transport=MemoryTransport(), max_request_body_size=option)
    text = b'{"a": "' + b"x" * (size - 9) + b'"}'
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(failing), **body_of(text))
    assert ("data" in events[0]["request"]) == is_sent


@pytest.mark.spec("FW-wsgi-06", "FW-common-13", "PAIN-07")
def test_requests_at_the_same_time_never_mix() -> None:
    barrier = threading.Barrier(8)
    vedette.add_breadcrumb(message="at start")

    def app(environ: Any, start: Any) -> Any:
        marker = environ["HTTP_X_MARKER"]
        vedette.set_tag("marker", marker)
        vedette.add_breadcrumb(message=marker)
        barrier.wait(10)
        vedette.capture_message(marker)
        return [b""]

    wrapped = SentryWsgiMiddleware(app)
    with capture_events() as events:
        threads = [threading.Thread(target=call, args=[wrapped], kwargs={"HTTP_X_MARKER": str(n)}) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert len(events) == 8
    for event in events:
        marker = event["logentry"]["message"]
        assert event["tags"] == {"marker": marker}
        assert event["request"]["headers"]["X-Marker"] == marker
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [marker]
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == 8


def test_a_streaming_answer_keeps_its_scope_until_the_last_byte_and_what_it_raises_is_captured() -> None:
    closed: list[str] = []

    def stream(environ: Any) -> Any:
        try:
            yield b"one"
            vedette.capture_message("between")
            yield b"two"
            raise ValueError("half way")
        finally:
            vedette.capture_message("closed")
            closed.append(environ["PATH_INFO"])

    def app(environ: Any, start: Any) -> Any:
        vedette.set_tag("where", "request")
        return stream(environ)

    with capture_events() as events, pytest.raises(ValueError, match="half way"):
        call(SentryWsgiMiddleware(app), PATH_INFO="/stream")
    assert closed == ["/stream"]
    assert [event.get("logentry", {}).get("message", "error") for event in events] == ["between", "closed", "error"]
    for event in events:
        assert event["tags"] == {"where": "request"}
        assert event["request"]["url"] == "http://127.0.0.1/stream"
    with capture_events() as events:
        vedette.capture_message("after")
    assert "request" not in events[0]
    assert "tags" not in events[0]


@pytest.mark.parametrize("ending", [GeneratorExit, SystemExit, KeyboardInterrupt])
@pytest.mark.spec("PAIN-21")
def test_what_ends_a_program_or_a_generator_is_no_error(ending: type[BaseException]) -> None:
    def app(environ: Any, start: Any) -> Any:
        raise ending

    with capture_events() as events, pytest.raises(ending):
        call(SentryWsgiMiddleware(app))
    assert events == []


def test_lists_and_files_are_handed_on_as_they_are(tmp_path) -> None:
    (tmp_path / "file").write_bytes(b"data")
    with (tmp_path / "file").open("rb") as file:
        for answer in ([b"data"], (b"data",), FileWrapper(file)):
            environ = {"wsgi.file_wrapper": FileWrapper}
            setup_testing_defaults(environ)
            wrapped = SentryWsgiMiddleware(lambda environ, start, answer=answer: answer)
            assert wrapped(environ, start_response) is answer


@pytest.mark.spec("FW-wsgi-02")
def test_without_a_client_and_with_one_that_comes_later() -> None:
    app = SentryWsgiMiddleware(failing)
    vedette.get_global_scope().set_client(None)
    with pytest.raises(ValueError, match="no stock"):
        call(app)
    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport)
    with pytest.raises(ValueError, match="no stock"):
        call(app)
    client.flush(5)
    assert len(transport.events) == 1


def test_a_middleware_in_a_middleware_captures_once_and_makes_one_scope() -> None:
    def app(environ: Any, start: Any) -> Any:
        vedette.set_tag("inner", "yes")
        raise ValueError("no stock")

    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(SentryWsgiMiddleware(app)))
    assert len(events) == 1
    assert events[0]["tags"] == {"inner": "yes"}


def test_the_trace_of_the_caller_is_continued() -> None:
    trace = "0123456789abcdef0123456789abcdef"
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(failing), HTTP_SENTRY_TRACE=f"{trace}-0123456789abcdef-1")
    assert events[0]["contexts"]["trace"]["trace_id"] == trace


def test_a_user_who_names_the_transaction_is_heard() -> None:
    def app(environ: Any, start: Any) -> Any:
        vedette.get_current_scope().set_transaction_name("checkout")
        raise ValueError("no stock")

    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(app))
    assert events[0]["transaction"] == "checkout"


def test_one_environ_given_to_several_applications_is_a_request_each_time() -> None:
    def first(environ: Any, start: Any) -> Any:
        vedette.set_tag("first", "1")
        return [b"not mine"]

    environ: dict[str, Any] = {"PATH_INFO": "/pay", "HTTP_HOST": "shop.example"}
    setup_testing_defaults(environ)
    with capture_events() as events:
        SentryWsgiMiddleware(first)(environ, start_response)
        for _ in range(2):
            with pytest.raises(ValueError, match="no stock"):
                SentryWsgiMiddleware(failing)(environ, start_response)
    assert [event["request"]["url"] for event in events] == ["http://shop.example/pay"] * 2
    assert not any("tags" in event for event in events)
    assert len({event["contexts"]["trace"]["trace_id"] for event in events}) == 2


def test_a_body_that_is_read_a_second_time_is_told_once() -> None:
    def reads_twice(environ: Any, start: Any) -> Any:
        stream = environ["wsgi.input"]
        assert next(stream) == b'{"card":\n'
        stream.seek(0)
        assert stream.read() == b'{"card":\n4}'
        raise ValueError("no stock")

    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(reads_twice), **body_of(b'{"card":\n4}'))
    assert events[0]["request"]["data"] == {"card": 4}


def test_a_file_for_a_server_whose_wrapper_is_a_function_is_handed_on_as_it_is() -> None:
    environ: dict[str, Any] = {"wsgi.file_wrapper": lambda file, size=0: file}  # as uWSGI's
    setup_testing_defaults(environ)
    file = io.BytesIO(b"ok")
    app = SentryWsgiMiddleware(lambda environ, start: environ["wsgi.file_wrapper"](file))
    assert app(environ, start_response) is file


def test_a_request_of_which_no_user_is_known_has_none() -> None:
    vedette.init(DSN, transport=MemoryTransport(), send_default_pii=True)
    with capture_events() as events, pytest.raises(ValueError, match="no stock"):
        call(SentryWsgiMiddleware(failing))
    assert "user" not in events[0]


def test_an_environ_can_be_copied_and_pickled_as_without_us() -> None:
    def app(environ: Any, start: Any) -> Any:
        vedette.set_tag("lock", "1")
        kept = {name: value for name, value in environ.items() if not name.startswith("wsgi.")}
        assert copy.deepcopy(kept)["PATH_INFO"] == pickle.loads(pickle.dumps(kept))["PATH_INFO"] == "/pay"
        return [b""]

    call(SentryWsgiMiddleware(app), PATH_INFO="/pay")


@pytest.mark.spec("PAIN-05")
@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_a_request_in_which_nothing_fails_or_is_sent_is_not_looked_at(rate: float, monkeypatch) -> None:
    looks: list[str] = []
    monkeypatch.setattr(WsgiRequest, "headers", lambda self: looks.append("headers") or [])
    monkeypatch.setattr(WebRequest, "describe", lambda self, event, client: looks.append("describe"))
    vedette.init(DSN, transport=MemoryTransport(), sample_rate=rate)
    for app in (lambda environ, start: [b""], failing):
        with suppress(ValueError):
            call(SentryWsgiMiddleware(app))
    assert looks == (["describe"] if rate else [])
