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
from vedette.integrations import Integration
from vedette.integrations._uncaught import HookSlot, look_like, report
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

    def setup(self, client: BaseClient) -> None:
        """Put the hooks in; which client decides and captures is looked up when a thread starts or ends."""
        _excepthook.put_in(self)
        if self.propagate_scope:
            _start.put_in(self)
            _look_for_pools()

    def close(self) -> None:
        """Take the hooks out."""
        _excepthook.take_out(self)
        _start.take_out(self)
        if _submit is not None:
            _submit.take_out(self)


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
        if _submit is None:
            _look_for_pools()
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


def _look_for_pools() -> None:
    """Take over ``ThreadPoolExecutor.submit`` as soon as there is one.

    The first task of the first pool may start a thread before we know of pools. It runs on that thread, which then
    has its scopes.
    """
    global _submit  # noqa: PLW0603 - one slot a process
    module = sys.modules.get(_POOLS)
    executor = getattr(module, "ThreadPoolExecutor", None)
    if executor is None:
        return
    if _submit is None:
        _submit = HookSlot(executor, "submit", _make_submit)
    for user in _start.users():
        _submit.put_in(user)


_for_a_pool: ContextVar[bool] = ContextVar("vedette_thread_for_a_pool", default=False)
_excepthook = HookSlot(threading, "excepthook", _make_hook)
_start = HookSlot(threading.Thread, "start", _make_start)
_submit: HookSlot | None = None
