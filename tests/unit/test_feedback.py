"""User feedback: its way through the pipeline, its form on the wire, and what is refused."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sentry_relay.processing import StoreNormalizer

import vedette
from vedette._protocol.ids import read_uuid
from vedette.attachments import Attachment
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"
ERROR_ID = "5d0c6b7e9f1a4c3d8e2b7a6f5c4d3e2f"


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    return transport


def only(transport: MemoryTransport) -> Envelope:
    (envelope,) = transport.envelopes
    return envelope


def payload_of(transport: MemoryTransport) -> dict[str, Any]:
    (item,) = [item for item in only(transport).items if item.type == "feedback"]
    found: dict[str, Any] = item.payload.json
    return found


def context_of(transport: MemoryTransport) -> dict[str, Any]:
    found: dict[str, Any] = payload_of(transport)["contexts"]["feedback"]
    return found


def dropped() -> dict[str, dict[str, int]]:
    return {category: dict(reasons) for category, reasons in vedette.get_client().stats().dropped.items()}


# --- the form on the wire ---


@pytest.mark.spec("FBK-19", "FBK-20", "FBK-21", "FBK-22", "FBK-23", "FBK-25", "FBK-41", "ENV-61")
def test_a_feedback_is_an_item_of_its_own_kind_in_an_envelope_with_its_id() -> None:
    transport = start()
    event_id = vedette.capture_feedback({"message": "Works well"})
    envelope = only(transport)
    assert [item.type for item in envelope.items] == ["feedback"]
    assert payload_of(transport)["event_id"] == envelope.headers["event_id"] == event_id
    assert read_uuid(event_id) == event_id
    assert context_of(transport) == {"message": "Works well"}


@pytest.mark.spec("FBK-24", "FBK-26", "FBK-27", "FBK-28", "FBK-29", "FBK-31", "FBK-34", "FBK-40")
def test_the_payload_is_an_event_with_all_that_was_said() -> None:
    transport = start()
    said = {
        "message": "The button does nothing",
        "contact_email": "ann@example.org",
        "name": "Ann",
        "url": "https://shop.example.org/cart",
        "associated_event_id": ERROR_ID,
        "replay_id": "1" * 32,
    }
    event_id = vedette.capture_feedback(said)
    payload = payload_of(transport)
    assert context_of(transport) == said
    assert event_id != ERROR_ID
    assert event_id is not None
    assert event_id[12] == "4"
    assert isinstance(payload["timestamp"], float)
    assert payload["platform"] == "python"
    assert payload["type"] == "feedback"
    assert payload["environment"] == "production"


@pytest.mark.spec("FBK-38", "FBK-39", "FBK-42")
def test_it_may_be_said_by_keyword_beside_the_data_of_the_call() -> None:
    transport = start()
    vedette.capture_feedback({"message": "old", "name": "Ann"}, message="new", tags={"page": "cart"}, level="info")
    assert context_of(transport) == {"message": "new", "name": "Ann"}
    assert payload_of(transport)["tags"] == {"page": "cart"}
    assert payload_of(transport)["level"] == "info"
    vedette.capture_feedback(message="by keyword alone")
    assert len(transport.envelopes) == 2


@pytest.mark.spec("FBK-32", "FBK-33")
def test_name_and_address_of_the_user_are_not_filled_in() -> None:
    transport = start(send_default_pii=True)
    vedette.set_user({"id": "7", "email": "ann@example.org", "username": "ann"})
    vedette.capture_feedback({"message": "Works well"})
    assert context_of(transport) == {"message": "Works well"}
    assert payload_of(transport)["user"]["email"] == "ann@example.org"


def test_relay_takes_it_as_it_is() -> None:
    transport = start()
    vedette.capture_feedback({"message": "x" * 5000, "name": "Ann", "associated_event_id": ERROR_ID})
    payload = payload_of(transport)
    normalized = StoreNormalizer(project_id=1, enable_trimming=True).normalize_event(payload)
    assert normalized.get("errors", []) == []
    context = normalized["contexts"]["feedback"]
    assert {key: context[key] for key in ("name", "associated_event_id")} == {
        "name": "Ann",
        "associated_event_id": ERROR_ID,
    }
    assert context["message"] == payload["contexts"]["feedback"]["message"]


# --- the pipeline ---


@pytest.mark.spec("FBK-05")
def test_the_data_of_the_scopes_is_applied_and_the_feedback_survives_it() -> None:
    transport = start()
    vedette.set_tag("tenant", "acme")
    vedette.set_context("order", {"number": 7})
    vedette.set_context("feedback", {"message": "of the scope", "name": "nobody"})
    vedette.set_user({"id": "7"})
    scope = vedette.Scope()
    scope.set_tag("page", "cart")
    vedette.capture_feedback({"message": "of the user"}, scope=scope)
    payload = payload_of(transport)
    assert payload["tags"] == {"tenant": "acme", "page": "cart"}
    assert payload["user"] == {"id": "7"}
    assert payload["contexts"]["order"] == {"number": 7}
    assert payload["contexts"]["feedback"] == {"message": "of the user"}
    trace_id = payload["contexts"]["trace"]["trace_id"]
    assert trace_id == vedette.get_isolation_scope().get_active_propagation_context().trace_id


@pytest.mark.spec("FBK-01", "FBK-06", "FBK-09", "CR-41")
def test_event_processors_run_and_may_drop_it() -> None:
    def processor(event: Any, hint: Any) -> Any:
        return None if event["contexts"]["feedback"]["message"] == "spam" else {**event, "tags": {"seen": "yes"}}

    transport = start()
    vedette.get_current_scope().add_event_processor(processor)
    assert vedette.capture_feedback({"message": "spam"}) is None
    assert vedette.capture_feedback({"message": "Works well"}) is not None
    assert payload_of(transport)["tags"] == {"seen": "yes"}
    assert dropped() == {"feedback": {"event_processor": 1}}


@pytest.mark.spec("FBK-02", "FBK-03", "FBK-04", "HOOK-18", "HOOK-53")
def test_its_own_hook_may_change_or_drop_it_and_before_send_never_sees_it() -> None:
    def hook(event: Any, hint: Any) -> Any:
        message = event["contexts"]["feedback"]["message"]
        if message == "break":
            raise RuntimeError
        event["contexts"]["feedback"]["message"] = message.upper()
        return None if message == "spam" else event

    seen: list[Any] = []
    transport = start(before_send_feedback=hook, before_send=lambda event, hint: seen.append(event))
    for message in ("spam", "break", "fine"):
        vedette.capture_feedback({"message": message})
    assert context_of(transport) == {"message": "FINE"}
    assert seen == []
    assert dropped() == {"feedback": {"before_send": 2}}


@pytest.mark.spec("FBK-08")
def test_it_is_never_sampled() -> None:
    transport = start(sample_rate=0.0)
    assert vedette.capture_message("sampled out") is None
    assert vedette.capture_feedback({"message": "not sampled"}) is not None
    assert context_of(transport) == {"message": "not sampled"}


def test_an_event_of_this_type_goes_the_same_way() -> None:
    transport = start(sample_rate=0.0, before_send=lambda event, hint: None)
    event: Any = {"type": "feedback", "contexts": {"feedback": {"message": "by hand"}}}
    assert vedette.capture_event(event) is not None
    assert context_of(transport) == {"message": "by hand"}
    assert vedette.capture_event({"type": "feedback"}) is None
    assert dropped()["feedback"] == {"invalid": 1}


@pytest.mark.spec("FBK-36", "FBK-37", "ENV-62")
def test_files_go_as_attachments_in_its_envelope() -> None:
    transport = start()
    vedette.add_attachment(b"of the scope", "app.log")
    vedette.capture_feedback({"message": "see below"}, hint={"attachments": [Attachment(b"\x89PNG", "shot.png")]})
    items = only(transport).items
    assert [item.type for item in items] == ["feedback", "attachment", "attachment"]
    assert [(item.headers["filename"], item.get_bytes()) for item in items[1:]] == [
        ("shot.png", b"\x89PNG"),
        ("app.log", b"of the scope"),
    ]


def test_the_last_event_id_stays_that_of_the_error() -> None:
    start()
    error_id = vedette.capture_message("failed")
    vedette.capture_feedback({"message": "it failed", "associated_event_id": vedette.last_event_id()})
    assert vedette.last_event_id() == error_id


# --- what is refused ---


class Refusing:
    """Runs no code of its own for anyone."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(name)


