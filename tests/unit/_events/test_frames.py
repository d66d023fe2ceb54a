from __future__ import annotations

import copy
import gc
import inspect
import re
import sys
import tracemalloc
import weakref
from pathlib import Path
from types import TracebackType

import pytest

from tests.unit._events.raising import caught, event_of, frames_of, ran, settings_of
from vedette._events import places
from vedette._events.frames import FRAME_BUDGET, Budget, frames_of_stack, frames_of_traceback

RATES = {"DE": 19}
LIMIT = None
PASSWORD = "hunter2"
HAS_COLUMNS = sys.version_info >= (3, 11)
HAS_SNAPSHOTS = sys.version_info < (3, 13)


class Cart:
    def add(self, item):
        raise ValueError(item)


def fail(depth=0):
    if depth == 0:
        raise ValueError("x")
    fail(depth - 1)


def outer():
    inner()


def inner():
    Cart().add("pen")


@pytest.mark.spec("EVT-30", "EVT-35", "EVT-40", "EVT-41", "EVT-42", "EVT-47")
def test_frames_stand_from_the_oldest_call_to_the_raise():
    frames = frames_of(caught(outer))
    add = "Cart.add" if HAS_COLUMNS else "add"
    assert [frame["function"] for frame in frames] == ["outer", "inner", add]
    assert {frame["abs_path"] for frame in frames} == {__file__}
    assert {frame["module"] for frame in frames} == {__name__}
    assert [frame["in_app"] for frame in frames] == [True, True, True]
    assert all(frame["filename"] for frame in frames)


@pytest.mark.spec("ERR-09", "EVT-43", "EVT-44", "EVT-45", "EVT-46")
def test_a_frame_has_the_lines_around_its_line():
    source = "\n".join(f"line_{number} = {number}" for number in range(1, 8))
    exc = ran(f"{source}\n1 / 0\nnine = 9", "<cell>")
    lines = Path(__file__).read_text("utf-8").split("\n")
    (frame,) = frames_of(caught(inner))[:1]
    at = frame["lineno"] - 1
    assert frame["context_line"] == '    Cart().add("pen")' == lines[at]
    assert frame["pre_context"] == lines[at - 5 : at]
    assert frame["post_context"] == lines[at + 1 : at + 6]
    assert "context_line" not in frames_of(exc)[0]
    assert frames_of(exc)[0]["lineno"] == 8


def test_source_lines_can_be_switched_off():
    frame = frames_of(caught(inner), include_source_context=False)[0]
    assert not {"pre_context", "context_line", "post_context"} & frame.keys()


@pytest.mark.skipif(not HAS_COLUMNS, reason="Python 3.10 knows lines only")
@pytest.mark.spec("EVT-43")
def test_columns_count_characters_from_one(tmp_path):
    file = tmp_path / "columns.py"
    file.write_text('x = "äöü€" + 1\nif True:\n    y = "ä" + (1 / 0)\n', encoding="utf-8")
    first = frames_of(ran(file.read_text("utf-8"), str(file)))[0]
    assert first["colno"] == 5
    second = frames_of(ran('if True:\n    y = "ä" + (1 / 0)\n', str(file.with_name("none.py"))))[0]
    assert second["colno"] == 17  # without the source, bytes are what there is
    file.write_text('if True:\n    y = "ä" + (1 / 0)\n', encoding="utf-8")
    third = frames_of(ran(file.read_text("utf-8"), str(file)))[0]
    assert file.read_text("utf-8").split("\n")[1][third["colno"] - 1 :] == "1 / 0)"


@pytest.mark.spec("PAIN-25")
def test_of_a_deep_recursion_the_oldest_20_and_the_newest_80_frames_are_kept():
    exc = caught(fail, 500)
    frames, meta = frames_of_traceback(exc.__traceback__, settings_of(), Budget())
    assert len(frames) == 100
    assert meta == {"": {"len": 501, "rem": [["!limit", "x", 20, 421]]}}
    assert frames[0]["vars"]["depth"] == "500"
    assert frames[19]["vars"]["depth"] == "481"
    assert frames[20]["vars"]["depth"] == "79"
    assert frames[99]["vars"]["depth"] == "0"


