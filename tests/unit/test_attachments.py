"""Attachments: from ``add_attachment`` to the items of an envelope, and what becomes of those that cannot go."""

from __future__ import annotations

import logging
import os
import pickle
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from vedette._protocol.files import SMALL_BYTES
from vedette.attachments import Attachment
from vedette.envelope import Item as EnvelopeItem
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from vedette.envelope import Envelope, Item

DSN = "https://key@errors.example.org/7"


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False, **options)
    return transport


def only(transport: MemoryTransport) -> Envelope:
    (envelope,) = transport.envelopes
    return envelope


def attached(envelope: Envelope) -> list[Item]:
    return [item for item in envelope.items if item.type == "attachment"]


def contents(envelope: Envelope) -> dict[str, bytes]:
    return {item.headers["filename"]: item.get_bytes() for item in attached(envelope)}


def left_out(envelope: Envelope) -> list[str]:
    event: Any = envelope.get_event()
    found: list[str] = event["contexts"].get("attachments", {}).get("left_out", [])
    return found


def dropped() -> dict[str, dict[str, int]]:
    return {category: dict(reasons) for category, reasons in vedette.get_client().stats().dropped.items()}


def assert_all_accounted_for() -> None:
    stats = vedette.get_client().stats()
    for category, captured in stats.captured.items():
        known = sum(each.get(category, 0) for each in (stats.delivered, stats.refused, stats.waiting))
        assert captured == known + sum(stats.dropped.get(category, {}).values()), category


# --- the form on the wire ---


@pytest.mark.spec("ATT-01", "ATT-02", "ATT-03", "ATT-05", "ATT-08", "ATT-12", "ATT-13", "ENV-72")
def test_attachments_go_behind_their_event_in_its_envelope_as_raw_bytes() -> None:
    transport = start()
    vedette.add_attachment(bytes=b"\x00\n\xff{}\n\n", filename="dump.bin")
    vedette.add_attachment(bytes=b"hello", filename="a.txt")
    event_id = vedette.capture_message("with files")
    envelope = only(transport)
    assert [item.type for item in envelope.items] == ["event", "attachment", "attachment"]
    assert envelope.headers["event_id"] == event_id
    assert contents(envelope) == {"dump.bin": b"\x00\n\xff{}\n\n", "a.txt": b"hello"}


@pytest.mark.spec("ATT-10", "ATT-14", "ATT-15", "ATT-17", "ENV-71", "ENV-87", "ENV-89")
def test_the_item_header_holds_exactly_what_is_known() -> None:
    transport = start()
    vedette.add_attachment(bytes=b"hello\n", filename="a.unknown-kind")
    vedette.add_attachment(bytes=b"<p>", filename="b", content_type="text/html")
    vedette.capture_message("with files")
    assert [item.serialize() for item in attached(only(transport))] == [
        b'{"type":"attachment","filename":"a.unknown-kind","length":6}\nhello\n\n',
        b'{"type":"attachment","content_type":"text/html","filename":"b","length":3}\n<p>\n',
    ]


@pytest.mark.spec("ATT-09")
def test_an_attachment_type_that_an_item_declares_is_kept() -> None:
    item = EnvelopeItem(b"{}", type="attachment", headers={"attachment_type": "event.view_hierarchy"})
    assert b'"attachment_type":"event.view_hierarchy"' in item.serialize()


@pytest.mark.spec("ATT-16", "ENV-88")
@pytest.mark.parametrize(
    ("filename", "path", "expected"),
    [
        ("../secret/a.txt", None, "a.txt"),
        ("C:\\Users\\ann\\a.txt", None, "a.txt"),
        (None, "/var/log/app.log", "app.log"),
        (None, Path("logs/app.log"), "app.log"),
        ("b.txt", "/var/log/app.log", "b.txt"),
        ("folder/", None, "attachment"),
        (None, None, "attachment"),
        ("new\nline.txt", None, "new\nline.txt"),
        ("x" * 1000 + ".txt", None, "x" * 251 + ".txt"),
        ("caf\udce9.txt", None, "caf?.txt"),
    ],
)
def test_a_file_name_has_no_folders(filename: Any, path: Any, expected: str) -> None:
    attachment = Attachment(bytes=b"x", filename=filename, path=path)
    assert attachment.to_envelope_item().headers["filename"] == expected


