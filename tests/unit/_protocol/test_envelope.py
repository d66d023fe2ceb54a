from __future__ import annotations

import io
import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.servers import parsed_envelope
from vedette._protocol.categories import DataCategory
from vedette._protocol.envelope import Envelope, EnvelopeError, Item, PayloadRef

EVENT_ID = "5d0c6b7e9f1a4c3d8e2b7a6f5c4d3e2f"
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
HEADERS = st.dictionaries(st.text(), JSON_VALUES, max_size=4)
TYPES = st.text(min_size=1).filter(lambda t: t not in {"security", "unreal_report", "form_data"})
ITEM_HEADERS = HEADERS.filter(lambda headers: not {"type", "length"} & set(headers))


def read(data: bytes) -> list[tuple[str | None, bytes]]:
    return [(item.type, item.get_bytes()) for item in Envelope.deserialize(data).items]


@pytest.mark.spec("ENV-01", "ENV-02", "ENV-05", "ENV-06", "ENV-08", "ENV-22", "ENV-49", "ENV-50")
def test_an_envelope_is_framed_exactly():
    envelope = Envelope({"event_id": EVENT_ID, "sdk": {"name": "x", "version": "1"}})
    envelope.add_item(Item('{"message":"disk almost full"}', type="event"))
    envelope.add_item(Item(b"a,b\r\n1,2\n", type="attachment", filename="t.csv", content_type="text/csv"))
    assert envelope.serialize() == (
        b'{"event_id":"5d0c6b7e9f1a4c3d8e2b7a6f5c4d3e2f","sdk":{"name":"x","version":"1"}}\n'
        b'{"type":"event","length":30}\n'
        b'{"message":"disk almost full"}\n'
        b'{"type":"attachment","content_type":"text/csv","filename":"t.csv","length":9}\n'
        b"a,b\r\n1,2\n\n"
    )


@pytest.mark.spec("ENV-04", "ENV-09")
def test_an_envelope_without_anything_is_its_header_line():
    assert Envelope().serialize() == b"{}\n"


@pytest.mark.spec("ENV-03", "ENV-07", "ENV-09", "ENV-11", "ENV-51", "ENV-53", "ENV-56", "ENV-57")
@pytest.mark.parametrize(
    ("data", "items"),
    [
        (b'{}\n{"type":"x","length":3}\nabc\n', [("x", b"abc")]),
        (b'{}\n{"type":"x","length":3}\nabc', [("x", b"abc")]),
        (b'{}\n{"type":"x"}\nabc\r\n', [("x", b"abc\r")]),
        (b'{}\n{"type":"x"}\nabc', [("x", b"abc")]),
        (b'{}\n{"type":"x"}\nabc\n{"type":"y"}\ndef\n', [("x", b"abc"), ("y", b"def")]),
        (b'{}\n{"type":"x","length":0}\n\n{"type":"y","length":0}\n', [("x", b""), ("y", b"")]),
        (b'{}\n{"type":"x","length":0}', [("x", b"")]),
        (b'{}\n{"type":"x"}\n', [("x", b"")]),
        (b'{}\n{"type":"x","length":6}\n' + "eé€".encode() + b"\n", [("x", "eé€".encode())]),
        (b'{}\n{"type":"x","length":4}\na\nb\n\n', [("x", b"a\nb\n")]),
        (b"{}", []),
        (b"{}\n", []),
    ],
)
def test_what_the_grammar_allows_is_read(data, items):
    assert read(data) == items


