"""What a block of code captures, kept for a test to look at: nothing is sent, nothing has to be waited for.

The client in force is redirected for the length of the block: hooks, scrubbing, scopes and integrations do what they
do in production, in every thread that reports through this client. Where there was no ``init``, or one without a DSN,
the block captures all the same; an ``init`` inside the block is redirected, too.

Events are looked at as they would leave: scrubbed, shrunk, rendered.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from vedette import Client, get_client, get_global_scope
from vedette.testing.memory import MemoryTransport
from vedette.types import Stats

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from vedette import Transport
    from vedette.envelope import Envelope, Item
    from vedette.types import Event


class CapturedAttachment(NamedTuple):
    """A file that came with an event."""

    filename: str
    content_type: str | None
    data: bytes


class CapturedEvents(list["Event"]):
    """The error and message events of a block, in the order of their capture: a list that grows while the block runs.

    The other kinds, and the envelopes themselves, are at its attributes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Envelope] = []
        """All envelopes, as they would be sent."""
        self._stats: Callable[[], Stats] = Stats

    def watch(self, client: Client) -> None:
        """Have ``stats`` tell of what this client captures from now on, until it is redirected elsewhere."""
        self._stats = client.processor.stats

    @property
    def feedback(self) -> list[dict[str, Any]]:
        """The events of ``capture_feedback``."""
        return [_payload(item) for item in self._items() if item.type == "feedback"]

    @property
    def attachments(self) -> list[CapturedAttachment]:
        """The files that came with any of them."""
        return [
            CapturedAttachment(item.headers.get("filename", ""), item.headers.get("content_type"), item.get_bytes())
            for item in self._items()
            if item.type == "attachment"
        ]

    @property
    def stats(self) -> Stats:
        """What was captured and what became of it: ``stats.dropped`` names what hooks refused."""
        return self._stats()

    def one(self) -> Event:
        """The only event. Raises AssertionError if there are none or several, with what was captured instead."""
        if len(self) == 1:
            return self[0]
        raise AssertionError(f"expected one event, captured {self.summary()}")

    def summary(self) -> str:
        """What was captured, a line each, and what was dropped; for the messages of failing tests."""
        lines = [f"{len(self)}:" if self else "none"]
        lines += [f"  {_title(event)}" for event in self]
        for category, reasons in self.stats.dropped.items():
            lines += [f"  (dropped: {count} {category}, {reason})" for reason, count in reasons.items()]
        return "\n".join(lines)

    def _items(self) -> list[Item]:
        return [item for envelope in self.envelopes for item in envelope.items]


class _KeepingTransport(MemoryTransport):
    """Sorts what it gets into the lists that tests look at."""

    def __init__(self, kept: CapturedEvents) -> None:
        super().__init__()
        self.envelopes = kept.envelopes
        self._kept = kept

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep the envelope, and its event."""
        super().capture_envelope(envelope)
        event = envelope.get_event()
        if event is not None:
            self._kept.append(event)


@contextmanager
def capture_events() -> Generator[CapturedEvents]:
    """What is captured in this block is kept in the list that it gives, and not sent.

    with vedette.testing.capture_events() as events:
        checkout(order)
    assert events.one()["exception"]["values"][-1]["type"] == "PaymentError"
    """
    events = CapturedEvents()
    with _redirected(_KeepingTransport(events)) as client:
        events.watch(client)
        yield events


@contextmanager
def capture_envelopes() -> Generator[list[Envelope]]:
    """The same for whole envelopes, with all their headers and items."""
    transport = MemoryTransport()
    with _redirected(transport):
        yield transport.envelopes


@contextmanager
def _redirected(transport: Transport) -> Generator[Client]:
    """The client in force, sending to this transport, and all that are made meanwhile; where there is none, one is."""
    client, scope = get_client(), get_global_scope()
    made: Client | None = None
    if not isinstance(client, Client):
        client = made = Client(dsn=None, default_integrations=False)
        scope.set_client(made)
    undo, undo_new = client.redirect(transport), Client.redirect_new(transport)
    try:
        yield client
    finally:
        undo_new()
        undo()
        if made is not None:
            if scope.client is made:
                scope.set_client(None)
            made.close(timeout=0)


def _payload(item: Item) -> dict[str, Any]:
    payload: Any = item.payload.json
    return dict(payload)


def _title(event: Event) -> str:
    values: Any = event.get("exception", {}).get("values") or [{}]
    if values[-1]:
        return f"{values[-1].get('type')}: {values[-1].get('value', '')}"
    entry: Any = event.get("logentry") or {}
    return f"{event.get('level')}: {entry.get('formatted') or entry.get('message') or event.get('event_id')}"
