from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import vedette
from tests.unit._given_events.giving import faults_in, refused_by_relay, sent
from vedette.integrations.modules import ModulesIntegration
from vedette.testing import MemoryTransport


@pytest.mark.spec("EVT-13", "EVT-14", "EVT-15", "EVT-16", "EVT-17", "EVT-22", "EVT-23", "EVT-25")
def test_attributes_as_servers_take_them_arrive_as_they_are() -> None:
    given = {
        "logger": "shop.orders",
        "transaction": "/orders/{number}",
        "server_name": "web-1",
        "release": "shop@1.2.3+4",
        "dist": "linux-x64",
        "environment": "staging",
        "modules": {"django": "5.0.3"},
        "extra": {"order": {"number": 7}},
        "fingerprint": ["{{ default }}", "orders"],
    }
    event = sent(given)
    assert {name: event[name] for name in given} == given
    assert "_meta" not in event
    assert refused_by_relay(event) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("release", value)
            for value in ["latest", ".", "..", "a/b", "a\\b", "a\nb", "a\tb", "a\x01b", "x" * 201, "é" * 101, "", [1]]
        ),
        *(
            ("environment", value)
            for value in ["None", "none", ".", "a/b", "a\nb", "a\x7fb", "x" * 65, "é" * 33, " ", {}]
        ),
        *(("dist", value) for value in ["a b", "a/b", "ä", "x" * 65, ""]),
        ("level", "loud"),
        ("level", 7),
        ("extra", [1]),
        ("modules", "django"),
        ("sdk", "mine"),
        ("sdk", {"name": "mine"}),
        ("errors", "broken"),
        ("start_timestamp", -755),
        ("start_timestamp", "noon"),
        ("user", "ann"),
        ("request", "GET /"),
        ("contexts", "x"),
        ("logentry", [1]),
    ],
)
def test_what_servers_refuse_is_left_out_and_said(name: str, value: Any) -> None:
    event = sent({name: value, "tags": {"kept": "yes"}}, server_name="host")
    assert event.get(name) != value
    assert event["tags"] == {"kept": "yes"}
    assert name in faults_in(event["_meta"])
    assert refused_by_relay(event) == []


def test_what_is_left_out_gives_way_to_the_options() -> None:
    event = sent({"server_name": ["x"], "release": "latest"}, server_name="host", release="shop@1")
    assert (event["server_name"], event["release"]) == ("host", "shop@1")


def test_spaces_around_a_name_are_no_part_of_it() -> None:
    event = sent({"release": " shop@1 ", "environment": " dev\n", "dist": " 7 "})
    assert (event["release"], event["environment"], event["dist"]) == ("shop@1", "dev", "7")
    assert refused_by_relay(event) == []


@pytest.mark.spec("EVT-11", "EVT-12")
@pytest.mark.parametrize(
    ("given", "level"),
    [({}, "error"), ({"level": None}, "error"), ({"level": "warn"}, "warning"), ({"level": "CRITICAL"}, "fatal")],
)
def test_an_event_has_one_of_the_levels_and_error_if_it_says_none(given: Any, level: str) -> None:
    assert sent(given)["level"] == level


def test_the_level_of_a_scope_beats_the_one_that_nobody_gave() -> None:
    vedette.get_isolation_scope().set_level("info")
    assert sent({})["level"] == "info"
    assert sent({"level": "fatal"})["level"] == "fatal"


@pytest.mark.spec("EVT-26", "EVT-27")
def test_errors_of_the_payload_have_a_type_and_vedette_adds_none() -> None:
    kept = {"type": "invalid_data", "name": "user.email", "value": "x"}
    event = sent({"errors": [kept, {"name": "no type"}, 5]})
    assert event["errors"] == [kept]
    assert refused_by_relay(event)[1:] == []  # the one that was given
    assert "errors" not in sent({"release": "latest", "user": {"ip_address": "nowhere"}})


