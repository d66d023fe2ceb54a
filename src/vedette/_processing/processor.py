"""The telemetry processor: takes items from the client, hands envelopes to the transport (TP-01 to TP-03).

Guarantees
- ``add`` and ``count_drop`` never block and never raise; they may be called from signal handlers, ``__del__``,
  GC callbacks, at any byte code of this module.
- ``flush`` and ``close`` end by their deadline (CLI-23, CLI-24); a request that is under way on the worker
  then goes on there and is still counted.
- Everything that leaves a buffer is counted once: delivered, refused, or dropped for a reason (CR-02).
- A forked child starts empty, with counts at zero and threads of its own, however it was forked; rate limits stay.

Relies on: ``dict.setdefault`` being atomic, so that threads of a child that come at once find the same outbox.
"""

from __future__ import annotations

import os
import time

from vedette._host import guests
from vedette._host.lifecycle import Lifecycle
from vedette._processing import fork
from vedette._processing.kinds import CAPTURED_TO_DISK
from vedette._processing.outbox import Outbox
from vedette._protocol.categories import DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from vedette._host.stats import Stats
    from vedette._processing.packing import Packer
    from vedette._processing.sending import Sender
    from vedette._protocol.categories import DataCategory
    from vedette._protocol.envelope import Item as Attachment
    from vedette._transport.journal import Journal

_pid: Callable[[], int] = os.getpid


class TelemetryProcessor:
    """Buffers, sends by priority, keeps to rate limits, and accounts for every item.

    ``capacity`` is the number of items of one category that may wait in memory, ``max_connections`` the number of
    requests that may be on their way at once, ``exit_seconds`` the time for delivery where the process just ends.
    ``open_journal`` is called with what is to be told of evictions; ``max_kept`` bounds the items in the journal.
    """

    def __init__(
        self,
        sender: Sender,
        new_packer: Callable[[], Packer],
        *,
        capacity: int,
        max_connections: int = 4,
        exit_seconds: float = 2.0,
        send_reports: bool = True,
        lifecycle: Lifecycle | None = None,
        open_journal: Callable[[Callable[[DataCategory, int], None]], Journal | None] | None = None,
        max_kept: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sender = sender
        self._new_packer = new_packer
        self._lifecycle = Lifecycle() if lifecycle is None else lifecycle
        self._capacity = capacity
        self._max_connections = max_connections
        self._exit_seconds = exit_seconds
        self._send_reports = send_reports and sender.sends_reports
        self._clock = clock
        self._journal = None if open_journal is None else open_journal(self._count_evicted)
        self._max_kept = 0 if self._journal is None else max_kept
        self._outbox = self._new_outbox()
        self._outboxes = {self._outbox.pid: self._outbox}
        self._outbox_at_fork: Outbox | None = None
        fork.watch(self)

    def add(
        self,
        category: DataCategory,
        payload: dict[str, Any],
        attachments: Sequence[Attachment] = (),
        on_loss: Callable[[], None] | None = None,
        *,
        is_built: bool = False,
    ) -> None:
        """Take an item of exact built-ins, and what goes in its envelope; all is the processor's from now on.

        ``on_loss`` is called, from any thread, if the item is dropped after all. ``is_built``: vedette has built the
        exceptions and threads of this event, and nobody else has changed them.
        """
        outbox = self._outbox
        if outbox.pid != _pid():
            outbox = self._outbox_here()
        outbox.add(category, payload, attachments, on_loss, is_built)

    def count_drop(
        self, reason: DiscardReason, category: DataCategory, quantity: int = 1, pid: int | None = None
    ) -> None:
        """Account for captured items that an earlier stage dropped. ``pid``: this process, if it was just asked for."""
        outbox = self._outbox
        if outbox.pid != (_pid() if pid is None else pid):
            outbox = self._outbox_here()
        outbox.count_drop(reason, category, quantity)

    def prepare(self) -> None:
        """Import what sending needs, now (option ``warm``)."""
        self._outbox_here().prepare()
        fork.import_safely(self._sender.prepare)

    def adopt(self) -> None:
        """Have delivered what earlier processes left in the journal, if there is any."""
        if self._journal is not None and self._journal.has_dead():
            self._outbox_here().wake()

    def keeps(self, category: DataCategory) -> bool:
        """Whether what is captured of a category waits on disk while it cannot be sent (ruling 7)."""
        return self._journal is not None and category is CAPTURED_TO_DISK

    def is_limited(self, category: DataCategory) -> bool:
        """Whether the server asked for silence about this category (TP-12, TP-69)."""
        return self._sender.is_limited(category)

    def stats(self) -> Stats:
        """How many items this process captured, and what became of them."""
        return self._outbox_here().stats()

    def flush(self, timeout: float, callback: Callable[[int, float], object] | None = None) -> None:
        """Send all that waits, for at most ``timeout`` seconds; then flush the transport (TP-26, TP-89).

        ``callback(pending, timeout)`` is called first if anything is pending.
        """
        deadline = self._clock() + timeout
        outbox = self._outbox_here()
        if outbox.is_worker():
            return  # a transport that flushes from inside a send would wait for itself
        pending = outbox.pending()
        if pending and callback is not None:
            guests.ask("the callback of flush", callback, pending, timeout)
        if outbox.begin_flush():
            outbox.drain(deadline)
        self._sender.flush(max(0.0, deadline - self._clock()))

    def close(self, timeout: float, callback: Callable[[int, float], object] | None = None) -> None:
        """Flush within ``timeout`` seconds, then end the threads and the transport.

        What could not be sent in time is counted as lost to the network (docs/decisions.md), also if a signal handler
        ends the waiting by an exception. Called again, it goes on where such a one has ended it.
        """
        try:
            self.flush(timeout, callback)
        finally:
            outbox = self._outbox_here()
            outbox.close()
            self._sender.kill()
            outbox.see_off()

    # --- processes that are forked, and that end without atexit (fork.py) -------------------------------------

    def before_fork(self) -> None:
        """Have the threads leave that have nothing to do, and start none."""
        self._outbox_at_fork = self._outbox
        self._outbox.pause()

    def threads(self) -> int:
        """How many threads of its own live, or are just about to end."""
        return self._outbox.threads()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._outbox.resume()

    def after_fork_in_child(self) -> None:
        """Start anew, unless that was done for a capture in a hook of the program's, which ran before this one."""
        if self._outbox is not self._outbox_at_fork and self._outbox.pid == _pid():
            return
        if self._journal is not None:
            self._journal.forked()
        self._outbox = self._new_outbox()
        self._outboxes = {self._outbox.pid: self._outbox}

    def drain_at_exit(self) -> None:
        """Send what waits, within the time that the end of the program may take."""
        self.flush(self._exit_seconds)

    def _outbox_here(self) -> Outbox:
        """That of this process."""
        outbox, pid = self._outbox, _pid()
        if outbox.pid == pid:
            return outbox
        # Forked past Python's hooks (uWSGI): several threads may come here at once, and must find the same.
        outbox = self._outboxes.setdefault(pid, self._new_outbox())
        self._outbox, self._outboxes = outbox, {pid: outbox}
        return outbox

    def _new_outbox(self) -> Outbox:
        return Outbox(
            self._sender,
            self._new_packer,
            self._lifecycle,
            capacity=self._capacity,
            max_connections=self._max_connections,
            send_reports=self._send_reports,
            journal=self._journal,
            max_kept=self._max_kept,
            clock=self._clock,
        )

    def _count_evicted(self, category: DataCategory, quantity: int) -> None:
        self._outbox_here().accounts.outcomes.count(DiscardReason.CACHE_OVERFLOW, category, quantity)
