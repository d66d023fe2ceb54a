"""The functions of streamed spans, without spans."""

from __future__ import annotations

from typing import overload

from vedette._noops import not_built
from vedette._noops.spans import StreamedSpan
from vedette._noops.tracing import unchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    from vedette._scopes.scope import Scope

    F = TypeVar("F", bound=Callable[..., Any])

_TRACING: Final = "tracing is"


def start_span(
    name: str,
    attributes: dict[str, Any] | None = None,
    parent_span: StreamedSpan | None = None,
    active: bool = True,  # noqa: FBT001, FBT002 - the unified API's signature
) -> StreamedSpan:
    """A span that is not recorded: tracing is not built yet. Use it as every other one."""
    not_built(_TRACING, "traces.start_span")
    return StreamedSpan()


@overload
def trace(func: F) -> F: ...


@overload
def trace(
    func: None = None,
    *,
    name: str | None = None,
    attributes: dict[str, Any] | None = None,
    active: bool = True,
) -> Callable[[F], F]: ...


def trace(
    func: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    attributes: dict[str, Any] | None = None,
    active: bool = True,
) -> Callable[..., Any]:
    """A decorator that returns the function itself: tracing is not built yet."""
    not_built(_TRACING, "traces.trace")
    return unchanged if func is None else func


def get_current_span(scope: Scope | None = None) -> StreamedSpan | None:
    """A span that is not recorded, so that code which adds data to it runs on: tracing is not built yet."""
    not_built(_TRACING, "traces.get_current_span")
    return StreamedSpan()
