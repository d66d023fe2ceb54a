"""What nobody retrieved on an event loop, by ``loop.call_exception_handler`` (FW-asyncio-03).

asyncio and uvloop hand there what no code of the program will ever catch: exceptions of tasks and futures that nobody
asked for, and errors in callbacks, protocols and the closing of async generators. From there they go to the program's
own handler, or to the logger ``asyncio``.

Guarantees
- Nothing is done for a task that ends well, or whose exception somebody gets: task factory, exception handler and
  signal handlers of a loop stay the program's (PAIN-21).
- The program's handler and the logger are called as ever, and after the capture. They run in the scopes of the event:
  what they capture of the same exception is known for a duplicate.
- An event has the scopes of its task or callback, where the loop says which one it was.

Assumes: loops do not override ``call_exception_handler`` without calling it in turn, as asyncio asks of them.
"""

from __future__ import annotations

import gc
import sys
from contextvars import Context

from vedette._host import log
from vedette.api import get_client, get_current_scope, get_isolation_scope
from vedette.integrations import Integration, when_imported
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.scope import use_isolation_scope, use_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._scopes.client import BaseClient
    from vedette.scope import Scope

    Reported = tuple[BaseClient, Scope, Scope]

__all__ = ["AsyncioIntegration", "enable_asyncio_integration", "patch_asyncio"]

_METHOD: Final = "call_exception_handler"
_WHOSE_FAULT: Final = ("task", "future", "handle")  # in the order in which asyncio looks for a context


class AsyncioIntegration(Integration):
    """Captures what nobody retrieved: exceptions of tasks, errors in callbacks, transports and async generators.

    ``task_spans`` is for the time when there are spans; none are made yet.
    """

    identifier = "asyncio"
    library = "asyncio"

    def __init__(self, task_spans: bool = True) -> None:  # noqa: FBT001, FBT002 - the unified API's signature
        self.task_spans = task_spans
        self._stop_waiting: Callable[[], None] | None = None

    def setup(self, client: BaseClient) -> None:
        """Put the patches in; which client captures is looked up when an error comes."""
        put_in(self, sys.modules["asyncio"].BaseEventLoop, _METHOD, _make_handler)
        self._stop_waiting = when_imported("uvloop", self._take_over_uvloop)

    def close(self) -> None:
        """Take the patches out."""
        if self._stop_waiting is not None:
            self._stop_waiting()
        take_out(self)

    def _take_over_uvloop(self) -> None:
        put_in(self, sys.modules["uvloop"].Loop, _METHOD, _make_handler)  # what it inherits is written in C


def enable_asyncio_integration(*args: Any, **kwargs: Any) -> None:
    """Set up ``AsyncioIntegration(*args, **kwargs)`` for the client in charge, if it has none yet.

    Only where the integration was disabled, or the default ones are: otherwise it is set up with asyncio.
    """
    client: Any = get_client()
    if not client.is_active():
        log.debug("enable_asyncio_integration: there is no active client")
    elif client.get_integration(AsyncioIntegration) is None:
        client.integration_set.add(AsyncioIntegration(*args, **kwargs))


def patch_asyncio() -> None:
    """The same, under the name and without the options of earlier times."""
    enable_asyncio_integration()


def _make_handler(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def call_exception_handler(self: Any, context: dict[str, Any]) -> Any:
        __tracebackhide__ = True
        found = _to_report(context)
        if found is None:
            return previous(self, context)
        client, isolation, current = found
        with use_scope(current), use_isolation_scope(isolation):
            client.capture_uncaught(context["exception"], "asyncio")
            return previous(self, context)

    return call_exception_handler


def _to_report(context: dict[str, Any]) -> Reported | None:
    """The client and the scopes for what is handed to a loop's handler; None if it is not for us."""
    try:
        error: Any = context.get("exception")
        if error is None or issubclass(type(error), StopAsyncIteration):  # a generator that has no more is no error
            return None
        own = _context_of(context)
        # In a copy: it may be entered just now, here or in another thread.
        client, isolation, current = _in_charge() if own is None else own.copy().run(_in_charge)
        if client.get_integration(AsyncioIntegration) is None:
            return None
        current = current.fork()
        current.set_context("asyncio", _task_of(context))
    except Exception:  # noqa: BLE001 - the border: whatever a program hands in as a context
        log.debug("the context of an error on an event loop cannot be read", exc_info=True)
        return None
    return client, isolation, current


def _task_of(context: dict[str, Any]) -> dict[str, str]:
    """What events say of the task. It is not the one that is running now, and drops or collects another."""
    task: Any = context.get("task", context.get("future"))
    return {"task": task.get_name()} if type(task) is sys.modules["asyncio"].Task else {}


def _in_charge() -> Reported:
    return get_client(), get_isolation_scope(), get_current_scope()


def _context_of(context: dict[str, Any]) -> Context | None:
    """The context in which the task or the callback ran."""
    for name in _WHOSE_FAULT:
        thing: Any = context.get(name)
        if thing is not None:
            if hasattr(thing, "get_context"):
                found: Any = thing.get_context()
                return found if type(found) is Context else None
            # Tasks before Python 3.12, and uvloop's handles, do not tell; the garbage collector knows.
            contexts = [each for each in gc.get_referents(thing) if type(each) is Context]
            return contexts[0] if len(contexts) == 1 else None
    return None
