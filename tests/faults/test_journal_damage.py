"""A segment that a kill cut off, a full disk tore, or a disk damaged: what is whole in it is found, nothing else,
and nothing twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.journals import bits, errors, files, open_journal, segments, take_all

BODIES = (b'{"event_id":"1"}\n', b"", b"\xf5vj1" * 5, b"{}\n{}\n{}\n", b"last")
SETTLED = 1  # of the bodies


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A segment of these bodies: its name, bytes, where each record ends, and where the mark lies."""
    directory = tmp_path_factory.mktemp("written")
    journal = open_journal(directory)
    entries, ends = [], []
    for body in BODIES:
        entries += errors(journal, body)
        ends.append(segments(directory)[0].stat().st_size)
    journal.settle(entries[SETTLED])
    (segment,) = segments(directory)
    data = segment.read_bytes()
    journal.close(keep_appending=False)
    assert len(data) > ends[-1]
    return segment.name, data, ends


def found_in(directory, name, data):
    """What a new process adopts from a folder with only these bytes in it, and again after it has settled all."""
    folder = directory / "journal-1-abc"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    journal = open_journal(directory)
    entries = journal.adopt()
    bodies = [journal.read(entry) for entry in entries]
    assert [journal.settle(entry) for entry in entries] == [True] * len(entries)
    journal.close(keep_appending=False)
    assert files(directory) == []
    return bodies


def live(present):
    return [body for number, body in enumerate(BODIES) if present(number)]


@pytest.mark.spec("PAIN-12", "OFF-16")
def test_a_segment_cut_off_at_any_byte_gives_what_is_whole(written, tmp_path):
    name, data, ends = written
    for cut in range(len(data)):
        expected = live(lambda number, cut=cut: ends[number] <= cut)  # the mark is the last record, so never whole
        assert found_in(tmp_path, name, data[:cut]) == expected, cut
    assert found_in(tmp_path, name, data) == live(lambda number: number != SETTLED)


@pytest.mark.spec("PAIN-12", "OFF-16")
def test_a_bit_flipped_in_any_byte_costs_the_record_it_is_in(written, tmp_path):
    name, data, ends = written
    for position, damaged in enumerate(bits(data)):
        if position >= ends[-1]:  # the mark: what it settled comes again
            expected = list(BODIES)
        else:
            hit = next(number for number, end in enumerate(ends) if position < end)
            expected = live(lambda number, hit=hit: number not in (hit, SETTLED))
        assert found_in(tmp_path, name, damaged) == expected, position


@pytest.mark.spec("PAIN-12")
@given(data=st.data())
def test_a_segment_damaged_in_several_places_gives_what_is_whole(written, tmp_path_factory, data):
    name, sound, ends = written
    damaged = bytearray(sound)
    hits = data.draw(st.lists(st.tuples(st.integers(0, len(sound) - 1), st.integers(1, 255)), max_size=8))
    for position, flip in dict(hits).items():
        damaged[position] ^= flip
    places = [position for position, _ in hits]
    starts = [0, *ends[:-1]]
    whole = [not any(start <= place < end for place in places) for start, end in zip(starts, ends, strict=True)]
    if not any(place >= ends[-1] for place in places):
        whole[SETTLED] = False
    assert found_in(tmp_path_factory.mktemp("damaged"), name, bytes(damaged)) == live(lambda number: whole[number])


@pytest.mark.spec("PAIN-12")
@given(cuts=st.lists(st.tuples(st.integers(0, 4), st.integers(1, 60)), max_size=6))
def test_short_writes_in_the_middle_cost_nothing_but_themselves(written, tmp_path_factory, cuts):
    name, sound, ends = written
    starts = [0, *ends[:-1]]
    pieces = [sound[start:end] for start, end in zip(starts, ends, strict=True)]
    torn = b"".join(
        b"".join(piece[: min(cut, len(piece) - 1)] for at, cut in cuts if at == number) + piece
        for number, piece in enumerate(pieces)
    )
    directory = tmp_path_factory.mktemp("torn")
    assert found_in(directory, name, torn + sound[ends[-1] :]) == live(lambda number: number != SETTLED)


def test_a_record_written_twice_is_found_once(written, tmp_path):
    name, sound, ends = written
    assert found_in(tmp_path, name, sound[: ends[0]] * 3) == [BODIES[0]]


def test_records_under_the_name_of_another_segment_are_no_records(written, tmp_path):
    _, sound, _ = written
    assert found_in(tmp_path, "001700000000-0123456789abcdef.v1.journal", sound) == []


@pytest.mark.parametrize("garbage", [b"", b"\0" * 4096, b"text, by somebody"], ids=["empty", "zeros", "text"])
def test_a_segment_with_nothing_in_it_is_cleared_away(tmp_path, garbage):
    assert found_in(tmp_path, "001700000000-0123456789abcdef.v1.journal", garbage) == []
    assert files(tmp_path) == []


def test_a_record_damaged_while_its_process_lives_is_told_from_one_that_was_evicted(tmp_path):
    journal = open_journal(tmp_path)
    damaged, sound = errors(journal, b"damaged", b"sound")
    (segment,) = segments(tmp_path)
    segment.write_bytes(segment.read_bytes().replace(b"damaged", b"DAMAGED"))
    assert (journal.read(damaged), journal.read(sound)) == (None, b"sound")
    assert journal.settle(damaged) is True  # so it is his to count who asked
    journal.keep(sound)
    journal.close(keep_appending=False)
    assert take_all(tmp_path) == [b"sound"]
