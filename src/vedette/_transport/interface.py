"""What vedette asks of a transport: the one interface between the client and the world.

Users may give their own (``init(transport=...)``). Its methods are called from vedette's worker thread, or at
exit from the main thread; with ``synchronous`` from the capturing thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from vedette._late import late
from vedette._protocol.categories import KNOWN_CATEGORIES, DataCategory, DiscardReason
from vedette._protocol.dsn import Dsn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeAlias

    from vedette._protocol import envelope as envelopes
    from vedette._protocol.envelope import Envelope, Item
    from vedette._protocol.types import Event

    LossRecorder: TypeAlias = Callable[[str, DataCategory, int], None]
else:
    envelopes = late("vedette._protocol.envelope")


class Transport(ABC):
    """Takes envelopes away. Only ``capture_envelope`` has to be written.

    ``capture_envelope`` returns when the envelope is dealt with, or taken over by the transport: for vedette
    it counts as delivered then. If it raises, the envelope counts as lost. What a transport loses otherwise, at once
    or long after it has returned, it tells by calling ``record_lost_event``. It is not told of what vedette itself
    drops before it gets there (by sampling, hooks, overflow): that stands in ``client.stats()``.
    """

    synchronous: bool = False
    """True: called on the capturing thread, before ``capture_*`` returns. For tests."""

    loss_recorder: LossRecorder | None = None
    """Set by the client that uses this transport: counts (reason, category, quantity)."""

    parsed_dsn: Dsn | None = None
    """Where to; None without a DSN."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        self.options: Mapping[str, Any] = options or {}
        dsn = self.options.get("dsn")
        self.parsed_dsn = Dsn(str(dsn)) if dsn else None  # raises BadDsn for one that cannot be used

    @abstractmethod
    def capture_envelope(self, envelope: Envelope) -> None:
        """Send this envelope, or see to it that it is sent."""

    def capture_event(self, event: Event) -> None:
        """Send an event alone in an envelope."""
        envelope = envelopes.Envelope()
        envelope.add_event(event)
        self.capture_envelope(envelope)

    def flush(  # noqa: B027 - nothing to do for a transport that holds nothing
        self, timeout: float, callback: Callable[[int, float], None] | None = None
    ) -> None:
        """Wait at most ``timeout`` seconds for what this transport itself still holds."""

    def kill(self) -> None:  # noqa: B027 - nothing to do for a transport without connections
        """Let go of connections and the like, at once and without sending. May be called more than once."""

    def record_lost_event(
        self,
        reason: str,
        data_category: DataCategory | str | None = None,
        item: Item | None = None,
        *,
        quantity: int = 1,
    ) -> None:
        """Say that something this transport had taken over did not arrive: for ``stats()`` and reports (CR-02).

        To be called by the transport, from any thread; vedette never calls it. ``reason`` is one of client reports,
        such as ``network_error`` or ``queue_overflow``; another counts as ``send_error``. Give the item itself, which
        is then counted in all its categories, or a category (an unknown one counts as ``default``) and a quantity.
        """
        if self.loss_recorder is None:
            return
        if item is not None:
            for category, count in item.quantities():
                self.loss_recorder(reason, category, count)
        elif data_category is not None:
            self.loss_recorder(reason, KNOWN_CATEGORIES.get(data_category, DataCategory.DEFAULT), quantity)

    def is_healthy(self) -> bool:
        """False while sending more would be in vain, such as under a rate limit (BP-07)."""
        return True


class FunctionTransport(Transport):
    """``init(transport=events.append)``, deprecated but kept working: calls a function with each event (a dict).

    What else there is in an envelope is lost, and counted so.
    """

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
