"""What becomes one issue, with programs that use vedette: sent, grouped, and counted by a real inbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.inboxes import RunningInbox

PROGRAM = Path(__file__).resolve().parents[1] / "bad_day.py"
needs_groups = pytest.mark.skipif("sys.version_info < (3, 11)", reason="groups came with Python 3.11")


@pytest.fixture
def inbox(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as running:
        yield running


def issues_of(inbox: RunningInbox, *what: str) -> list[tuple[str, int]]:
    """Title and count of each issue after these failures, the oldest first.

    Each is a program of its own: what one program captures is sent by several connections, in any order.
    """
    for each in what:
        subprocess.run([sys.executable, str(PROGRAM), "vedette", inbox.dsn, each], check=True, timeout=30)
    found = inbox.get("/api/issues")["results"]
    return [(issue["title"], issue["count"]) for issue in sorted(found, key=lambda issue: issue["id"])]


def test_three_orders_by_three_users_are_one_issue(inbox):
    titles = issues_of(inbox, "order:ann", "order:bob", "order:cid")
    assert titles == [("CheckoutError: cannot price order A-cid for cid", 3)]
    events = inbox.get("/api/issues/1/events")["results"]
    assert [event["user"]["id"] for event in events] == ["cid", "bob", "ann"]


def test_two_raises_in_one_function_are_two_issues(inbox):
    titles = issues_of(inbox, "quantity:0", "quantity:6", "quantity:0")
    assert titles == [("ValueError: too few: 0", 2), ("ValueError: too many: 6", 1)]


@needs_groups
def test_groups_of_3_and_of_300_are_one_issue(inbox):
    ((title, count),) = issues_of(inbox, "group:3", "group:300")
    assert (title.startswith("ExceptionGroup: pricing failed"), count) == (True, 2)


def test_the_fingerprint_wins(inbox):
    titles = issues_of(inbox, "quantity:0=shop", "order:ann=shop", "quantity:0")
    assert titles == [("CheckoutError: cannot price order A-ann for ann", 2), ("ValueError: too few: 0", 1)]
