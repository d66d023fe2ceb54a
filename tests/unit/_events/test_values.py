"""What values look like in an event, and that they stay within their budget."""

from __future__ import annotations

import array
import asyncio
import collections
import contextvars
import dataclasses
import datetime as dt
import decimal
import enum
import functools
import gc
import io
import pathlib
import re
import sys
import threading
import types
import uuid
import weakref
import zoneinfo
from typing import Any, NamedTuple

import attrs
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._events import reading_values
from vedette._events.settings import EventSettings
from vedette._events.values import MIN_SHARE, Seen, render_json, render_text, render_vars, type_names
from vedette._host import guests
from vedette._privacy.denylist import DenyList

SETTINGS = EventSettings(denylist=DenyList())
HERE = __name__


def settings(**options: Any) -> EventSettings:
    return EventSettings(denylist=DenyList(), **options)


def text_of(value: object, budget: int = 1000) -> str:
    return render_text(value, budget, SETTINGS)


@dataclasses.dataclass
class Order:
    id: int
    total: decimal.Decimal
    password: str = "hunter2"
    internal: int = dataclasses.field(default=0, repr=False)


@dataclasses.dataclass(slots=True)
class Slotted:
    id: int


@attrs.define
class Item:
    name: str


class Customer(pydantic.BaseModel):
    name: str


class Point(NamedTuple):
    x: int
    y: int


class Plain:
    limit = 5

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def method(self) -> None: ...

    class Inner: ...


class Status(str, enum.Enum):
    PAID = "paid"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Node:
    __slots__ = ("next", "unset")


class Basket(list):
    pass


def generate() -> Any:
    yield


