"""The scrubber as users know it from the unified API."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from vedette._privacy.denylist import EXTENDED_TERMS, FILTERED, SENSITIVE_TERMS
from vedette.scrubber import DEFAULT_DENYLIST, DEFAULT_PII_DENYLIST, EventScrubber

SECRET = "hunter2-hunter2"


def event() -> dict[str, Any]:
    """One secret in each part."""
    frame = {"vars": {"password": SECRET}, "lineno": 3, "context_line": "connect(password=x)"}
    return {
        "request": {"headers": {"Authorization": SECRET}, "data": f'{{"token": "{SECRET}"}}'},
        "extra": {"a": [{"api_key": SECRET}]},
        "user": {"id": 7, "session_id": SECRET},
        "breadcrumbs": {"values": [{"message": f"password={SECRET}", "data": {"token": SECRET}}]},
        "exception": {"values": [{"value": f"password={SECRET}", "stacktrace": {"frames": [frame]}}]},
        "spans": [{"data": {"url.query": f"token={SECRET}"}}],
        "contexts": {"order": {"secret": SECRET}},
        "tags": {"auth": SECRET},
    }


METHODS = {
    "scrub_request": "request",
    "scrub_extra": "extra",
    "scrub_user": "user",
    "scrub_breadcrumbs": "breadcrumbs",
    "scrub_frames": "exception",
    "scrub_spans": "spans",
}


@pytest.mark.parametrize("method", METHODS)
def test_each_method_filters_its_part_in_place_and_no_other(method: str):
    scrubbed = event()

    assert getattr(EventScrubber(), method)(scrubbed) is None

    assert [part for part in scrubbed if SECRET not in str(scrubbed[part])] == [METHODS[method]]
    assert FILTERED in str(scrubbed[METHODS[method]])
    assert scrubbed.keys() == event().keys()


def test_a_whole_event_is_filtered_in_place_but_for_its_source_code():
    scrubbed = event()

    EventScrubber().scrub_event(scrubbed)

    assert SECRET not in str(scrubbed)
    assert scrubbed["exception"]["values"][0]["stacktrace"]["frames"][0]["context_line"] == "connect(password=x)"
    assert scrubbed["user"] == {"id": 7, "session_id": FILTERED}


@pytest.mark.parametrize("recursive", [True, False])
def test_lists_and_dicts_are_filtered_at_any_depth_whatever_recursive_says(recursive: bool):
    scrubber = EventScrubber(recursive=recursive)
    when = dt.datetime.now(dt.timezone.utc)
    items: list[Any] = [{"a": {"password": SECRET}, "when": when}, f"token={SECRET}", 3]
    mapping: dict[Any, Any] = {"password": SECRET, "b": [{"token": SECRET}], 3: 4}

    scrubber.scrub_list(items)
    scrubber.scrub_dict(mapping)
    for other in (None, "password=x", 3, object()):
        scrubber.scrub_list(other)
        scrubber.scrub_dict(other)

    assert items == [{"a": {"password": FILTERED}, "when": when}, "token=[Filtered]", 3]
    assert mapping == {"password": FILTERED, "b": [{"token": FILTERED}], 3: 4}


def test_dicts_of_classes_of_ones_own_are_looked_into():
    class Settings(dict[str, Any]):
        pass

    mapping = {"settings": Settings(password=SECRET, a=1)}
    EventScrubber().scrub_dict(mapping)

    assert mapping == {"settings": {"password": FILTERED, "a": 1}}


def test_the_default_lists_are_the_terms_of_the_page_and_grow_by_adding_a_list():
    assert list(SENSITIVE_TERMS) == DEFAULT_DENYLIST
    assert list(EXTENDED_TERMS) == DEFAULT_PII_DENYLIST
    found = {"my_secret_field": SECRET, "flavour": SECRET, "password": SECRET}

    EventScrubber(denylist=DEFAULT_DENYLIST + ["flavour"]).scrub_dict(found)  # noqa: RUF005 - as users write it

    assert found == {"my_secret_field": FILTERED, "flavour": FILTERED, "password": FILTERED}


def test_a_list_of_ones_own_takes_the_place_of_the_default():
    found = {"flavour": "a", "password": "b"}

    EventScrubber(denylist=["FLAVOUR"]).scrub_dict(found)

    assert found == {"flavour": FILTERED, "password": "b"}


def test_personal_data_is_filtered_unless_it_is_wanted():
    def request() -> Any:
        return {"request": {"headers": {"X-Forwarded-For": "a"}, "data": {"email": "b"}}, "extra": {"email": "c"}}

    default, own, wanted = request(), request(), request()
    EventScrubber().scrub_event(default)
    EventScrubber(pii_denylist=[*DEFAULT_PII_DENYLIST, "email"]).scrub_event(own)
    EventScrubber(send_default_pii=True, pii_denylist=["email"]).scrub_event(wanted)

    assert default["request"] == {"headers": {"X-Forwarded-For": FILTERED}, "data": {"email": "b"}}
    assert own == {
        "request": {"headers": {"X-Forwarded-For": FILTERED}, "data": {"email": FILTERED}},
        "extra": {"email": FILTERED},
    }
    assert wanted == request()


def test_a_method_of_a_derived_class_takes_part_in_filtering_a_whole_event():
    class KeepsExtra(EventScrubber):
        def scrub_extra(self, event: Any) -> None:
            event["extra"]["seen"] = True

    scrubbed = event()
    KeepsExtra().scrub_event(scrubbed)

    assert scrubbed["extra"] == {"a": [{"api_key": SECRET}], "seen": True}
    assert SECRET not in str({**scrubbed, "extra": None})


@pytest.mark.parametrize("wrong", ["password", ["a", 1], 3, {"a": 1}])
@pytest.mark.parametrize("parameter", ["denylist", "pii_denylist"])
def test_a_wrong_list_is_refused(parameter: str, wrong: Any):
    with pytest.raises(ValueError, match=f"'{parameter}' must be a list of strings"):
        EventScrubber(**{parameter: wrong})


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"request": None, "exception": [], "breadcrumbs": 3, "extra": "x"},
        {"exception": {"values": [None, {"stacktrace": {"frames": [None, 3]}}]}, "threads": "x"},
        {"logentry": {"message": "password=%s", "params": 7}, "contexts": {"response": []}, "_meta": [1]},
    ],
)
def test_an_event_of_any_shape_is_taken(odd: dict[str, Any]):
    EventScrubber().scrub_event(odd)
