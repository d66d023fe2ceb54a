"""What ends the child processes of ``multiprocessing`` (PAIN-19), and of what is built on it: billiard, process pools.

A child prints what ends it and leaves, without ``sys.excepthook``. Before Python 3.13, and in billiard, it runs its
finalizers first, while the exception is being handled: one of ours looks which that is. From 3.13 on finalizers come
too late, and we look when the child prints. Either way no frame of ours is between the child and its target: what it
prints and its exit code stay as they are. What was captured is delivered by a later finalizer
(``_processing/fork.py``).

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
from vedette.integrations._interpreter import report
from vedette.integrations._patching import look_like, put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

__all__ = ["MultiprocessingIntegration"]

_UTIL: Final = "multiprocessing.util"
_caller: Final = sys._getframe  # noqa: SLF001 - as `logging` does  # pyright: ignore[reportPrivateUsage]
_PRINTS_FIRST: Final = sys.version_info >= (3, 13)
_FIRST: Final = 1000  # finalizers run in falling order
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
        self._undos: list[Callable[[], None]] = []
        self._finalizer: Any = None
        self._is_open = False

    def setup(self, client: BaseClient) -> None:
        """Watch the ends of children; which client captures is looked up when one ends."""
        self._is_open = True
        if self.child_init is not None:
            put_in(self, sys.modules["multiprocessing"].process.BaseProcess, "start", _make_start)
        self._undos.append(when_imported(_UTIL, self._watch))  # no child is started without it

    def close(self) -> None:
        """Stop watching."""
        self._is_open = False
        for undo in self._undos:
            undo()
        if self._finalizer is not None:
            self._finalizer.cancel()
        take_out(self)

    # --- what ends a child ---------------------------------------------------------------------------------

    def _watch(self) -> None:
        sys.modules[_UTIL].register_after_fork(self, MultiprocessingIntegration._watch_this_process)  # it keeps no one
        self._watch_this_process()  # it may be a child that has begun

    def _watch_this_process(self) -> None:
        """Called wherever a child begins. Where ``multiprocessing`` began none, nothing is being handled at the end."""
        if not self._is_open:
            return
        if self._finalizer is None or not self._finalizer.still_active():  # a child begins with none
            self._finalizer = sys.modules[_UTIL].Finalize(None, self._report_what_ends_it, exitpriority=_FIRST)
        if _PRINTS_FIRST and _is_child():
            self._undos.append(when_imported("traceback", self._look_when_it_prints))

    def _report_what_ends_it(self) -> None:
        error = sys.exc_info()[1]
        client = get_client()
        if error is not None and client.get_integration(MultiprocessingIntegration) is self:
            client.capture_uncaught(error, "multiprocessing")

    def _look_when_it_prints(self) -> None:
        put_in(self, sys.modules["traceback"], "print_exc", _make_print_exc)


def _is_child() -> bool:
    package = sys.modules["multiprocessing"]
    # A spawned child that imports the main module is not told any more when it begins.
    return package.parent_process() is not None or getattr(package.current_process(), "_inheriting", False)


def _make_print_exc(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def print_exc(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        error = sys.exc_info()[1]
        if error is not None and _is_the_end_of_a_child(_caller(1)):
            report(error, MultiprocessingIntegration, "multiprocessing")
        return previous(*args, **kwargs)

    return print_exc


def _is_the_end_of_a_child(frame: FrameType) -> bool:
    return frame.f_code.co_name == "_bootstrap" and frame.f_globals.get("__name__") == "multiprocessing.process"


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