FORMS: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "True"),
    (..., "Ellipsis"),
    (-7, "-7"),
    (1.5, "1.5"),
    (float("nan"), "nan"),
    (float("-inf"), "-inf"),
    (1j, "1j"),
    (2**512 - 1, str(2**512 - 1)),
    ("it's", '"it\'s"'),
    ("tab\tnewline\nbell\a", r"'tab\tnewline\nbell\x07'"),
    ("lone \ud800 surrogate", r"'lone \ud800 surrogate'"),
    ("žluťoučký 馬", "'žluťoučký 馬'"),
    (b"a\x00", r"b'a\x00'"),
    (bytearray(b"ab"), "bytearray(b'ab')"),
    (memoryview(b"abc"), "<memoryview of 3 bytes>"),
    ([], "[]"),
    ((), "()"),
    ({}, "{}"),
    (set(), "set()"),
    (frozenset(), "frozenset()"),
    ((1,), "(1,)"),
    ([1, "a", None, [2.5]], "[1, 'a', None, [2.5]]"),
    ({1: "a", "b": (1, 2)}, "{1: 'a', 'b': (1, 2)}"),
    ({7}, "{7}"),
    (frozenset({7}), "frozenset({7})"),
    (range(3), "range(0, 3)"),
    (range(0, 9, 2), "range(0, 9, 2)"),
    (slice(1, None), "slice(1, None, None)"),
    ({"a": 1}.keys(), "dict_keys({'a': 1})"),
    ({"a": 1}.items(), "dict_items({'a': 1})"),
    (types.MappingProxyType({"a": 1}), "mappingproxy({'a': 1})"),
    (types.MappingProxyType(collections.ChainMap()), "<mappingproxy>"),
    (list(range(1000)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … +990]"),
    (set(range(12)), "{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, … +2}"),
    ([[[[[5]]]]], "[[[[[…]]]]]"),
    ([[[[[]]]]], "[[[[[]]]]]"),
    (collections.deque([1, 2], 5), "deque([1, 2])"),
    (collections.OrderedDict(a=1), "OrderedDict({'a': 1})"),
    (collections.defaultdict(list, a=1), "defaultdict({'a': 1})"),
    (collections.Counter("a"), "Counter({'a': 1})"),
    (Basket([1]), "Basket([1])"),
    (dt.datetime.fromisoformat("2026-11-24T09:05"), "datetime(2026-11-24 09:05:00)"),
    (dt.datetime(2026, 11, 24, 9, 5, 1, 5, dt.timezone.utc), "datetime(2026-11-24 09:05:01.000005 UTC)"),
    (dt.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("UTC")), "datetime(2026-01-02 00:00:00 UTC)"),
    (dt.date(26, 1, 2), "date(0026-01-02)"),
    (dt.time(9, 5), "time(09:05:00)"),
    (dt.timedelta(hours=-1), "timedelta(days=-1, seconds=82800)"),
    (dt.timedelta(), "timedelta(0)"),
    (dt.timezone(dt.timedelta(hours=-5, minutes=-30)), "timezone(UTC-05:30)"),
    (zoneinfo.ZoneInfo("UTC"), "ZoneInfo('UTC')"),
    (decimal.Decimal("1.50"), "Decimal('1.50')"),
    (decimal.Decimal("NaN"), "Decimal('NaN')"),
    (uuid.UUID("12345678123456781234567812345678"), "UUID('12345678-1234-5678-1234-567812345678')"),
    (pathlib.PurePosixPath("/srv", "shop", "a.py"), "PurePosixPath('/srv/shop/a.py')"),
    (pathlib.PurePosixPath(), "PurePosixPath('.')"),
    (re.compile("a+"), "re.compile('a+')"),
    (functools.partial(len), "partial(<built-in function len>)"),
    (Order(7, decimal.Decimal(1)), "Order(id=7, total=Decimal('1'), password=[Filtered])"),
    (Slotted(7), "Slotted(id=7)"),
    (Item("pen"), "Item(name='pen')"),
    (Customer(name="ann"), "Customer(name='ann')"),
    (Point(1, 2), "Point(x=1, y=2)"),
    (Status.PAID, "<Status.PAID: 'paid'>"),
    (Rights.READ, "<Rights.READ: 1>"),
    (Plain(id=7, api_key="k"), f"<{HERE}.Plain id=7 api_key=[Filtered]>"),
    (Plain(), f"<{HERE}.Plain>"),
    (Plain.Inner(), f"<{HERE}.Plain.Inner>"),
    (Node(), f"<{HERE}.Node>"),
    (types.SimpleNamespace(a=1), "<types.SimpleNamespace a=1>"),
    (ValueError("bad", 3), "ValueError('bad', 3)"),
    (pydantic.SecretStr("hunter2"), "<pydantic.types.SecretStr [Filtered]>"),
    (Plain, f"<class '{HERE}.Plain'>"),
    (int, "<class 'int'>"),
    (enum.EnumMeta, "<class 'enum." + enum.EnumMeta.__qualname__ + "'>"),
    (Status, f"<class '{HERE}.Status'>"),
    (sys, "<module 'sys'>"),
    (len, "<built-in function len>"),
    (generate, f"<function {HERE}.generate>"),
    (Plain().method, f"<bound method {HERE}.Plain.method>"),
    (generate(), "<generator generate>"),
    (object(), "<object>"),
    (threading.Lock(), "<_thread.lock>"),
    (io.BytesIO(b"secret"), "<_io.BytesIO>"),
    (array.array("i", [1]), "array('i', [1])"),
    (contextvars.ContextVar("user"), "<_contextvars.ContextVar>"),
    (("no such key", 5), "('no such key', 5)"),
    (("key", 5), "('key', [Filtered])"),
    ({"user": {"Password": "x", "name": "ann"}}, "{'user': {'Password': [Filtered], 'name': 'ann'}}"),
    ([("Authorization", "Bearer x"), (b"cookie", b"a=1")], "[('Authorization', [Filtered]), (b'cookie', [Filtered])]"),
]


@pytest.mark.parametrize(("value", "text"), FORMS, ids=[text[:40] for _, text in FORMS])
def test_values_read_like_what_a_developer_would_write(value: Any, text: str):
    if type(value) is contextvars.ContextVar:  # 3.10 and 3.11 name its module otherwise
        text = text.replace("_contextvars.", f"{contextvars.ContextVar.__module__}.").replace("builtins.", "")

    assert text_of(value) == text


