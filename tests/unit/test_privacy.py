"""What the options about privacy do to what a client sends."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

import vedette
from tests.servers import RecordingServer
from vedette.integrations.argv import ArgvIntegration
from vedette.scrubber import DEFAULT_DENYLIST, EventScrubber, KeyValueCollectionBehavior
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"
SECRET = "hunter2-hunter2"
FILTERED = "[Filtered]"
NOTHING = {
    "user_info": False,
    "cookies": False,
    "http_headers": False,
    "query_params": False,
    "http_bodies": [],
    "gen_ai": {"inputs": False, "outputs": False},
    "stack_frame_variables": False,
    "frame_context_lines": 0,
}


def client(**options: Any) -> vedette.Client:
    """Without ``sys.argv``, which would be in ``extra``."""
    return vedette.Client(DSN, transport=MemoryTransport(), disabled_integrations=[ArgvIntegration], **options)


def sent(client: vedette.Client) -> list[dict[str, Any]]:
    transport: Any = client.transport
    return [json.loads(item.get_bytes()) for envelope in transport.envelopes for item in envelope.items]


def fail(client: vedette.Client, **names: Any) -> dict[str, Any]:
    """The event of an exception whose frame has these variables."""
    flavour, password = names.get("flavour", "vanilla"), names.get("password", SECRET)
    try:
        raise ValueError(len(flavour) + len(password))
    except ValueError as error:
        client.capture_exception(error)
    return sent(client)[-1]


def frame_of(event: dict[str, Any]) -> dict[str, Any]:
    frame: dict[str, Any] = event["exception"]["values"][0]["stacktrace"]["frames"][-1]
    return frame


@pytest.mark.spec("DAT-01", "DAT-71", "DAT-85", "DAT-83", "DAT-10")
def test_by_default_frames_carry_variables_and_five_lines_of_source() -> None:
    event = fail(client())
    frame = frame_of(event)

    assert frame["vars"]["flavour"] == "'vanilla'"
    assert frame["vars"]["password"] == FILTERED
    assert len(frame["pre_context"]) == len(frame["post_context"]) == 5
    assert event["contexts"]["runtime"]["name"]


@pytest.mark.spec("DAT-11", "DAT-86")
def test_variables_and_lines_of_source_can_be_left_out_and_technical_context_stays() -> None:
    event = fail(client(data_collection=NOTHING))
    frame = frame_of(event)

    assert "vars" not in frame
    assert not frame.get("pre_context")
    assert not frame.get("post_context")
    assert frame["lineno"]
    assert event["contexts"]["runtime"]["name"]
    assert "vars" not in frame_of(fail(client(include_local_variables=False)))
    assert len(frame_of(fail(client(data_collection={"frame_context_lines": 2})))["pre_context"]) == 2


@pytest.mark.spec("DAT-51", "DAT-52", "DAT-93", "DAT-94", "DAT-124", "DAT-125", "DAT-126", "DAT-19")
@pytest.mark.parametrize("options", [{}, {"send_default_pii": False}, {"data_collection": NOTHING}])
def test_what_the_program_sets_is_sent_whatever_is_collected(options: dict[str, Any]) -> None:
    told = client(**options)
    scope = vedette.Scope()
    scope.set_user({"id": "7", "email": "ann@shop.example", "ip_address": "10.0.0.1"})
    scope.set_tag("tenant", "acme")
    scope.set_context("order", {"number": 7})
    scope.set_extra("note", "by hand")
    request = {"url": "http://shop/", "query_string": "a=1", "cookies": {"theme": "dark"}, "headers": {"Accept": "a"}}
    told.capture_event({"message": "by hand", "request": request}, scope=scope)

    (event,) = sent(told)
    assert event["user"] == {"id": "7", "email": "ann@shop.example", "ip_address": "10.0.0.1"}
    assert event["tags"] == {"tenant": "acme"}
    assert event["contexts"]["order"] == {"number": 7}
    assert event["extra"] == {"note": "by hand"}
    assert event["request"] == request


@pytest.mark.spec("DAT-106", "DAT-103", "DAT-90")
@pytest.mark.parametrize("options", [{}, {"send_default_pii": False}, {"data_collection": {}}])
def test_nobody_is_named_by_default(options: dict[str, Any]) -> None:
    event = fail(client(**options))

    assert "user" not in event
    assert "{{auto}}" not in json.dumps(event)


@pytest.mark.spec("DAT-91", "DAT-92", "CFG-17")
def test_a_client_says_whether_personal_data_is_wanted() -> None:
    assert client().should_send_default_pii() is False
    assert client(send_default_pii=None).should_send_default_pii() is False
    assert client(send_default_pii=True).should_send_default_pii() is True
    assert client(data_collection={"user_info": True}).should_send_default_pii() is True
    assert vedette.get_client().should_send_default_pii() is False


@pytest.mark.spec("DAT-09", "DAT-45")
def test_data_collection_wins_over_send_default_pii_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "vedette"):
        assert client(data_collection={}, send_default_pii=True).should_send_default_pii() is False
        client(data_collection={"user_info": True})
        client(send_default_pii=True)

    (record,) = caplog.records
    assert "data_collection wins" in record.getMessage()


@pytest.mark.parametrize(
    ("option", "value", "part"),
    [
        ("data_collection", {"user_inof": True}, "Did you mean 'user_info'?"),
        ("data_collection", {"cookies": {"mode": "on"}}, "'on'"),
        ("data_collection", ["user_info"], "dict"),
        ("event_scrubber", EventScrubber, "event_scrubber"),
        ("event_scrubber", 3, "event_scrubber"),
    ],
)
def test_a_wrong_value_raises_when_the_client_is_made(option: str, value: Any, part: str) -> None:
    with pytest.raises(vedette.OptionError) as caught:
        client(**{option: value})

    assert option in str(caught.value)
    assert part in str(caught.value)


@pytest.mark.spec("DAT-30", "DAT-61")
def test_terms_of_ones_own_count_in_what_is_sent_by_hand_too() -> None:
    told = client(
        data_collection={
            "cookies": {"deny": ["cart"]},
            "query_params": KeyValueCollectionBehavior("denyList", ["coupon"]),
            "http_headers": {"request": {"deny": ["x-office"]}},
        }
    )
    headers = {"X-Office": SECRET, "X-Forwarded-For": "10.0.0.1", "Cookie": f"cart={SECRET}; theme=dark"}
    told.capture_event({"request": {"headers": headers, "query_string": f"coupon={SECRET}&a=1"}})

    (event,) = sent(told)
    assert event["request"] == {
        "headers": {"X-Office": FILTERED, "X-Forwarded-For": "10.0.0.1", "Cookie": "cart=[Filtered]; theme=dark"},
        "query_string": "coupon=[Filtered]&a=1",
    }


@pytest.mark.spec("DAT-56", "DAT-70", "DAT-109", "DAT-44")
def test_a_hook_may_take_out_anything_names_too() -> None:
    def redact(event: Any, _hint: Any) -> Any:
        del event["request"]["headers"]["X-Secret-Name"]
        event["request"]["data"] = None
        return event

    told = client(before_send=redact)
    told.capture_event({"request": {"headers": {"X-Secret-Name": "a", "Accept": "b"}, "data": {"a": 1}}})

    (event,) = sent(told)
    assert event["request"]["headers"] == {"Accept": "b"}
    assert event["request"]["data"] is None


@pytest.mark.spec("PAIN-09")
def test_what_before_send_puts_in_is_filtered_as_well() -> None:
    def add(event: Any, _hint: Any) -> Any:
        event["extra"] = {"deep": [{"password": SECRET}], "note": f"password={SECRET}"}
        return event

    told = client(before_send=add)
    told.capture_message("x")

    assert sent(told)[0]["extra"] == {"deep": [{"password": FILTERED}], "note": "password=[Filtered]"}


# --- a scrubber of one's own ---


@pytest.mark.spec("PAIN-06")
def test_the_list_of_a_scrubber_of_ones_own_counts_in_variables_and_in_everything_else() -> None:
    told = client(event_scrubber=EventScrubber(denylist=[*DEFAULT_DENYLIST, "flavour"]))
    frame = frame_of(fail(told))
    told.capture_event({"extra": {"flavour": "a", "password": "b", "c": "d"}})

    assert frame["vars"]["flavour"] == FILTERED
    assert sent(told)[1]["extra"] == {"flavour": FILTERED, "password": FILTERED, "c": "d"}
    only = client(event_scrubber=EventScrubber(denylist=["flavour"]))
    assert frame_of(fail(only))["vars"]["password"] == f"'{SECRET}'"


def test_a_scrubber_of_another_class_takes_the_place_of_ours() -> None:
    class Censor:
        def scrub_event(self, event: Any) -> str:
            event["extra"]["name"] = "***"
            event["extra"]["left"] = object()
            event["event_id"] = "nonsense"
            return "ignored"

    told = client(event_scrubber=Censor())
    event_id = told.capture_event({"extra": {"name": "ann", "password": SECRET}})

    (event,) = sent(told)
    assert event["extra"] == {"name": "***", "password": SECRET, "left": FILTERED}
    assert event["event_id"] == event_id


class Raising(EventScrubber):
    def scrub_event(self, event: Any) -> None:
        raise RuntimeError(SECRET)


class Exiting(EventScrubber):
    def scrub_event(self, event: Any) -> None:
        raise SystemExit


class Lazy:
    async def scrub_event(self, event: Any) -> None: ...


@pytest.mark.parametrize("scrubber", [Raising, Exiting, Lazy])
def test_an_event_that_a_scrubber_fails_on_is_not_sent_but_counted_and_said_once(
    scrubber: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with RecordingServer() as server, caplog.at_level(logging.WARNING, "vedette"):
        told = vedette.Client(server.dsn(), event_scrubber=scrubber())
        told.capture_message(SECRET)
        told.capture_message(SECRET)
        told.close()

        assert SECRET.encode() not in b"".join(request.body for request in server.wait_for(1))
        assert server.items("event") == []
        reports = [report for item in server.items("client_report") for report in item.json["discarded_events"]]
    assert {(report["reason"], report["category"]) for report in reports} == {("event_processor", "error")}
    assert sum(report["quantity"] for report in reports) == 2
    assert len([record for record in caplog.records if "event_scrubber" in record.getMessage()]) == 1


def test_a_scrubber_may_not_capture_in_turn() -> None:
    class Talkative(EventScrubber):
        def scrub_event(self, event: Any) -> None:
            told.capture_message("from inside")
            super().scrub_event(event)

    told = client(event_scrubber=Talkative())
    told.capture_event({"message": "x", "extra": {"password": SECRET}})

    (event,) = sent(told)
    assert event["extra"] == {"password": FILTERED}


def test_a_derived_scrubber_that_forgot_its_base_still_leaves_variables_filtered() -> None:
    class Forgetful(EventScrubber):
        def __init__(self) -> None: ...

        def scrub_event(self, event: Any) -> None: ...

    assert frame_of(fail(client(event_scrubber=Forgetful())))["vars"]["password"] == FILTERED