@pytest.mark.spec("ATT-18", "ATT-34", "ENV-90")
@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a.json", "application/json"),
        ("a.PNG", "image/png"),
        ("app.log", "text/plain"),
        ("app.log.gz", "application/gzip"),
        ("dump.json.br", None),
        ("core", None),
    ],
)
def test_the_content_type_is_inferred_from_the_name_and_left_out_where_it_says_nothing(
    filename: str, expected: str | None
) -> None:
    transport = start()
    vedette.add_attachment(bytes=b"x", filename=filename)
    vedette.capture_message("with a file")
    assert attached(only(transport))[0].headers.get("content_type") == expected


# --- where the content comes from ---


@pytest.mark.spec("ATT-30", "ATT-31", "ATT-33")
def test_an_attachment_is_made_of_bytes_a_function_or_a_path(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_bytes(b"from a file")
    transport = start()
    vedette.add_attachment(b"given", "a.txt")
    vedette.add_attachment(lambda: b"made", "b.txt")
    vedette.add_attachment(path=str(path))
    vedette.add_attachment(bytearray(b"array"), "d.txt")  # type: ignore[arg-type]
    vedette.capture_message("with files")
    assert contents(only(transport)) == {
        "a.txt": b"given",
        "b.txt": b"made",
        "c.txt": b"from a file",
        "d.txt": b"array",
    }
    items = [Attachment(bytes=lambda: b"made", filename="b.txt"), Attachment(path=str(path))]
    assert [each.to_envelope_item().get_bytes() for each in items] == [b"made", b"from a file"]


@pytest.mark.spec("ATT-32")
@pytest.mark.parametrize("size", [10, SMALL_BYTES * 2])
def test_a_file_is_looked_at_when_an_event_is_captured_not_when_it_is_added(tmp_path: Path, size: int) -> None:
    path = tmp_path / "app.log"
    transport = start()
    vedette.add_attachment(path=str(path))
    path.write_bytes(b"1" * size)
    vedette.capture_message("first")
    with path.open("ab") as file:
        file.write(b"2" * size)
    vedette.capture_message("second")
    path.unlink()
    first, second = transport.envelopes
    assert contents(first) == {"app.log": b"1" * size}
    assert contents(second) == {"app.log": b"1" * size + b"2" * size}


def test_a_relative_path_is_relative_to_the_directory_in_which_it_was_added(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"here")
    transport = start()
    monkeypatch.chdir(tmp_path)
    vedette.add_attachment(path="a.txt")
    monkeypatch.chdir("/")
    vedette.capture_message("from elsewhere")
    assert contents(only(transport)) == {"a.txt": b"here"}


def test_a_function_runs_once_a_capture_on_the_capturing_thread_and_only_if_the_event_goes() -> None:
    ran: list[int] = []
    transport = start(before_send=lambda event, hint: None if event["logentry"]["formatted"] == "drop" else event)
    vedette.add_attachment(lambda: ran.append(threading.get_ident()) or b"made", "a.txt")
    vedette.capture_message("drop")
    assert ran == []
    vedette.capture_message("send")
    vedette.capture_message("send")
    assert ran == [threading.get_ident()] * 2
    assert len(transport.envelopes) == 2


def test_a_capture_from_inside_a_function_is_dropped_and_counted() -> None:
    transport = start()
    vedette.add_attachment(lambda: str(vedette.capture_message("inside")).encode(), "a.txt")
    vedette.capture_message("outside")
    assert contents(only(transport)) == {"a.txt": b"None"}
    assert dropped()["error"] == {"internal_sdk_error": 1}


# --- what cannot go ---


class Unfit:
    """Looks like bytes to nobody."""


def failing() -> bytes:
    raise RuntimeError("no dump today")


async def unawaited() -> bytes:
    return b"never"


@pytest.mark.spec("ATT-35", "ATT-36", "ATT-37", "ENV-97", "PAIN-29")
@pytest.mark.parametrize(
    ("arguments", "reason", "note"),
    [
        ({"path": "/nowhere/app.log"}, "internal_sdk_error", "app.log: it cannot be read: No such file or directory"),
        ({"path": "/dev"}, "internal_sdk_error", "dev: it cannot be read: /dev is no regular file"),
        ({"bytes": failing}, "callback_error", "attachment: its function failed"),
        ({"bytes": unawaited}, "callback_error", "attachment: its function failed"),
        ({"bytes": Unfit}, "callback_error", "attachment: its function failed"),
        ({"bytes": 42}, "invalid", "attachment: it is neither bytes nor a function"),
    ],
)
def test_what_cannot_be_read_costs_only_itself_and_is_counted_noted_and_told(
    arguments: Any, reason: str, note: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="vedette")
    transport = start(debug=True)
    vedette.add_attachment(**arguments)
    vedette.add_attachment(b"fine", "fine.txt")
    assert vedette.capture_message("with files") is not None
    envelope = only(transport)
    assert contents(envelope) == {"fine.txt": b"fine"}
    assert left_out(envelope) == [note]
    assert dropped()["attachment_item"] == {reason: 1}
    assert dropped()["attachment"] == {reason: 1}
    name, _, why = note.partition(": ")
    assert f"the attachment '{name}' is left out: {why}" in caplog.text
    assert_all_accounted_for()


@pytest.mark.spec("ATT-41", "ATT-43", "CFG-18", "ENV-96", "CR-40", "PAIN-29")
@pytest.mark.parametrize("way", ["bytes", "function", "path"])
@pytest.mark.parametrize("limit", [100, SMALL_BYTES * 2])
def test_exactly_the_limit_passes_and_what_is_larger_is_discarded(tmp_path: Path, way: str, limit: int) -> None:
    transport = start(max_attachment_size=limit)
    for size in (limit, limit + 1):
        content = b"x" * size
        if way == "path":
            (tmp_path / f"{size}.bin").write_bytes(content)
            vedette.add_attachment(path=str(tmp_path / f"{size}.bin"))
        else:
            vedette.add_attachment(content if way == "bytes" else (lambda content=content: content), f"{size}.bin")
    vedette.capture_message("with files")
    envelope = only(transport)
    assert contents(envelope) == {f"{limit}.bin": b"x" * limit}
    assert left_out(envelope) == [f"{limit + 1}.bin: {limit + 1} bytes, max_attachment_size is {limit}"]
    assert dropped() == {"attachment": {"invalid": limit + 1}, "attachment_item": {"invalid": 1}}
    assert_all_accounted_for()


@pytest.mark.spec("ATT-42", "CFG-19")
def test_by_default_an_attachment_may_have_20_mib() -> None:
    transport = start()
    vedette.add_attachment(bytes(20 * 1024 * 1024), "fits.bin")
    vedette.add_attachment(bytes(20 * 1024 * 1024 + 1), "not.bin")
    vedette.capture_message("with files")
    assert list(contents(only(transport))) == ["fits.bin"]


def test_a_signal_that_ends_the_program_in_a_function_goes_on_and_the_event_is_counted() -> None:
    def interrupted() -> bytes:
        raise KeyboardInterrupt

    start()
    vedette.add_attachment(interrupted, "a.txt")
    vedette.add_attachment(b"12345", "b.txt")
    with pytest.raises(KeyboardInterrupt):
        vedette.capture_message("never sent")
    assert dropped() == {
        "error": {"internal_sdk_error": 1},
        "attachment": {"internal_sdk_error": 6},  # of the one whose size nobody knows: 1
        "attachment_item": {"internal_sdk_error": 2},
    }
    assert_all_accounted_for()


@pytest.mark.parametrize(
    "arguments", [{}, {"filename": "a.txt"}, {"path": 42}, {"path": ""}, {"bytes": None, "path": object()}]
)
def test_nothing_to_attach_attaches_nothing_never_raises_and_is_said_once(
    arguments: Any, caplog: pytest.LogCaptureFixture
) -> None:
    transport = start()
    vedette.add_attachment(**arguments)
    vedette.add_attachment(**arguments)
    vedette.capture_message("without files")
    assert attached(only(transport)) == []
    assert dropped() == {}
    (record,) = [each for each in caplog.records if each.levelno >= logging.WARNING]
    assert record.name == "vedette"
    assert record.getMessage().startswith("add_attachment takes bytes or a path, and got neither: ignored")
    assert ("(path=of type int)" in record.getMessage()) == (arguments.get("path") == 42)


# --- scopes ---


@pytest.mark.spec("ATT-44")
def test_an_event_gets_the_attachments_of_all_scopes_under_which_it_is_captured() -> None:
    transport = start()
    vedette.get_global_scope().add_attachment(b"", "global")
    with vedette.isolation_scope() as isolation:
        isolation.add_attachment(b"", "isolation")
        with vedette.new_scope() as scope:
            scope.add_attachment(b"", "current")
            call = vedette.Scope()
            call.add_attachment(b"", "call")
            vedette.capture_message("inside", scope=call)
        vedette.capture_message("outside")
    vedette.capture_message("elsewhere")
    names = [list(contents(envelope)) for envelope in transport.envelopes]
    assert names == [["global", "isolation", "current", "call"], ["global", "isolation"], ["global"]]
    vedette.get_global_scope().clear()


@pytest.mark.spec("SCO-22", "SCO-38")
def test_a_fork_has_a_copy_and_clear_empties_it() -> None:
    transport = start()
    scope = vedette.Scope()
    scope.add_attachment(b"", "parent")
    fork = scope.fork()
    fork.add_attachment(b"", "fork")
    scope.add_attachment(b"", "later")
    for each in (scope, fork):
        vedette.capture_message("x", scope=each)
    scope.clear()
    vedette.capture_message("x", scope=scope)
    assert [list(contents(each)) for each in transport.envelopes] == [["parent", "later"], ["parent", "fork"], []]


def test_a_scope_keeps_the_newest_thirty_and_sixty_four_mib() -> None:
    transport = start(max_attachment_size=1 << 30)
    for number in range(100):
        vedette.add_attachment(b"", str(number))
    vedette.capture_message("many")
    assert list(contents(transport.envelopes[0])) == [str(number) for number in range(70, 100)]
    for number in range(4):
        vedette.add_attachment(bytes(20 * 1024 * 1024), f"large {number}")
    vedette.capture_message("large")
    assert list(contents(transport.envelopes[1])) == ["large 1", "large 2", "large 3"]


def test_an_event_takes_thirty_from_all_scopes_together() -> None:
    transport = start()
    vedette.get_global_scope().add_attachment(b"", "the first")
    for number in range(30):
        vedette.add_attachment(b"", str(number))
    vedette.capture_message("many")
    assert len(attached(only(transport))) == 30
    assert left_out(only(transport)) == ["29: an event takes at most 30"]
    assert dropped()["attachment_item"] == {"invalid": 1}


@pytest.mark.spec("ATT-38", "ATT-39", "ATT-40")
def test_a_transaction_gets_only_those_that_say_so() -> None:
    transport = start()
    vedette.add_attachment(b"", "for errors")
    vedette.add_attachment(b"", "for all", add_to_transactions=True)
    vedette.capture_event({"type": "transaction", "transaction": "GET /", "contexts": {}})
    vedette.capture_message("error")
    assert [list(contents(each)) for each in transport.envelopes] == [["for all"], ["for errors", "for all"]]


# --- hints ---


def test_attachments_of_the_call_come_in_its_hint() -> None:
    transport = start()
    vedette.add_attachment(b"scope", "scope.txt")
    hint: Any = {"attachments": [Attachment(b"call", "call.txt")], "mine": 1}
    vedette.capture_event({"message": "by hand"}, hint=hint)
    assert contents(only(transport)) == {"call.txt": b"call", "scope.txt": b"scope"}
    assert [each.filename for each in hint["attachments"]] == ["call.txt"]


def test_hooks_and_processors_see_and_change_what_is_attached() -> None:
    seen: list[Any] = []

    def processor(event: Any, hint: Any) -> Any:
        seen.append([each.filename for each in hint["attachments"]])
        hint["attachments"].append(Attachment(b"p", "processor.txt"))
        return event

    def before_send(event: Any, hint: Any) -> Any:
        seen.append([each.filename for each in hint["attachments"]])
        hint["attachments"] = [each for each in hint["attachments"] if each.filename != "secret.txt"]
        return event

    transport = start(before_send=before_send)
    vedette.add_attachment(b"s", "secret.txt")
    vedette.get_current_scope().add_event_processor(processor)
    vedette.capture_message("with files")
    assert seen == [["secret.txt"], ["secret.txt", "processor.txt"]]
    assert contents(only(transport)) == {"processor.txt": b"p"}


def test_a_hint_that_is_used_again_is_not_changed() -> None:
    def before_send(event: Any, hint: Any) -> Any:
        hint["attachments"].append(Attachment(b"x", "x.txt"))
        return event

    transport = start(before_send=before_send)
    hint: Any = {"attachments": [Attachment(b"call", "call.txt")]}
    for _ in range(2):
        vedette.capture_event({"message": "by hand"}, hint=hint)
    assert [len(attached(each)) for each in transport.envelopes] == [2, 2]
    assert list(hint) == ["attachments"]
    assert len(hint["attachments"]) == 1


def test_a_hook_may_attach_where_nothing_was_attached() -> None:
    def before_send(event: Any, hint: Any) -> Any:
        hint["attachments"].append(Attachment(b"x", "x.txt"))
        return event

    transport = start(before_send=before_send)
    vedette.capture_message("with a file")
    assert contents(only(transport)) == {"x.txt": b"x"}


@pytest.mark.parametrize("given", [None, 42, "abc", {"a": 1}, [None, 42, b"bytes"], ()])
def test_anything_else_in_a_hint_is_ignored(given: Any) -> None:
    transport = start()
    assert vedette.capture_event({"message": "by hand"}, hint={"attachments": given}) is not None
    assert attached(only(transport)) == []
    assert dropped() == {}


# --- the account ---


@pytest.mark.spec("ATT-04", "CR-02", "CR-40")
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"sample_rate": 0.0}, "sample_rate"),
        ({"ignore_errors": [ValueError]}, "event_processor"),
        ({"before_send": lambda event, hint: None}, "before_send"),
        ({"before_send": lambda event, hint: 1 / 0}, "before_send"),
    ],
)
def test_the_attachments_of_a_dropped_event_are_counted_with_it(
    tmp_path: Path, options: Any, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    transport = start(**options)
    (tmp_path / "b").write_bytes(b"x" * 500)
    vedette.add_attachment(b"12345", "a")
    vedette.add_attachment(path=str(tmp_path / "b"))
    vedette.capture_exception(ValueError("dropped"))
    assert transport.envelopes == []
    assert dropped() == {"error": {reason: 1}, "attachment": {reason: 505}, "attachment_item": {reason: 2}}
    assert_all_accounted_for()


def test_what_is_delivered_is_counted_in_bytes_and_items() -> None:
    start()
    vedette.add_attachment(b"12345", "a")
    vedette.add_attachment(b"", "b")
    vedette.capture_message("with files")
    assert vedette.get_client().stats().delivered == {"error": 1, "attachment": 6, "attachment_item": 2}
    assert_all_accounted_for()


class Losing(vedette.Transport):
    """Says of every envelope that the attachments in it were lost."""

    synchronous = True

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in attached(envelope):
            self.record_lost_event("network_error", item=item)


def test_a_transport_that_loses_attachments_has_not_lost_the_event() -> None:
    vedette.init(DSN, transport=Losing(), default_integrations=False)
    vedette.add_attachment(b"12345", "a")
    vedette.capture_message("with a file")
    assert vedette.get_client().stats().delivered == {"error": 1}
    assert dropped() == {"attachment": {"network_error": 5}, "attachment_item": {"network_error": 1}}
    assert_all_accounted_for()


class Gate(vedette.Transport):
    """Takes an envelope only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.entered.set()
        self.go_on.wait(10)
        self.envelopes.append(envelope)


def test_bytes_that_wait_in_memory_are_bounded_and_cost_no_event() -> None:
    gate = Gate()
    vedette.init(DSN, transport=gate, default_integrations=False)
    vedette.capture_message("the first, which holds the gate up")
    gate.entered.wait(5)
    vedette.add_attachment(bytes(10 * 1024 * 1024), "large.bin")
    for _ in range(5):
        vedette.capture_message("waits")
    stats = vedette.get_client().stats()
    assert stats.waiting == {"error": 6, "attachment": 3 * 10 * 1024 * 1024, "attachment_item": 3}
    assert dropped()["attachment_item"] == {"buffer_overflow": 2}
    gate.go_on.set()
    vedette.flush(10)
    assert [len(attached(each)) for each in gate.envelopes] == [0, 1, 1, 1, 0, 0]
    assert left_out(gate.envelopes[-1]) == ["large.bin: too much was waiting to be sent"]
    vedette.capture_message("room again")
    vedette.flush(10)
    assert len(attached(gate.envelopes[-1])) == 1
    assert_all_accounted_for()


def test_events_that_overflow_take_their_attachments_with_them() -> None:
    gate = Gate()
    vedette.init(DSN, transport=gate, default_integrations=False, transport_queue_size=2)
    vedette.capture_message("the first, which holds the gate up")
    gate.entered.wait(5)
    vedette.add_attachment(b"12345", "a")
    for _ in range(5):
        vedette.capture_message("waits")
    assert dropped() == {
        "error": {"buffer_overflow": 3},
        "attachment": {"buffer_overflow": 15},
        "attachment_item": {"buffer_overflow": 3},
    }
    client = vedette.get_client()
    client.close(0)
    assert client.stats().dropped["attachment"]["network_error"] == 10
    gate.go_on.set()


def test_a_file_that_changed_before_it_was_sent_is_left_out_and_noted(tmp_path: Path) -> None:
    path = tmp_path / "large.log"
    path.write_bytes(bytes(SMALL_BYTES * 2))
    gate = Gate()
    vedette.init(DSN, transport=gate, default_integrations=False)
    vedette.capture_message("the first, which holds the gate up")
    gate.entered.wait(5)
    vedette.add_attachment(path=str(path))
    vedette.capture_message("with a file")
    os.truncate(path, 10)
    gate.go_on.set()
    vedette.flush(10)
    assert left_out(gate.envelopes[1]) == [f"large.log: it cannot be read: {path} has become shorter"]
    assert dropped()["attachment"] == {"internal_sdk_error": SMALL_BYTES * 2}
    assert_all_accounted_for()


# --- pickling ---


@pytest.mark.parametrize("size", [10, SMALL_BYTES * 2])
def test_attachments_items_and_envelopes_can_be_pickled(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"x" * size)
    transport = start()
    vedette.add_attachment(path=str(path))
    vedette.capture_message("with a file")
    copy = pickle.loads(pickle.dumps(only(transport)))
    assert contents(copy) == {"a.bin": b"x" * size}
    attachment = pickle.loads(pickle.dumps(Attachment(b"x", "a.txt", content_type="text/plain")))
    assert (attachment.bytes, attachment.filename, attachment.content_type) == (b"x", "a.txt", "text/plain")