def test_a_weak_reference_says_what_it_refers_to_and_whether_it_lives():
    target = Plain()
    reference = weakref.ref(target)

    assert text_of(reference) == f"<weakref to {HERE}.Plain>"
    del target
    gc.collect()
    assert text_of(reference) == "<weakref dead>"


def test_a_coroutine_is_named_and_not_run():
    async def fetch() -> None: ...

    coroutine = fetch()
    assert text_of(coroutine) == ("<coroutine test_a_coroutine_is_named_and_not_run.<locals>.fetch>")
    asyncio.run(coroutine)


def test_a_path_reads_the_same_before_and_after_somebody_asked_for_its_text():
    path = pathlib.Path("/srv/shop") / "orders"
    before = text_of(path)

    str(path)

    assert before == text_of(path) == repr(path)


def test_a_huge_integer_is_shown_by_its_first_digits_and_its_size():
    assert text_of(10**100_000) == f"0x{10**100_000 >> (332193 - 64):x}… (332193 bits)"
    assert text_of(-(1 << 600)) == "-0x8000000000000000… (601 bits)"
    assert text_of([1 << 600]) == "[0x8000000000000000… (601 bits)]"


def test_a_huge_decimal_is_shown_by_its_size():
    assert text_of(decimal.Decimal(10**4000)) == "Decimal(about 10**4000)"


def test_a_string_is_cut_at_the_value_length_and_shows_it():
    assert text_of("x" * 5000, 9000) == "'" + "x" * 1024 + "…'"
    assert render_text("x" * 50, 900, settings(max_value_length=10)) == "'" + "x" * 10 + "…'"
    assert render_text(["x" * 50], 900, settings(max_value_length=10)) == "['" + "x" * 10 + "…']"
    assert render_text({"a": b"x" * 50}, 900, settings(max_value_length=10)) == "{'a': b'" + "x" * 10 + "…'}"


def test_one_long_item_leaves_room_for_those_after_it():
    text = render_text({"sql": "select " * 300, "params": (1, 2)}, 200, SETTINGS)

    assert text.startswith("{'sql': 'select select")
    assert text.endswith("…', 'params': (1, 2)}")


def test_a_cyclic_value_ends_at_the_fourth_level():
    cyclic: list[Any] = [1]
    cyclic.append(cyclic)
    knot: dict[str, Any] = {}
    knot["self"] = Plain(knot=knot)

    assert text_of(cyclic) == "[1, [1, [1, [1, […]]]]]"
    assert text_of(knot) == f"{{'self': <{HERE}.Plain knot={{'self': <{HERE}.Plain knot={{…}}>}}>}}"


def test_a_hundred_thousand_levels_are_no_deeper_than_five():
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]

    assert text_of(deep) == "[[[[[…]]]]]"
    assert text_of({"deep": deep}) == "{'deep': [[[[…]]]]}"


@pytest.mark.spec("PAIN-06")
@pytest.mark.parametrize(
    "make", [dict.fromkeys, list, set, tuple, collections.deque, frozenset, Basket], ids=lambda make: make.__name__
)
def test_a_million_items_cost_as_many_calls_as_a_hundred(make: Any):
    def calls(size: int) -> int:
        value = make(range(size))
        count = 0

        def profile(*_: Any) -> None:
            nonlocal count
            count += 1

        sys.setprofile(profile)
        try:
            render_text(value, 1000, SETTINGS)
            render_json(value, SETTINGS, max_bytes=1000)
        finally:
            sys.setprofile(None)
        return count

    calls(3)  # the first time, the class is looked at
    assert calls(1_000_000) == calls(300)


def test_a_dict_that_is_resized_while_it_is_rendered_ends_there():
    growing: dict[str, Any] = {"a": 1, "b": Plain(), "c": 3}

    def grow_at_plain(value: object) -> None:  # stands for another thread that runs just then
        if type(value) is Plain:
            growing["new"] = 1

    assert render_text(growing, 500, settings(custom_repr=grow_at_plain)) == f"{{'a': 1, 'b': <{HERE}.Plain>, …}}"