@pytest.mark.spec("ENV-12", "ENV-17", "ENV-20", "ENV-21", "ENV-34", "ENV-48", "ENV-54", "ENV-55")
@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b'{}\n{"type":"x","length":3}\nabcd\n', "followed by b'd', not by a newline"),
        (b'{}\n{"type":"x","length":3}\nabc \n', "followed by b' ', not by a newline"),
        (b'{}\n{"type":"x","length":3}\nabc\r\n', "not by a newline"),
        (b'{}\n{"type":"x","length":3}\nab', "says it has 3 bytes, 2 are left"),
        (b'{}\n{"type":"x","length":3}', "says it has 3 bytes, 0 are left"),
        (b'{}\n{"type":"x","length":' + b"9" * 40 + b"}\nab", "bytes, 0 are left"),
        (b'{}\n{"type":"x"}', "the data ends behind an item header"),
        (b'{}\n{"length":3}\nabc\n', "no 'type'"),
        (b'{}\n{"type":"","length":3}\nabc\n', "no 'type'"),
        (b'{}\n{"type":"x","length":3}\nabc\n\n', "the item header is no line with a JSON object"),
        (b'{}\n{"type":"x","length":3}\nabc\n ', "the item header is no line with a JSON object"),
        (b"", "the envelope header is no line with a JSON object"),
        (b"\n", "the envelope header is no line with a JSON object"),
        (b"[]\n", "the envelope header is no line with a JSON object"),
        (b" {}\n", "the envelope header is no line with a JSON object"),
        (b"{}\r\n", "the envelope header is no line with a JSON object"),
        (b"{x}\n", "the envelope header is no JSON object"),
        (b'{"a":"\xff"}\n', "the envelope header is no JSON object"),
        (b'{"sent_at":"1","sent_at":"2"}\n', "a key occurs twice"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n", "the envelope header is no JSON object"),
    ],
    ids=lambda value: repr(value[:40]) if isinstance(value, bytes) else None,
)
def test_what_the_grammar_forbids_is_refused(data, complaint):
    with pytest.raises(EnvelopeError) as raised:
        Envelope.deserialize(data)
    assert complaint in str(raised.value)


@pytest.mark.spec("ENV-27")
@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        (b'{"type":5,"length":3}', "no 'type'"),
        (b'{"type":"x","length":-1}', "must be a number of bytes, got -1"),
        (b'{"type":"x","length":"3"}', "must be a number of bytes, got '3'"),
        (b'{"type":"x","length":3.0}', "must be a number of bytes, got 3.0"),
        (b'{"type":"x","length":true}', "must be a number of bytes, got True"),
        (b'{"type":"x","length":null}', "must be a number of bytes, got None"),
    ],
)
def test_known_headers_of_another_type_make_the_whole_envelope_malformed(header, complaint):
    with pytest.raises(EnvelopeError, match=complaint):
        Envelope.deserialize(b'{}\n{"type":"event","length":2}\n{}\n' + header + b"\nabc\n")


@pytest.mark.spec("ENV-03")
def test_no_line_is_ended_with_a_carriage_return():
    envelope = Envelope({"a": "b"}, [Item(b"x", type="y")])
    assert envelope.serialize() == b'{"a":"b"}\n{"type":"y","length":1}\nx\n'
    for data in (b'{"a":"b"}\r\n', b'{}\n{"type":"y","length":1}\r\nx\n'):
        with pytest.raises(EnvelopeError):
            Envelope.deserialize(data)


@pytest.mark.spec("ENV-23")
def test_white_space_inside_a_header_is_read():
    envelope = Envelope.deserialize(b'{ "a" : 1 }\n{ "type" : "x", "length" : 1 }\na\n')
    assert envelope.headers == {"a": 1}
    assert envelope.items[0].get_bytes() == b"a"


@pytest.mark.spec("ENV-24", "ENV-26", "ENV-58")
def test_unknown_items_and_attributes_are_passed_on():
    data = b'{"new":[1,{"x":null}]}\n{"type":"never_heard_of","more":true,"length":3}\n\x00\xff\n\n'
    assert Envelope.deserialize(data).serialize() == data


@given(headers=HEADERS, items=st.lists(st.tuples(TYPES, ITEM_HEADERS, st.binary()), max_size=4))
def test_what_is_written_is_read_the_same_by_us_and_by_an_independent_reader(headers, items):
    envelope = Envelope(headers)
    envelope.items = [Item(payload, headers=own, type=item_type) for item_type, own, payload in items]
    data = envelope.serialize()

    ours = Envelope.deserialize(data)
    assert ours.headers == headers
    assert [(i.type, i.get_bytes()) for i in ours.items] == [(t, payload) for t, _, payload in items]
    assert ours.serialize() == data

    theirs = parsed_envelope(data)
    assert theirs.headers == headers
    assert [(i.headers, i.payload) for i in theirs.items] == [
        ({**own, "type": t, "length": len(payload)}, payload) for t, own, payload in items
    ]


