"""What Spotlight gets of a client, and that nothing of it changes what the server gets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from tests.waiting import wait_until
from vedette._processing.kinds import KINDS
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vedette._protocol.categories import DataCategory
    from vedette.client import BaseClient
    from vedette.types import Event, Hint


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as started:
        yield started


@pytest.fixture
def spotlight() -> Iterator[RecordingServer]:
    with RecordingServer() as started:
        yield started


def url_of(spotlight: RecordingServer) -> str:
    return f"{spotlight.url}/stream"


def an_error(**local: object) -> ValueError:
    try:
        raise ValueError(f"with {local}")
    except ValueError as error:
        return error


# --- without a DSN --------------------------------------------------------------------------------------------------


@pytest.mark.spec("CLI-15", "INT-70", "INT-71", "INT-72", "INT-75", "INT-97", "INT-106")
def test_without_a_dsn_all_that_is_captured_goes_to_spotlight(spotlight: RecordingServer) -> None:
    client = vedette.init(spotlight=url_of(spotlight))
    assert client.is_active()
    assert client.spotlight is not None
    assert client.spotlight.url == url_of(spotlight)
    vedette.add_breadcrumb(message="before")
    event_id = vedette.capture_exception(an_error())
    assert event_id == vedette.last_event_id()
    vedette.flush()
    (request,) = spotlight.requests
    assert (request.method, request.target) == ("POST", "/stream")
    assert request.headers["content-type"] == "application/x-sentry-envelope"
    (event,) = spotlight.events
    assert event["event_id"] == event_id == request.envelope.headers["event_id"]
    assert event["breadcrumbs"]["values"][0]["message"] == "before"
    assert event["exception"]["values"][0]["stacktrace"]["frames"]
    assert event["modules"]
    vedette.capture_feedback({"message": "well done"})
    vedette.flush()
    assert len(spotlight.items("feedback")) == 1


@pytest.mark.spec("CLI-15", "CLI-07")
def test_a_closed_client_without_a_dsn_captures_nothing(spotlight: RecordingServer) -> None:
    client = vedette.Client(spotlight=url_of(spotlight))
    client.capture_message("before")
    client.close()
    assert not client.is_active()
    assert client.capture_message("after") is None
    client.flush()
    assert [event["logentry"]["formatted"] for event in spotlight.events] == ["before"]
    assert client.stats().captured == {}


def test_without_a_dsn_a_wrong_call_is_warned_of(spotlight: RecordingServer, caplog: pytest.LogCaptureFixture) -> None:
    wrong: Any = 7
    with vedette.Client(spotlight=url_of(spotlight)) as client:
        assert client.capture_event(wrong) is None
    assert "capture_event takes a dict" in caplog.text


@pytest.mark.spec("INT-105", "INT-106")
def test_it_is_off_unless_asked_for(server: RecordingServer) -> None:
    with vedette.Client(server.dsn()) as client:
        assert client.spotlight is None
        assert client.options["spotlight"] is None


@pytest.mark.spec("INT-78", "INT-81")
def test_the_variable_alone_turns_it_on(spotlight: RecordingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_SPOTLIGHT", url_of(spotlight))
    with vedette.Client() as client:
        client.capture_message("hello")
    assert len(spotlight.events) == 1


# --- beside a server ------------------------------------------------------------------------------------------------


@pytest.mark.spec("INT-69", "INT-92", "INT-95")
def test_server_and_spotlight_get_the_same_event(server: RecordingServer, spotlight: RecordingServer) -> None:
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight)) as client:
        client.capture_exception(an_error(password="hunter2", plain="seen"))
    (sent,), (shown,) = server.events, spotlight.events
    assert shown == sent
    assert client.stats().delivered == {"error": 1}


@pytest.mark.spec("INT-92", "INT-93")
def test_hooks_are_asked_once_and_spotlight_shows_what_they_made(
    server: RecordingServer, spotlight: RecordingServer
) -> None:
    asked: list[str] = []

    def before_send(event: Event, _hint: Hint) -> Event | None:
        asked.append(event["logentry"]["formatted"])
        event["tags"] = {"seen": "yes"}
        return None if asked[-1] == "noise" else event

    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), before_send=before_send) as client:
        client.capture_message("noise")
        client.capture_message("news")
    assert asked == ["noise", "news"]
    assert [event["tags"] for event in spotlight.events] == [{"seen": "yes"}]
    assert client.stats().dropped == {"error": {"before_send": 1}}


@pytest.mark.parametrize("how", [{"sample_rate": 0.0}, {"error_sampler": lambda _event, _hint: False}])
@pytest.mark.spec("INT-98", "INT-93", "INT-92")
def test_what_is_sampled_out_is_shown_and_stays_dropped_for_the_server(
    server: RecordingServer, spotlight: RecordingServer, how: dict[str, Any]
) -> None:
    asked: list[object] = []

    def before_send(event: Event, hint: Hint) -> Event:
        asked.append(hint)
        return event

    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), before_send=before_send, **how) as client:
        assert client.capture_exception(an_error()) is None
        client.flush()
        assert client.stats().dropped == {"error": {"sample_rate": 1}}
        assert client.stats().captured == {"error": 1}
    assert server.events == []
    (shown,) = spotlight.events
    assert shown["exception"]["values"][0]["type"] == "ValueError"
    assert "modules" in shown
    assert len(asked) == 1


@pytest.mark.spec("INT-98")
def test_a_rate_limit_of_the_server_is_none_of_spotlights(server: RecordingServer, spotlight: RecordingServer) -> None:
    server.answer(headers=(("X-Sentry-Rate-Limits", "60:error:organization"),))
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight)) as client:
        client.capture_message("brings the limit")
        client.flush()
        client.capture_message("limited")
        client.flush()
        assert client.stats().dropped == {"error": {"ratelimit_backoff": 1}}
    assert [event["logentry"]["formatted"] for event in spotlight.events] == ["brings the limit", "limited"]
    assert len(server.events) == 1


def test_what_a_hook_drops_of_a_sampled_out_event_is_counted_once(
    server: RecordingServer, spotlight: RecordingServer
) -> None:
    def before_send(_event: Event, _hint: Hint) -> None:
        return None

    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), sample_rate=0.0, before_send=before_send) as client:
        client.capture_message("dropped twice")
        with vedette.new_scope() as scope:
            scope.add_event_processor(interrupted)
            with pytest.raises(KeyboardInterrupt):
                client.capture_message("and interrupted")
    assert client.stats().dropped == {"error": {"sample_rate": 2}}
    assert spotlight.events == []


def interrupted(_event: Event, _hint: Hint) -> Event:
    raise KeyboardInterrupt


def test_an_exception_captured_twice_is_shown_once(server: RecordingServer, spotlight: RecordingServer) -> None:
    error = an_error()
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), sample_rate=0.0) as client:
        client.capture_exception(error)
        client.capture_exception(error)
    assert len(spotlight.events) == 1
    assert client.stats().dropped == {"error": {"sample_rate": 2}}


@pytest.mark.spec("INT-96")
def test_ignored_errors_are_ignored_there_too_and_a_report_says_so(
    server: RecordingServer, spotlight: RecordingServer
) -> None:
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), ignore_errors=[ValueError]) as client:
        client.capture_exception(an_error())
        client.capture_message("told")
    (shown,) = spotlight.events
    assert shown["logentry"]["formatted"] == "told"
    (report,) = spotlight.items("client_report")
    assert report.json["discarded_events"] == [{"reason": "event_processor", "category": "error", "quantity": 1}]


@pytest.mark.parametrize("category", list(KINDS))
@pytest.mark.spec("INT-96", "INT-95")
def test_every_kind_that_goes_out_is_shown(
    server: RecordingServer, spotlight: RecordingServer, category: DataCategory
) -> None:
    payload = {"event_id": "c" * 32, "body": "a payload"}
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight)) as client:
        client.processor.add(category, payload)
    item_type = KINDS[category].item_type
    (sent,), (shown,) = server.items(item_type), spotlight.items(item_type)
    assert shown.json == sent.json
    assert "a payload" in json.dumps(shown.json)


def test_small_attachments_are_copied_and_large_files_are_named(
    server: RecordingServer, spotlight: RecordingServer, tmp_path: Path
) -> None:
    large = tmp_path / "large.log"
    large.write_bytes(b"x" * 200_000)
    with vedette.new_scope() as scope, vedette.Client(server.dsn(), spotlight=url_of(spotlight)) as client:
        scope.add_attachment(bytes=b"small", filename="small.txt")
        scope.add_attachment(path=str(large))
        client.capture_message("with attachments")
    assert [item.headers["filename"] for item in server.items("attachment")] == ["small.txt", "large.log"]
    assert [item.payload for item in spotlight.items("attachment")] == [b"small"]
    (note,) = spotlight.events[0]["contexts"]["attachments"]["left_out"]
    assert note.startswith("large.log: large files are not copied to Spotlight")
    assert "attachments" not in server.events[0]["contexts"]


def test_the_journal_of_the_server_changes_nothing(
    server: RecordingServer, spotlight: RecordingServer, tmp_path: Path
) -> None:
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), cache_dir=str(tmp_path)) as client:
        client.capture_exception(an_error(plain="seen"))
    (sent,), (shown,) = server.events, spotlight.events
    assert shown == sent


def test_tests_that_take_what_is_captured_have_it_for_themselves(
    server: RecordingServer, spotlight: RecordingServer
) -> None:
    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), sample_rate=0.0) as sampling:
        for client in (vedette.Client(server.dsn(), spotlight=url_of(spotlight)), sampling):
            transport = MemoryTransport()
            undo = client.redirect(transport)
            client.capture_message("for the test")
            undo()
            assert len(transport.events) == (client is not sampling)
            client.flush()
        assert spotlight.requests == server.requests == []
        client.close()


def test_a_transport_of_ones_own_gets_its_envelopes_beside_spotlight(spotlight: RecordingServer) -> None:
    transport = MemoryTransport()
    with vedette.Client("http://key@localhost/1", spotlight=url_of(spotlight), transport=transport) as client:
        client.capture_message("both")
    assert len(transport.events) == len(spotlight.events) == 1


# --- what names persons, and what is secret -------------------------------------------------------------------------


class Request:
    """A unit of work of some framework's integration."""

    def describe(self, event: dict[str, Any], client: BaseClient) -> None:
        policy: Any = client.policy  # type: ignore[attr-defined]  # of the real client
        headers = (("Host", "shop"), ("X-Forwarded-For", "10.1.2.3"), ("Authorization", "Bearer abc"))
        request = {"url": "http://shop/cart", "headers": policy.headers(headers), "cookies": policy.cookies("a=b")}
        event.setdefault("request", {name: value for name, value in request.items() if value is not None})
        user = policy.user({"id": "5", "ip_address": "10.1.2.3"})
        if user:
            event.setdefault("user", user)


