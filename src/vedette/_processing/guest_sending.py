"""Sending through a transport of the program's own: it may take its time, raise, or lose what it had taken over."""

from __future__ import annotations

import _thread

from vedette._host import guests, log
from vedette._processing.sending import Sender
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._transport.delivery import Delivery, Outcome
from vedette._transport.http import HttpTransport
from vedette._transport.interface import Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._protocol.envelope import Envelope
    from vedette._transport.delivery import Loss

ATTACHED: Final = frozenset({DataCategory.ATTACHMENT, DataCategory.ATTACHMENT_ITEM})
"""What goes with an event, and may be lost without it."""
KILL_SECONDS: Final = 0.2  # that a user's transport may take to let go


class GuestSender(Sender):
    """Hands envelopes to a user's ``Transport``. It returned: delivered. It raised, or said so: lost."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._limits = transport.rate_limits if isinstance(transport, HttpTransport) else None
        self.sends_reports = self._limits is not None
        self.synchronous = transport.synchronous
        self._lost: list[Loss] = []
        self._thread: int | None = None
        transport.loss_recorder = self._note_loss

    def send(self, envelope: Envelope, timeout: float) -> Delivery:
        self._lost.clear()
        self._thread = _thread.get_ident()
        try:
            took_it = self._call("capture_envelope", self._transport.capture_envelope, envelope)
        finally:
            self._thread = None
        if not took_it:
            return Delivery(Outcome.LOST, reason=DiscardReason.INTERNAL_SDK_ERROR)
        for reason, category, _ in self._lost:
            if category not in ATTACHED:
                return Delivery(Outcome.LOST, reason=reason)
        return Delivery(Outcome.DELIVERED, also_lost=tuple(self._lost))

    def seconds_limited(self, category: DataCategory) -> float:
        return 0.0 if self._limits is None else self._limits.seconds_left(category)

    def flush(self, timeout: float) -> None:
        if type(self._transport).flush is not Transport.flush:
            self._within(timeout, "flush", self._transport.flush, timeout)

    def kill(self) -> None:
        if type(self._transport).kill is not Transport.kill:
            self._within(KILL_SECONDS, "kill", self._transport.kill)

    def _within(self, seconds: float, name: str, method: Any, *args: object) -> None:
        """Call the guest, but wait no longer than this: its time is not ours to give (CLI-23, CLI-24)."""
        done = _thread.allocate_lock()
        done.acquire()

        def call() -> None:
            try:
                self._call(name, method, *args)
            finally:
                done.release()

        def call_apart() -> None:
            try:
                call()
            except BaseException as error:  # noqa: BLE001 - Ctrl-C of its own: nobody stands above to whom it could go
                log.warn_once(f"transport {name} ended", "the transport's %s ended with %s", name, type(error).__name__)

        try:
            _thread.start_new_thread(call_apart, ())
        except (RuntimeError, MemoryError):  # at exit: there is no thread to be had
            call()
        done.acquire(timeout=max(0.0, seconds))

    def _note_loss(self, reason: str, category: DataCategory, quantity: int) -> None:
        """Of what is being sent; or, from another thread or later, of what had counted as delivered."""
        try:
            known = DiscardReason(reason)
        except ValueError:
            log.warn_once(
                f"lost: {reason}"[:100], "the transport's reason %.100r is unknown: counted as send_error", reason
            )
            known = DiscardReason.SEND_ERROR
        if self._thread == _thread.get_ident():
            self._lost.append((known, category, quantity))
        elif self.on_late_loss is not None:
            self.on_late_loss(known, category, quantity)

    def _call(self, name: str, method: Any, *args: object) -> bool:
        return guests.ask(f"the transport's {name}", method, *args) is not guests.FAILED