def test_values_that_another_thread_keeps_changing_never_raise():
    shared: dict[int, int] = {}
    group: set[int] = set()
    queue: collections.deque[int] = collections.deque()
    instance = Plain()
    done = threading.Event()

    def churn() -> None:
        while not done.is_set():
            for number in range(50):
                shared[number] = number
                group.add(number)
                queue.append(number)
                instance.__dict__[f"field{number}"] = number
            shared.clear()
            group.clear()
            queue.clear()
            instance.__dict__.clear()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    churner = threading.Thread(target=churn)
    churner.start()
    try:
        for _ in range(500):
            for value in (shared, group, queue, instance, [shared, group]):
                assert len(render_text(value, 300, SETTINGS).encode()) <= 300
                render_json(value, SETTINGS)
    finally:
        done.set()
        churner.join()
        sys.setswitchinterval(interval)


def test_custom_repr_comes_first_at_any_depth_but_not_for_plain_built_ins():
    seen: list[str] = []

    def shorten(value: object) -> str | None:
        seen.append(type(value).__name__)
        return "<an order>" if type(value) is Order else None

    order = Order(1, decimal.Decimal(1))
    text = render_text({"order": order, "n": 1, "s": "s"}, 500, settings(custom_repr=shorten))
    alone = render_vars([("order", order)], 500, settings(custom_repr=shorten))
    structure = render_json({"order": [order]}, settings(custom_repr=shorten))

    assert text == "{'order': <an order>, 'n': 1, 's': 's'}"
    assert alone == {"order": "<an order>"}
    assert structure == {"order": ["<an order>"]}
    assert "int" not in seen
    assert "str" not in seen


def test_a_custom_repr_that_raises_or_returns_nonsense_is_ignored_and_named_once(caplog: pytest.LogCaptureFixture):
    def broken(_value: object) -> Any:
        raise SystemExit("no")

    text = render_text([Plain(a=1)], 500, settings(custom_repr=broken))
    again = render_text([Plain(a=1)], 500, settings(custom_repr=broken))
    nonsense = render_text([Plain(a=1)], 500, settings(custom_repr=lambda _: 5))

    assert text == again == nonsense == f"[<{HERE}.Plain a=1>]"
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert [record.getMessage() for record in warnings] == ["custom_repr raised; the value is rendered without it"]


def test_control_flow_out_of_custom_repr_reaches_the_program():
    def interrupted(_value: object) -> str:
        raise KeyboardInterrupt

    for render in (render_text, lambda value, _, chosen: render_json(value, chosen)):
        with pytest.raises(KeyboardInterrupt):
            render([Plain()], 500, settings(custom_repr=interrupted))


def test_custom_repr_runs_as_a_guest_so_that_it_cannot_recurse():
    where: list[str | None] = []

    render_text(Plain(), 500, settings(custom_repr=lambda _: where.append(guests.inside())))

    assert where == ["custom_repr"]


def test_a_class_made_inside_a_function_is_not_kept_alive():
    class Local:
        def __init__(self) -> None:
            self.a = 1

    assert text_of(Local()) == f"<{HERE}.Local a=1>"
    gone = weakref.ref(Local)
    del Local
    gc.collect()
    assert gone() is None


def test_classes_that_are_made_without_end_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reading_values, "MAX_REMEMBERED_TYPES", 10)
    remembered = reading_values.TypeCache()
    classes = [type(f"Made{number}", (), {}) for number in range(50)]
    for number, cls in enumerate(classes):
        monkeypatch.setattr(sys.modules[HERE], cls.__name__, cls, raising=False)
        remembered.remember(cls, number)

    assert len(remembered) == 10
    assert remembered.get(classes[-1]) == 49
    assert remembered.get(classes[0]) is None
    assert [render_text(cls(), 100, SETTINGS) for cls in classes[:2]] == [f"<{HERE}.Made0>", f"<{HERE}.Made1>"]


