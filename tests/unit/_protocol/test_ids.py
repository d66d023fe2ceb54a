from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._protocol import ids


@pytest.mark.spec("EVT-02", "EVT-03", "EVT-04", "ENV-15", "EVT-90")
@pytest.mark.parametrize("new_id", [ids.new_event_id, ids.new_trace_id])
def test_ids_are_version_4_uuids_in_short_form(new_id):
    drawn = [new_id() for _ in range(500)]
    assert len(set(drawn)) == 500
    for text in drawn:
        assert len(text) == 32
        assert text == text.lower()
        assert uuid.UUID(text).version == 4
        assert uuid.UUID(text).variant == uuid.RFC_4122


@pytest.mark.spec("TRC-66")
def test_span_ids_are_16_digits_and_never_zero(monkeypatch):
    assert len({ids.new_span_id() for _ in range(500)}) == 500
    draws = iter([bytes(8), bytes(8), b"\0" * 7 + b"\x01"])
    monkeypatch.setattr(os, "urandom", lambda n: next(draws))
    assert ids.new_span_id() == "0000000000000001"


@pytest.mark.spec("ENV-16")
@given(st.uuids())
def test_uuids_are_read_in_both_forms(value):
    for text in (str(value), value.hex, str(value).upper()):
        assert ids.read_uuid(text) == value.hex


@pytest.mark.parametrize("text", [None, 5, "", "x" * 32, "0" * 31, "0" * 33, "-" * 36, "0" * 36, "٣" * 32])
def test_what_is_no_uuid_is_none(text):
    assert ids.read_uuid(text) is None
