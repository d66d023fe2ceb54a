"""Rendering runs none of the program's code: counted, for every way into an object that Python has."""

from __future__ import annotations

import array
import ast
import collections
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import functools
import ipaddress
import pathlib
import types
import urllib.parse
import uuid
from pathlib import Path
from typing import Any

import attrs
import django
import numpy as np
import pandas as pd
import pydantic
import pytest
from django.conf import settings as django_settings
from werkzeug.local import Local, LocalProxy

from tests.unit._events.spies import Spy
from vedette._events import values
from vedette._events.settings import EventSettings
from vedette._events.values import exception_text, render_json, render_text, render_vars
from vedette._privacy.denylist import DenyList

SETTINGS = EventSettings(denylist=DenyList())
MODULES = Path(values.__file__).parent


def rendered_everywhere(value: Any, spy: Spy, hashable: bool = True) -> str:
    """Render the value alone and inside of whatever may hold it; the text of the value alone."""
    holders: list[Any] = [
        [value],
        (value,),
        ("token", value),
        (value, "second"),
        {"name": value},
        types.SimpleNamespace(field=value),
        collections.deque([value]),
        functools.partial(print, value),
        ValueError(value, 1),
        collections.namedtuple("Pair", "a b")(value, 2),  # noqa: PYI024
        {"a": value}.items(),
        types.MappingProxyType({"a": value}),
        slice(value),
    ]
    if hashable:
        holders += [{value: 1}, {value}, frozenset({value})]
    errors = [ValueError(value), KeyError(value), ValueError(value, value)]
    errors.append(OSError(2, "no file", value))
    with spy:
        text = render_text(value, 500, SETTINGS)
        render_json(value, SETTINGS)
        render_vars([("name", value)], 500, SETTINGS)
        for holder in holders:
            render_text(holder, 500, SETTINGS)
            render_json(holder, SETTINGS)
            render_json({"deep": [holder]}, SETTINGS, max_depth=1)
        for error in errors:
            exception_text(error, 500, SETTINGS)
    return text


def _filled(instance: Any) -> Any:
    object.__setattr__(instance, "stored", 7)
    return instance


BUILT_INS: list[tuple[type, tuple[Any, ...], str]] = [
    (object, (), "<shop.Spyingobject stored=7>"),
    (str, ("text",), "Spyingstr('text')"),
    (bytes, (b"text",), "Spyingbytes(b'text')"),
    (bytearray, (b"text",), "Spyingbytearray(b'text')"),
    (int, (7,), "Spyingint(7)"),
    (float, (0.5,), "Spyingfloat(0.5)"),
    (complex, (1j,), "Spyingcomplex(1j)"),
    (list, ([1, 2],), "Spyinglist([1, 2])"),
    (tuple, ((1, 2),), "Spyingtuple(1, 2)"),
    (dict, ({"a": 1},), "Spyingdict({'a': 1})"),
    (set, ({1},), "Spyingset({1})"),
    (frozenset, ({1},), "Spyingfrozenset({1})"),
    (collections.deque, ([1, 2],), "Spyingdeque([1, 2])"),
    (collections.OrderedDict, ({"a": 1},), "SpyingOrderedDict({'a': 1})"),
    (collections.Counter, ("aab",), "SpyingCounter({'a': 2, 'b': 1})"),
    (dt.datetime, (2026, 11, 24, 9, 5), "Spyingdatetime(2026-11-24 09:05:00)"),
    (dt.date, (2026, 11, 24), "Spyingdate(2026-11-24)"),
    (dt.time, (9, 5), "Spyingtime(09:05:00)"),
    (dt.timedelta, (1, 30), "Spyingtimedelta(days=1, seconds=30)"),
    (decimal.Decimal, ("1.50",), "SpyingDecimal('1.50')"),
    (fractions.Fraction, (1, 3), "SpyingFraction(1, 3)"),
    (pathlib.PurePosixPath, ("/srv/shop",), "SpyingPurePosixPath('/srv/shop')"),
    (functools.partial, (len,), "Spyingpartial(<built-in function len>)"),
    (array.array, ("i", [1, 2]), "Spyingarray('i', [1, 2])"),
    (ipaddress.IPv4Address, ("10.0.0.1",), "SpyingIPv4Address('10.0.0.1')"),
    (urllib.parse.SplitResult, ("http", "me:pw@shop", "/", "", ""), "<shop.SpyingSplitResult http://shop/>"),
    (np.ndarray, ((3,), "float64"), "<shop.Spyingndarray of float64, shape (3,)>"),
    (np.int64, (7,), "Spyingint64(7)"),
    (np.float32, (0.5,), "Spyingfloat32(0.5)"),
    (pd.DataFrame, (np.zeros((3, 2)),), "<shop.SpyingDataFrame shape (3, 2)>"),
    (ValueError, ("bad", 1), "SpyingValueError('bad', 1)"),
    (types.ModuleType, ("shop.cart",), "<module 'shop.cart'>"),
    (types.SimpleNamespace, (), "<shop.SpyingSimpleNamespace stored=7>"),
]