@pytest.mark.spec("FBK-10", "FBK-39")
@pytest.mark.parametrize(
    "feedback",
    [None, {}, {"message": None}, {"message": ""}, {"message": " \n"}, {"message": 42}, {"name": "Ann"}, "text", 42],
)
def test_without_a_message_it_is_dropped_counted_and_told_once_but_never_raised(
    feedback: Any, caplog: pytest.LogCaptureFixture
) -> None:
    transport = start()
    vedette.add_attachment(b"12345", "a.txt")
    for _ in range(2):
        assert vedette.capture_feedback(feedback) is None
    assert transport.envelopes == []
    assert dropped() == {
        "feedback": {"invalid": 2},
        "attachment": {"invalid": 10},
        "attachment_item": {"invalid": 2},
    }
    told = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert [record.getMessage() for record in told] == ["a feedback without a message is dropped"]


def test_no_code_of_what_was_given_runs() -> None:
    start()
    given: Any = Refusing()
    assert vedette.capture_feedback(given) is None
    assert vedette.capture_feedback({"message": given, "name": given}) is None
    assert vedette.capture_feedback({"message": "m", "name": given}) is not None


@pytest.mark.spec("FBK-10")
def test_a_hook_that_takes_the_message_away_has_dropped_it() -> None:
    transport = start(before_send_feedback=lambda event, hint: {**event, "contexts": {}})
    assert vedette.capture_feedback({"message": "gone"}) is None
    assert transport.envelopes == []
    assert dropped() == {"feedback": {"invalid": 1}}


