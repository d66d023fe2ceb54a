"""The border to foreign code: what is kept behind it, what goes through, and what is said of it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import signal
import threading
import types
from typing import Any
from unittest import mock

import pytest

from vedette._host import guests
from vedette._host.guests import FAILED, ask


def answer(value: object) -> Any:
    return lambda *_: value


def raising(error: BaseException) -> Any:
    def fail(*_: object) -> Any:
        raise error

    return fail


def records(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(record.levelname, record.getMessage()) for record in caplog.records]


class Handler:
    """What ``signal.signal`` takes besides functions."""

    def __call__(self, *_: object) -> None:
        raise TimeoutError

    def method(self, *_: object) -> None:
        raise TimeoutError


def handle(_kind: str, *_: object) -> None:
    raise TimeoutError


# --- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 5, {}, [1], "text", object, ValueError("returned, not raised")])
def test_an_answer_is_handed_back_as_it_is(value: object) -> None:
    assert ask("a hook", answer(value)) is value


def test_arguments_are_passed_on_and_the_guest_is_named_while_it_runs() -> None:
    def hook(*arguments: int) -> tuple[Any, ...]:
        return arguments, guests.inside()

    assert ask("a hook", hook, 1, 2) == ((1, 2), "a hook")
    assert guests.inside() is None


def test_of_guests_in_guests_the_innermost_is_named_and_all_are_known() -> None:
    def inner() -> tuple[Any, ...]:
        return guests.inside(), guests.is_inside("outer"), guests.is_inside("inner"), guests.is_inside("other")

    assert ask("outer", lambda: ask("inner", inner)) == ("inner", True, True, False)


def test_a_task_that_a_guest_has_started_is_inside_no_longer_than_the_guest_runs() -> None:
    async def main() -> tuple[Any, ...]:
        copied = ask("a hook", contextvars.copy_context)
        assert isinstance(copied, contextvars.Context)
        task = ask("a hook", asyncio.ensure_future, later())
        assert isinstance(task, asyncio.Future)
        return copied.run(guests.inside), copied.run(guests.is_inside, "a hook"), await task

    async def later() -> str | None:
        return guests.inside()

    assert asyncio.run(main()) == (None, False, None)


def test_a_thread_that_a_guest_waits_for_is_inside_with_its_context() -> None:
    def hook() -> list[str | None]:
        seen: list[str | None] = []
        context = contextvars.copy_context()
        thread = threading.Thread(target=lambda: seen.append(context.run(guests.inside)))
        thread.start()
        thread.join()
        return seen

    assert ask("a hook", hook) == ["a hook"]


# --- failures --------------------------------------------------------------------------------------------


@pytest.mark.spec("HOOK-37", "HOOK-39", "HOOK-43")
@pytest.mark.parametrize(
    "error", [ValueError(), SystemExit(1), BaseException(), RecursionError(), MemoryError(), StopIteration()]
)
def test_whatever_a_guest_raises_of_its_own_ends_at_the_border(error: BaseException) -> None:
    assert ask("a hook", raising(error)) is FAILED
    assert guests.inside() is None


@pytest.mark.spec("HOOK-42", "PAIN-24")
def test_a_failure_is_told_once_aloud_with_name_and_traceback_then_in_debug_mode(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "vedette")
    for _ in range(3):
        ask("a hook", raising(ValueError("a bug")), so="the event is dropped")
    said = f"a hook ({__name__}.raising.<locals>.fail) raised; the event is dropped"
    assert records(caplog) == [("WARNING", said), ("DEBUG", said), ("DEBUG", said)]
    assert all("ValueError: a bug" in str(record.exc_text) for record in caplog.records)


def test_each_callback_that_fails_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    def other() -> None:
        raise ValueError

    for hook in (raising(ValueError()), other, Handler()) * 2:
        ask("a hook", hook)
    said = [message for level, message in records(caplog) if level == "WARNING"]
    names = ["raising.<locals>.fail", "test_each_callback_that_fails_is_told_of_once.<locals>.other", "Handler"]
    assert said == [f"a hook ({__name__}.{name}) raised" for name in names]


def test_two_callbacks_of_one_name_are_told_of_each(caplog: pytest.LogCaptureFixture) -> None:
    def first() -> None:
        raise ValueError

    def second() -> None:
        raise ValueError

    caplog.set_level(logging.DEBUG, "vedette")
    second.__qualname__ = first.__qualname__  # as with the lambdas of a module
    for hook in (first, second) * 2:
        ask("a hook", hook)
    assert [level for level, _ in records(caplog)] == ["WARNING", "WARNING", "DEBUG", "DEBUG"]


def test_a_guest_whose_name_cannot_be_told_fails_like_any_other() -> None:
    class Nameless:
        def __getattr__(self, name: str) -> str:
            raise ValueError(name)

        def __call__(self) -> None:
            raise ValueError

    assert ask("a hook", Nameless()) is FAILED


@pytest.mark.spec("HOOK-40")
def test_a_coroutine_that_comes_back_is_closed_and_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def hook() -> None: ...

    assert ask("a hook", hook) is FAILED  # and no "never awaited" warning, which would be an error
    assert "returned a coroutine, which nobody will wait for" in str(caplog.records[0].exc_text)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError()])
def test_what_steers_the_program_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)):
        ask("a hook", raising(error))
    assert guests.inside() is None


@pytest.mark.parametrize(
    "handler", [functools.partial(handle, "partial"), Handler(), Handler().method, lambda *_: handle("lambda")]
)
def test_what_a_signal_handler_of_any_form_raises_goes_through(handler: Any) -> None:
    previous = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(TimeoutError):
            ask("a hook", signal.raise_signal, signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert ask("a hook", raising(TimeoutError())) is FAILED  # its own one does not


# --- async functions -------------------------------------------------------------------------------------


class Async:
    async def __call__(self) -> None: ...

    async def method(self) -> None: ...


async def coroutine() -> None: ...


async def generator() -> Any:
    yield 1


class AsyncPartial(functools.partial):  # type: ignore[type-arg]
    """Derived from it."""


class Runner:
    """Runs what it was given, and is no coroutine function itself."""

    func = staticmethod(coroutine)

    def __call__(self) -> None: ...


class Making:
    """A class: what it makes is no coroutine."""

    async def func(self) -> None: ...


@pytest.mark.parametrize(
    "func",
    [
        coroutine,
        generator,
        Async(),
        Async().method,
        functools.partial(coroutine),
        functools.partial(Async()),
        functools.partial(functools.partial(Async().method)),
        AsyncPartial(functools.partial(coroutine)),
        functools.cache(coroutine),
        types.MethodType(Async(), 1),
        types.MethodType(functools.partial(coroutine), 1),
        mock.AsyncMock(),
    ],
)
def test_functions_that_would_have_to_be_awaited_are_known(func: object) -> None:
    assert guests.is_async(func)


@pytest.mark.parametrize(
    "func",
    [print, len, str, Handler(), Handler().method, functools.partial(print, 1), Runner(), Making, mock.MagicMock()],
)
def test_plain_functions_are_not_taken_for_async_ones(func: object) -> None:
    assert not guests.is_async(func)
