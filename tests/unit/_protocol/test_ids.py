from __future__ import annotations

import itertools
import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.interruptions import ByteCodes
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


def forked():
    """Fork; what the child draws, in its first 70 ids."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, " ".join(ids.new_event_id() for _ in range(70)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        drawn = file.read().split()
    os.waitpid(child, 0)
    assert len(drawn) == 70
    return drawn


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_child_draws_none_of_its_parents_ids_at_whatever_byte_code_somebody_forks():
    with ByteCodes(ids) as byte_codes:
        for at in itertools.count(1):
            children = []
            drawn, was_interrupted = byte_codes.interrupt(at, lambda to=children: to.extend(forked()), ids.new_event_id)
            if not was_interrupted:
                break
            ours = {drawn, *(ids.new_event_id() for _ in range(70))}
            assert len(ours) == 71
            assert not ours.intersection(children), at
    assert at > 20


@pytest.mark.spec("TRC-66")
def test_span_ids_are_16_digits_and_never_zero(monkeypatch):
    assert len({ids.new_span_id() for _ in range(500)}) == 500
    draws = iter([bytes(16), bytes(16), b"\0" * 7 + b"\x01" + bytes(8)])
    monkeypatch.setattr(ids, "_random_bytes", lambda: next(draws))
    assert ids.new_span_id() == "0000000000000001"


@pytest.mark.spec("ENV-16")
@given(st.uuids())
def test_uuids_are_read_in_both_forms(value):
    for text in (str(value), value.hex, str(value).upper()):
        assert ids.read_uuid(text) == value.hex


@pytest.mark.parametrize("text", [None, 5, "", "x" * 32, "0" * 31, "0" * 33, "-" * 36, "0" * 36, "٣" * 32])
def test_what_is_no_uuid_is_none(text):
    assert ids.read_uuid(text) is None
