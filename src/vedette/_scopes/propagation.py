"""Which trace an execution context belongs to, when no span is active."""

from __future__ import annotations

from vedette._protocol.ids import new_span_id, new_trace_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class PropagationContext:
    """The trace that errors of one execution context belong to; with random ids unless they are given.

    It never changes, so that forks can share it; ``Scope.set_new_propagation_context()`` puts another in its
    place (SCO-52, PROP-05).
    """

    __slots__ = ("span_id", "trace_id")

    trace_id: str
    """32 lower-case hex digits."""
    span_id: str
    """16 lower-case hex digits."""

    def __init__(self, trace_id: str | None = None, span_id: str | None = None) -> None:
        object.__setattr__(self, "trace_id", trace_id or new_trace_id())
        object.__setattr__(self, "span_id", span_id or new_span_id())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"cannot set {name!r}: a PropagationContext never changes, "
            "Scope.set_new_propagation_context() puts another in its place"
        )

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __repr__(self) -> str:
        return f"PropagationContext(trace_id={self.trace_id!r}, span_id={self.span_id!r})"

    def trace_context(self) -> dict[str, str]:
        """A fresh ``contexts.trace`` for an event (EVT-90, EVT-91)."""
        return {"trace_id": self.trace_id, "span_id": self.span_id}