@given(st.binary() | st.lists(st.sampled_from([b"{}", b"\n", b'{"type":"x"}', b'{"type":"x","length":2}', b"ab"])))
def test_any_bytes_are_an_envelope_or_an_envelope_error(data):
    data = data if isinstance(data, bytes) else b"".join(data)
    try:
        envelope = Envelope.deserialize(data)
    except EnvelopeError:
        return
    assert read(envelope.serialize()) == [(i.type, i.get_bytes()) for i in envelope.items]


@pytest.mark.spec("ENV-19", "ENV-18")
def test_headers_stay_on_one_line_whatever_is_in_them():
    data = Envelope({"text": "a\nb\r\u2028\ud800"}).serialize()
    assert data.count(b"\n") == 1
    assert json.loads(data.decode()) == {"text": "a\nb\r\u2028\ufffd"}


@pytest.mark.spec("ENV-37", "ENV-40")
def test_the_id_of_an_event_goes_into_the_headers():
    for add, get in (("add_event", "get_event"), ("add_transaction", "get_transaction_event")):
        envelope = Envelope({"event_id": "0" * 32})
        event = {"event_id": EVENT_ID, "level": "error"}
        getattr(envelope, add)(event)
        assert envelope.headers["event_id"] == EVENT_ID
        assert getattr(envelope, get)() is event
        again = Envelope.deserialize(envelope.serialize())
        assert getattr(again, get)() == event
        assert again.event_id == EVENT_ID


@pytest.mark.spec("ENV-16")
def test_the_event_id_is_read_with_dashes_too():
    envelope = Envelope.deserialize(b'{"event_id":"5D0C6B7E-9F1A-4C3D-8E2B-7A6F5C4D3E2F"}')
    assert envelope.event_id == EVENT_ID
    assert Envelope({"event_id": 5}).event_id is None


@pytest.mark.spec("ENV-61")
@pytest.mark.parametrize("second", ["event", "transaction", "feedback"])
def test_an_envelope_takes_one_event_transaction_or_feedback(second):
    envelope = Envelope()
    envelope.add_event({"event_id": EVENT_ID})
    envelope.add_item(Item(b"", type="attachment"))
    with pytest.raises(EnvelopeError, match=f"an envelope that holds a event cannot take a {second}"):
        envelope.add_item(Item(b"{}", type=second))
    assert len(envelope.items) == 2


@pytest.mark.spec("ENV-69", "ENV-71", "ENV-75")
def test_an_envelope_takes_several_sessions_attachments_and_reports():
    envelope = Envelope()
    for item_type in ("session", "attachment", "client_report"):
        envelope.add_item(Item(b"{}", type=item_type))
        envelope.add_item(Item(b"{}", type=item_type))
    assert [item.type for item in parsed_envelope(envelope.serialize()).items] == [
        *("session", "session", "attachment", "attachment", "client_report", "client_report")
    ]


@pytest.mark.spec("ENV-59", "ENV-48")
def test_reserved_types_and_items_without_a_type_are_never_written():
    for item in (*(Item(b"", type=t) for t in ("security", "unreal_report", "form_data")), Item(b"")):
        with pytest.raises(EnvelopeError):
            Envelope(items=[item]).serialize()


@pytest.mark.spec("ENV-88")
@pytest.mark.parametrize("name", ["a.txt", "/etc/a.txt", "..\\..\\a.txt", "c:\\x/a.txt"])
def test_a_file_name_loses_its_folders(name):
    assert Item(b"", type="attachment", filename=name).headers["filename"] == "a.txt"


@pytest.mark.spec("ENV-98")
def test_each_kind_has_its_way_in():
    envelope = Envelope()
    envelope.add_profile({"a": 1})
    envelope.add_profile_chunk({"platform": "python"})
    envelope.add_checkin({"b": 1})
    envelope.add_session({"c": 1})
    envelope.add_sessions({"d": 1})
    items = parsed_envelope(envelope.serialize()).items
    assert [(item.type, item.json) for item in items] == [
        ("profile", {"a": 1}),
        ("profile_chunk", {"platform": "python"}),
        ("check_in", {"b": 1}),
        ("session", {"c": 1}),
        ("sessions", {"d": 1}),
    ]
    assert items[1].headers["platform"] == "python"
    assert envelope.description == "envelope with 5 items (profile, profile_chunk, check_in, session, sessions)"


