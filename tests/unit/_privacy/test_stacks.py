"""Stacks are filtered all at once, with the result of the walk that looks at each value."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._privacy.denylist import FILTERED, DenyList
from vedette._privacy.event_scrubber import scrubber_of
from vedette._privacy.scrub import scrub_event

DEFAULT_TERMS = ["password", "api_key", "token", "secret", "key"]
TERMS: list[list[str]] = [[], ["function"], ["vars"], ["frames"], ["retries"], ["value"]]

TEXTS = [
    "3", "'three'", "{'id': 17}", "{'password': 'hunter2'}", "token=abc", "a, b", "postgres://ann:pw@db/", "[Filtered]",
    "'password'", "['api_key', 'x']", "/?token=abc", "Bearer abc.def.ghi", "x@y", "",
    "\N{LATIN SMALL LETTER LONG S}ecret: 1",
]  # fmt: skip
texts = st.sampled_from(TEXTS)
names = st.sampled_from(
    ["a", "retries", "password", "api_key", "key", "name", "value", "Value", "url", "headers", "cookie", "data", "vars"]
)
unusual = st.none() | st.integers() | st.booleans() | st.lists(texts, max_size=2) | st.dictionaries(names, texts)
variables = st.dictionaries(names, texts | st.one_of(texts, unusual), max_size=5)
frames = st.fixed_dictionaries(
    {"function": texts, "lineno": st.integers(), "in_app": st.booleans()},
    optional={
        "filename": texts,
        "abs_path": texts | st.none(),
        "module": texts,
        "pre_context": st.lists(texts, max_size=2),
        "context_line": texts,
        "vars": variables | variables | st.none() | texts,
        "added by a hook": texts,
    },
)
stacks = st.lists(frames, min_size=1, max_size=4)


@given(stacks, stacks, st.sampled_from(TERMS))
def test_the_result_is_that_of_the_walk(stack: list[Any], other: list[Any], more: list[str]) -> None:
    event: dict[str, Any] = {
        "exception": {"values": [{"type": "E", "stacktrace": {"frames": stack}}, {"stacktrace": {"frames": []}}]},
        "threads": {"values": [{"id": 1, "stacktrace": {"frames": other}}]},
    }
    again, walked = deepcopy(event), deepcopy(event)
    deny_list = DenyList([*DEFAULT_TERMS, *more])
    scrub_event(event, deny_list)
    scrub_event(again, deny_list)  # which remembers texts by now
    scrubber_of(DenyList([*DEFAULT_TERMS, *more])).scrub_frames(walked)
    assert event == again == walked


def stack_of(*variables: dict[str, Any], **facts: Any) -> dict[str, Any]:
    frames = [{"function": "f", "lineno": 1, "in_app": True, **facts, "vars": each} for each in variables]
    return {"exception": {"values": [{"stacktrace": {"frames": frames}}]}}


def first_frame(event: dict[str, Any]) -> Any:
    return event["exception"]["values"][0]["stacktrace"]["frames"][0]


@pytest.mark.spec("PAIN-09", "DAT-14")
def test_a_secret_in_one_of_many_frames_is_filtered() -> None:
    event = stack_of({"a": "password=hunter2"}, {"a": "1", "password": "hunter2"}, {"a": "1"})
    scrub_event(event, DenyList())
    assert "hunter2" not in str(event)
    assert event["exception"]["values"][0]["stacktrace"]["frames"][2]["vars"] == {"a": "1"}


@pytest.mark.spec("PAIN-09", "DAT-14")
def test_a_text_that_was_harmless_is_filtered_under_a_name_that_hides_it() -> None:
    deny_list = DenyList()
    for name, shown in (("a", "hunter two"), ("password", FILTERED), ("a", "hunter two")):
        event = {**stack_of({name: "hunter two"}), "extra": {name: "hunter two"}}
        scrub_event(event, deny_list)
        assert first_frame(event)["vars"] == event["extra"] == {name: shown}


def test_names_of_files_are_searched_and_lines_of_source_are_not() -> None:
    event = stack_of({}, filename="?token=hunter2", context_line="token='shown'")
    scrub_event(event, DenyList())
    assert first_frame(event)["filename"] == f"?token={FILTERED}"
    assert first_frame(event)["context_line"] == "token='shown'"


def test_facts_of_the_process_are_filtered_each_time_they_are_others() -> None:
    deny_list = DenyList()
    for build in ("1", "1", "password=hunter2", "password=hunter2", "1"):
        event = {"contexts": {"os": {"name": "Linux", "build": build}}, "sdk": {"name": build}}
        scrub_event(event, deny_list)
        assert "hunter2" not in str(event)
        assert event["contexts"]["os"]["name"] == "Linux"


def test_facts_are_filtered_by_whoever_is_asked() -> None:
    event: dict[str, Any] = {"contexts": {"os": {"build": "1"}}}
    scrub_event(event, DenyList())
    scrub_event(event, DenyList(["build"]))
    assert event["contexts"]["os"] == {"build": FILTERED}
