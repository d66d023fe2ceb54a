"""Real libraries' values: what is shown of them, and that no query is sent and none of their Python code runs.

``untouched`` renders a value in every way, alone and inside of others, under a profiler that counts each call of a
Python function that is not vedette's own.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import functools
import gc
import http.client
import http.cookiejar
import http.cookies
import ipaddress
import logging
import mmap
import os
import sys
import threading
import urllib.parse
import weakref
from typing import TYPE_CHECKING, Any
from unittest import mock

import attrs
import django
import httpx
import lazy_object_proxy
import lazy_object_proxy.slots
import numpy as np
import pandas as pd
import pydantic
import pytest
import sqlalchemy as sa
import urllib3
import werkzeug.datastructures
import wrapt
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import orm
from werkzeug.local import LocalProxy

import vedette
from vedette._events.settings import EventSettings
from vedette._events.values import exception_text, render_json, render_text, render_vars

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = EventSettings()
HERE = __name__
VEDETTE = os.path.dirname(vedette.__file__)  # noqa: PTH120


def short(text: str) -> str:
    """Pandas 2, for Python 3.10, says where its classes live; pandas 3 says where they are imported from."""
    for module in ("core.frame", "core.series", "core.indexes.base", "core.indexes.range", "core.indexes.multi"):
        text = text.replace(f"pandas.{module}.", "pandas.")
    return text


def untouched(value: Any, *, budget: int = 500) -> str:
    """The text of a value, after having shown it in every way; fails if any foreign Python function was called."""
    held = {"k": [value], "d": collections.deque([value])}
    # Partials, for a function of this file would be counted as well.
    ways = [
        functools.partial(render_json, value, SETTINGS),
        functools.partial(render_json, {"deep": [{"value": value}]}, SETTINGS, max_depth=1),
        functools.partial(render_vars, [("name", value)], budget, SETTINGS),
        functools.partial(render_text, held, budget, SETTINGS),
        functools.partial(exception_text, ValueError(value, value), budget, SETTINGS),
        functools.partial(render_text, value, budget, SETTINGS),
    ]
    foreign: list[str] = []

    def profile(frame: Any, event: str, _arg: object) -> None:
        path = frame.f_code.co_filename
        if event == "call" and not path.startswith(VEDETTE):
            foreign.append(f"{path}:{frame.f_lineno} {frame.f_code.co_name}")

    text: Any = None
    gc.disable()  # hypothesis has a callback for it
    sys.setprofile(profile)
    try:
        for way in ways:
            text = way()
    finally:
        sys.setprofile(None)
        gc.enable()
    assert foreign == []
    assert len(text.encode()) <= budget
    return short(text)


class Element:
    """What an array may hold, with code of its own."""

    def __repr__(self) -> str:
        return "an element"


def two_elements() -> Any:
    array = np.empty(2, dtype=object)
    array[0], array[1] = Element(), Element()
    return array


# --- numpy ---


@pytest.mark.spec("PAIN-06")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.arange(6).reshape(3, 2), "<numpy.ndarray of int64, shape (3, 2)>"),
        (np.array(5.0), "<numpy.ndarray of float64, shape ()>"),
        (two_elements(), "<numpy.ndarray of object_, shape (2,)>"),
        (np.zeros(2, dtype=[("id", "i4"), ("password", "U9")]), "<numpy.ndarray of void, shape (2,)>"),
        (np.zeros((1000, 1000)), "<numpy.ndarray of float64, shape (1000, 1000)>"),
        (np.ma.array([1, 2]), "<numpy.ma.MaskedArray of int64, shape (2,)>"),
        (np.int8(-7), "int8(-7)"),
        (np.uint64(2**64 - 1), "uint64(18446744073709551615)"),
        (np.float32(0.5), "float32(0.5)"),
        (np.float64(0.5), "float64(0.5)"),
        (np.complex64(1j), "complex64(1j)"),
        (np.bool_(True), f"{np.bool_.__name__}(True)"),
        (np.str_("text"), "str_('text')"),
        (np.datetime64("2026-11-24"), "datetime64(2026-11-24)"),
        (np.datetime64("NaT", "s"), "datetime64(NaT)"),
        (np.timedelta64(5, "D"), "timedelta64(5 days)"),
        (np.dtype("int32"), "<numpy.dtypes.Int32DType>"),
        (np.add, "<numpy.ufunc>"),
        (np.zeros(1, dtype=[("password", "i4")])[0], "<numpy.void>"),
    ],
    ids=lambda value: value if type(value) is str else "",
)
def test_numpy_arrays_are_shown_by_type_and_shape_and_scalars_by_value(value: Any, text: str):
    assert untouched(value) == text


def test_a_memory_mapped_array_is_not_read(tmp_path: Path):
    path = tmp_path / "data"
    path.write_bytes(bytes(mmap.PAGESIZE))
    array = np.memmap(path, mode="r")

    assert untouched(array) == f"<numpy.memmap of uint8, shape ({mmap.PAGESIZE},)>"


def test_a_subclass_of_a_numpy_type_runs_none_of_its_own_code():
    class Matrix(np.ndarray):
        shape = dtype = property(lambda _self: 1 / 0)

    class Number(np.int64):
        __int__ = __index__ = __float__ = __repr__ = lambda _self: 1 / 0

    assert untouched(np.zeros(3).view(Matrix)) == f"<{HERE}.Matrix of float64, shape (3,)>"
    assert untouched(Number(7)) == "Number(7)"
    assert render_json([Number(7)], SETTINGS) == [7]


def test_numpy_numbers_are_numbers_in_json_and_never_nan():
    values = [np.int64(7), np.uint8(1), np.float32(0.5), np.bool_(True), np.float32("nan"), np.float64("inf")]

    converted = render_json(values, SETTINGS)

    assert converted == [7, 1, 0.5, True, "nan", "inf"]
    assert [type(value) for value in converted] == [int, int, float, bool, str, str]


# --- pandas ---


@pytest.mark.spec("PAIN-06")
@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.DataFrame(np.zeros((3, 2))), "<pandas.DataFrame shape (3, 2)>"),
        (pd.DataFrame(index=["a", "b"]), None),
        (pd.Series([1, 2, 3], index=[7, 8, 9]), "<pandas.Series shape (3,)>"),
        (pd.Series(two_elements()), "<pandas.Series shape (2,)>"),
        (pd.Index([1, 2]), "<pandas.Index shape (2,)>"),
        (pd.RangeIndex(5), "<pandas.RangeIndex shape (5,)>"),
        (pd.MultiIndex.from_tuples([(1, 2)]), "<pandas.MultiIndex>"),
        (pd.Timestamp("2026-11-24 09:05", tz="UTC"), "Timestamp(2026-11-24 09:05:00 UTC)"),
        (pd.Timedelta(days=1), "Timedelta(days=1)"),
        (pd.NaT, "NaT"),
        (pd.NA, "<NA>"),
        (pd.DataFrame({"a": [1]}).groupby("a"), None),
        (pd.Series(["a"]).str, None),
        (pd.Categorical(["a"]), None),
    ],
    ids=lambda value: value if type(value) is str else "",
)
def test_pandas_tables_are_shown_by_shape_and_times_by_value(value: Any, text: str | None):
    shown = untouched(value)

    assert shown == text or (text is None and shown.startswith("<pandas.") and len(shown) < 80)


def test_a_subclass_of_a_frame_is_not_asked():
    class Orders(pd.DataFrame):
        shape = property(lambda _self: 1 / 0)

    assert untouched(Orders(np.zeros((3, 2)))) == f"<{HERE}.Orders shape (3, 2)>"


# --- SQLAlchemy ---


class Base(orm.DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    password: orm.Mapped[str] = orm.mapped_column(default="hunter2")
    bio: orm.Mapped[str] = orm.mapped_column(default="b", deferred=True)
    orders: orm.Mapped[list[Bill]] = orm.relationship(back_populates="customer")


class Bill(Base):
    __tablename__ = "bills"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("customers.id"))
    customer: orm.Mapped[Customer] = orm.relationship(back_populates="orders")


class Database:
    """SQLite in memory with one customer and one bill, and a counter of statements."""

    def __init__(self) -> None:
        self.engine = sa.create_engine("sqlite://")
        self.statements: list[str] = []
        Base.metadata.create_all(self.engine)
        with orm.Session(self.engine) as session:
            session.add(Customer(id=1, name="ann", orders=[Bill(id=5)]))
            session.commit()
        sa.event.listen(self.engine, "before_cursor_execute", lambda *args: self.statements.append(args[2]))


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.engine.dispose()


@pytest.mark.spec("PAIN-06")
def test_orm_instances_show_what_is_loaded_and_send_no_sql(database: Database):
    with orm.Session(database.engine) as session:
        customer = session.get(Customer, 1)
        assert customer is not None
        database.statements.clear()
        loaded = untouched(customer)
        session.expire(customer)
        expired = untouched(customer)
        assert database.statements == []
        assert customer.name == "ann"  # the program loads it again
        assert [bill.id for bill in customer.orders] == [5]
        database.statements.clear()
        related = untouched(customer)
        bill = untouched(customer.orders[0])
        session.expunge_all()
        detached = untouched(customer)

    assert database.statements == []
    for shown in (loaded, related, detached):
        assert "name='ann'" in shown
        assert "password=[Filtered]" in shown
        assert "bio" not in shown
    assert "orders" not in loaded
    assert expired == f"<{HERE}.Customer>"
    assert f"orders=InstrumentedList([<{HERE}.Bill " in related
    assert "id=5" in bill


@pytest.mark.spec("PAIN-06")
def test_nothing_of_sqlalchemy_sends_sql_opens_a_connection_or_shows_a_password(database: Database):
    url = sa.make_url("sqlite+pysqlite://me:hunter2@/?password=hunter2")
    lazy_engine = sa.create_engine("sqlite://", creator=lambda: 1 / 0)
    object.__setattr__(lazy_engine, "url", url)
    with orm.Session(database.engine) as session:
        row = session.execute(sa.select(Customer.name, Customer.password)).one()
        result = session.execute(sa.select(Customer))
        database.statements.clear()
        values = {
            "url": url,
            "engine": lazy_engine,
            "session": session,
            "query": session.query(Customer).filter_by(password="hunter2"),
            "select": sa.select(Customer).where(Customer.password == "hunter2"),
            "bound": sa.bindparam("x", "hunter2"),
            "row": row,
            "result": result,
            "connection": session.connection(),
            "column": Customer.password,
            "table": Customer.__table__,
            "state": sa.inspect(Customer(password="hunter2")),
            "factory": orm.sessionmaker(lazy_engine),
            "scoped": orm.scoped_session(orm.sessionmaker(lazy_engine)),
            "pool": lazy_engine.pool,
        }
        texts = {name: untouched(value) for name, value in values.items()}
        result.close()

    assert database.statements == []
    assert [name for name, text in texts.items() if "hunter2" in text] == []
    assert "hunter2" not in str(render_json(values, SETTINGS, hide=True))
    assert "drivername='sqlite+pysqlite', username='me', password=[Filtered]" in texts["url"]
    assert texts["engine"].startswith("<sqlalchemy.engine.base.Engine url=URL(drivername='sqlite+pysqlite'")
    assert texts["query"] == "<sqlalchemy.orm.query.Query>"
    assert texts["select"] == "<sqlalchemy.sql.selectable.Select>"
    assert max(len(text) for name, text in texts.items() if name not in {"url", "engine"}) < 80


# --- Django ---


@pytest.fixture(scope="module")
def store() -> Any:
    if not django_settings.configured:
        django_settings.configure(
            DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            INSTALLED_APPS=[],
            USE_TZ=True,
        )
        django.setup()
    from django import forms  # noqa: PLC0415 - only after the settings
    from django.db import connection, models  # noqa: PLC0415

    class Shop(models.Model):  # noqa: DJ008 - its __str__ is not to be called anyway
        name = models.CharField(max_length=9)

        class Meta:
            app_label = "store"

    class Sale(models.Model):
        total = models.IntegerField(default=0)
        note = models.TextField(default="n")
        password = models.TextField(default="hunter2")
        shop = models.ForeignKey(Shop, on_delete=models.CASCADE)

        class Meta:
            app_label = "store"

        def __str__(self) -> str:
            raise AssertionError

    class SaleForm(forms.Form):
        name = forms.CharField()
        password = forms.CharField()

    with connection.schema_editor() as editor:
        editor.create_model(Shop)
        editor.create_model(Sale)
    Sale.objects.create(id=7, total=5, shop=Shop.objects.create(id=1, name="corner"))
    yield {"Shop": Shop, "Sale": Sale, "SaleForm": SaleForm}
    connection.close()


@pytest.mark.spec("PAIN-06")
def test_django_values_send_no_query_and_load_nothing(store: Any):
    from django.db import connection, connections  # noqa: PLC0415 - only after the settings
    from django.http import HttpRequest, QueryDict  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415
    from django.utils.functional import SimpleLazyObject  # noqa: PLC0415
    from django.utils.translation import gettext_lazy  # noqa: PLC0415

    sale_class, shop_class = store["Sale"], store["Shop"]
    sale = sale_class.objects.get(id=7)
    deferred = sale_class.objects.only("id", "total").get(id=7)
    joined = sale_class.objects.select_related("shop").get(id=7)
    shop = shop_class.objects.get(id=1)
    evaluated = sale_class.objects.all()
    assert len(evaluated) == 1
    bound = store["SaleForm"]({"name": "ann", "password": "hunter2"})
    values: dict[str, Any] = {
        "sale": sale,
        "deferred": deferred,
        "joined": joined,
        "class": sale_class,
        "queries": sale_class.objects.filter(total=5),
        "values": sale_class.objects.values_list("password"),
        "evaluated": evaluated,
        "raw": sale_class.objects.raw("select * from store_sale"),
        "manager": sale_class.objects,
        "related": shop.sale_set,
        "lazy": SimpleLazyObject(lambda: 1 / 0),
        "translation": gettext_lazy("hello"),
        "settings": django_settings,
        "form": bound,
        "request": HttpRequest(),
        "parameters": QueryDict("name=ann&password=hunter2"),
        "connection": connection,
        "connections": connections,
        "field": sale_class._meta.get_field("total"),  # noqa: SLF001 - Django's documented name
    }
    with CaptureQueriesContext(connection) as queries:
        texts = {name: untouched(value) for name, value in values.items()}
        assert len(queries) == 0

    module = sale_class.__module__
    assert texts["sale"] == f"<{module}.Sale id=7 total=5 note='n' password=[Filtered] shop_id=1>"
    assert texts["deferred"] == f"<{module}.Sale id=7 total=5>"
    assert texts["joined"] == texts["sale"]
    assert texts["queries"] == f"<django.db.models.query.QuerySet of {module}.Sale, not evaluated>"
    assert texts["evaluated"] == f"<django.db.models.query.QuerySet of {module}.Sale, 1 loaded>"
    assert texts["raw"] == f"<django.db.models.query.RawQuerySet of {module}.Sale, not evaluated>"
    assert texts["manager"] == f"<django.db.models.manager.Manager of {module}.Sale>"
    assert texts["related"].endswith(f"RelatedManager of {module}.Sale>")
    assert texts["settings"] == "<django.conf.LazySettings>"
    assert "data={'name': 'ann', 'password': [Filtered]}" in texts["form"]
    assert texts["field"] == "<django.db.models.fields.IntegerField name='total'>"
    assert [name for name, text in texts.items() if "hunter2" in text] == []


# --- data classes of all makes ---


class Account(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    id: int
    code: pydantic.SecretStr
    raw: pydantic.SecretBytes
    hidden: str = pydantic.Field(default="hunter2", repr=False)
    _private: str = pydantic.PrivateAttr(default="hunter2")

    @pydantic.computed_field
    @property
    def computed(self) -> int:
        raise AssertionError


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    id: int
    hidden: str = dataclasses.field(default="hunter2", repr=False)


@dataclasses.dataclass
class Derived:
    id: int
    given: dataclasses.InitVar[str]
    hidden: str = dataclasses.field(default="hunter2", repr=False)

    def __post_init__(self, given: str) -> None:
        self.cache = given


@attrs.define
class Masked:
    id: int
    masked: str = attrs.field(default="hunter2", repr=lambda _: "***")
    hidden: str = attrs.field(default="hunter2", repr=False)


@pydantic.dataclasses.dataclass
class Checked:
    id: int
    hidden: str = dataclasses.field(default="hunter2", repr=False)


@pytest.mark.spec("PAIN-06")
def test_fields_that_a_class_keeps_out_of_its_repr_are_not_shown():
    made: list[tuple[Any, str]] = [
        (
            Account(id=7, code="hunter2", raw=b"hunter2", more="hunter2"),
            "Account(id=7, code=<pydantic.types.SecretStr [Filtered]>, raw=<pydantic.types.SecretBytes [Filtered]>)",
        ),
        (Frozen(7), "Frozen(id=7)"),
        (Derived(7, "hunter2"), "Derived(id=7)"),
        (Masked(7), "Masked(id=7)"),
        (Checked(7), "Checked(id=7)"),
    ]

    assert [untouched(value) for value, _ in made] == [text for _, text in made]


def test_fields_of_older_pydantic_are_told_from_a_class_that_uses_the_same_name():
    field_info = type("FieldInfo", (), {"__module__": "pydantic.fields", "__slots__": ("repr",)})
    shown, hidden = field_info(), field_info()
    shown.repr, hidden.repr = True, False
    older = type("Older", (), {"model_fields": {"id": shown, "secret_note": hidden}})()
    older.__dict__.update(id=7, secret_note="hunter2")
    other = type("Other", (), {"model_fields": {"id": 5}})()
    other.__dict__.update(id=7, note="n")

    assert untouched(older) == "Older(id=7)"
    assert untouched(other) == f"<{HERE}.Other id=7 note='n'>"


# --- proxies and mocks ---


@pytest.mark.spec("PAIN-06")
def test_proxies_are_neither_resolved_nor_seen_through():
    target = Derived(7, "x")

    def resolve() -> Any:
        raise AssertionError

    class Wrapped(wrapt.ObjectProxy):
        pass

    proxies = [
        LocalProxy(resolve),
        lazy_object_proxy.Proxy(resolve),
        lazy_object_proxy.slots.Proxy(resolve),
        wrapt.ObjectProxy(Element()),
        wrapt.ObjectProxy({"password": "hunter2"}),
        wrapt.ObjectProxy(target),
        Wrapped(target),
        weakref.proxy(target),
    ]

    texts = [untouched(proxy) for proxy in proxies]

    assert all("Proxy" in text or "Wrapped" in text for text in texts)
    assert not any("hunter2" in text or "id=7" in text for text in texts)


@pytest.mark.spec("PAIN-06")
def test_mocks_are_named_and_record_no_call():
    mocks: list[Any] = [mock.Mock(name="cart"), mock.MagicMock(), mock.AsyncMock(), mock.create_autospec(Derived)]

    texts = [untouched(each) for each in mocks]

    assert texts[0] == "<unittest.mock.Mock _mock_name='cart' _spec_class=None>"
    assert all(len(text) < 120 for text in texts)
    assert [each.mock_calls for each in mocks] == [[]] * 4


# --- secrets ---


@pytest.mark.spec("PAIN-06")
def test_objects_that_hold_secrets_under_telling_names_show_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:hunter2@db/shop")
    message = http.client.HTTPMessage()
    message["Authorization"] = "hunter2"
    jar = httpx.Cookies({"sessionid": "hunter2"})
    cookies: http.cookies.SimpleCookie = http.cookies.SimpleCookie("sessionid=hunter2")
    values: list[Any] = [
        os.environ,
        os.environb,
        message,
        cookies,
        jar,
        next(iter(jar.jar)),
        httpx.Headers({"Authorization": "hunter2", "X-Api-Key": "hunter2", "Cookie": "a=hunter2"}),
        httpx.URL("https://me:hunter2@shop.example/?token=hunter2"),
        httpx.Request("GET", "https://me:hunter2@shop.example/", headers={"Authorization": "hunter2"}),
        httpx.BasicAuth("me", "hunter2"),
        urllib3.HTTPHeaderDict({"Authorization": "hunter2"}),
        werkzeug.datastructures.Headers({"Authorization": "hunter2"}),
        werkzeug.datastructures.EnvironHeaders({"HTTP_AUTHORIZATION": "hunter2"}),
        werkzeug.datastructures.ImmutableMultiDict([("password", "hunter2")]),
        werkzeug.datastructures.Authorization("basic", {"username": "me", "password": "hunter2"}),
        urllib.parse.urlsplit("https://me:hunter2@shop.example/?token=hunter2"),
        urllib.parse.urlparse("https://me:hunter2@shop.example/?token=hunter2"),
        pydantic.PostgresDsn("postgresql://me:hunter2@db/shop"),
        [("Authorization", "hunter2"), (b"cookie", b"hunter2")],
        {"nested": [{"api_key": "hunter2"}]},
    ]

    for value in values:
        shown = untouched(value, budget=4000)
        assert "hunter2" not in shown, shown
        assert "hunter2" not in str(render_json({"v": value}, SETTINGS, hide=True))
    assert untouched(os.environ) == f"<os._Environ, {len(os.environ)} variables>"
    assert untouched(values[6]).startswith("<httpx.Headers Authorization: [Filtered], X-Api-Key: [Filtered]")


def test_a_url_is_never_cut_in_the_middle_of_its_password():
    url = "postgresql://me:hunter2hunter2@db.example/shop"

    for budget in range(len(url) + 3):
        for value in (url, [url], {"u": url}, {"a": [1, url]}):
            text = render_text(value, budget, SETTINGS)
            assert "hunter" not in text or "hunter2hunter2@" in text
        cut = EventSettings(max_value_length=max(budget, 1))
        shown = [
            render_json(url, cut),
            exception_text(ValueError(url), max(budget, 1), cut),
            render_text(url, 999, cut),
        ]
        for said in shown:
            assert "hunter" not in said or "hunter2hunter2@" in said


# --- the shape of what comes out ---


def test_a_thread_shows_its_name_and_what_its_class_stores_and_a_logger_its_name():
    class Worker(threading.Thread):
        def __init__(self) -> None:
            super().__init__(name="worker", target=print)
            self.url = "http://shop"

    assert untouched(threading.Thread(name="t", args=("hunter2",))) == "<threading.Thread _name='t'>"
    assert untouched(Worker()) == f"<{HERE}.Worker _name='worker' url='http://shop'>"
    assert untouched(logging.getLogger("shop")) == "<logging.Logger name='shop'>"


def test_addresses_read_as_they_are_written():
    for text in (
        "10.0.0.1",
        "::",
        "::1",
        "2001:db8::8a2e:370:7334",
        "2001:db8:1:2:3:4:5:6",
        "1:0:0:2::3",
        "fe80::1%eth0",
    ):
        address = ipaddress.ip_address(text)
        assert untouched(address) == repr(address)
    for text in ("10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0"):
        network = ipaddress.ip_network(text)
        assert untouched(network) == repr(network)
    assert untouched(ipaddress.ip_interface("10.0.0.1/8")) == "IPv4Interface('10.0.0.1/8')"


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**32).map(lambda n: n << 40) | st.integers(0, 300))
def test_any_ipv6_address_reads_as_python_writes_it(number: int):
    address = ipaddress.IPv6Address(number)

    assert ipaddress.IPv6Address(render_text(address, 100, SETTINGS)[13:-2]) == address


real_values = st.sampled_from(
    [
        np.arange(3),
        np.float32(0.5),
        np.int64(3),
        np.datetime64("2026-11-24"),
        pd.Series([1]),
        pd.NaT,
        pd.Timestamp(0, tz="UTC"),
        sa.make_url("postgresql://me:hunter2@db/shop"),
        sa.select(Customer),
        Customer(id=1, name="ž" * 50),
        Masked(1),
        wrapt.ObjectProxy([1]),
        mock.Mock(),
        httpx.Headers({"a": "b" * 1000}),
        os.environ,
        ipaddress.ip_address("::1"),
        dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc),
        "https://me:hunter2@h/",
        "\ud800",
        float("nan"),
        1 << 5000,
    ]
)


@given(
    st.recursive(
        real_values,
        lambda inner: (
            st.lists(inner, max_size=12)
            | st.tuples(inner, inner)
            | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=12)
            | inner.map(lambda value: Derived(value, "x"))
            | inner.map(lambda value: collections.deque([value]))
        ),
        max_leaves=25,
    ),
    st.integers(0, 600),
)
def test_any_graph_of_such_values_stays_within_its_bytes_and_is_clean(value: Any, budget: int):
    text = render_text(value, budget, SETTINGS)
    structure = render_json(value, SETTINGS, max_bytes=budget)

    assert len(text.encode()) <= budget
    assert_clean(structure)


def assert_clean(value: Any) -> None:
    assert type(value) in {dict, list, str, int, float, bool, type(None)}
    if type(value) is dict:
        for key, item in value.items():
            assert_clean(key)
            assert_clean(item)
    elif type(value) is list:
        for item in value:
            assert_clean(item)
    elif type(value) is str:
        value.encode()
    elif type(value) is float:
        assert value - value == 0  # neither NaN nor infinite
    elif type(value) is int:
        assert -(1 << 63) <= value < 1 << 64
