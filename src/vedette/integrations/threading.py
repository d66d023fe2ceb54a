"""Threads: what ends them, by ``threading.excepthook`` (ERR-01, ERR-03), and whose data their events get (ruling 31).

A thread starts with a fork of the scopes of the one that starts it. A daemon thread outlives the request that it was
started in, and gets the global scope's data only. A task of a ``ThreadPoolExecutor`` has the scopes of whoever
submitted it (`_executors.py`), and with it has what builds on such pools: ``asyncio.to_thread`` and
``loop.run_in_executor``.

Guarantees
- What stands between the program and its functions is marked (``__tracebackhide__``) and not in the frames of events.
- Nothing is kept alive: a thread lets go of what was put on it when it runs.
- Scopes are handed over, the program's own context variables are not: code that relies on a thread having none of
  them, such as a database connection for each thread, goes on as without vedette.
"""

from __future__ import annotations

import sys
import threading

from vedette.api import get_current_scope, get_isolation_scope
from vedette.integrations import Integration
from vedette.integrations._executors import hands_over, is_starting_for_a_pool, when_there_are_executors
from vedette.integrations._interpreter import report
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._scopes.client import BaseClient

__all__ = ["ThreadingIntegration"]


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
        self._undos: tuple[Callable[[], None], ...] = ()

    def setup(self, client: BaseClient) -> None:
        """Put the hooks in; which client decides and captures is looked up when a thread starts or ends."""
        put_in(self, threading, "excepthook", _make_hook)
        if self.propagate_scope:
            put_in(self, threading.Thread, "start", _make_start)
            self._undos = when_there_are_executors(self)

    def close(self) -> None:
        """Take the hooks out."""
        for stop_waiting in self._undos:
            stop_waiting()
        take_out(self)


# --- what ends a thread ------------------------------------------------------------------------------------


def _make_hook(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(args: threading.ExceptHookArgs, /) -> None:
        if args.exc_value is not None:
            report(args.exc_value, ThreadingIntegration, "auto.python.threading")
        previous(args)

    return excepthook


# --- whose data its events get -----------------------------------------------------------------------------


def _make_start(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def start(self: threading.Thread) -> Any:
        __tracebackhide__ = True
        if not hands_over():
            return previous(self)
        is_alone = is_starting_for_a_pool() or self.daemon or _serves_a_pool(type(self))
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


def _serves_a_pool(kind: type) -> bool:
    """Whether it calls back for the tasks of a process pool, whoever submitted them."""
    return kind.__module__ == "concurrent.futures.process"
