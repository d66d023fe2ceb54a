"""Threads: what ends them, by ``threading.excepthook`` (ERR-01, ERR-03), and whose data their events get (ruling 31).

A thread starts with a fork of the scopes of the one that starts it. A daemon thread outlives the request that it was
started in, and gets the global scope's data only. A task of a ``ThreadPoolExecutor`` has the scopes of whoever
submitted it, and with them what builds on such pools: ``asyncio.to_thread``, ``loop.run_in_executor``.

Guarantees
- What stands between the program and its functions is marked (``__tracebackhide__``) and not in the frames of events.
- Nothing is kept alive: a thread lets go of what was put on it when it runs, a task of an executor when it ends.
- Scopes are handed over, the program's own context variables are not: code that relies on a thread having none of
  them, such as a database connection for each thread, goes on as without vedette.
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar

from vedette.api import get_client, get_current_scope, get_isolation_scope
from vedette.integrations import Integration, when_imported
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._uncaught import report
from vedette.scope import Scope, use_isolation_scope, use_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._scopes.client import BaseClient

__all__ = ["ThreadingIntegration"]

_POOLS = "concurrent.futures.thread"  # not imported for its own sake: it takes `logging` with it, 10 ms


class ThreadingIntegration(Integration):
    """Captures what ends a thread; hands scopes to new threads and to the tasks of executors.

    ``propagate_scope=False`` leaves it at the first. ``propagate_hub`` is its deprecated name.
    """

    identifier = "threading"

    def __init__(self, propagate_hub: bool | None = None, propagate_scope: bool = True) -> None:  # noqa: FBT001, FBT002 - the unified API's signature
        if propagate_hub is not None:
            message = "ThreadingIntegration: propagate_hub is deprecated, use propagate_scope"
            import warnings  # noqa: PLC0415 - for this only

            warnings.warn(message, DeprecationWarning, stacklevel=2)
            propagate_scope = propagate_hub
        self.propagate_scope = propagate_scope
        self._stop_waiting: Callable[[], None] = _nothing

    def setup(self, client: BaseClient) -> None:
        """Put the hooks in; which client decides and captures is looked up when a thread starts or ends."""
        put_in(self, threading, "excepthook", _make_hook)
        if self.propagate_scope:
            put_in(self, threading.Thread, "start", _make_start)
            self._stop_waiting = when_imported(_POOLS, self._take_over_pools)

    def close(self) -> None:
        """Take the hooks out."""
        self._stop_waiting()
        take_out(self)

    def _take_over_pools(self) -> None:
        put_in(self, sys.modules[_POOLS].ThreadPoolExecutor, "submit", _make_submit)


# --- what ends a thread ------------------------------------------------------------------------------------


def _make_hook(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(args: threading.ExceptHookArgs, /) -> None:
        if args.exc_value is not None:
            report(args.exc_value, ThreadingIntegration, "auto.python.threading")
        previous(args)

    return excepthook


# --- whose data its events get -----------------------------------------------------------------------------


def _integration() -> ThreadingIntegration | None:
    """That of the client in charge, if it hands scopes over."""
    found: ThreadingIntegration | None = get_client().get_integration(ThreadingIntegration)
    return found if found is not None and found.propagate_scope else None


def _make_start(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def start(self: threading.Thread) -> Any:
        __tracebackhide__ = True
        if _integration() is None:
            return previous(self)
        is_for_a_pool = _for_a_pool.get()
        if is_for_a_pool:
            _for_a_pool.set(False)  # where threads inherit the context, it must not stay with this one
        is_alone = self.daemon or is_for_a_pool
        scopes = None if is_alone else (get_isolation_scope().fork(), get_current_scope().fork())
        if scopes is None and not getattr(sys.flags, "thread_inherit_context", False):
            return previous(self)  # it starts in a context without scopes
        own = self.__dict__.get("run")
        run = self.run

        def run_in_scopes() -> None:
            __tracebackhide__ = True
            _run(self, run, own, scopes)

        self.run = run_in_scopes  # type: ignore[method-assign]
        try:
            return previous(self)
        except BaseException:
            _put_back_run(self, own)  # it was started before, or there is no room for it
            raise

    return start


def _run(
    thread: threading.Thread,
    run: Callable[[], None],
    own: Callable[[], None] | None,
    scopes: tuple[Scope, Scope] | None,
) -> None:
    __tracebackhide__ = True
    _put_back_run(thread, own)
    isolation, current = (Scope(), Scope()) if scopes is None else scopes
    del scopes
    Scope.set_isolation_scope(isolation)  # to stay: `threading.excepthook` is called after `run`
    Scope.set_current_scope(current)
    run()


def _put_back_run(thread: threading.Thread, own: Callable[[], None] | None) -> None:
    if own is None:
        thread.__dict__.pop("run", None)
    else:
        thread.run = own  # type: ignore[method-assign]


def _make_submit(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def submit(self: object, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if _integration() is None or _runs_elsewhere(type(self)):
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


def _nothing() -> None:
    """Undoes what was never done."""


_for_a_pool: ContextVar[bool] = ContextVar("vedette_thread_for_a_pool", default=False)
