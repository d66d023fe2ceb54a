from __future__ import annotations

import threading

from tests.inboxes import EVENT_ID
from tests.waiting import wait_until
from vedette._inbox.announcing import Announcer
from vedette._inbox.limits import Refused
from vedette._inbox.models import Issue, StoredEvent
from vedette._inbox.recording import Recorded


def recorded(number: int) -> Recorded:
    issue = Issue(1, "k", "E", "v", "E: v", "error", "", "", "", "", number, 0.0, 0.0, "", "")
    return Recorded(StoredEvent(number, EVENT_ID, 1, number, 0.0, {}, []), issue, is_new=number == 1)


def test_events_and_refusals_come_in_order():
    seen: list[object] = []
    announcer = Announcer(lambda event, issue, is_new: seen.append((event.row_id, issue.count, is_new)), seen.append)
    announcer.start()
    announcer.announce(recorded(1))
    announcer.announce(Refused(403, "no_key", "no key"))
    announcer.announce(recorded(2))
    announcer.announce(Refused(503, "not_stored", "not stored", ("inbox.db: disk is full",)))
    assert announcer.stop() == 0
    refused = ["refused (403): no key", "refused (503): not stored (inbox.db: disk is full)"]
    assert seen == [(1, 1, True), refused[0], (2, 2, False), refused[1]]


def test_a_hook_that_raises_is_reported_once_and_called_again():
    calls: list[int] = []
    complaints: list[str] = []

    def hook(event: StoredEvent, issue: Issue, is_new: bool) -> None:
        calls.append(event.row_id)
        raise ValueError("broken view")

    announcer = Announcer(hook, complaints.append)
    announcer.start()
    for number in (1, 2, 3):
        announcer.announce(recorded(number))
    announcer.stop()
    assert calls == [1, 2, 3]
    assert complaints == [f"could not show event {EVENT_ID}: ValueError: broken view"]


def test_a_terminal_that_stands_still_holds_up_nobody():
    standing, goes_on = threading.Event(), threading.Event()

    def hook(event: StoredEvent, issue: Issue, is_new: bool) -> None:
        standing.set()
        goes_on.wait()

    announcer = Announcer(hook, lambda text: None)
    announcer.start()
    announcer.announce(recorded(0))
    wait_until(standing.is_set)
    for number in range(1500):
        announcer.announce(recorded(number))
    unseen = announcer.stop()
    goes_on.set()
    assert unseen == 1500  # 500 that found no room, and 1000 that were waiting when it ended
