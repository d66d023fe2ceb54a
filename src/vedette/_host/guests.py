"""The border to foreign code: hooks, event processors, ``custom_repr``, ``str(exception)``, a user's transport.

Guarantees
- While foreign code runs, ``inside()`` names it, in this context only: a capture made from there is
  dropped and counted instead of recursing (ruling 4a, PAIN-25).
- A signal handler or ``__del__`` that interrupts vedette's own code is not "inside": it may capture.

Relies on: a ContextVar being separate for each thread and task.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any, TypeVar

    T = TypeVar("T")

_inside: ContextVar[str | None] = ContextVar("vedette_inside_guest", default=None)

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
    token = _inside.set(name)
    try:
        return func(*args)
    finally:
        _inside.reset(token)


def inside() -> str | None:
    """The name of the foreign code that is running in this context, if any."""
    return _inside.get()


def is_control_flow(exc: BaseException) -> bool:
    """Whether the border must let this through to the host (ruling 4, PAIN-21).

    True for Ctrl-C, cancellation, generator exit, gevent's and pytest's own, and for whatever a signal
    handler raised, such as the SystemExit of a SIGTERM handler. A callback's own ``sys.exit()`` is not.
    """
    for cls in _mro(type(exc)):
        if (_module_in(cls), _name_of(cls)) in _CONTROL_FLOW:
            return True
    return _raised_by_signal_handler(exc)


def _raised_by_signal_handler(exc: BaseException) -> bool:
    signal = sys.modules.get("signal")
    if signal is None:
        return False
    codes = _handler_codes(signal)
    traceback = exc.__traceback__
    while traceback is not None and codes:
        if any(traceback.tb_frame.f_code is code for code in codes):
            return True
        traceback = traceback.tb_next
    return False


def _handler_codes(signal: Any) -> list[CodeType]:
    codes: list[CodeType] = []
    for number in signal.valid_signals():
        handler: object = signal.getsignal(number)
        function = getattr(handler, "__func__", handler)  # a bound method's function
        code = getattr(function, "__code__", None)
        if code is not None:
            codes.append(code)
    return codes