@pytest.mark.spec("EVT-28")
def test_attributes_that_vedette_does_not_know_are_kept_and_named_in_debug_mode(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG", logger="vedette")
    event = sent({"novelty": {"a": 1}, "contexts": {"novelty": {"b": 2}}}, debug=True)
    assert event["novelty"] == {"a": 1}
    assert event["contexts"]["novelty"] == {"b": 2}
    assert "novelty: not known to vedette" in caplog.text


@pytest.mark.spec("EVT-05", "EVT-06")
@pytest.mark.parametrize("zone", ["Z", "+00:00", "", "+02:00"])
def test_times_as_text_are_read(zone: str) -> None:
    at = datetime.now(timezone.utc).replace(microsecond=250_000) - timedelta(hours=3)
    shift = timedelta(hours=2) if zone == "+02:00" else timedelta()
    text = (at + shift).strftime("%Y-%m-%dT%H:%M:%S.25") + zone
    assert sent({"timestamp": text})["timestamp"] == at.timestamp()


@pytest.mark.spec("EVT-05", "EVT-06")
@pytest.mark.parametrize(
    "given",
    ["soon", "", [], float("nan"), 10**400, 0, 946_684_800, pytest.param(time.time() + 3600, id="in an hour")],
)
def test_a_time_that_servers_refuse_becomes_that_of_the_capture(given: Any) -> None:
    before = time.time()
    event = sent({"timestamp": given})
    assert before <= event["timestamp"] <= time.time()
    assert refused_by_relay(event) == []


def test_it_is_said_which_time_was_replaced() -> None:
    event = sent({"timestamp": 946_684_800})
    ((rule, details),) = event["_meta"]["timestamp"][""]["err"]
    assert rule == "invalid_data"
    assert details["reason"].startswith("946684800 is over 30 days ago")


def test_versions_of_modules_are_text() -> None:
    event = sent({"modules": {"a": 1, "b": "2", "c": None, "d": [3]}})
    assert event["modules"] == {"a": "1", "b": "2"}
    assert refused_by_relay(event) == []


@pytest.mark.spec("EVT-101", "EVT-102", "EVT-103", "EVT-105")
def test_another_sdk_may_be_named_if_it_has_a_name_and_a_version() -> None:
    given = {"name": "acme.python", "version": "1.0.0", "integrations": ["a", 5], "packages": [{"name": "x"}, "y"]}
    event = sent({"sdk": given})
    assert event["sdk"] == {**given, "integrations": ["a"], "packages": [{"name": "x"}]}
    assert sent({"sdk": {"name": "x"}})["sdk"]["name"] == "vedette.python"


@pytest.mark.spec("EVT-103")
def test_integrations_that_are_set_up_later_are_named_and_no_hook_changes_those_of_the_next_event() -> None:
    def before_send(event: Any, _hint: Any) -> Any:
        event["sdk"]["integrations"].append("mine")
        event["sdk"]["packages"].clear()
        return event

    transport = MemoryTransport()
    client = vedette.init(
        "https://k@h.example/1", transport=transport, default_integrations=False, before_send=before_send
    )
    vedette.capture_message("one")
    client.integrations["modules"] = ModulesIntegration()  # as an integration does that is set up with its library
    vedette.capture_message("two")
    assert [event["sdk"]["integrations"] for event in transport.events] == [["mine"], ["modules", "mine"]]


@pytest.mark.spec("EVT-77", "EVT-78", "EVT-79", "EVT-80", "EVT-10")
@pytest.mark.parametrize(
    ("given", "entry"),
    [
        ({"message": "paid"}, {"message": "paid", "formatted": "paid"}),
        ({"logentry": "paid"}, {"message": "paid", "formatted": "paid"}),
        ({"message": {"message": "paid"}}, {"message": "paid", "formatted": "paid"}),
        ({"logentry": {"formatted": "paid 3"}, "message": "old"}, {"formatted": "paid 3"}),
        ({"logentry": {"message": "a %s", "params": ["b"]}}, {"message": "a %s", "params": ["b"]}),
        ({"logentry": {"message": 5, "params": "x"}}, {"message": "5", "formatted": "5"}),
    ],
)
def test_a_message_stands_under_logentry(given: Any, entry: dict[str, Any]) -> None:
    event = sent(given)
    assert event["logentry"] == entry
    assert "message" not in event
    assert refused_by_relay(event) == []


def test_of_400_breadcrumbs_and_300_frames_none_is_lost_to_a_hook() -> None:
    def fail(depth: int) -> None:
        if depth:
            fail(depth - 1)
        raise ValueError

    transport = MemoryTransport()
    vedette.init(
        "https://k@h.example/1",
        transport=transport,
        max_breadcrumbs=400,
        max_stack_frames=400,
        include_local_variables=False,
        before_send=lambda event, _hint: event,
    )
    for number in range(400):
        vedette.add_breadcrumb(message=str(number))
    try:
        fail(299)
    except ValueError:
        vedette.capture_exception()
    (event,) = transport.events
    assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [str(number) for number in range(400)]
    assert len(event["exception"]["values"][0]["stacktrace"]["frames"]) == 301


def test_the_start_of_an_event_may_be_a_date() -> None:
    started = datetime.now(timezone.utc) - timedelta(minutes=1)
    event = sent({"start_timestamp": started})
    assert event["start_timestamp"] == pytest.approx(started.timestamp())
    assert refused_by_relay(event) == []


def test_a_line_break_in_the_name_of_a_logger_becomes_a_space() -> None:
    event = sent({"logger": "shop\r\norders"})
    assert event["logger"] == "shop  orders"
    assert refused_by_relay(event) == []


@pytest.mark.parametrize("empty", ["", " ", "\n", "\u2003"])
def test_a_tag_without_a_value_is_left_out(empty: str) -> None:
    event = sent({"tags": {"tenant": empty, "kept": "yes"}})
    assert event["tags"] == {"kept": "yes"}
    assert faults_in(event["_meta"]) == ["tags.tenant"]
    assert refused_by_relay(event) == []