def in_a_request(client: vedette.Client) -> None:
    with vedette.isolation_scope() as scope:
        scope.work = Request()
        client.capture_exception(an_error(password="hunter2"))


@pytest.mark.spec("INT-99", "INT-100", "INT-93")
@pytest.mark.parametrize("sample_rate", [1.0, 0.0])
def test_spotlight_gets_what_names_persons_and_the_server_does_not(
    server: RecordingServer, spotlight: RecordingServer, sample_rate: float
) -> None:
    with vedette.Client(
        server.dsn(), spotlight=url_of(spotlight), send_default_pii=False, sample_rate=sample_rate
    ) as client:
        assert not client.should_send_default_pii()
        in_a_request(client)
    (shown,) = spotlight.events
    assert shown["user"] == {"id": "5", "ip_address": "10.1.2.3"}
    assert shown["request"]["cookies"] == "a=b"
    assert shown["request"]["headers"]["X-Forwarded-For"] == "10.1.2.3"
    assert shown["request"]["headers"]["Authorization"] == "[Filtered]"
    assert "hunter2" not in json.dumps(shown["exception"]["values"][0]["stacktrace"])
    for sent in server.events:
        assert "user" not in sent
        assert "cookies" not in sent["request"]
        assert "10.1.2.3" not in json.dumps(sent["request"])
    assert len(server.events) == sample_rate


