"""Showing events as they arrive, without letting a slow terminal hold up the senders.

Guarantees
- The hook is called in the order of arrival, on one thread of its own.
- A terminal that is stopped (Ctrl-S, a pager) costs at most 1 000 events of memory. What comes beyond that is
  stored but not shown, and ``stop`` says how many.
- A hook that raises is reported once and goes on being called. Refusals are said in their place.

Relies on: ``queue.Queue``; ``announce`` being called by one thread, the writer.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from vedette._inbox.limits import Refused
from vedette._inbox.models import Issue, StoredEvent

if TYPE_CHECKING:
    from vedette._inbox.recording import Recorded

EventHook: TypeAlias = Callable[[StoredEvent, Issue, bool], None]

_WAITING: Final = 1000
_STOP_SECONDS: Final = 0.5


class Announcer:
    """Calls ``hook(event, issue, is_new)`` for what it is given; ``complain`` gets a line if that raises."""

    def __init__(self, hook: EventHook, complain: Callable[[str], None]) -> None:
        self._hook = hook
        self._complain = complain
        self._queue: queue.Queue[Recorded | Refused | None] = queue.Queue(_WAITING)
        self._thread = threading.Thread(target=self._run, name="vedette-inbox-announcer", daemon=True)
        self._complained = False
        self._skipped = 0

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def announce(self, what: Recorded | Refused) -> None:
        """Show an event, or say that something was refused, soon. Never blocks."""
        try:
            self._queue.put_nowait(what)
        except queue.Full:
            self._skipped += 1

    def stop(self) -> int:
        """End after what is waiting was shown, or half a second; how many events were not shown."""
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait(None)
        self._thread.join(_STOP_SECONDS)
        return self._skipped + (self._queue.qsize() if self._thread.is_alive() else 0)

    def _run(self) -> None:
        while (what := self._queue.get()) is not None:
            if isinstance(what, Refused):
                causes = "".join(f" ({cause})" for cause in what.causes)
                self._complain(f"refused ({what.status}): {what.detail}{causes}")
                continue
            try:
                self._hook(what.event, what.issue, what.is_new)
            except Exception as error:  # noqa: BLE001 - whatever a view does, the inbox goes on
                if not self._complained:
                    self._complained = True
                    self._complain(f"could not show event {what.event.event_id}: {type(error).__name__}: {error}")
