"""`vedette.values`: the program's own renderers for its classes, and the renderer for its own use."""

from __future__ import annotations

import collections
import gc
import sys
import threading
import types
import weakref
from typing import Any

import pytest

import vedette
from vedette import values
from vedette._host import guests
from vedette.testing import MemoryTransport

HERE = __name__


class Money:
    def __init__(self, amount: int) -> None:
        self.amount = amount


class Tip(Money):
    pass


class Basket(dict):
    pass


class Other:
    pass


@pytest.fixture(autouse=True)
def _nothing_stays_registered() -> Any:
    yield
    for kind in (Money, Tip, Basket, Other, f"{HERE}.Money", f"{HERE}.Tip", f"{HERE}.Later", "decimal.Decimal"):
        values.unregister(kind)


@pytest.fixture
def client() -> Any:
    made: list[vedette.Client] = []

    def make(**options: Any) -> tuple[vedette.Client, MemoryTransport]:
        transport = MemoryTransport()
        client = vedette.Client("http://public@localhost/1", transport=transport, default_integrations=False, **options)
        made.append(client)
        vedette.get_global_scope().set_client(client)
        return client, transport

    yield make
    vedette.get_global_scope().set_client(None)
    for each in made:
        each.close(timeout=1)


def show(money: Money) -> str:
    return f"{money.amount} EUR"


@pytest.mark.parametrize("kind", [Money, f"{HERE}.Money"], ids=["class", "name"])
def test_a_registered_function_shows_a_class_and_those_derived_from_it(kind: Any):
    before = values.render(Money(5))

    values.register(kind, show)

    assert values.render([Money(5), Tip(1)]) == "[5 EUR, 1 EUR]"
    assert values.to_json({"m": Money(5), "l": [Tip(1)]}) == {"m": "5 EUR", "l": ["1 EUR"]}
    values.unregister(kind)
    assert values.render(Money(5)) == before == f"<{HERE}.Money amount=5>"


def test_the_nearest_class_decides_and_registering_again_replaces():
    values.register(Money, show)
    values.register(Tip, lambda tip: f"tip of {tip.amount}")
    assert values.render([Money(5), Tip(1)]) == "[5 EUR, tip of 1]"

    values.register(Tip, lambda _: None)
    assert values.render(Tip(1)) == f"<{HERE}.Tip amount=1>"

    values.unregister(Tip)
    assert values.render(Tip(1)) == "1 EUR"


def test_a_name_may_be_registered_before_its_class_exists():
    values.register(f"{HERE}.Later", lambda _: "late")

    later = type("Later", (), {"__module__": HERE})

    assert values.render(later()) == "late"


def test_registering_by_name_imports_nothing():
    sys.modules.pop("this", None)

    values.register("this.Zen", lambda _: "")

    values.unregister("this.Zen")
    assert "this" not in sys.modules


def test_types_that_vedette_knows_can_be_registered_but_built_ins_cannot():
    values.register("decimal.Decimal", lambda number: f"about {int(number)}")
    values.register(Basket, lambda basket: f"basket of {len(basket)}")
    import decimal  # noqa: PLC0415 - after its name was registered

    assert values.render([decimal.Decimal("1.5"), Basket(a=1)]) == "[about 1, basket of 1]"
    assert values.to_json(Basket(a=1)) == "basket of 1"
    for built_in in (
        int,
        str,
        dict,
        list,
        set,
        object,
        type(None),
        types.FunctionType,
        "builtins.dict",
        "types.ModuleType",
    ):
        with pytest.raises(ValueError, match="cannot be registered"):
            values.register(built_in, str)


def test_an_async_function_is_refused():
    async def show_later(value: object) -> str:
        return ""

    with pytest.raises(TypeError, match="must be a plain function, not an async one"):
        values.register(Money, show_later)


def test_what_cannot_be_meant_raises_at_once():
    with pytest.raises(TypeError, match="a class or its dotted name, not an instance of int"):
        values.register(5, show)
    with pytest.raises(TypeError, match="must be a function"):
        values.register(Money, "text")
    for name in ("Money", "", "shop..Money", "shop.", "shop.my money"):
        with pytest.raises(ValueError, match="is not the dotted name of a class"):
            values.register(name, show)


def test_one_that_raises_or_answers_with_nonsense_is_passed_over_and_named_once(caplog: pytest.LogCaptureFixture):
    def broken(_money: Money) -> str:
        raise SystemExit("no")

    values.register(Money, broken)
    texts = [values.render(Money(5)), values.to_json([Money(5)])[0]]
    values.register(Money, lambda _: 5)
    texts.append(values.render(Money(5)))

    assert texts == [f"<{HERE}.Money amount=5>"] * 3
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [f"the registered renderer of {HERE}.Money raised; the value is rendered without it"]


def test_control_flow_out_of_one_reaches_the_program():
    def interrupted(_money: Money) -> str:
        raise KeyboardInterrupt

    values.register(Money, interrupted)

    for render in (values.render, values.to_json):
        with pytest.raises(KeyboardInterrupt):
            render(Money(5))


