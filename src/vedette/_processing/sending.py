"""The last step: one packed envelope goes out, by HTTP or through a user's own transport."""

from __future__ import annotations

from abc import ABC, abstractmethod

from vedette._late import late
from vedette._protocol.categories import DiscardReason
from vedette._transport.http import HttpTransport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from vedette._processing import guest_sending
    from vedette._protocol import json
    from vedette._protocol.categories import DataCategory
    from vedette._protocol.envelope import Envelope
    from vedette._transport import delivery
    from vedette._transport.delivery import Delivery
    from vedette._transport.interface import Transport
else:
    delivery = late("vedette._transport.delivery")
    guest_sending = late("vedette._processing.guest_sending")
    json = late("vedette._protocol.json")


class Sender(ABC):
    """What the processor needs of a transport."""

    sends_reports = False
    synchronous = False
    takes_several = False
    """Whether ``send`` may be called by several threads at a time."""
    on_late_loss: Callable[[DiscardReason, DataCategory, int], None] | None = None
    """Told of what had counted as delivered and was lost after all."""

    @abstractmethod
    def send(self, envelope: Envelope, timeout: float) -> Delivery:
        """Send one envelope within ``timeout`` seconds, and say what became of it. Never raises an Exception."""

    def prepare(self) -> None:
        """Import what the first send needs (called on the worker, before it)."""
        json.ensure_imported()

    def is_limited(self, category: DataCategory) -> bool:
        """Whether the server asked for silence about this category."""
        return self.seconds_limited(category) > 0.0

    def seconds_limited(self, category: DataCategory) -> float:
        """For how long it did."""
        return 0.0

    def flush(self, timeout: float) -> None:  # noqa: B027 - most have nothing to do
        """Let the transport finish what it holds itself, for up to ``timeout`` seconds (CLI-26)."""

    def kill(self) -> None:  # noqa: B027 - as flush
        """Nothing more will be sent."""


class HttpSender(Sender):
    """Sends through vedette's own HTTP transport."""

    sends_reports = True
    takes_several = True

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    def prepare(self) -> None:
        super().prepare()
        self._transport.ensure_imported()

    def send(self, envelope: Envelope, timeout: float) -> Delivery:
        return self._transport.deliver(envelope, timeout=timeout)

    def seconds_limited(self, category: DataCategory) -> float:
        return self._transport.rate_limits.seconds_left(category)

    def kill(self) -> None:
        self._transport.kill()


class NoSender(Sender):
    """Of a client without a transport. The pipeline ends before anything could reach it (CLI-33)."""

    def send(self, envelope: Envelope, timeout: float) -> Delivery:
        return delivery.Delivery(delivery.Outcome.LOST, reason=DiscardReason.INTERNAL_SDK_ERROR)


def sender_for(transport: Transport | None) -> Sender:
    """The sender that fits a transport; one that overrides ``capture_envelope`` of ours is a guest, too."""
    if transport is None:
        return NoSender()
    if isinstance(transport, HttpTransport) and type(transport).capture_envelope is HttpTransport.capture_envelope:
        return HttpSender(transport)
    return guest_sending.GuestSender(transport)
