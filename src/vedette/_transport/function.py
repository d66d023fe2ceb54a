"""A function in the place of a transport: ``init(transport=events.append)``, deprecated but kept working."""

from __future__ import annotations

from vedette._protocol.categories import DiscardReason
from vedette._transport.interface import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from vedette._protocol.envelope import Envelope


class FunctionTransport(Transport):
    """Calls a function with each event (a dict). What else there is in an envelope is lost, and counted so."""

    def __init__(self, function: Callable[[Any], object], options: Mapping[str, Any] | None = None) -> None:
        super().__init__(options)
        self._function = function

    def capture_envelope(self, envelope: Envelope) -> None:
        for item in envelope.items:
            event = item.get_event()
            if event is not None:
                self._function(event)
            else:
                self.record_lost_event(DiscardReason.SEND_ERROR, item=item)
