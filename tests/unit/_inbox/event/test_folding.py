from __future__ import annotations

from vedette._inbox.event.exceptions import Failure, Frame
from vedette._inbox.event.fields import Entry
from vedette._inbox.event.folding import (
    LibraryRun,
    Repeat,
    Single,
    chain_of,
    failing_part,
    kinds_of,
    rows_of,
    source_of,
    variables_of,
)


def own(function, lineno=1, **more):
    return Frame(module="app", filename="app.py", function=function, lineno=lineno, **more)


def library(module, function="f"):
    return Frame(module=module, filename=f"{module}.py", function=function, lineno=1, own=False)


def test_sixty_one_equal_frames_are_three_rows():
    frames = [own("main"), *[own("rec", 22)] * 60, own("rec", 21)]
    first, second, repeat, last = rows_of(frames)
    assert (first, second, last) == (Single(own("main")), Single(own("rec", 22)), Single(own("rec", 21), marked=True))
    assert isinstance(repeat, Repeat)
    assert (repeat.times, repeat.frames) == (59, (own("rec", 22),))


def test_the_failing_frame_of_a_recursion_stays_on_its_own():
    *_, repeat, last = rows_of([own("rec")] * 100)
    assert isinstance(repeat, Repeat)
    assert repeat.times == 98
    assert last == Single(own("rec"), marked=True)


def test_two_equal_frames_are_no_repeat():
    assert rows_of([own("a"), own("a"), own("b")]) == [
        Single(own("a")),
        Single(own("a")),
        Single(own("b"), marked=True),
    ]


def test_functions_that_call_each_other_fold_together():
    rows = rows_of([own("odd"), own("even")] * 30 + [own("end")])
    assert rows[2] == Repeat(29, (Single(own("odd")), Single(own("even"))) * 29)
    assert len(rows) == 4


def test_a_recursion_through_a_library_folds():
    rows = rows_of([own("walk"), library("json.encoder"), library("json.encoder")] * 20 + [own("end")])
    assert [type(row) for row in rows] == [Single, LibraryRun, Repeat, Single]


def test_library_runs_fold_under_the_packages_they_share():
    frames = [
        own("a"),
        library("concurrent.futures.thread"),
        library("concurrent.futures._base"),
        library("anyio"),
        own("b"),
    ]
    run = rows_of(frames)[1]
    assert isinstance(run, LibraryRun)
    assert run.names == ["concurrent.futures", "anyio"]


def test_one_library_frame_and_every_own_frame_stay():
    frames = [library("runpy"), *(own(f"f{number}") for number in range(40)), library("json")]
    assert len(rows_of(frames)) == 42


def test_marked_is_the_innermost_own_frame_even_if_a_library_raised():
    rows = rows_of([own("a"), own("b"), library("json.decoder"), library("json.decoder")])
    assert rows[1] == Single(own("b"), marked=True)
    assert isinstance(rows[2], LibraryRun)


def test_without_an_own_frame_the_innermost_is_marked():
    assert rows_of([library("a"), library("b"), library("c")])[-1] == Single(library("c"), marked=True)


def test_all_frames_folds_nothing():
    assert len(rows_of([own("rec")] * 61, all_frames=True)) == 61


def variables(*names):
    return tuple(Entry(name, ("1",)) for name in names)


def names_of(frame, limit=2):
    shown, rest = variables_of(frame, limit)
    return [variable.name for variable in shown], [variable.name for variable in rest]


def test_variables_that_the_failing_line_names_come_first_in_its_order():
    frame = own("f", code="    return price * rates[country]", variables=variables("a", "b", "country", "c", "price"))
    assert names_of(frame) == (["price", "country"], ["a", "b", "c"])


def test_constants_come_after_what_varies():
    frame = own("f", code="    rate = RATES[country]", variables=variables("net", "country", "RATES", "x"))
    assert names_of(frame) == (["country", "RATES"], ["net", "x"])


def test_a_line_that_names_many_shows_up_to_twice_as_many():
    frame = own("f", code="a+b+c+d+e", variables=variables("x", "y", "a", "b", "c", "d", "e"))
    assert names_of(frame) == (["a", "b", "c", "d"], ["e", "x", "y"])


def test_a_single_one_left_is_shown_instead_of_a_hint():
    assert names_of(own("f", variables=variables("a", "b", "c"))) == (["a", "b", "c"], [])


def test_a_repeat_opens_to_all_that_it_stands_for():
    frames = [own("a"), *(own("rec") for _ in range(59)), own("end")]
    repeat = rows_of(frames)[2]
    assert isinstance(repeat, Repeat)
    assert (repeat.times, len(repeat.units), repeat.frames) == (58, 58, (own("rec"),))


def test_source_is_cut_to_what_says_something_and_moved_left():
    found = own("f", code="    x()", before=("", "def f():", ""), after=("    return", "", ""))
    source = source_of(found, 5)
    assert (source.before, source.code, source.after) == (("def f():", ""), "    x()", ("    return",))
    assert source_of(found, 1).margin == 4
    assert source_of(own("f"), 5).code == ""


def chain(length):
    return [Failure(f"E{number}", (), ()) for number in range(length)]


def test_a_long_chain_folds_its_middle():
    first, folded, last = chain_of(chain(50))
    assert [failure.type for failure in (*first, *last)] == ["E0", "E1", "E2", "E47", "E48", "E49"]
    assert len(folded) == 44


def test_a_chain_of_eight_or_one_that_is_wanted_whole_does_not_fold():
    assert chain_of(chain(8)) == (chain(8), (), ())
    assert chain_of(chain(50), all_frames=True) == (chain(50), (), ())


def test_kinds_of_the_same_type_and_frames_stand_together_whatever_their_values():
    here, there = (own("f", 1),), (own("f", 2),)
    members = [
        (Failure("KeyError", ("'a'",), here),),
        (Failure("ValueError", ("'a'",), here),),
        (Failure("KeyError", ("'b'",), here),),
        (Failure("KeyError", ("'a'",), there),),
        (Failure("OSError", (), ()), Failure("KeyError", ("'a'",), here)),
    ]
    kinds = kinds_of(Failure("Group", (), (), members=tuple(members)))
    assert [[number for number, _ in kind] for kind in kinds] == [[1, 3], [2], [4], [5]]


def part_of(code, columns):
    found = failing_part(own("f", code=code, columns=columns))
    return found if found is None else code[slice(*found)]


def test_what_failed_in_a_line_is_a_part_of_it_or_the_word_at_its_beginning():
    assert part_of("    x = a / b", (8, 13)) == "a / b"
    assert part_of("    x = rates[country]", (8, None)) == "rates"
    assert part_of("    x = -y", (8, None)) == "-"


def test_that_a_whole_line_failed_needs_no_mark():
    assert part_of("    raise Error(x)", (4, 18)) is None
    assert part_of("    raise Error(x)", (4, None)) is None
    assert part_of("    f() + g()", (4, 7)) == "f()"
    assert part_of("x", None) is None
