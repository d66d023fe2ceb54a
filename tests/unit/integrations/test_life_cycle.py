"""The life of an integration: when it is set up, what it is asked, and that nothing of it is left."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

import vedette
from vedette.integrations import DidNotEnable, Integration
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"


class Shop(Integration):
    """Notes what it is called for."""

    identifier = "shop"

    def __init__(self) -> None:
        self.calls: list[str] = []

    def setup(self, client: Any) -> None:
        self.calls.append("setup")

    def after_all_setup(self, client: Any) -> None:
        self.calls.append("after_all_setup")

    def close(self) -> None:
        self.calls.append("close")


class LateShop(Shop):
    identifier = "late_shop"
    library = "shop_library"
    minimum_version = (2,)


@pytest.fixture
def library(tmp_path, monkeypatch):
    """Writes the library that is imported late, and lets it be imported."""

    def write(text: str) -> None:
        (tmp_path / "shop_library.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))

    yield write
    sys.modules.pop("shop_library", None)


def client_with(*integrations: Any, **options: Any) -> vedette.Client:
    return vedette.init(DSN, transport=MemoryTransport(), integrations=integrations, **options)


@pytest.mark.spec("INT-01", "INT-02", "INT-03", "INT-07", "INT-09")
def test_it_is_set_up_by_its_client_and_undone_when_that_closes() -> None:
    shop = Shop()
    client = client_with(shop)
    assert shop.calls == ["setup", "after_all_setup"]
    assert client.get_integration(Shop) is client.get_integration("shop") is shop
    client.close()
    assert shop.calls == ["setup", "after_all_setup", "close"]


@pytest.mark.spec("INT-05", "INT-06")
def test_what_is_to_be_done_once_in_a_process_is_done_once() -> None:
    class Once(Shop):
        identifier = "once"
        count = 0

        @staticmethod
        def setup_once() -> None:
            Once.count += 1

    client_with(Once())
    client_with(Once())
    assert Once.count == 1


@pytest.mark.spec("PAIN-34")
@pytest.mark.parametrize("version", ["2.0", "10.1.dev3", "unknown"])
def test_one_for_a_library_is_set_up_once_the_program_has_imported_that(library, version: str) -> None:
    library(f"__version__ = {version!r}\n")
    shop = LateShop()
    client = client_with(shop)
    assert shop.calls == []
    assert client.get_integration(LateShop) is None
    assert "shop_library" not in sys.modules
    importlib.import_module("shop_library")
    assert shop.calls == ["setup", "after_all_setup"]
    assert client.get_integration(LateShop) is shop


@pytest.mark.spec("FW-common-06")
def test_an_older_library_is_left_alone_and_debug_mode_says_so(library, capsys) -> None:
    library("__version__ = '1.9'\n")
    shop = LateShop()
    client_with(shop, debug=True)
    importlib.import_module("shop_library")
    assert shop.calls == []
    assert "it takes shop_library 2, and this is 1.9" in capsys.readouterr().err


def test_one_that_says_that_it_cannot_work_is_left_out_without_a_warning(caplog, capsys) -> None:
    class Refusing(Shop):
        identifier = "refusing"

        def setup(self, client: Any) -> None:
            raise DidNotEnable("no shop here")

    client = client_with(Refusing(), debug=True)
    assert client.get_integration("refusing") is None
    assert "no shop here" in capsys.readouterr().err
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_closing_ends_the_waiting(library) -> None:
    library("")
    shop = LateShop()
    client_with(shop).close()
    importlib.import_module("shop_library")
    assert "setup" not in shop.calls


@pytest.mark.spec("INT-15", "INT-16", "FW-common-02", "FW-common-04", "FW-common-05")
@pytest.mark.parametrize(
    ("options", "there", "absent"),
    [
        ({}, {"atexit", "excepthook", "threading"}, set()),
        ({"default_integrations": False}, set(), {"atexit", "excepthook", "threading", "logging"}),
        ({"disabled_integrations": [Shop]}, {"excepthook"}, {"shop"}),
        ({"disabled_integrations": [Shop()]}, {"excepthook"}, {"shop"}),
    ],
)
def test_options_say_which_there_are(options: dict[str, Any], there: set[str], absent: set[str]) -> None:
    found = set(client_with(Shop(), **options).integrations)
    assert there <= found
    assert not absent & found


@pytest.mark.spec("INT-10", "INT-11", "INT-12")
def test_events_pass_through_the_integrations_before_any_event_processor() -> None:
    class Changing(Shop):
        identifier = "changing"

        def preprocess_event(self, event: Any, hint: Any, client: Any) -> None:
            event["tags"] = {"order": "preprocess"}

        def process_event(self, event: Any, hint: Any, client: Any) -> Any:
            event["tags"]["order"] += " process"
            return event

    def scope_processor(event: Any, hint: Any) -> Any:
        event["tags"]["order"] += " scope"
        return event

    client_with(Changing())
    vedette.get_isolation_scope().add_event_processor(scope_processor)
    with capture_events() as events:
        vedette.capture_message("changed")
    assert events[0]["tags"]["order"] == "preprocess process scope"


@pytest.mark.spec("INT-13")
def test_an_integration_can_drop_an_event_and_that_is_counted() -> None:
    class Dropping(Shop):
        identifier = "dropping"

        def process_event(self, event: Any, hint: Any, client: Any) -> Any:
            return None

    client = client_with(Dropping())
    assert vedette.capture_message("dropped") is None
    assert client.stats().dropped["error"] == {"event_processor": 1}


def test_one_that_raises_lets_the_event_go_on() -> None:
    class Raising(Shop):
        identifier = "raising"

        def preprocess_event(self, event: Any, hint: Any, client: Any) -> None:
            raise ValueError("mine")

        def process_event(self, event: Any, hint: Any, client: Any) -> Any:
            raise ValueError("mine")

    client_with(Raising())
    with capture_events() as events:
        vedette.capture_message("goes on")
    assert len(events) == 1


class Basket:
    def pay(self, price: int, *, tip: int = 0) -> int:
        """Pay."""
        return price + tip

    @staticmethod
    def price(of: str) -> str:
        return of

    @classmethod
    def empty(cls) -> str:
        return cls.__name__


class BigBasket(Basket):
    pass


def doubling(previous: Any) -> Any:
    @look_like(previous)
    def ours(*args: Any, **kwargs: Any) -> Any:
        return previous(*args, **kwargs) * 2

    return ours


@pytest.mark.spec("PAIN-33")
@pytest.mark.parametrize(
    ("owner", "name", "args", "expected"),
    [
        (Basket, "pay", (1,), 2),
        (Basket, "price", ("x",), "xx"),
        (Basket, "empty", (), "BasketBasket"),
        (BigBasket, "pay", (1,), 2),
    ],
)
def test_a_patch_is_put_in_once_and_leaves_the_very_object_that_was_there(
    owner: Any, name: str, args: Any, expected: Any
) -> None:
    before = owner.__dict__.get(name)
    first, second = Shop(), Shop()
    put_in(first, owner, name, doubling)
    put_in(second, owner, name, doubling)
    assert getattr(owner(), name)(*args) == expected
    take_out(first)
    assert getattr(owner(), name)(*args) == expected
    take_out(second)
    assert owner.__dict__.get(name) is before


@pytest.mark.spec("PAIN-33")
def test_what_another_library_put_on_top_stays_there(monkeypatch) -> None:
    shop = Shop()
    put_in(shop, Basket, "pay", doubling)
    ours = Basket.pay
    theirs = lambda self, price: ours(self, price) + 1  # noqa: E731
    monkeypatch.setattr(Basket, "pay", theirs)
    take_out(shop)
    assert Basket.pay is theirs
    assert Basket().pay(1) == 3


@pytest.mark.spec("EVT-60")
def test_the_work_of_a_scope_describes_the_events_captured_in_it() -> None:
    class Request:
        def describe(self, event: dict[str, Any], client: Any) -> None:
            event.setdefault("request", {"url": "http://localhost/pay", "method": "post"})
            event.setdefault("transaction", "pay")

    client_with()
    with capture_events() as events:
        with vedette.isolation_scope() as scope:
            scope.work = Request()
            vedette.capture_message("inside")
        vedette.capture_message("outside")
    inside, outside = events
    assert inside["request"] == {"url": "http://localhost/pay", "method": "POST"}
    assert inside["transaction"] == "pay"
    assert "request" not in outside
