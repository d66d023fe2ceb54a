"""Events that came back from foreign hands, whatever is in them."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vedette
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"

FIELDS = [
    "_meta",
    "breadcrumbs",
    "contexts",
    "debug_meta",
    "dist",
    "environment",
    "event_id",
    "exception",
    "extra",
    "fingerprint",
    "level",
    "logentry",
    "logger",
    "message",
    "modules",
    "platform",
    "release",
    "request",
    "sdk",
    "server_name",
    "spans",
    "tags",
    "threads",
    "timestamp",
    "transaction",
    "type",
    "user",
    "values",
    "stacktrace",
    "frames",
    "vars",
    "data",
    "headers",
    "trace",
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.sampled_from(FIELDS) | st.integers() | st.none(), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.mark.spec("PAIN-03")
@settings(max_examples=100)
@given(st.dictionaries(st.sampled_from(FIELDS), JUNK, max_size=6))
def test_an_event_of_any_shape_is_delivered_without_a_fault_of_ours(junk: dict[str, Any]) -> None:
    said: list[str] = []
    listener = logging.Handler()
    listener.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("vedette").addHandler(listener)
    transport = MemoryTransport()
    client = vedette.Client(
        DSN, transport=transport, default_integrations=False, before_send=lambda event, _hint: {**event, **junk}
    )
    try:
        assert client.capture_exception(ValueError("boom"))
        assert client.capture_event({**junk, "type": None})  # type: ignore[typeddict-item]
    finally:
        logging.getLogger("vedette").removeHandler(listener)
    assert said == []
    assert client.stats().delivered == {"error": 2}
    assert all(envelope.serialize() for envelope in transport.envelopes)
