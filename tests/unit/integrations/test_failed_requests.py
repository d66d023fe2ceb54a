"""Answers that are errors, captured as events: only on request, only those asked for, without secrets."""

from __future__ import annotations

import asyncio
import http.client
import re
from typing import Any

import httpx
import pytest
import urllib3

import vedette
from tests.outgoing import as_the_path_says
from tests.servers import Answer, RecordingServer
from vedette.integrations.aiohttp import AioHttpIntegration
from vedette.integrations.httpx import HttpxIntegration
from vedette.integrations.stdlib import StdlibIntegration
from vedette.integrations.wsgi import SentryWsgiMiddleware
from vedette.testing import MemoryTransport

DSN = "http://key@dsn.invalid/1"
KINDS = (StdlibIntegration, HttpxIntegration)


@pytest.fixture
def server():
    with RecordingServer() as server:
        server.default = as_the_path_says
        yield server


def with_options(**options: Any) -> MemoryTransport:
    init = options.pop("init", {})
    transport = MemoryTransport()
    integrations = [kind(capture_failed_requests=True, **options) for kind in KINDS]
    vedette.init(DSN, transport=transport, integrations=integrations, **init)
    return transport


def ask_everywhere(url: str, **options: Any) -> None:
    with urllib3.PoolManager() as manager:
        manager.request("GET", url, **options)
    with httpx.Client(trust_env=False) as client:
        client.get(url, **options)

    async def ask() -> None:
        async with httpx.AsyncClient(trust_env=False) as own:
            await own.get(url, **options)

    asyncio.run(ask())


def test_inside_a_request_to_the_program_the_event_is_about_the_outgoing_one(server) -> None:
    transport = with_options()

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with urllib3.PoolManager() as manager:
            manager.request("GET", f"{server.url}/503")
        start_response("200 OK", [])
        return [b"ok"]

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/checkout", "HTTP_HOST": "shop.invalid", "HTTP_X_SHOP": "1"}
    for _ in SentryWsgiMiddleware(app)({**environ, "wsgi.url_scheme": "http"}, lambda *_: None):
        pass
    [event] = transport.events
    assert (event["request"]["method"], event["request"]["url"]) == ("GET", f"{server.url}/503")
    assert "X-Shop" not in str(event["request"])
    assert event["transaction"]


@pytest.mark.spec("INT-48", "INT-49", "INT-51")
def test_nothing_is_captured_unless_it_was_asked_for(server) -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    ask_everywhere(f"{server.url}/503")
    assert transport.events == []


@pytest.mark.spec("INT-48")
def test_the_options_of_init_hold_for_all_clients_that_have_none_of_their_own(server) -> None:
    transport = MemoryTransport()
    targets = {
        "capture_failed_requests": True,
        "failed_request_status_codes": [503],
        "failed_request_targets": ["shop"],
    }
    vedette.init(DSN, transport=transport, **targets)
    for path in ("503?shop", "503", "502?shop"):
        ask_everywhere(f"{server.url}/{path}")
    assert [event["request"]["query_string"] for event in transport.events] == ["shop"] * 3


@pytest.mark.spec("INT-47", "INT-60", "INT-61", "INT-62", "INT-63", "INT-64", "INT-65", "INT-66")
def test_an_error_is_an_event_with_request_response_and_the_stack_of_who_asked(server) -> None:
    transport = with_options()
    ask_everywhere(f"{server.url}/503?page=2")
    assert len(transport.events) == 3
    for event, mechanism in zip(transport.events, ("http.client", "httpx", "httpx"), strict=True):
        [value] = event["exception"]["values"]
        assert (value["type"], value["value"]) == ("HttpClientError", "HTTP Client Error with status code: 503")
        assert value["mechanism"]["type"] == mechanism
        assert value["mechanism"]["handled"] is True
        assert value["stacktrace"]["snapshot"] is True
        frames = value["stacktrace"]["frames"]
        assert "ask_everywhere" in str([frame["function"] for frame in frames if frame["in_app"]])
        assert not any(frame["module"].startswith("vedette.") for frame in frames)
        request, response = event["request"], event["contexts"]["response"]
        assert (request["method"], request["url"]) == ("GET", f"{server.url}/503")
        assert str(request["query_string"]) in {"page=2", "[['page', '2']]"}
        assert (response["type"], response["status_code"], response["body_size"]) == ("response", 503, 6)
        assert event["breadcrumbs"]["values"][-1]["data"]["status_code"] == 503


