"""The scopes of the running code: reading them, and entering others for the length of a ``with`` block."""

from __future__ import annotations

from vedette._scopes.entries import enter, leave
from vedette._scopes.scope import Scope, active_scopes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Final

    from vedette._scopes.entries import Entry

__all__ = [
    "active_scopes",
    "get_client",
    "get_current_scope",
    "get_global_scope",
    "get_isolation_scope",
    "isolation_scope",
    "new_scope",
    "use_isolation_scope",
    "use_scope",
]

get_client: Final = Scope.get_client
get_current_scope: Final = Scope.get_current_scope
get_isolation_scope: Final = Scope.get_isolation_scope
get_global_scope: Final = Scope.get_global_scope


class ScopeContext:
    """What a ``with`` statement enters and leaves. One statement at a time; leaving never raises."""

    __slots__ = ("_entry", "_open")

    def __init__(self, open_: Callable[[], tuple[Entry, Scope]]) -> None:
        self._open = open_
        self._entry: Entry | None = None

    def __enter__(self) -> Scope:
        self._entry, scope = self._open()
        return scope

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._entry is not None:
            leave(self._entry)


def new_scope() -> ScopeContext:
    """Fork the current scope for a ``with`` block, and drop the fork afterwards (SCO-21, SCO-23).

    with vedette.new_scope() as scope:
        scope.set_tag("operation", "import")
    """
    return ScopeContext(_open_fork)


def isolation_scope() -> ScopeContext:
    """Fork isolation and current scope for a ``with`` block, such as one request or job (SCO-13, SCO-24)."""
    return ScopeContext(lambda: _open_isolation(get_isolation_scope().fork()))


def use_scope(scope: Scope) -> ScopeContext:
    """Make a scope the current one for a ``with`` block."""
    return ScopeContext(lambda: (enter(get_isolation_scope(), scope), scope))


def use_isolation_scope(isolation_scope: Scope) -> ScopeContext:
    """Make a scope the isolation scope for a ``with`` block, and fork the current one (SCO-13)."""
    return ScopeContext(lambda: _open_isolation(isolation_scope))


def _open_fork() -> tuple[Entry, Scope]:
    fork = get_current_scope().fork()
    return enter(get_isolation_scope(), fork), fork


def _open_isolation(scope: Scope) -> tuple[Entry, Scope]:
    scope.ensure_propagation_context()
    return enter(scope, get_current_scope().fork()), scope