UNHASHABLE = (
    *(list, dict, set, bytearray, collections.deque, array.array, types.SimpleNamespace),
    *(np.ndarray, pd.DataFrame),
)


@pytest.mark.spec("PAIN-06")
@pytest.mark.parametrize(("base", "args", "text"), BUILT_INS, ids=[base.__name__ for base, *_ in BUILT_INS])
def test_nothing_runs_for_an_instance_whose_class_overrides_everything(base: type, args: Any, text: str):
    spy = Spy()
    without = ("__eq__", "__hash__", "__index__", "__lt__") if base is fractions.Fraction else ()
    value = spy.subclass(base, without=without)(*args)
    if text.endswith("stored=7>"):
        value = _filled(value)
    hashable = not issubclass(base, UNHASHABLE)

    shown = rendered_everywhere(value, spy, hashable)

    assert spy.calls == []
    assert shown == text


@pytest.mark.spec("PAIN-06")
def test_nothing_runs_for_the_class_itself_its_methods_and_its_properties():
    spy = Spy()
    cls = spy.subclass(object)
    method = type.__getattribute__(cls, "__repr__").__get__(cls())

    texts = [rendered_everywhere(value, spy) for value in (cls, cls.__dict__["computed"], method)]

    assert spy.calls == []
    assert texts[0] == "<class 'shop.Spyingobject'>"


@pytest.mark.spec("PAIN-06")
def test_nothing_runs_for_structured_classes():
    spy = Spy()
    noticing = spy.hooks(object, ["__repr__", "__str__", "__getattribute__", "__bool__", "__len__", "__iter__"])

    @attrs.define(repr=False)
    class Attrs:
        id: int
        hidden: int = attrs.field(default=1, repr=False)

    @dataclasses.dataclass(repr=False)
    class Data:
        id: int
        hidden: int = dataclasses.field(default=1, repr=False)

    class Model(pydantic.BaseModel):
        id: int
        hidden: int = pydantic.Field(default=1, repr=False)

    class Color(enum.Enum):
        RED = 1

    point = collections.namedtuple("Point", "x y")  # noqa: PYI024
    texts = []
    for base, args in ((Attrs, {"id": 7}), (Data, {"id": 7}), (Model, {"id": 7}), (point, {"x": 1, "y": 2})):
        members: dict[str, Any] = dict(noticing)
        cls = spy.metaclass(type(base))("Order", (base,), {**members, "__module__": "shop"})
        texts.append(rendered_everywhere(cls(**args), spy, hashable=False))
    for name, member in noticing.items():
        if name != "__getattribute__":
            setattr(Color, name, member)
    texts.append(rendered_everywhere(Color.RED, spy))

    assert spy.calls == []
    assert texts == ["Order(id=7)", "Order(id=7)", "Order(id=7)", "Order(x=1, y=2)", "<Color.RED: 1>"]


@pytest.mark.spec("PAIN-06")
def test_nothing_runs_for_slots_and_for_a_dict_that_is_a_property():
    spy = Spy()
    slotted = spy.subclass(object, __slots__=("left", "unset"), cached=None)()
    object.__setattr__(slotted, "left", 1)
    hiding = spy.subclass(object, __dict__=spy.descriptor("__dict__"))()

    assert rendered_everywhere(slotted, spy) == "<shop.Spyingobject left=1>"
    assert rendered_everywhere(hiding, spy) == "<shop.Spyingobject>"
    assert spy.calls == []


@pytest.mark.spec("PAIN-06")
def test_nothing_runs_for_names_and_keys_that_are_strings_of_a_kind():
    spy = Spy()
    text = spy.subclass(str)
    cls = type("Order", (), {"__module__": text("shop")})
    cls.__qualname__ = text("Order")
    instance = cls()
    instance.__dict__[text("id")] = 7
    instance.__dict__["total"] = 5
    zone = dt.timezone(spy.subclass(dt.timedelta, days=spy.descriptor("days"))(hours=2), text("Here"))

    def made() -> None: ...

    made.__qualname__ = text("made")
    made.__module__ = text("shop")
    error = ValueError(text("bad"))
    error.__dict__["__notes__"] = [text("note")]
    mapping = {text("password"): 1, text("a"): text("b")}
    pairs = [(text("x"), text("y"))]
    with spy:
        noon = render_text(dt.time(12, tzinfo=zone), 100, SETTINGS)
        shown = render_text(instance, 100, SETTINGS)
        function = render_text(made, 100, SETTINGS)
        message = exception_text(error, 100, SETTINGS)
        structure = render_json(mapping, SETTINGS)
        filtered = render_text(mapping, 100, SETTINGS)
        variables = render_vars(pairs, 100, SETTINGS)

    assert spy.calls == []
    assert (noon, shown) == ("time(12:00:00 UTC+02:00)", "<shop.Order total=5>")
    assert (function, message) == ("<function shop.made>", "bad\nnote")
    assert structure == {"password": 1, "a": "b"}
    assert {type(part) for pair in structure.items() for part in pair} == {str, int}
    assert filtered == "{Spyingstr('password'): [Filtered], Spyingstr('a'): Spyingstr('b')}"
    assert variables == {"x": "Spyingstr('y')"}