def test_a_class_of_generated_code_is_not_kept_alive_with_the_globals_of_its_methods():
    made: dict[str, Any] = {"__name__": HERE}
    exec("class Page:\n    def __init__(self): self.number = 7", made)
    assert text_of(made["Page"]()) == f"<{HERE}.Page number=7>"

    gone = weakref.ref(made["Page"])
    made.clear()
    gc.collect()
    assert gone() is None


def test_descriptors_that_a_class_borrowed_from_another_are_left_alone():
    class Borrower:
        __slots__ = ("own",)
        borrowed = Node.next
        __dict__ = Plain.__dict__["__dict__"]

    borrower = Borrower()
    borrower.own = 1

    assert text_of(borrower) == f"<{HERE}.Borrower own=1>"


def test_type_names_are_plain_strings_whatever_the_class_says():
    odd = type("Odd", (), {"__module__": 5})
    nameless = eval("type('Nameless', (), {})", {})

    assert type_names(Order) == (HERE, "Order")
    assert type_names(Plain.Inner) == (HERE, "Plain.Inner")
    assert type_names(odd) == ("", "Odd")
    assert type_names(nameless) == ("", "Nameless")
    assert type_names(int) == ("builtins", "int")


# --- variables of a frame ---


@pytest.mark.spec("ERR-11", "EVT-49")
def test_variables_are_texts_by_name_in_their_order():
    pairs: list[tuple[str, object]] = [("cart", [1, 2]), ("user", "ann"), ("n", 3)]

    rendered = render_vars(pairs, 2048, SETTINGS)

    assert list(rendered.items()) == [("cart", "[1, 2]"), ("user", "'ann'"), ("n", "3")]


def test_a_deny_listed_variable_is_filtered_unseen():
    seen: list[object] = []

    rendered = render_vars([("db_password", Plain())], 500, settings(custom_repr=seen.append))

    assert rendered == {"db_password": "[Filtered]"}
    assert seen == []


def test_a_long_variable_takes_what_the_others_leave_wherever_it_stands():
    long = "x" * 900
    last = render_vars([("n", 1), ("m", 2), ("text", long)], 600, SETTINGS)
    first = render_vars([("text", long), ("n", 1), ("m", 2)], 600, SETTINGS)

    assert list(first) == ["text", "n", "m"]
    assert first == last
    assert 550 < len(first["text"]) <= 600


def test_several_long_variables_share_what_the_others_leave_and_none_takes_it_from_another():
    pairs: list[tuple[str, object]] = [
        ("log", "x" * 900),
        ("order", {f"line {number}": "y" * 30 for number in range(9)}),
        ("body", b"z" * 900),
        ("id", 17),
        ("note", "w" * 250),
    ]

    rendered = render_vars(pairs, 1200, SETTINGS)

    assert list(rendered) == [name for name, _ in pairs]
    assert (rendered["id"], rendered["note"]) == ("17", repr("w" * 250))
    assert all(250 < len(rendered[name]) < 400 for name in ("log", "order", "body"))
    assert 1150 < sum(len(f'"{name}":"{text}",'.encode()) for name, text in rendered.items()) <= 1200


@given(
    values=st.lists(st.text(max_size=30) | st.binary(max_size=30) | st.integers() | st.none(), max_size=30),
    large=st.just("x" * 700) | st.just({f"line {number}": "y" * 35 for number in range(9)}),
    at=st.integers(0, 30),
)
def test_what_is_large_is_whole_where_small_ones_leave_room_for_it(values: list[Any], large: Any, at: int):
    values.insert(at, large)
    pairs = [(f"v{number}", value) for number, value in enumerate(values)]
    whole = {name: render_text(value, 100_000, SETTINGS) for name, value in pairs}
    needed = sum(len(f'"{name}":"{text}",'.encode()) for name, text in whole.items())

    rendered = render_vars(pairs, max(needed + 100, MIN_SHARE * len(pairs)), SETTINGS)

    assert rendered == whole