@pytest.mark.spec("PAIN-25")
def test_a_recursion_error_is_one_event():
    def forever():
        forever()

    event = event_of(caught(forever))
    (value,) = event["exception"]["values"]
    assert value["type"] == "RecursionError"
    assert len(value["stacktrace"]["frames"]) == 100
    total = event["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"][""]["len"]
    assert total > 500


@pytest.mark.parametrize(("limit", "oldest", "newest"), [(1, 0, 1), (4, 0, 4), (10, 2, 8), (200, 40, 160)])
def test_how_many_frames_are_kept_can_be_set(limit, oldest, newest):
    frames = frames_of(caught(fail, 299), max_stack_frames=limit)
    depths = [int(frame["vars"]["depth"]) for frame in frames]
    assert depths == [*range(299, 299 - oldest, -1), *range(newest - 1, -1, -1)]


@pytest.mark.spec("PAIN-25")
def test_a_traceback_of_100_000_entries_is_walked_once():
    entry = caught(fail).__traceback__
    traceback = None
    for _ in range(100_000):
        traceback = TracebackType(traceback, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    calls: list[str] = []
    sys.setprofile(lambda _frame, what, _argument: calls.append(what))
    try:
        frames, meta = frames_of_traceback(traceback, settings_of(), Budget())
    finally:
        sys.setprofile(None)
    assert len(frames) == 100
    assert meta[""]["len"] == 100_000
    assert calls.count("call") < 10_000  # only the kept ones are made; the walk itself calls no function of ours
    while traceback is not None:  # CPython would free it recursively
        traceback = traceback.tb_next


@pytest.mark.spec("PAIN-25")
@pytest.mark.parametrize("limit", [1, 100, 125, 1000])
@pytest.mark.parametrize("length", [999, 1000, 1001, 1080, 1099, 1100, 1101, 1200, 1999, 2000, 4321])
def test_however_long_a_traceback_is_its_oldest_and_newest_entries_are_kept(length, limit):
    entry = caught(fail).__traceback__
    traceback = None
    for line in range(length, 0, -1):
        traceback = TracebackType(traceback, entry.tb_frame, entry.tb_lasti, line)
    frames, meta = frames_of_traceback(traceback, settings_of(max_stack_frames=limit), Budget())
    oldest = limit // 5
    lines = list(range(1, length + 1))
    kept = lines if length <= limit else lines[:oldest] + lines[length - (limit - oldest) :]
    assert [frame["lineno"] for frame in frames] == kept
    assert meta.get("", {}).get("len", length) == length


@pytest.mark.spec("ERR-11", "ERR-14", "EVT-49")
def test_local_variables_are_sent_as_text():
    def total(price, *rest, **options):
        name, unset = "pen", None
        if price:
            raise ValueError
        later = name, unset, rest, options
        return [later]

    variables = frames_of(caught(lambda: total(3, 4, tax=True)))[-1]["vars"]
    assert variables == {
        "price": "3",
        "rest": "(4,)",
        "options": "{'tax': True}",
        "name": "'pen'",
        "unset": "None",
    }


@pytest.mark.spec("ERR-13")
def test_local_variables_can_be_switched_off():
    assert not [frame for frame in frames_of(caught(outer), include_local_variables=False) if "vars" in frame]


def test_deny_listed_variables_are_filtered_also_among_the_globals():
    def log_in(password):
        raise ValueError(len(PASSWORD))

    assert frames_of(caught(log_in, "hunter2"))[-1]["vars"] == {
        "password": "[Filtered]",
        "PASSWORD": "[Filtered]",
    }


def test_globals_that_the_failing_line_names_follow_the_locals():
    def vat(country):
        return RATES[country]

    def use():
        return LIMIT.strip()

    def spread():
        # On more lines than one.
        return dict.__getitem__(
            RATES,
            "FR",
        )

    assert list(frames_of(caught(vat, "AT"))[-1]["vars"].items()) == [
        ("country", "'AT'"),
        ("RATES", "{'DE': 19}"),
    ]
    assert frames_of(caught(use))[-1]["vars"] == {"LIMIT": "None"}
    if HAS_COLUMNS:
        assert frames_of(caught(spread))[-1]["vars"] == {"RATES": "{'DE': 19}"}


def test_modules_functions_classes_and_mere_attributes_are_no_globals_worth_showing():
    def many(thing):
        return re.RATES, fail, Cart, len(thing), thing.LIMIT, RATES_  # noqa: F821 - nor is what isn't there

    assert frames_of(caught(many, 1))[-1]["vars"] == {"thing": "1"}


def test_functions_and_classes_among_the_locals_are_shown():
    def take(function, kind):
        raise ValueError

    assert list(frames_of(caught(take, fail, Cart))[-1]["vars"]) == ["function", "kind"]


def test_a_module_frame_shows_only_what_its_failing_line_names(tmp_path):
    file = tmp_path / "script.py"
    file.write_text("import os\nrate = 0\nother = 2\nlimit = other / rate\n")
    exc = ran(file.read_text(), str(file))
    assert frames_of(exc)[0]["vars"] == {"other": "2", "rate": "0"}


def test_code_that_runs_in_a_namespace_of_its_own_shows_what_its_line_names(tmp_path):
    file = tmp_path / "cell.py"
    file.write_text("rate = 0\nunused = 1\nbase / rate\n")
    code = compile(file.read_text(), str(file), "exec")
    exc = caught(exec, code, {"__name__": "notebook", "base": 5, "rate": 7}, {})
    assert frames_of(exc)[-1]["vars"] == {"base": "5", "rate": "0"}


def test_a_class_body_shows_its_names():
    def define():
        class Order:
            size = 0
            price = RATES["DE"] / size

    assert frames_of(caught(define))[-1]["vars"] == {"size": "0", "RATES": "{'DE': 19}"}


def test_the_interpreters_own_names_are_left_out():
    class Base:
        def run(self):
            super().__init__()
            list(1 / x for x in [0])  # noqa: C400 - its argument is called `.0`

    frames = frames_of(caught(Base().run))
    assert list(frames[0]["vars"]) == ["self"]
    assert list(frames[-1]["vars"]) == ["x"]


class Watching(dict):
    """A namespace whose every method is the program's."""

    def __getitem__(self, key):
        if inspect.currentframe().f_back.f_code.co_filename == "<watched>":
            return super().__getitem__(key)
        raise AssertionError("asked the program's namespace")

    def _forbidden(self, *args):
        raise AssertionError("asked the program's namespace")

    get = items = keys = values = __iter__ = __len__ = __contains__ = copy = _forbidden


def test_no_code_of_a_programs_namespace_runs():
    namespace = Watching({"__name__": "shop.cart", "rate": 0})
    exc = caught(exec, compile("1 / 0", "<watched>", "exec"), namespace)
    assert frames_of(exc)[-1]["module"] == "shop.cart"

    class Mapping:
        used = 0

        def __getitem__(self, key):
            self.used += 1
            raise KeyError(key)

        __setitem__ = __delitem__ = keys = items = __getitem__

    mapping = Mapping()
    exc = caught(exec, compile("print, RATES / 0", "<watched>", "exec"), {"RATES": 1}, mapping)
    assert mapping.used == 2
    frames_of(exc)
    assert mapping.used == 2


def test_a_class_body_with_cells_runs_no_code_of_its_namespace():
    used = []

    class Namespace(dict):
        def __setitem__(self, key, value):
            used.append(key)
            super().__setitem__(key, value)

        def __delitem__(self, key):
            used.append(key)
            super().__delitem__(key)

    class Meta(type):
        @classmethod
        def __prepare__(cls, name, bases):
            return Namespace()

    def define():
        class Order(metaclass=Meta):
            size = 0

            def get(self):
                return super().get()

            price = 1 / size

    exc = caught(define)
    del used[:]
    frames_of(exc)
    assert used == []


@pytest.mark.spec("PAIN-03")
def test_the_budget_goes_to_the_raise_and_to_the_application_first():
    def grow(depth):
        text = "x" * 1000
        if depth:
            grow(depth - 1)
        raise ValueError(text)

    library = {"__name__": "library"}
    source = "def call(f):\n    text = 'y' * 1000\n    f()"
    exec(compile(source, "/usr/site-packages/library.py", "exec"), library)
    exc = caught(lambda: library["call"](lambda: grow(3)))
    app, library_call = [0, *range(2, 7)], 1

    def sizes(budget):
        frames, meta = frames_of_traceback(exc.__traceback__, settings_of(), Budget(budget))
        assert [frame["in_app"] for frame in frames].index(False) == library_call
        return [sum(map(len, frame.get("vars", {}).values())) for frame in frames], meta

    everything, meta = sizes(256 * 1024)
    assert meta == {}
    some, meta = sizes(3200)
    assert some[-2:] == everything[-2:]
    assert some[library_call] == 0
    assert meta[str(library_call)]["vars"] == {"": {"rem": [["!limit", "x"]]}}
    most, _ = sizes(sum(everything[at] for at in app) + 500)
    assert all(most[at] > 0.9 * everything[at] for at in app)
    assert most[library_call] < 500


def test_a_frame_gets_two_kibibytes_for_its_variables():
    def much():
        one = two = three = "x" * 5000
        raise ValueError(one, two, three)

    variables = frames_of(caught(much))[-1]["vars"]
    assert list(variables) == ["one", "two", "three"]
    assert 1500 < sum(len(text.encode()) for text in variables.values()) <= FRAME_BUDGET


def test_a_budget_counts_bytes_not_characters():
    budget = Budget(2 * FRAME_BUDGET)
    budget.book({"x": "ä" * 500})
    budget.book({"x": "ä" * 500})
    assert budget.for_next_frame() == FRAME_BUDGET
    budget.book({"x": "ä" * 1000})
    assert budget.for_next_frame() == 2 * FRAME_BUDGET - 4003


class Thing:
    pass


def explode():
    raise ValueError("x")


@pytest.mark.spec("PAIN-01")
def test_the_locals_of_a_frame_that_runs_on_are_not_kept_alive():
    thing = Thing()
    watch = weakref.ref(thing)
    try:
        explode()
    except ValueError as exc:
        frames = frames_of(exc)
        assert "thing" in frames[0]["vars"]
    del thing
    assert watch() is None


@pytest.mark.long
@pytest.mark.spec("PAIN-01")
def test_ten_thousand_captures_hold_nothing():
    watches = []

    def work(number):
        thing = Thing()
        watches.append(weakref.ref(thing))
        raise ValueError(number)

    for number in range(10_000):
        try:
            work(number)
        except ValueError as exc:
            event_of(exc)
    gc.collect()
    assert len(watches) == 10_000
    assert not [watch for watch in watches if watch() is not None]


def test_what_the_program_took_of_its_locals_stays():
    price = 3
    mine = locals()
    mine["extra"] = 1
    try:
        explode()
    except ValueError as exc:
        frames_of(exc)
    assert mine["price"] == price
    assert mine["extra"] == 1


@pytest.mark.skipif(not HAS_SNAPSHOTS, reason="exec works on a copy of the locals")
def test_what_exec_left_in_the_locals_stays():
    thing = Thing()
    watch = weakref.ref(thing)
    exec("left = 5")
    try:
        explode()
    except ValueError as exc:
        frames_of(exc)
    del thing
    assert watch() is None
    assert eval("left") == 5


@pytest.mark.skipif(not HAS_SNAPSHOTS, reason="the locals are no snapshot")
def test_under_a_debugger_the_locals_are_left_alone():
    # After each call of a trace function, CPython 3.12 and older write the snapshot back into the frame.
    def work():
        kept = 1
        try:
            explode()
        except ValueError as exc:
            caught_by.append(exc)
            del exc
        return kept

    def trace(frame, event, argument):
        if frame.f_code is work.__code__ and caught_by:
            frames_of(caught_by[0])
        return trace

    caught_by = []
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        assert work() == 1
    finally:
        sys.settrace(before)
    assert caught_by


def test_hooks_may_change_an_event_without_changing_the_next_one():
    def first_frame():
        return frames_of(caught(inner))[0]

    untouched = copy.deepcopy(first_frame())
    changed = first_frame()
    changed["pre_context"].clear()
    changed["post_context"].append("mine")
    changed["module"] = "mine"
    assert first_frame() == untouched


def test_what_a_running_program_was_loaded_from_is_shown_even_after_the_file_changed(tmp_path):
    file = tmp_path / "served.py"
    names = {"__name__": "served"}

    def load(source):
        file.write_text(source)
        exec(compile(source, str(file), "exec"), names)
        return names["work"]

    old = load("def work():\n    raise ValueError  # old\n")
    assert frames_of(caught(old))[-1]["context_line"] == "    raise ValueError  # old"
    new = load("# longer\ndef work():\n    raise ValueError  # new\n")
    assert frames_of(caught(new))[-1]["context_line"] == "    raise ValueError  # new"
    assert frames_of(caught(old))[-1]["context_line"] == "    raise ValueError  # old"


def test_tracebacks_made_by_hand_show_the_line_that_they_name():
    entry = caught(inner).__traceback__
    for lineno in (entry.tb_lineno, entry.tb_lineno - 1):
        made = TracebackType(None, entry.tb_frame, entry.tb_lasti, lineno)
        (frame,), _ = frames_of_traceback(made, settings_of(), Budget())
        assert frame["lineno"] == lineno
    assert frame["context_line"] == "def inner():"


def test_one_code_object_in_two_modules_is_told_apart():
    code = compile("def work(): raise ValueError", "/srv/shop/cart.py", "exec")
    for name in ("shop.cart", "shop.basket", "shop.cart"):
        names = {"__name__": name}
        exec(code, names)
        assert frames_of(caught(names["work"]))[-1]["module"] == name


@pytest.mark.spec("PAIN-37")
def test_frames_without_a_line_a_file_or_a_module_are_frames():
    def work():
        raise ValueError("x")

    code = work.__code__.replace(co_linetable=b"", co_filename="")
    work.__code__ = code
    (frame,) = frames_of(caught(work))
    assert frame["function"].endswith("work")
    assert "context_line" not in frame
    assert frame.get("lineno", 1) >= 1


@pytest.mark.parametrize("name", [b"shop.cart", None, 5, type("Name", (str,), {})("shop")])
def test_a_module_name_that_is_no_str_is_left_out(name):
    names = {"__name__": name}
    exc = caught(exec, compile("1 / 0", "<odd>", "exec"), names)
    frame = frames_of(exc)[-1]
    assert "module" not in frame
    assert frame["in_app"] is True
    del names["__name__"]
    assert "module" not in frames_of(exc)[-1]


def test_file_names_that_are_no_valid_text_are_escaped():
    frame = frames_of(ran("1 / 0", "/srv/shop/\udcff.py"))[0]
    assert frame["abs_path"] == "/srv/shop/\\udcff.py"
    frame["filename"].encode()


def test_file_names_may_be_of_a_class_of_the_programs():
    class Name(str):
        __slots__ = ()

        def startswith(self, *args):
            raise AssertionError("asked the program's class")

    def work():
        raise ValueError

    work.__code__ = work.__code__.replace(co_filename=Name("/srv/shop/cart.py"))
    frame = frames_of(caught(work))[-1]
    assert frame["abs_path"] == "/srv/shop/cart.py"
    assert type(frame["abs_path"]) is str


def test_the_full_stack_starts_above_the_frame_that_caught():
    def handler(**options):
        try:
            inner()
        except ValueError as exc:
            return frames_of(exc, **options)

    # `handler` caught it here, so its traceback starts with it.
    short = handler()
    assert short[0]["function"].endswith("handler")
    exc = None

    def catch():
        nonlocal exc
        try:
            inner()
        except ValueError as error:
            exc = error
            return event_of(error, add_full_stack=True)

    event = catch()
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    names = [frame["function"].rpartition(".")[2] for frame in frames]
    this = "test_the_full_stack_starts_above_the_frame_that_caught"
    assert names[names.index(this) :] == [this, "catch", "inner", "add"]
    assert names.index(this) > 3
    assert names.count("catch") == 1


def test_a_full_stack_is_cut_as_a_whole():
    def deep(depth):
        if depth:
            return deep(depth - 1)
        try:
            fail(50)
        except ValueError as exc:
            return event_of(exc, add_full_stack=True)

    event = deep(200)
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert len(frames) == 100
    assert [frame["function"] for frame in frames[-51:]] == ["fail"] * 51
    assert frames[-52]["function"].endswith("deep")
    assert event["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"][""]["len"] > 250
    assert not frames[0]["function"].endswith("deep")


def test_a_stack_ends_with_the_frame_given():
    def ask():
        return frames_of_stack(inspect.currentframe(), settings_of(), Budget())

    frames, meta = ask()
    assert frames[-1]["function"].endswith("ask")
    assert (
        frames[-1]["context_line"].strip() == "return frames_of_stack(inspect.currentframe(), settings_of(), Budget())"
    )
    assert meta == {}
    assert frames_of_stack(None, settings_of(), Budget()) == ([], {})

    def deep(depth):
        return deep(depth - 1) if depth else ask()

    frames, meta = deep(300)
    assert len(frames) == 100
    assert meta[""]["len"] > 300
    assert frames[-1]["function"].endswith("ask")


@pytest.mark.long
def test_what_is_cached_is_bounded():
    for number in range(6000):
        frames_of(ran(f"{number} / 0"))
    assert len(places._places) <= 4096  # noqa: SLF001 - all that a leak could be seen by


def test_two_clients_have_rules_of_their_own():
    exc = caught(outer)
    assert frames_of(exc, in_app_exclude=("tests",))[0]["in_app"] is False
    assert frames_of(exc)[0]["in_app"] is True
    assert frames_of(exc, in_app_exclude=("tests",))[0]["in_app"] is False


@pytest.mark.parametrize("full_stack", [True, False])
def test_of_a_deep_running_stack_only_what_is_kept_takes_memory(full_stack):
    def peak_at(depth):
        if depth:
            return peak_at(depth - 1)
        exc = caught(fail)
        settings = settings_of(include_local_variables=False)
        for _ in range(2):  # the first time CPython makes the objects of the frames
            tracemalloc.start()
            if full_stack:
                frames, meta = frames_of_traceback(exc.__traceback__, settings, Budget(), full_stack=True)
            else:
                frames, meta = frames_of_stack(inspect.currentframe(), settings, Budget())
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert len(frames) == 100
        assert meta[""]["len"] > 300
        assert not frames[0]["function"].endswith("peak_at")
        assert frames[-10]["function"].endswith("peak_at")
        return peak

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(6000)
    try:
        assert peak_at(5000) - peak_at(300) < 20_000  # a list of pointers to all of them would take 40 000
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.spec("EVT-45", "EVT-46", "DAT-85")
@pytest.mark.parametrize("lines", [0, 1, 5, 30])
def test_how_many_lines_stand_around_the_line_can_be_set(lines):
    frame = frames_of(caught(inner), context_lines=lines)[-1]
    here = inspect.getsource(sys.modules[__name__]).splitlines()
    at = here.index("        raise ValueError(item)")
    assert frame["context_line"] == here[at]
    assert frame["pre_context"] == here[max(0, at - lines) : at]
    assert frame["post_context"] == here[at + 1 : at + 1 + lines]


def test_two_clients_may_want_different_numbers_of_lines():
    exc = caught(inner)
    for lines in (2, 3, 2):
        assert len(frames_of(exc, context_lines=lines)[-1]["pre_context"]) == lines


def test_huge_names_are_cut_where_they_say_least():
    frame = frames_of(ran("1 / 0", f"/srv/{'x' * 100_000}/cart.py", __name__="shop." + "y" * 100_000))[0]
    assert max(map(len, (frame["filename"], frame["abs_path"], frame["module"]))) == 1024
    assert frame["abs_path"].endswith("/cart.py")
    assert frame["module"].startswith("shop.")
    name = "z" * 100_000
    names = {}
    exec(compile(f"def {name}(): 1 / 0", "<test>", "exec"), names)
    assert len(frames_of(caught(names[name]))[-1]["function"]) == 1024


def test_functions_may_be_named_by_a_class_of_the_programs():
    class Name(str):
        __slots__ = ()

        def __eq__(self, other):
            raise AssertionError("asked the program's class")

        __hash__ = str.__hash__
        startswith = __getitem__ = __len__ = __eq__

    def work():
        raise ValueError

    names = {"co_name": Name("odd")}
    if sys.version_info >= (3, 11):
        names["co_qualname"] = Name("odd")
    work.__code__ = work.__code__.replace(**names)
    frame = frames_of(caught(work))[-1]
    assert type(frame["function"]) is str
    assert frame["function"] == "odd"


@pytest.mark.parametrize("odd", [b"/srv/shop/cart.py", 5, None, type("File", (str,), {})("/srv/cart.py")])
def test_a_module_may_call_anything_its_file(odd):
    frame = frames_of(ran("1 / 0", "cart.py", __file__=odd))[-1]
    assert frame["filename"].endswith("cart.py")
    assert frame["in_app"] is True
