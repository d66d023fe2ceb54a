"""Proves the testing kit: what a block of code captures is there at once, as it would have been sent."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from vedette.testing import MemoryTransport, capture_envelopes, capture_events

if TYPE_CHECKING:
    from collections.abc import Iterator

DSN = "http://key@127.0.0.1:9/1"  # nothing listens there


@pytest.fixture(autouse=True)
def scope_of_this_test() -> Iterator[None]:
    with vedette.isolation_scope():
        yield
    client = vedette.get_client()
    vedette.get_global_scope().set_client(None)
    client.close(timeout=0)


@pytest.mark.spec("PAIN-31")
def test_without_init_a_block_captures_all_the_same_and_leaves_nothing_behind() -> None:
    with capture_events() as events:
        assert vedette.is_initialized()
        vedette.capture_message("hello")
    assert events.one()["logentry"]["formatted"] == "hello"
    assert not vedette.is_initialized()
    assert vedette.capture_message("unseen") is None
    assert len(events) == 1


@pytest.mark.spec("PAIN-31")
@pytest.mark.parametrize("dsn", [DSN, "", None])
def test_the_client_in_force_keeps_its_options_hooks_and_scopes(dsn: str | None) -> None:
    def before_send(event: Any, hint: Any) -> Any:
        event["extra"] = {"seen": type(hint["exc_info"][1]).__name__}
        return event

    client = vedette.init(dsn, release="shop@1", before_send=before_send, default_integrations=False)
    vedette.set_tag("tenant", "acme")
    with capture_events() as events:
        assert vedette.get_client() is client
        vedette.capture_exception(ValueError("boom"))
    event = events.one()
    assert event["release"] == "shop@1"
    assert event["tags"] == {"tenant": "acme"}
    assert event["extra"] == {"seen": "ValueError"}
    assert client.is_active() is bool(dsn)


def test_what_is_seen_is_what_would_have_been_sent() -> None:
    with capture_events() as events:
        vedette.set_extra("password", "hunter2")
        vedette.capture_message("x" * 10_000)
    assert events.one()["extra"] == {"password": "[Filtered]"}
    assert len(events.one()["logentry"]["formatted"]) == 8192


def test_captures_of_other_threads_are_seen() -> None:
    with capture_events() as events:
        threads = [threading.Thread(target=vedette.capture_message, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(event["logentry"]["formatted"] for event in events) == [str(n) for n in range(8)]


def test_blocks_nest_and_the_inner_one_has_what_happens_inside() -> None:
    with capture_events() as outer:
        vedette.capture_message("before")
        with capture_events() as inner:
            vedette.capture_message("inside")
        vedette.capture_message("after")
    assert [event["logentry"]["formatted"] for event in inner] == ["inside"]
    assert [event["logentry"]["formatted"] for event in outer] == ["before", "after"]


def test_a_block_that_fails_gives_the_client_back() -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False)

    def fail() -> None:
        with capture_events():
            vedette.capture_message("inside")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    vedette.capture_message("outside")
    assert [event["logentry"]["formatted"] for event in transport.events] == ["outside"]


def test_what_hooks_drop_is_counted_for_the_test_and_not_for_the_program() -> None:
    client = vedette.init(DSN, before_send=lambda _event, _hint: None, default_integrations=False)
    with capture_events() as events:
        vedette.capture_message("refused")
    assert events == []
    assert events.stats.dropped == {"error": {"before_send": 1}}
    assert client.stats().dropped == {}


@pytest.mark.parametrize("is_initialized", [True, False])
def test_a_client_that_is_made_inside_sends_nothing_either(is_initialized: bool) -> None:
    with RecordingServer() as server:
        if is_initialized:
            vedette.init("", default_integrations=False)
        with capture_events() as events:
            client = vedette.init(server.dsn(), release="shop@2", default_integrations=False)
            vedette.capture_message("by the new client")
            client.flush(5)
            assert server.events == []
        assert events.one()["release"] == "shop@2"
        assert vedette.get_client() is client
        vedette.capture_message("afterwards")
        client.flush(5)
        assert [event["logentry"]["formatted"] for event in server.events] == ["afterwards"]


def test_one_says_what_was_captured_instead() -> None:
    with capture_events() as events:
        with pytest.raises(AssertionError, match="captured none"):
            events.one()
        vedette.capture_message("first", level="warning")
        vedette.capture_exception(ValueError("second"))
        with pytest.raises(AssertionError, match="captured 2:\n  warning: first\n  ValueError: second"):
            events.one()


def test_envelopes_are_whole() -> None:
    with capture_envelopes() as envelopes:
        event_id = vedette.capture_message("hello")
    assert [item.type for item in envelopes[0].items] == ["event"]
    assert envelopes[0].headers["event_id"] == event_id
