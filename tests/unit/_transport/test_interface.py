from __future__ import annotations

import pytest

from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._protocol.dsn import BadDsn
from vedette._protocol.envelope import Item
from vedette._transport.delivery import Delivery, Outcome
from vedette._transport.interface import Transport


class Kept(Transport):
    def __init__(self, options=None):
        super().__init__(options)
        self.envelopes = []

    def capture_envelope(self, envelope):
        self.envelopes.append(envelope)


def test_only_capture_envelope_has_to_be_written():
    with pytest.raises(TypeError):
        Transport()
    transport = Kept()
    assert (transport.parsed_dsn, transport.options, transport.synchronous) == (None, {}, False)
    assert transport.is_healthy()
    transport.flush(0.1)
    transport.kill()


def test_the_dsn_comes_from_the_options():
    assert Kept({"dsn": "https://k@h/1"}).parsed_dsn.project_id == "1"
    with pytest.raises(BadDsn):
        Kept({"dsn": "https://h/1"})


def test_an_event_travels_in_an_envelope():
    transport = Kept()
    transport.capture_event({"event_id": "0" * 32})
    assert transport.envelopes[0].get_event() == {"event_id": "0" * 32}
    assert transport.envelopes[0].headers == {"event_id": "0" * 32}


@pytest.mark.spec("CR-03")
def test_losses_go_to_the_recorder_of_the_client():
    transport = Kept()
    transport.record_lost_event("send_error", "error")  # nobody listens
    losses = []
    transport.loss_recorder = lambda *loss: losses.append(loss)
    transport.record_lost_event("network_error", "error", quantity=3)
    transport.record_lost_event(DiscardReason.SEND_ERROR, item=Item(b"xx", headers={"item_count": 5}, type="log"))
    transport.record_lost_event("send_error", item=Item(b"{}", type="client_report"))
    transport.record_lost_event("send_error")
    assert losses == [
        ("network_error", DataCategory.ERROR, 3),
        ("send_error", DataCategory.LOG_ITEM, 5),
        ("send_error", DataCategory.LOG_BYTE, 2),
    ]


def test_a_delivery_is_a_value_that_shows_itself():
    lost = Delivery(Outcome.LOST, reason=DiscardReason.SEND_ERROR, status=413, detail="x" * 900)
    assert lost.too_large
    assert len(lost.detail) == 500
    assert lost == Delivery(Outcome.LOST, reason=DiscardReason.SEND_ERROR, status=413, detail="x" * 500)
    assert repr(Delivery(Outcome.LOST, reason=DiscardReason.SEND_ERROR, status=500, detail="no")) == (
        "<Delivery lost send_error 500 'no'>"
    )
    assert repr(Delivery(Outcome.DELIVERED)) == "<Delivery delivered>"
    assert len({Delivery(Outcome.DELIVERED), Delivery(Outcome.DELIVERED), lost}) == 2
    assert lost != "lost"