def test_one_may_ask_vedette_for_its_own_text_and_add_to_it():
    values.register(Money, lambda money: f"{values.render(money)} in EUR")

    assert values.render([Money(5)]) == f"[<{HERE}.Money amount=5> in EUR]"


@pytest.mark.spec("PAIN-25")
def test_a_capture_from_inside_one_is_dropped_and_counted(client: Any):
    sdk, transport = client()

    def capturing(_money: Money) -> str:
        vedette.capture_message("from inside")
        return guests.inside() or ""

    values.register(Money, capturing)
    amount = Money(5)
    try:
        raise ValueError(amount.amount)
    except ValueError as error:
        vedette.capture_exception(error)
    sdk.flush(timeout=5)

    assert [event["exception"]["values"][0]["type"] for event in transport.events] == ["ValueError"]
    frame = transport.events[0]["exception"]["values"][0]["stacktrace"]["frames"][-1]
    assert frame["vars"]["amount"] == "a registered renderer"


def test_its_text_is_bounded_and_clean():
    values.register(Money, lambda _: "x\ud800" * 10_000)

    text = values.render(Money(5), budget=100)

    assert len(text.encode()) <= 100
    assert text.startswith("x\\ud800x")
    assert text.endswith("…")
    assert len(values.to_json(Money(5))) <= 8192 * 6


def test_it_is_not_shown_what_stands_under_a_deny_listed_name():
    seen: list[Money] = []
    values.register(Money, lambda money: seen.append(money) or "seen")

    assert values.render({"password": Money(1)}) == "{'password': [Filtered]}"
    assert values.to_json({"password": Money(1), "p": ("token", Money(2))}) == {
        "password": "[Filtered]",
        "p": ["token", "[Filtered]"],
    }
    assert seen == []


def test_custom_repr_is_asked_first(client: Any):
    client(custom_repr=lambda value: "custom" if type(value) is Tip else None)
    values.register(Money, show)

    assert values.render([Money(5), Tip(1)]) == "[5 EUR, custom]"
    assert values.to_json([Money(5), Tip(1)]) == ["5 EUR", "custom"]


def test_values_of_other_classes_are_looked_up_once_and_cost_as_many_calls_as_before():
    def calls(value: object) -> int:
        count = 0

        def profile(*_: Any) -> None:
            nonlocal count
            count += 1

        for render in (values.render, values.to_json):
            render(value)
        sys.setprofile(profile)
        try:
            values.render(value)
        finally:
            sys.setprofile(None)
        return count

    others = [Other(), collections.deque([1]), {"a": [1, 2]}, ValueError(1)]
    before = [calls(value) for value in others]

    values.register(Money, show)
    values.register("shop.Absent", show)

    assert [calls(value) for value in others] == before
    values.unregister("shop.Absent")


def test_registering_while_other_threads_render_loses_nothing():
    done = threading.Event()
    problems: list[object] = []

    def rendering() -> None:
        while not done.is_set():
            text = values.render([Money(5), Other()])
            if text not in expected:
                problems.append(text)

    expected = {f"[{money}, <{HERE}.Other>]" for money in ("5 EUR", f"<{HERE}.Money amount=5>")}
    threads = [threading.Thread(target=rendering) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(300):
            values.register(Money, show)
            assert values.render(Money(5)) == "5 EUR"
            values.unregister(Money)
            assert values.render(Money(5)) == f"<{HERE}.Money amount=5>"
    finally:
        done.set()
        for thread in threads:
            thread.join()

    assert problems == []


def test_a_class_that_is_no_longer_registered_is_not_kept_alive():
    class Local:
        pass

    values.register(Local, lambda _: "local")
    assert values.render(Local()) == "local"
    values.unregister(Local)
    gone = weakref.ref(Local)
    del Local
    gc.collect()

    assert gone() is None


@pytest.mark.spec("PAIN-06", "ERR-11")
def test_events_show_registered_values_in_variables_and_extras(client: Any):
    sdk, transport = client()
    values.register(f"{HERE}.Money", show)
    vedette.get_isolation_scope().set_extra("paid", Money(7))
    amount = Money(5)

    try:
        raise ValueError(amount.amount)
    except ValueError as error:
        vedette.capture_exception(error)
    sdk.flush(timeout=5)
    vedette.get_isolation_scope().clear()

    event = transport.events[0]
    assert event["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"]["amount"] == "5 EUR"
    assert event["extra"] == {"paid": "7 EUR"}


def test_the_renderer_takes_the_options_of_the_client_in_charge(client: Any):
    long = "x" * 50
    client(max_value_length=16)

    assert values.render(long) == "'" + "x" * 16 + "…'"
    assert values.to_json(long) == "x" * 15 + "…"
    vedette.get_global_scope().set_client(None)
    assert values.render(long) == repr(long)
    assert values.to_json(long) == long


def test_its_budget_is_kept_in_bytes():
    for budget in (0, 1, 5, 30, 200):
        assert len(values.render({"ž" * 30: ["馬" * 200] * 5}, budget=budget).encode()) <= budget
    assert values.render("x", budget=-1) == ""