@pytest.mark.spec("INT-59", "DAT-14", "DAT-37")
@pytest.mark.parametrize("pii", [False, True])
def test_secrets_of_headers_and_cookies_are_filtered_and_their_names_kept(server, pii) -> None:
    transport = with_options(init={"send_default_pii": pii})
    answer = Answer(500, headers=(("Set-Cookie", "sid=hunter2; Path=/"), ("X-Api-Key", "hunter2"), ("X-Plain", "p")))
    server.answer(answer, times=3)
    sent = {"Authorization": "Basic hunter2", "Cookie": "session=hunter2; theme=dark", "X-Shown": "s"}
    ask_everywhere(f"{server.url}/?api_key=hunter2", headers=sent)
    assert len(transport.events) == 3
    for event in transport.events:
        headers = {name.lower(): value for name, value in dict(event["request"]["headers"]).items()}
        answered = {name.lower(): value for name, value in event["contexts"]["response"]["headers"].items()}
        assert headers["authorization"] == "[Filtered]"
        assert headers["cookie"] == ("session=[Filtered]; theme=dark" if pii else "[Filtered]")
        assert headers["x-shown"] == "s"
        assert answered["set-cookie"] == ("sid=[Filtered]; Path=/" if pii else "[Filtered]")
        assert (answered["x-api-key"], answered["x-plain"]) == ("[Filtered]", "p")
        assert ("cookies" in event["request"]) is pii
        assert ("cookies" in event["contexts"]["response"]) is pii
        outside = {name: event[name] for name in ("request", "contexts", "breadcrumbs")}
        assert "hunter2" not in str(outside)


@pytest.mark.spec("INT-52", "INT-53", "INT-54", "INT-55")
@pytest.mark.parametrize(
    ("options", "captured"),
    [
        ({}, [500, 599]),
        ({"failed_request_status_codes": [range(400, 405), 599]}, [404, 599]),
        ({"failed_request_status_codes": {404}}, [404]),
        ({"failed_request_status_codes": []}, []),
    ],
)
def test_only_the_statuses_that_were_asked_for_are_captured(server, options, captured) -> None:
    transport = with_options(**options)
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for status in (200, 302, 404, 499, 500, 599):
        connection.request("GET", f"/{status}")
        connection.getresponse().read()
    connection.close()
    statuses = [event["contexts"]["response"]["status_code"] for event in transport.events]
    assert statuses == captured


@pytest.mark.spec("INT-56", "INT-57", "INT-58")
@pytest.mark.parametrize(
    ("targets", "is_captured"),
    [
        (["/503"], True),
        ([r"^http://127\.0\.0\.1:\d+/503\?a=b$"], True),
        (["shop.invalid", re.compile("A=B", re.IGNORECASE)], True),
        (["shop.invalid"], False),
        ([], False),
    ],
)
def test_only_the_targets_that_were_asked_for_are_captured(server, targets, is_captured) -> None:
    transport = with_options(failed_request_targets=targets)
    ask_everywhere(f"{server.url}/503?a=b")
    assert len(transport.events) == (3 if is_captured else 0)


@pytest.mark.spec("INT-31")
def test_an_error_of_the_dsns_own_server_is_never_captured(server) -> None:
    transport = MemoryTransport()
    integrations = [kind(capture_failed_requests=True) for kind in KINDS]
    vedette.init(server.dsn(), transport=transport, integrations=integrations)
    ask_everywhere(f"{server.url}/503")
    assert transport.events == []


@pytest.mark.spec("INT-31")
def test_vedettes_own_requests_that_fail_capture_nothing() -> None:
    with RecordingServer() as server, RecordingServer() as other:
        server.default = other.default = Answer(503)
        older = vedette.Client(other.dsn())
        client = vedette.init(server.dsn(), integrations=[StdlibIntegration(capture_failed_requests=True)])
        vedette.capture_message("one")
        older.capture_message("two")
        older.flush(5)
        client.flush(5)
        older.close()
        assert sum(client.stats().captured.values()) == 1


@pytest.mark.spec("INT-67")
def test_before_send_is_told_the_request_and_response_and_may_drop_the_event(server) -> None:
    hints: list[dict[str, Any]] = []
    with_options(init={"before_send": lambda event, hint: hints.append(dict(hint))})
    ask_everywhere(f"{server.url}/503")
    assert [type(hint["response"]) for hint in hints] == [http.client.HTTPResponse, httpx.Response, httpx.Response]
    assert [type(hint.get("request")) for hint in hints[1:]] == [httpx.Request] * 2
    assert isinstance(hints[0]["exc_info"][1], Exception)


@pytest.mark.parametrize("kind", [*KINDS, AioHttpIntegration])
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"failed_request_status_codes": [99]}, ValueError, r"failed_request_status_codes .*\{500, 503\}.*99"),
        ({"failed_request_status_codes": ["500"]}, ValueError, "failed_request_status_codes .*'500'"),
        ({"failed_request_targets": ["("]}, ValueError, "failed_request_targets.*re.escape"),
        ({"failed_request_targets": "shop"}, TypeError, r"such as \['shop'\]"),
        ({"failed_request_targets": [3]}, TypeError, "failed_request_targets.*3"),
        ({"failed_request_targets": [re.compile(b"x")]}, TypeError, "failed_request_targets.*str"),
    ],
)
def test_wrong_options_are_refused_by_name(kind, options, error, said) -> None:
    with pytest.raises(error, match=said):
        kind(capture_failed_requests=True, **options)