@pytest.mark.spec("INT-99", "INT-94")
def test_without_a_dsn_the_policy_lets_all_persons_through(spotlight: RecordingServer) -> None:
    with vedette.Client(spotlight=url_of(spotlight), send_default_pii=False) as client:
        assert client.should_send_default_pii()
        in_a_request(client)
    (shown,) = spotlight.events
    assert shown["user"]["ip_address"] == "10.1.2.3"
    assert shown["request"]["headers"]["Authorization"] == "[Filtered]"


def test_what_a_hook_put_into_the_request_is_shown_as_it_put_it(
    server: RecordingServer, spotlight: RecordingServer
) -> None:
    def before_send(event: Event, _hint: Hint) -> Event:
        event["request"]["url"] = "http://shop/<cart>"
        return event

    with vedette.Client(server.dsn(), spotlight=url_of(spotlight), before_send=before_send) as client:
        in_a_request(client)
    (shown,) = spotlight.events
    assert shown["request"]["url"] == "http://shop/<cart>"
    assert shown["request"]["cookies"] == "a=b"


def test_no_key_and_no_proxy_are_used(
    server: RecordingServer, spotlight: RecordingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RecordingServer() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        with_credentials = url_of(spotlight).replace("://", "://user:swordfish@")
        with vedette.Client(server.dsn(), spotlight=with_credentials, http_proxy=proxy.url) as client:
            client.capture_message("direct")
            client.flush()
        assert len(spotlight.requests) == 1
    (request,) = spotlight.requests
    assert request.headers.keys() & {"x-sentry-auth", "authorization", "proxy-authorization"} == set()
    assert "abc" not in json.dumps(request.envelope.headers)  # the DSN's key


def test_a_redirect_is_not_followed(spotlight: RecordingServer, server: RecordingServer) -> None:
    spotlight.answer(status=307, headers=(("Location", url_of(server)),))
    with vedette.Client(spotlight=url_of(spotlight)) as client:
        client.capture_message("stays here")
        client.flush()
        client.capture_message("goes on")
    wait_until(lambda: len(spotlight.requests) == 2)
    assert server.requests == []