@pytest.mark.spec("PAIN-06")
def test_a_foreign_time_zone_is_named_but_not_asked():
    spy = Spy()
    zone = spy.subclass(dt.tzinfo)()
    moment = dt.datetime(2026, 11, 24, 9, 5, tzinfo=zone)

    text = rendered_everywhere(moment, spy, hashable=False)

    assert spy.calls == []
    assert text == "datetime(2026-11-24 09:05:00 <shop.Spyingtzinfo>)"


def test_integers_of_a_kind_inside_a_range_or_a_uuid_are_not_asked():
    spy = Spy()
    number = spy.subclass(int, without=("__index__",))
    span = range(number(1), number(5), number(2))
    identifier = uuid.UUID(int=5)
    object.__setattr__(identifier, "int", number(5))

    assert rendered_everywhere(span, spy) == "range(1, 5, 2)"
    assert rendered_everywhere(identifier, spy) == "UUID(?)"
    assert spy.calls == []


@pytest.mark.spec("PAIN-06")
def test_a_local_proxy_is_not_resolved_whether_bound_or_not():
    spy = Spy()
    resolved: list[str] = []
    target = spy.subclass(object)()
    local = Local()

    def resolve() -> Any:
        resolved.append("resolved")
        return target

    with spy:
        for proxy in (LocalProxy(resolve), LocalProxy(local, "user")):
            for holder in (proxy, [proxy], {"proxy": proxy}, (proxy, 1), ValueError(proxy)):
                text = render_text(holder, 300, SETTINGS)
                assert "LocalProxy" in text
                render_json(holder, SETTINGS)
                render_vars([("proxy", holder)], 300, SETTINGS)
    local.user = target
    with spy:
        render_text(LocalProxy(local, "user"), 300, SETTINGS)
        render_json(LocalProxy(local, "user"), SETTINGS)

    assert spy.calls == []
    assert resolved == []


@pytest.fixture(scope="module")
def django_model() -> Any:
    if not django_settings.configured:
        django_settings.configure(
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=[],
            USE_TZ=True,
        )
        django.setup()
    from django.db import models  # noqa: PLC0415 - only after the settings

    class Order(models.Model):  # noqa: DJ008 - its __str__ is not to be called anyway
        total = models.IntegerField(default=0)

        class Meta:
            app_label = "shop"

    return Order


@pytest.mark.spec("PAIN-06")
def test_a_query_set_is_named_and_sends_no_query(django_model: Any):
    from django.db import connection  # noqa: PLC0415 - only after the settings
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415
    from django.utils.functional import SimpleLazyObject  # noqa: PLC0415

    evaluated: list[str] = []
    with connection.schema_editor() as editor:
        editor.create_model(django_model)
    with CaptureQueriesContext(connection) as queries:
        orders = django_model.objects.filter(total=5)
        lazy = SimpleLazyObject(lambda: evaluated.append("evaluated") or orders)
        texts = [render_text(value, 300, SETTINGS) for value in (orders, [orders], lazy, {"o": orders, "l": lazy})]
        render_json({"orders": orders, "lazy": lazy, "manager": django_model.objects}, SETTINGS)
        render_vars([("orders", orders), ("lazy", lazy)], 300, SETTINGS)
        assert len(queries) == 0
        assert evaluated == []
        list(orders)
        loaded = render_text(orders, 300, SETTINGS)
        assert len(queries) == 1

    module = django_model.__module__
    assert texts[0] == f"<django.db.models.query.QuerySet of {module}.Order, not evaluated>"
    assert loaded == f"<django.db.models.query.QuerySet of {module}.Order, 0 loaded>"
    assert "SimpleLazyObject" in texts[2]
    assert render_text(django_model(id=7, total=5), 300, SETTINGS) == f"<{module}.Order id=7 total=5>"


def test_a_huge_or_lazy_type_is_recognized_by_its_name_and_not_looked_into():
    frame = type("DataFrame", (), {"__module__": "pandas.core.frame"})()
    frame.manager = ["a", "lot"]

    assert render_text(frame, 100, SETTINGS) == "<pandas.core.frame.DataFrame>"


def test_a_namesake_of_a_standard_type_is_treated_as_any_other_class():
    spy = Spy()
    fake = spy.subclass(object, __qualname__="Decimal", __module__="decimal")()

    assert rendered_everywhere(_filled(fake), spy) == "<decimal.Decimal stored=7>"
    assert spy.calls == []


FORBIDDEN = {"isinstance", "issubclass", "hasattr", "getattr", "callable", "hash", "sorted", "vars", "dir"}


@pytest.mark.parametrize("path", sorted(MODULES.glob("*values.py")), ids=lambda path: path.name)
def test_the_renderer_never_calls_what_asks_the_object_itself(path: Path):
    calls = {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    allowed = {"vars"} if path.name == "exception_values.py" else set()  # of the module builtins

    assert calls & FORBIDDEN <= allowed
