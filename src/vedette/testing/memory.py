"""The transport that keeps what it gets."""

from __future__ import annotations

from vedette.transport import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from vedette.envelope import Envelope
    from vedette.types import Event


class MemoryTransport(Transport):
    """Keeps envelopes in ``envelopes``, before ``capture_*`` returns: no thread, no socket, nothing to wait for.

    transport = MemoryTransport()
    vedette.init("http://key@localhost/1", transport=transport)
    vedette.capture_message("hello")
    assert transport.events[0]["logentry"]["formatted"] == "hello"
    """

    synchronous = True

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self.envelopes: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep the envelope."""
        self.envelopes.append(envelope)

    @property
    def events(self) -> list[Event]:
        """The error and message events of the envelopes so far, in order."""
        found = (envelope.get_event() for envelope in self.envelopes)
        return [event for event in found if event is not None]
