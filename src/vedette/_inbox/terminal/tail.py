"""``vedette inbox tail``: what the server prints, read from the database, so that no server is needed."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from vedette._console import DONE, NOTHING, talk, write
from vedette._inbox.store import NoDatabaseError, Store
from vedette._inbox.terminal.screen import Screen
from vedette._inbox.terminal.view import render_event, render_repeat

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from rich.text import Text

    from vedette._inbox.models import Issue, StoredEvent

_POLL_SECONDS = 0.2


def tail(path: Path, args: argparse.Namespace) -> int:
    """Print what is there and what comes, for ``args.until`` events or ``args.timeout`` seconds.

    Events that were there already count as well. Waits for a database to appear.
    """
    clock = _Clock(args.timeout)
    store = _store_when_there(path, clock)
    if store is None:
        talk("inbox", f"time is over: no inbox database at {path}")
        return NOTHING
    with store:
        return _follow(store, args, clock)


def event_lines(event: StoredEvent, issue: Issue, screen: Screen, url: str | None = None) -> list[Text]:
    """What the live views print of an event: all of it when its issue is new, else a line."""
    if event.number_in_issue == 1:
        return render_event(event, issue, screen, url=url)
    return [render_repeat(event, issue, screen)]


class _Clock:
    """Waits a little, but never past the end."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout
        self._never = threading.Event()

    def wait(self, seconds: float) -> bool:
        """False when the time is over."""
        if self._end is not None:
            seconds = min(seconds, self._end - time.monotonic())
        if seconds < 0:
            return False
        self._never.wait(seconds)
        return True


def _store_when_there(path: Path, clock: _Clock) -> Store | None:
    while True:
        try:
            return Store(path, create=False)
        except NoDatabaseError:
            if not clock.wait(_POLL_SECONDS):
                return None


def _follow(store: Store, args: argparse.Namespace, clock: _Clock) -> int:
    events, seen = _to_begin_with(store, args)
    printed = 0
    while True:
        for event in events:
            seen = event.row_id
            issue = store.issue(event.issue_id)
            if issue is None:  # deleted meanwhile
                continue
            screen = Screen.of(sys.stdout)
            write(screen.render(event_lines(event, issue, screen)))
            printed += 1
            if printed == args.until:
                return DONE
        if not clock.wait(0 if events else _POLL_SECONDS):
            talk("inbox", f"time is over after {printed} events")
            return NOTHING
        events = store.events_after(seen)


def _to_begin_with(store: Store, args: argparse.Namespace) -> tuple[list[StoredEvent], int]:
    """The events that are there and shall be printed, and the row after which to go on."""
    if args.all:
        return store.events_after(0), 0
    newest = store.newest_event()
    return store.latest_events(args.number), newest.row_id if newest else 0
