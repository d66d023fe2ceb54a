"""What programs may send to other processes comes out of a pickle as it went in (ruling 53)."""

from __future__ import annotations

import copy
import pickle

import pytest

import vedette
from vedette.attachments import Attachment
from vedette.envelope import Envelope, EnvelopeError, Item, PayloadRef
from vedette.hub import SentryHubDeprecationWarning
from vedette.integrations import DidNotEnable
from vedette.scope import use_isolation_scope
from vedette.testing import MemoryTransport

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)


def envelope() -> Envelope:
    made = Envelope(headers={"sent_at": "2026-01-01T00:00:00Z"})
    made.add_event({"event_id": "a" * 32, "message": "pickled"})
    made.add_item(Item(b"\x00\xff", type="attachment", filename="dump.bin", content_type="application/x-dump"))
    return made


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_envelope_is_written_alike_after_a_pickle(protocol: int) -> None:
    again = pickle.loads(pickle.dumps(envelope(), protocol))
    assert again.serialize() == envelope().serialize()
    assert again.headers == envelope().headers


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_an_envelope_can_be_copied(duplicate) -> None:
    assert duplicate(envelope()).serialize() == envelope().serialize()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "payload", [PayloadRef(bytes=b"x"), PayloadRef(json={"a": [1]}), PayloadRef(path="/etc/hostname")]
)
def test_an_item_keeps_its_payload_and_headers(payload: PayloadRef, protocol: int) -> None:
    item = Item(payload, type="attachment", headers={"extra": 1})
    again = pickle.loads(pickle.dumps(item, protocol))
    assert (again.headers, again.payload.bytes, again.payload.json, again.payload.path) == (
        item.headers,
        payload.bytes,
        payload.json,
        payload.path,
    )


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_attachment_becomes_the_same_item_after_a_pickle(protocol: int) -> None:
    attachment = Attachment(bytes=b"\x00\xff", filename="dump.bin", content_type="application/x-dump")
    again = pickle.loads(pickle.dumps(attachment, protocol))
    assert again.to_envelope_item().serialize() == attachment.to_envelope_item().serialize()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("exception", "home"),
    [
        (vedette.BadDsn, "vedette"),
        (vedette.OptionError, "vedette"),
        (vedette.UnknownOptionError, "vedette"),
        (EnvelopeError, "vedette.envelope"),
        (DidNotEnable, "vedette.integrations"),
        (SentryHubDeprecationWarning, "vedette.hub"),
    ],
)
def test_an_exception_is_named_after_its_public_home_and_pickled(exception, home: str, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(exception("why"), protocol))
    assert (type(again), again.args, exception.__module__) == (exception, ("why",), home)


@pytest.mark.parametrize("scope", [vedette.get_global_scope, vedette.get_isolation_scope, vedette.Scope])
def test_a_scope_stays_in_its_process_and_says_so(scope) -> None:
    vedette.init("https://key@errors.example.org/7", transport=MemoryTransport())
    with pytest.raises(TypeError, match="a Scope cannot be pickled: set in the other process what"):
        pickle.dumps(scope())


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_scope_that_is_copied_is_forked(duplicate) -> None:
    vedette.init("https://key@errors.example.org/7", transport=(transport := MemoryTransport()))
    scope = vedette.get_isolation_scope()
    scope.set_tag("tag", "before")
    copied = duplicate(scope)
    copied.set_tag("tag", "after")
    with use_isolation_scope(copied):
        vedette.capture_message("copied")
    vedette.capture_message("scope")
    assert [event["tags"] for event in transport.events] == [{"tag": "after"}, {"tag": "before"}]
