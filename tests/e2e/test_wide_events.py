"""Proves that real servers take wide events as they are: Relay's own normalizer, and Bugsink over HTTP."""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any

import pytest
from sentry_relay.processing import StoreNormalizer

import vedette
from tests.bugsinks import running_bugsink
from tests.servers import RecordingServer
from tests.waiting import wait_until
from tests.wide_events import capture_with_everything_set, event_with_every_field, options_of_a_wide_program
from vedette.types import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Not of error events, or the one of two forms that servers know (servers.md).
NOT_OF_ERRORS = {"type", "message", "start_timestamp", "spans", "measurements", "_meta"}


def capture_by_hand() -> str | None:
    return vedette.capture_event(event_with_every_field())  # type: ignore[arg-type]


CAPTURES = {"given by hand": capture_by_hand, "made by a program": capture_with_everything_set}


def test_the_event_given_by_hand_has_every_field() -> None:
    assert set(typing.get_type_hints(Event)) - NOT_OF_ERRORS == set(event_with_every_field())


def test_the_event_given_by_hand_arrives_as_it_was_given() -> None:
    event = sent(capture_by_hand)
    assert differences(in_our_form(event_with_every_field()), event, but={"timestamp", "breadcrumbs"}) == []
    assert abs(event["timestamp"] - event["breadcrumbs"]["values"][0]["timestamp"] - 1) < 0.001


@pytest.mark.parametrize("capture", CAPTURES.values(), ids=CAPTURES)
def test_relay_refuses_loses_and_changes_nothing(capture: Callable[[], str | None]) -> None:
    event = sent(capture)
    normalized = StoreNormalizer(project_id=1, enable_trimming=True).normalize_event(event)
    assert normalized.get("errors", []) == event.get("errors", [])
    assert list(remarks(normalized.get("_meta", {}))) == list(remarks(event.get("_meta", {})))
    assert differences(event, in_our_form(normalized)) == []


@pytest.mark.long
def test_bugsink_takes_and_keeps_them_whole(tmp_path: Path) -> None:
    with running_bugsink(tmp_path) as bugsink:
        for capture in CAPTURES.values():
            given: list[Any] = []
            vedette.init(bugsink.dsn, before_send=keeping(given), **options_of_a_wide_program())
            event_id = capture()
            vedette.flush(20)
            stats = vedette.get_client().stats()
            assert (stats.delivered, stats.dropped) == ({"error": 1}, {})
            assert event_id is not None
            wait_until(lambda: bugsink.event(event_id), timeout=20)  # noqa: B023 - waited for in this round
            assert differences(given[0], in_our_form(bugsink.event(event_id))) == []
        assert bugsink.complaints() == []


def keeping(kept: list[Any]) -> Callable[[Any, Any], Any]:
    def before_send(event: Any, _hint: Any) -> Any:
        kept.append(in_our_form(event))  # a copy
        return event

    return before_send


def sent(capture: Callable[[], object]) -> dict[str, Any]:
    """The event as it stands on the wire."""
    with RecordingServer() as server:
        vedette.init(server.dsn(), **options_of_a_wide_program())
        assert capture()
        vedette.flush(5)
        (event,) = server.events
        return in_our_form(event)


def remarks(meta: Any) -> Iterator[Any]:
    """What is said of values, wherever they stand."""
    for name, branch in sorted(meta.items()):
        if name == "":
            yield branch
        elif isinstance(branch, dict):
            yield from remarks(branch)


def in_our_form(value: Any) -> Any:
    """What servers say in another form than SDKs: pairs for mappings, query strings split, times in microseconds."""
    if isinstance(value, list):
        return [in_our_form(each) for each in value]
    if not isinstance(value, dict):
        return round(value, 5) if isinstance(value, float) else value
    ours = {name: in_our_form(each) for name, each in value.items()}
    for name in ("tags", "headers", "cookies", "env", "query_string"):
        if isinstance(ours.get(name), list):
            ours[name] = dict(ours[name])
    if isinstance(ours.get("query_string"), str):
        ours["query_string"] = dict(pair.split("=") for pair in ours["query_string"].split("&"))
    return ours


def differences(
    given: Any, got: Any, path: tuple[str | int, ...] = (), *, but: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    """What is missing or other than it was given; what a server adds is fine."""
    if path == ("server_name",) and got is MISSING:
        return []  # Relay keeps it as a tag
    if isinstance(given, dict) and isinstance(got, dict):
        return [
            found
            for name, each in given.items()
            if name not in but
            for found in differences(each, got.get(name, MISSING), (*path, name))
        ]
    if isinstance(given, list) and isinstance(got, list) and len(given) == len(got):
        return [found for n, each in enumerate(given) for found in differences(each, got[n], (*path, n))]
    return [] if given == got else [f"{'.'.join(map(str, path))}: {given!r} became {got!r}"]


MISSING = object()
