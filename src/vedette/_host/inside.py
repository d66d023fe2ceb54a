"""Whether code that is not vedette's is running at vedette's call, and which exceptions are the host's own.

Guarantees
- While foreign code runs, ``inside()`` names it, in this context only: a capture made from there is
  dropped and counted instead of recursing (ruling 4a, PAIN-25).
- A signal handler or ``__del__`` that interrupts vedette's own code is not "inside": it may capture.
- A task or thread that a guest started, with a copy of its context, is "inside" for as long as the guest runs.

Relies on: a ContextVar being separate for each thread and task.
"""

from __future__ import annotations

import sys
from _contextvars import ContextVar  # `contextvars` is one more module to load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, TypeVar

    T = TypeVar("T")


class _Visit:
    """One call of a guest. Contexts that were copied from it may hold it for ever: the flag is what counts."""

    __slots__ = ("is_running", "name", "outer")

    def __init__(self, name: str, outer: _Visit | None) -> None:
        self.name = name
        self.outer = outer  # what a guest calls may lead to another one
        self.is_running = False


_innermost: ContextVar[_Visit | None] = ContextVar("vedette_inside_guest", default=None)

# Exceptions that steer a program instead of reporting a fault; by name, so that nothing is imported.
_CONTROL_FLOW = frozenset(
    {
        ("builtins", "KeyboardInterrupt"),
        ("builtins", "GeneratorExit"),
        ("asyncio.exceptions", "CancelledError"),
        ("trio", "Cancelled"),
        ("greenlet", "GreenletExit"),
        ("gevent.timeout", "Timeout"),
        ("_pytest.outcomes", "OutcomeException"),
        ("_pytest.outcomes", "Exit"),
    }
)
_mro = type.__dict__["__mro__"].__get__
_module_in = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__name__"].__get__


def call(name: str, func: Callable[..., T], *args: Any) -> T:
    """Run foreign code under its name. What it raises goes through to the caller, who owns the outcome."""
    visit = _Visit(name, _running(_innermost.get()))
    token = _innermost.set(visit)
    try:
        visit.is_running = True  # not before: what a signal handler raises above must not leave it set
        return func(*args)
    finally:
        visit.is_running = False
        _innermost.reset(token)


def inside() -> str | None:
    """The name of the foreign code that is running in this context, if any: the innermost."""
    visit = _innermost.get()
    if visit is None:
        return None
    visit = _running(visit)
    return None if visit is None else visit.name


def is_inside(name: str) -> bool:
    """Whether foreign code of this name is running in this context, at any depth."""
    visit = _running(_innermost.get())
    while visit is not None and visit.name != name:
        visit = _running(visit.outer)
    return visit is not None


def _running(visit: _Visit | None) -> _Visit | None:
    while visit is not None and not visit.is_running:
        visit = visit.outer
    return visit


def is_control_flow(exc: BaseException) -> bool:
    """Whether the border must let this through to the host (ruling 4, PAIN-21).

    True for Ctrl-C, cancellation, generator exit, gevent's and pytest's own, and for whatever a signal
    handler raised, such as the SystemExit of a SIGTERM handler. A callback's own ``sys.exit()`` is not.
    """
    if type(exc) is RecursionError:
        return False  # there may be no room to look further
    for cls in _mro(type(exc)):
        if (_module_in(cls), _name_of(cls)) in _CONTROL_FLOW:
            return True
    return _raised_by_signal_handler(exc)


def _raised_by_signal_handler(exc: BaseException) -> bool:
    signal = sys.modules.get("_signal")  # of which `signal` is a slow wrapper
    traceback = exc.__traceback__
    if signal is None or traceback is None:
        return False
    codes = _handler_codes(signal)
    while traceback is not None and codes:
        if any(traceback.tb_frame.f_code is code for code in codes):
            return True
        traceback = traceback.tb_next
    return False


def _handler_codes(signal: Any) -> list[CodeType]:
    codes = (_code_of(signal.getsignal(number)) for number in range(1, signal.NSIG))
    return [code for code in codes if code is not None]


def _code_of(handler: Any) -> CodeType | None:
    """The code of a function or method, of the function in a ``functools.partial``, of an object's ``__call__``."""
    if not callable(handler):
        return None
    for function in (handler, getattr(handler, "func", None), getattr(type(handler), "__call__", None)):  # noqa: B004 - its code is wanted
        code: CodeType | None = getattr(function, "__code__", None)
        if code is not None:
            return code
    return None
