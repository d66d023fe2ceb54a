"""The functions of tracing, without tracing: the code that they stand around runs as if they were not there."""

from __future__ import annotations

from typing import overload

from vedette._noops import not_built
from vedette._noops.names import INSTRUMENTER, SPANTEMPLATE
from vedette._noops.spans import NoOpSpan, Transaction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final, TypeVar

    from vedette._noops.spans import Span
    from vedette._scopes.scope import Scope

    F = TypeVar("F", bound=Callable[..., Any])

_TRACING: Final = "tracing is"


def start_transaction(
    transaction: Transaction | None = None,
    instrumenter: str = INSTRUMENTER.SENTRY,
    custom_sampling_context: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Transaction | NoOpSpan:
    """A transaction that is not recorded: tracing is not built yet. Use it as every other one."""
    not_built(_TRACING, "start_transaction")
    return Transaction() if transaction is None else transaction


def start_span(**kwargs: Any) -> Span:
    """A span that is not recorded: tracing is not built yet. Use it as every other one."""
    not_built(_TRACING, "start_span")
    return NoOpSpan()


@overload
def trace(func: F) -> F: ...


@overload
def trace(
    func: None = None,
    *,
    op: str | None = None,
    name: str | None = None,
    attributes: dict[str, Any] | None = None,
    template: SPANTEMPLATE = SPANTEMPLATE.DEFAULT,
) -> Callable[[F], F]: ...


def trace(
    func: Callable[..., Any] | None = None,
    *,
    op: str | None = None,
    name: str | None = None,
    attributes: dict[str, Any] | None = None,
    template: SPANTEMPLATE = SPANTEMPLATE.DEFAULT,
) -> Callable[..., Any]:
    """A decorator that returns the function itself: tracing is not built yet."""
    not_built(_TRACING, "trace")
    return unchanged if func is None else func


def unchanged(func: F) -> F:
    """What a decorator does that has nothing to add: the function itself, whatever its kind."""
    return func


def get_current_span(scope: Scope | None = None) -> Span | None:
    """A span that is not recorded, so that code which adds data to it runs on: tracing is not built yet."""
    not_built(_TRACING, "get_current_span")
    return NoOpSpan()


def update_current_span(
    op: str | None = None,
    name: str | None = None,
    attributes: dict[str, str | int | float | bool] | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Do nothing: tracing is not built yet."""
    not_built(_TRACING, "update_current_span")


def set_measurement(name: str, value: float, unit: str = "") -> None:
    """Do nothing: tracing is not built yet."""
    not_built(_TRACING, "set_measurement")
