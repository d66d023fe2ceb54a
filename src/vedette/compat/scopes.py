"""``push_scope`` and ``configure_scope``: deprecated, over the scopes that have replaced the hub's stack."""

from __future__ import annotations

from typing import overload
from weakref import WeakSet

from vedette._scopes.context import get_current_scope, get_isolation_scope, use_scope
from vedette.api import is_initialized
from vedette.compat import _deprecated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType

    from vedette._scopes.scope import Scope

__all__ = ["ConfiguredScope", "configure_scope", "push_scope"]

_pushed: WeakSet[Scope] = WeakSet()


@overload
def push_scope(callback: None = None) -> AbstractContextManager[Scope]: ...


@overload
def push_scope(callback: Callable[[Scope], object]) -> None: ...


def push_scope(callback: Callable[[Scope], object] | None = None) -> AbstractContextManager[Scope] | None:
    """Deprecated: use `new_scope`. Fork the current scope for a ``with`` block, or for a callback.

    The callback is not called while the SDK is disabled. Data that ``configure_scope`` sets inside the block
    leaves with it.
    """
    _deprecated.warn("push_scope", "new_scope()")
    return pushed(get_current_scope(), callback)


@overload
def configure_scope(callback: None = None) -> ConfiguredScope: ...


@overload
def configure_scope(callback: Callable[[Scope], object]) -> None: ...


def configure_scope(callback: Callable[[Scope], object] | None = None) -> ConfiguredScope | None:
    """Deprecated: use `get_isolation_scope`. Give the scope in charge to a ``with`` block, or to a callback.

    This is the isolation scope; inside a ``with push_scope()`` it is the scope of that block. The callback is
    not called while the SDK is disabled (CLI-08).
    """
    _deprecated.warn("configure_scope", "get_isolation_scope()")
    return configured(callback)


def pushed(below: Scope, callback: Callable[[Scope], object] | None) -> AbstractContextManager[Scope] | None:
    """A fork of a scope as the current one: for a ``with`` block, or for a callback."""
    scope = below.fork()
    _pushed.add(scope)
    context = use_scope(scope)
    if callback is None:
        return context
    if is_initialized():
        with context:
            callback(scope)
    return None


def configured(callback: Callable[[Scope], object] | None) -> ConfiguredScope | None:
    """The scope in charge: for a ``with`` block, or for a callback."""
    current = get_current_scope()
    scope = current if current in _pushed else get_isolation_scope()
    if callback is None:
        return ConfiguredScope(scope)
    if is_initialized():
        callback(scope)
    return None


class ConfiguredScope:
    """What ``with configure_scope()`` enters: a scope that is there already."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def __enter__(self) -> Scope:
        return self._scope

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        pass
