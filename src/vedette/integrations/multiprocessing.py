"""What ends the child processes of ``multiprocessing`` (PAIN-19), and of what is built on it: billiard, process pools.

A child prints what ends it and leaves, without ``sys.excepthook``. It runs its finalizers before, while the exception
is being handled: ours looks which one that is. So nothing is patched, and output and exit code stay as they are.
What the child has captured is delivered by a finalizer that runs after this one (``_processing/exits.py``).

An exception that a pool hands back to its parent ends no child, and is raised there by ``result()`` or ``get()``: the
child does not report it.

Children that are forked have the client of their parent. Those that are spawned, or come from a fork server, import the
main module anew, and have one only if that calls ``init`` while it is imported, or by ``child_init``.
"""

from __future__ import annotations

import sys

from vedette._host import guests
from vedette.api import get_client
from vedette.integrations import Integration, when_imported
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._uncaught import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

__all__ = ["MultiprocessingIntegration"]

_UTIL: Final = "multiprocessing.util"
_FIRST: Final = 1000  # finalizers run in falling order; the program's own may send away what holds the exception
_HANDED_OVER: Final = "_vedette_child_init"


class MultiprocessingIntegration(Integration):
    """Captures what ends the child processes of ``multiprocessing`` and of what is built on it.

    ``child_init``: a function, called without arguments in each child that is spawned, or comes from a fork server, and
    has no client of its own. It calls ``init``, and stands at the top level of a module, from where children can
    import it: a TypeError says so at once.
    """

    identifier = "multiprocessing"
    library = "multiprocessing"

    def __init__(self, child_init: Callable[[], object] | None = None) -> None:
        name = getattr(child_init, "__qualname__", "")
        if "<" in name:
            message = (
                f"MultiprocessingIntegration: child_init must be a function that children can import, and {name} is not"
                ": define it at the top level of a module"
            )
            raise TypeError(message)
        self.child_init = child_init
        self._stop_waiting: Callable[[], None] | None = None

    def setup(self, client: BaseClient) -> None:
        """Watch the ends of children; which client captures is looked up when one ends."""
        if self.child_init is not None:
            put_in(self, sys.modules["multiprocessing"].process.BaseProcess, "start", _make_start)
        self._stop_waiting = when_imported(_UTIL, self._watch)  # no child is started without it

    def close(self) -> None:
        """Stop watching."""
        if self._stop_waiting is not None:
            self._stop_waiting()
        _ends.let_go(self)
        take_out(self)

    def _watch(self) -> None:
        _ends.watch_for(self)


# --- what ends a child -------------------------------------------------------------------------------------


class _Ends:
    """Watches the end of this process, and of the children that it will have, while a client wants it.

    In a process that ``multiprocessing`` did not start there is nothing being handled when finalizers run.
    """

    def __init__(self) -> None:
        self._users: tuple[Integration, ...] = ()
        self._in_children: _InChildren | None = None
        self._finalizer: Any = None

    def watch_for(self, user: Integration) -> None:
        self._users = (*self._users, user)
        if self._in_children is None:
            self._in_children = _InChildren()
            sys.modules[_UTIL].register_after_fork(self._in_children, _InChildren.begin)
        self.watch_this_process()  # it may be a child that has begun

    def let_go(self, user: Integration) -> None:
        self._users = tuple(each for each in self._users if each is not user)
        if not self._users:
            self._in_children = None  # it is referred to weakly
            if self._finalizer is not None:
                self._finalizer.cancel()
                self._finalizer = None

    def watch_this_process(self) -> None:
        if self._finalizer is None or not self._finalizer.still_active():  # a child begins with none
            self._finalizer = sys.modules[_UTIL].Finalize(None, _report_what_ends_it, exitpriority=_FIRST)


class _InChildren:
    """What ``multiprocessing`` calls when a child begins, for as long as it is there."""

    def begin(self) -> None:
        _ends.watch_this_process()


def _report_what_ends_it() -> None:
    error = sys.exc_info()[1]
    if error is not None:
        report(error, MultiprocessingIntegration, "multiprocessing")


_ends: Final = _Ends()


# --- children that are not forked --------------------------------------------------------------------------


class _ChildInit:
    """Handed over with a process to a child: unpickled there, it has become the call of a function."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function = function

    def __reduce__(self) -> tuple[Callable[..., None], tuple[Any, ...]]:
        return _begin_in_child, (self._function,)


def _begin_in_child(function: Callable[[], object]) -> None:
    if not get_client().is_active():
        guests.ask("child_init", function, so="this process reports nothing")


def _make_start(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def start(self: Any) -> Any:
        __tracebackhide__ = True
        integration = get_client().get_integration(MultiprocessingIntegration)
        if integration is None or integration.child_init is None:
            return previous(self)
        fields: dict[str, Any] = self.__dict__
        fields[_HANDED_OVER] = _ChildInit(integration.child_init)
        try:
            return previous(self)
        finally:
            fields.pop(_HANDED_OVER, None)

    return start