@pytest.mark.spec("FBK-30")
def test_a_message_of_4096_characters_passes_and_a_longer_one_is_cut_with_a_remark() -> None:
    transport = start()
    vedette.capture_feedback({"message": "é" * 4096})
    assert context_of(transport) == {"message": "é" * 4096}
    assert "_meta" not in payload_of(transport)
    transport.envelopes.clear()
    vedette.capture_feedback({"message": "é" * 5000})
    assert context_of(transport)["message"] == "é" * 4095 + "…"
    remark = {"rem": [["!limit", "x", 4095, 4096]], "len": 5000}
    assert payload_of(transport)["_meta"] == {"contexts": {"feedback": {"message": {"": remark}}}}


@pytest.mark.spec("FBK-30")
def test_what_a_hook_makes_of_the_message_is_cut_as_well() -> None:
    def hook(event: Any, hint: Any) -> Any:
        event["contexts"]["feedback"]["message"] *= 1000
        return event

    transport = start(before_send_feedback=hook)
    vedette.capture_feedback({"message": "ten chars."})
    assert len(context_of(transport)["message"]) == 4096


def test_fields_that_cannot_be_used_are_left_out() -> None:
    transport = start()
    said: Any = {"message": "m", "name": 42, "url": "", "associated_event_id": "no id", "replay_id": None, "more": 1}
    vedette.capture_feedback(said)
    assert context_of(transport) == {"message": "m"}


def test_an_id_with_dashes_is_understood() -> None:
    transport = start()
    vedette.capture_feedback({"message": "m", "associated_event_id": "5D0C6B7E-9F1A-4C3D-8E2B-7A6F5C4D3E2F"})
    assert context_of(transport)["associated_event_id"] == ERROR_ID


def test_before_init_it_does_nothing() -> None:
    assert vedette.capture_feedback({"message": "m"}) is None
    client = vedette.Client("")
    assert client.capture_feedback({"message": "m"}) is None
    assert client.capture_feedback({}) is None
    assert client.stats().captured == {}


@pytest.mark.spec("FBK-18")
def test_the_documentation_shows_how_to_ask_for_feedback_with_the_last_event_id() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "feedback.md").read_text("utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    assert "last_event_id()" in example
    exec(compile(example, "docs/feedback.md", "exec"), {})  # asserts by itself
