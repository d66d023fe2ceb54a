"""The second sentence vedette is held to: capturing runs none of your code."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import pytest

import vedette
from vedette.testing import MemoryTransport

calls: list[str] = []


def spy(name: str) -> Any:
    def method(*_args: Any, **_kwargs: Any) -> Any:
        calls.append(name)
        raise AssertionError(name)

    return method


class Watched(type):
    """A metaclass that notices everything that is asked of its classes."""

    __hash__ = spy("metaclass __hash__")
    __eq__ = spy("metaclass __eq__")
    __instancecheck__ = spy("metaclass __instancecheck__")
    __subclasscheck__ = spy("metaclass __subclasscheck__")
    __getattribute__ = spy("metaclass __getattribute__")
    __repr__ = spy("metaclass __repr__")


OPERATORS = [
    "__repr__",
    "__str__",
    "__len__",
    "__iter__",
    "__eq__",
    "__hash__",
    "__bool__",
    "__format__",
    "__getattribute__",
    "__getattr__",
    "__contains__",
    "__getitem__",
    "__int__",
    "__float__",
    "__index__",
    "__call__",
    "__lt__",
    "__bytes__",
    "__fspath__",
    "__reduce_ex__",
    "__dir__",
    "__sizeof__",
]
BODY = {name: spy(name) for name in OPERATORS} | {
    "__class__": property(spy("__class__")),
    "value": property(spy("value")),
}
BODY["__dict__"] = property(spy("__dict__"))


def watched(name: str, *bases: type) -> Any:
    """An instance of a class that notices everything that is asked of it."""
    allowed = {key: value for key, value in BODY.items() if not (bases and key == "__dict__")}
    cls = type.__new__(Watched, name, bases, dict(allowed))
    base = bases[0] if bases else object
    return base.__new__(cls)


@pytest.mark.spec("PAIN-06")
def test_a_whole_capture_asks_nothing_of_any_value_that_it_meets() -> None:
    transport = MemoryTransport()
    vedette.init("https://key@errors.example.org/7", transport=transport, attach_stacktrace=True)
    plain, as_dict, as_list = watched("Plain"), watched("Mapping", dict), watched("Sequence", list)
    as_str, as_int, as_float = watched("Text", str), watched("Whole", int), watched("Real", float)
    as_set, as_tuple, as_bytes = watched("Set", set), watched("Tuple", tuple), watched("Bytes", bytes)
    everything = [plain, as_dict, as_list, as_str, as_int, as_float, as_set, as_tuple, as_bytes]
    calls.clear()

    def fail(argument: Any, *more: Any, **named: Any) -> None:
        held = {"inside": argument, "all": everything}  # noqa: F841 - to be met in the frame
        error = ValueError("no", plain, as_str)
        error.args = ("no", plain)
        raise error

    vedette.add_breadcrumb(category="shop", message="order", data={"order": plain, "all": everything})
    vedette.set_context("order", {"value": plain, "all": everything})
    vedette.set_extra("order", as_dict)
    vedette.set_tag("order", plain)
    vedette.set_user({"id": 7, "profile": plain})
    try:
        fail(plain, *everything, named=as_list)
    except ValueError as error:
        vedette.capture_exception(error, extras={"value": as_set}, tags={"tag": as_int})
    vedette.capture_message("hello", contexts={"order": {"value": as_tuple}})
    vedette.capture_event({"extra": {"value": as_bytes}, "tags": {"tag": as_float}})
    vedette.flush(5)

    assert calls == []
    assert len(transport.events) == 3
    variables = transport.events[0]["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"]
    assert "Plain" in variables["argument"]
    assert set(variables) >= {"argument", "more", "named", "held", "error"}


class Chatty(Exception):
    """With a ``__str__`` of its own: the one thing that may run."""

    def __str__(self) -> str:
        calls.append("str")
        vedette.capture_message("from inside str()")
        return "said by __str__"


class Raising(Exception):
    """With a ``__str__`` that fails."""

    def __str__(self) -> str:
        message = "no"
        raise RuntimeError(message)


def test_an_exceptions_own_str_is_called_once_and_guarded() -> None:
    transport = MemoryTransport()
    vedette.init("https://key@errors.example.org/7", transport=transport)
    calls.clear()
    vedette.capture_exception(Chatty())
    vedette.capture_exception(Raising())
    assert calls == ["str"]
    values = [event["exception"]["values"][0] for event in transport.events]
    assert values[0]["value"] == "said by __str__"
    assert values[1]["type"] == "Raising"
    assert len(values) == 2  # and none from inside


@pytest.mark.spec("PAIN-01")
def test_nothing_of_the_host_is_kept_after_a_capture() -> None:
    class Thing:
        pass

    vedette.init("https://key@errors.example.org/7", transport=MemoryTransport())
    gone: list[weakref.ref[Any]] = []

    def work() -> None:
        thing = Thing()
        gone.append(weakref.ref(thing))
        vedette.add_breadcrumb(message="thing", data={"thing": thing})
        vedette.set_context("thing", {"thing": thing})
        vedette.set_extra("thing", thing)
        error = Chatty(thing)
        gone.append(weakref.ref(error))
        try:
            raise error
        except Chatty as caught:
            vedette.capture_exception(caught)

    for _ in range(50):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        work()
    gc.collect()
    assert [ref() for ref in gone if ref() is not None] == []
