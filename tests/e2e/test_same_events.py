"""Proves that vedette's figures are not bought: it delivers what the published peer does for the same failures.

Both run in the environment of `make bench`, where the peer is installed, and send to a server. Their events are
compared as Relay keeps them. Where they differ stands in bench/cost/known_differences.py, and nowhere else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sentry_relay.processing import StoreNormalizer

from bench.cost.compared import FAILURES
from bench.cost.known_differences import DIFFERENCES
from tests.events_side_by_side import differences

PEERS_PYTHON = Path(f"{sys.prefix}-bench") / "bin" / "python"
ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not PEERS_PYTHON.exists(), reason=f"no {PEERS_PYTHON}: `make test-long` makes it"),
]


@pytest.fixture(scope="module")
def pairs() -> dict[str, tuple[Any, Any]]:
    """By failure: vedette's event and the peer's, as a server keeps them."""
    command = [str(PEERS_PYTHON), "-m", "bench.cost.events"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, timeout=50)
    sent = json.loads(done.stdout)
    assert [len(events) for events in sent] == [len(FAILURES)] * 2
    kept = [[kept_by_relay(event) for event in events] for events in sent]
    return dict(zip(FAILURES, zip(*kept, strict=True), strict=True))


def kept_by_relay(event: dict[str, Any]) -> dict[str, Any]:
    """What is left of an event once Relay has trimmed it; of a variable that is left, all that was sent."""
    normalized: dict[str, Any] = StoreNormalizer(project_id=1, enable_trimming=True).normalize_event(event)
    normalized.pop("_meta", None)
    if "exception" in event:
        for frame, sent in zip(frames(normalized), frames(event), strict=True):
            frame["vars"] = {
                name: value for name, value in sent.get("vars", {}).items() if name in frame.get("vars", {})
            }
    return normalized


def frames(event: dict[str, Any]) -> list[dict[str, Any]]:
    return [frame for each in event["exception"]["values"] for frame in each["stacktrace"]["frames"]]


def test_both_have_the_same_frames_and_source_lines(pairs: dict[str, tuple[Any, Any]]) -> None:
    facts = ("function", "module", "abs_path", "lineno", "pre_context", "context_line", "post_context", "in_app")
    for failure, (ours, theirs) in pairs.items():
        if failure != "message":
            shown = [[tuple(frame.get(fact) for fact in facts) for frame in frames(event)] for event in (ours, theirs)]
            assert shown[0] == shown[1], failure
            assert [len(event["exception"]["values"]) for event in (ours, theirs)] == [
                3 if failure == "chain" else 1
            ] * 2


def test_no_variable_that_a_server_keeps_of_the_peers_is_missing(pairs: dict[str, tuple[Any, Any]]) -> None:
    for failure, (ours, theirs) in pairs.items():
        if failure != "message":
            for mine, other in zip(frames(ours), frames(theirs), strict=True):
                assert other.get("vars", {}).keys() <= mine.get("vars", {}).keys(), failure


def test_breadcrumbs_tags_user_and_what_the_program_gave_are_the_same(pairs: dict[str, tuple[Any, Any]]) -> None:
    for failure, (ours, theirs) in pairs.items():
        for field in ("tags", "user", "release", "environment", "level"):
            assert ours[field] == theirs[field], failure
        assert ours["contexts"]["order"] == theirs["contexts"]["order"]
        assert ours["extra"]["attempt"] == theirs["extra"]["attempt"]
        crumbs = [event.get("breadcrumbs", {}).get("values", []) for event in (ours, theirs)]
        said = [[(each["type"], each["category"], each["message"], each["data"]) for each in some] for some in crumbs]
        assert said[0] == said[1], failure
        assert len(said[0]) == (0 if failure == "request" else 3)


def test_where_they_differ_is_known_and_said(pairs: dict[str, tuple[Any, Any]]) -> None:
    found = {each for ours, theirs in pairs.values() for each in differences(ours, theirs)}
    known = {(each.where, each.kind) for each in DIFFERENCES if sys.version_info >= each.since}
    assert sorted(found) == sorted(known)