@pytest.mark.spec("CR-29", "CR-30", "CR-34", "CR-35", "CR-39", "CR-40")
@pytest.mark.parametrize(
    ("item", "quantities"),
    [
        (Item(b"{}", type="event"), {"error": 1}),
        (Item(b"12345", type="attachment"), {"attachment": 5, "attachment_item": 1}),
        (Item(b"", type="attachment"), {"attachment": 1, "attachment_item": 1}),
        (Item(PayloadRef(json={"spans": [1, 2, 3]}), type="transaction"), {"transaction": 1, "span": 4}),
        (Item(b'{"spans":[1]}', type="transaction"), {"transaction": 1, "span": 2}),
        (Item(b"{}", type="transaction"), {"transaction": 1, "span": 1}),
        (Item(b"x" * 70, headers={"item_count": 40}, type="log"), {"log_item": 40, "log_byte": 70}),
        (
            Item(b"x" * 9, headers={"item_count": 2}, type="trace_metric"),
            {"trace_metric": 2, "trace_metric_byte": 9},
        ),
        (Item(b"{}", headers={"item_count": 3}, type="span"), {"span": 3}),
        (Item(b"{}", type="check_in"), {"monitor": 1}),
        (Item(b"{}", type="client_report"), {}),
    ],
    ids=lambda value: None,
)
def test_what_a_lost_item_counts_as(item, quantities):
    assert dict(item.quantities()) == {DataCategory(name): n for name, n in quantities.items()}


def test_payloads_come_from_bytes_text_json_or_a_file(tmp_path):
    path = tmp_path / "note.txt"
    path.write_bytes(b"from a file")
    from_file = Item(PayloadRef(path=str(path)), type="attachment")
    assert from_file.get_bytes() == b"from a file"
    path.write_bytes(b"changed since")
    assert from_file.get_bytes() == b"changed since"
    assert Item(PayloadRef(path=bytes(path)), type="attachment").get_bytes() == b"changed since"
    assert Item("é\ud800", type="x").get_bytes() == "é?".encode()
    assert Item(PayloadRef(json=[]), type="x").get_bytes() == b"[]"
    assert PayloadRef().get_bytes() == b""
    assert PayloadRef(json={}).inferred_content_type == "application/json"
    assert PayloadRef(path="a.png").inferred_content_type == "image/png"
    assert PayloadRef(path=b"a.png").inferred_content_type == "image/png"
    assert PayloadRef(bytes=b"").inferred_content_type == "application/octet-stream"


def test_envelopes_and_items_pickle():
    envelope = Envelope({"event_id": EVENT_ID})
    envelope.add_event({"event_id": EVENT_ID})
    envelope.add_item(Item(b"\x00", type="attachment", filename="a"))
    assert pickle.loads(pickle.dumps(envelope)).serialize() == envelope.serialize()
    assert pickle.loads(pickle.dumps(envelope.items[1])).serialize() == envelope.items[1].serialize()


def test_items_and_envelopes_go_through_files(tmp_path):
    item = Item(b"abc", type="x")
    envelope = Envelope({"a": 1}, [item])
    with (tmp_path / "envelope").open("wb") as file:
        envelope.serialize_into(file)
    with (tmp_path / "envelope").open("rb") as file:
        assert Envelope.deserialize_from(file).serialize() == envelope.serialize()
    two = io.BytesIO(item.serialize() * 2)
    assert [Item.deserialize_from(two).get_bytes() for _ in range(2)] == [b"abc"] * 2
    assert Item.deserialize_from(two) is None
    assert Item.deserialize(b"") is None


def test_headers_and_items_given_are_not_shared():
    headers, items = {"a": 1}, [Item(b"", type="x")]
    envelope = Envelope(headers, items)
    envelope.headers["b"] = 2
    envelope.items.clear()
    assert (headers, len(items)) == ({"a": 1}, 1)


def test_only_an_event_item_has_an_event():
    assert Item(b"{}", type="transaction").get_event() is None
    assert Item(b"{}", type="event").get_transaction_event() is None
    assert Envelope().get_event() is None
    assert Envelope(items=[Item(b"{}", type="event")]).get_transaction_event() is None
