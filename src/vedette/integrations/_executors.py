"""Executors of ``concurrent.futures``: whose data the events of their tasks and callbacks get (ruling 31).

A task has the scopes of whoever submitted it, a callback of a future those of whoever added it. It is a part of
ThreadingIntegration.

Guarantees
- A thread that is started for a task belongs to the pool: it has no scopes of its own (`is_starting_for_a_pool`).
- Nothing is kept alive: a task lets go of its scopes when it ends, a callback when it was called.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar

from vedette.api import get_client, get_current_scope, get_isolation_scope
from vedette.integrations import when_imported
from vedette.integrations._patching import look_like, put_in
from vedette.scope import use_isolation_scope, use_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette.integrations import Integration
    from vedette.scope import Scope

__all__ = ["hands_over", "is_starting_for_a_pool", "when_there_are_executors"]

_TASKS: Final = "concurrent.futures.thread"  # none is imported for its own sake: they take `logging` with them, 10 ms
_CALLBACKS: Final = "concurrent.futures._base"

_for_a_pool: Final[ContextVar[bool]] = ContextVar("vedette_thread_for_a_pool", default=False)


def when_there_are_executors(user: Integration) -> tuple[Callable[[], None], ...]:
    """Have scopes handed over as soon as the program has imported executors; each of the undos stops the waiting."""

    def tasks() -> None:
        put_in(user, sys.modules[_TASKS].ThreadPoolExecutor, "submit", _make_submit)

    def callbacks() -> None:
        put_in(user, sys.modules[_CALLBACKS].Future, "add_done_callback", _make_add_done_callback)

    return when_imported(_TASKS, tasks), when_imported(_CALLBACKS, callbacks)


def hands_over() -> bool:
    """Whether the client in charge wants scopes to be handed over."""
    found = get_client().get_integration("threading")
    return found is not None and found.propagate_scope


def is_starting_for_a_pool() -> bool:
    """Whether the thread that is being started is one of a pool; asked once for each."""
    if not _for_a_pool.get():
        return False
    _for_a_pool.set(False)  # where threads inherit the context, it must not stay with this one
    return True


def _make_submit(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def submit(self: object, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not hands_over() or _runs_elsewhere(type(self)):
            return previous(self, fn, *args, **kwargs)
        token = _for_a_pool.set(True)
        try:
            return previous(self, _work, get_isolation_scope(), get_current_scope(), fn, *args, **kwargs)
        finally:
            _for_a_pool.reset(token)

    return submit


def _work(isolation: Scope, current: Scope, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    __tracebackhide__ = True
    with use_scope(current), use_isolation_scope(isolation):  # the second forks the current one, for this task
        return fn(*args, **kwargs)


def _runs_elsewhere(pool: type) -> bool:
    """Whether tasks go to another interpreter, which takes nothing of this one's."""
    return any(base.__name__ == "InterpreterPoolExecutor" for base in pool.__mro__)


def _make_add_done_callback(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def add_done_callback(self: Any, fn: Callable[[Any], object]) -> Any:
        __tracebackhide__ = True
        return previous(self, _CallbackInScopes(fn) if hands_over() else fn)

    return add_done_callback


class _CallbackInScopes:
    """Called once. Futures never let go of their callbacks; this one lets go of the scopes."""

    __slots__ = ("_fn", "_scopes")

    def __init__(self, fn: Callable[[Any], object]) -> None:
        self._fn = fn
        self._scopes: tuple[Scope, Scope] | None = (get_isolation_scope(), get_current_scope())

    def __call__(self, future: Any) -> None:
        __tracebackhide__ = True
        scopes, self._scopes = self._scopes, None
        if scopes is None:
            self._fn(future)
        else:
            _work(*scopes, self._fn, future)
