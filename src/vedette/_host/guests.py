"""The border to foreign code: hooks, event processors, integrations, a user's transport (ruling 4).

``ask`` is the way to call what somebody else wrote where its failure must stay its own. ``call`` only names what
runs, for those who decide about a failure themselves.
"""

from __future__ import annotations

from vedette._enumeration import Enum
from vedette._host import log
from vedette._host.inside import call, inside, is_control_flow, is_inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    T = TypeVar("T")

__all__ = [
    "FAILED",
    "Failed",
    "ask",
    "ask_own",
    "call",
    "complain",
    "inside",
    "is_async",
    "is_control_flow",
    "is_inside",
]


class Failed(Enum):
    """What a guest answers who has raised."""

    FAILED = "failed"


FAILED: Final = Failed.FAILED
_ORDINARY: Final = frozenset({dict, bool, float, int, str, type(None)})
_ASYNC_FLAGS: Final = 0x80 | 0x200  # CO_COROUTINE, CO_ASYNC_GENERATOR
# What C calls in their place: of a functools.partial, of a method of anything but a function, of a functools.cache.
_WRAPPED: Final = ("func", "__func__", "__wrapped__")
_MOST_WRAPPERS: Final = 100


def ask(name: str, func: Callable[..., T], *args: Any, so: str = "") -> T | Failed:
    """Run foreign code under its name: its answer, or FAILED if it raised.

    A coroutine that comes back is closed and a failure, too, for it would never run (ruling 5, HOOK-40). A failure
    is warned of once for each callback, with the traceback, and from then on told in debug mode (HOOK-42). ``so``
    says what follows from it. What steers the program goes through (``is_control_flow``).
    """
    try:
        answer = call(name, func, *args)
        if type(answer) not in _ORDINARY:
            call(name, _refuse_coroutine, answer)
    except BaseException as error:
        if is_control_flow(error):
            raise
        complain(name, func, f"raised; {so}" if so else "raised", exc_info=True)
        return FAILED
    return answer


def ask_own(name: str, func: Callable[..., T], *args: Any, so: str = "") -> T | Failed:
    """The same for what is no guest: what captures while it runs, for it interrupts it, is no recursion (ruling 4a)."""
    try:
        return func(*args)
    except BaseException as error:
        if is_control_flow(error):
            raise
        complain(name, func, f"raised; {so}" if so else "raised", exc_info=True)
        return FAILED


def complain(name: str, func: object, what: str, *, exc_info: bool = False) -> None:
    """Say what a guest has done wrong: aloud the first time for each callback, then in debug mode (ruling 4)."""
    try:
        path, place = call(name, _path_of, func), call(name, _place_of, func)
        said = f"{name} ({path}) {what}"
        log.warn_once(f"{said} {place}", "%s", said, exc_info=exc_info)
    except Exception as error:  # a guest whose name is a property that raises, or no room left on the stack
        if is_control_flow(error):
            raise


def is_async(func: object) -> bool:
    """Whether calling this makes a coroutine or an async generator, as far as can be told without calling it."""
    inner: Any = func
    for _ in range(_MOST_WRAPPERS):
        if inner is None or _is_class(inner):
            return False
        codes = [code for code in map(_code_of, (inner, _call_of(inner))) if code is not None]
        if codes:  # Python code decides for itself what becomes of what it calls
            return any(code.co_flags & _ASYNC_FLAGS for code in codes)
        inner = next((getattr(inner, name) for name in _WRAPPED if hasattr(inner, name)), None)
    return False


def _is_class(value: object) -> bool:
    return issubclass(type(value), type)


def _code_of(value: object) -> Any:
    return getattr(value, "__code__", None)


def _call_of(value: object) -> object:
    return getattr(type(value), "__call__", None)  # noqa: B004 - its code is wanted, not whether there is one


def _refuse_coroutine(answer: object) -> None:
    kind = type(answer)
    close: Any = getattr(kind, "close", None)
    if close is not None and hasattr(kind, "__await__"):
        close(answer)  # so that Python does not warn that it was never awaited
        message = f"it returned a {kind.__qualname__}, which nobody will wait for: hooks are plain functions"
        raise TypeError(message)


def _place_of(func: object) -> str:
    """Where it is written, for many a lambda has the same name."""
    code = getattr(func, "__code__", None)
    return "" if code is None else f"{code.co_filename}:{code.co_firstlineno}"


def _path_of(func: object) -> str:
    """Which function that is: ``shop.errors.redact``; of an object that can be called, its class."""
    named: Any = func if hasattr(func, "__qualname__") else type(func)
    return f"{named.__module__}.{named.__qualname__}"