def test_no_variable_is_lost_before_the_budget_is_gone():
    pairs: list[tuple[str, object]] = [(f"v{number:02}", "x" * 500) for number in range(42)]

    rendered = render_vars(pairs, 2048, SETTINGS)

    assert list(rendered) == [name for name, _ in pairs]
    assert all("…" in text for text in rendered.values())


def test_when_the_budget_is_gone_it_is_said_how_many_variables_are_missing():
    pairs: list[tuple[str, object]] = [(f"v{number:03}", "x" * 500) for number in range(200)]

    rendered = render_vars(pairs, 2048, SETTINGS)

    assert rendered.popitem() == ("…", f"+{200 - len(rendered)} variables")
    assert len(rendered) >= 40


def test_a_variable_whose_name_is_too_long_is_missing_but_not_those_after_it():
    pairs: list[tuple[str, object]] = [("a", 1), ("n" * 190, 2), ("b", 3)]

    assert render_vars(pairs, 150, SETTINGS) == {"a": "1", "b": "3", "…": "+1 variables"}


values_of_all_kinds = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Lo"]), max_size=40)
    | st.binary()
    | st.datetimes()
    | st.decimals()
    | st.fractions()
    | st.uuids()
    | st.timedeltas()
    | st.complex_numbers()
    | st.builds(ValueError, st.text(), st.integers())
    | st.builds(Item, st.text()),
    lambda inner: (
        st.lists(inner, max_size=15)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.binary(), inner, max_size=15)
        | st.builds(lambda value: Plain(value=value), inner)
        | st.builds(lambda value: collections.deque([value]), inner)
    ),
    max_leaves=30,
)


@given(value=values_of_all_kinds, budget=st.integers(-1, 400))
def test_a_text_never_takes_more_bytes_than_its_budget(value: object, budget: int):
    assert len(render_text(value, budget, SETTINGS).encode()) <= max(budget, 0)


@given(
    pairs=st.lists(st.tuples(st.text(min_size=1), values_of_all_kinds), max_size=60, unique_by=lambda pair: pair[0]),
    budget=st.integers(0, 3000),
)
def test_variables_never_take_more_bytes_than_the_budget_of_their_frame(pairs: Any, budget: int):
    rendered = render_vars(pairs, budget, SETTINGS)

    taken = sum(len(f'"{name}":"{text}",'.encode()) for name, text in rendered.items())
    assert taken <= max(budget, 40)


@given(
    pairs=st.lists(st.tuples(st.text(min_size=1), values_of_all_kinds), max_size=20, unique_by=lambda pair: pair[0]),
    budgets=st.lists(st.integers(100, 3000), min_size=2, max_size=4),
)
def test_frames_that_hold_the_same_values_keep_to_their_own_budgets(pairs: Any, budgets: list[int]):
    seen = Seen()

    for budget in budgets:
        rendered = render_vars(pairs, budget, SETTINGS, seen)

        assert sum(len(f'"{name}":"{text}",'.encode()) for name, text in rendered.items()) <= budget
        assert "" not in rendered.values()


@given(st.lists(st.integers() | st.none() | st.booleans() | st.text(max_size=20), max_size=10))
def test_small_built_ins_read_as_their_repr(value: list[Any]):
    assert render_text(value, 100_000, SETTINGS) == repr(value)
    assert render_text(tuple(value), 100_000, SETTINGS) == repr(tuple(value)) or len(value) == 2


def test_a_value_that_several_frames_hold_is_rendered_once_but_for_a_larger_room_that_shows_more():
    value = {"name": "x" * 300, "list": list(range(50))}
    seen = Seen()
    small = render_vars([("value", value)], 100, SETTINGS, seen)["value"]
    large = render_vars([("value", value)], 2000, SETTINGS, seen)["value"]
    again = render_vars([("other", value)], 1999, SETTINGS, seen)["other"]
    assert len(small) < 100
    assert large == again == render_text(value, 1990, SETTINGS)
    assert render_vars([("value", value)], 100, SETTINGS, seen)["value"] == small
