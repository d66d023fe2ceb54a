"""Monitoring of AI pipelines, which is made of spans, without spans."""

from __future__ import annotations

from vedette._noops import not_built
from vedette._noops.tracing import unchanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final, TypeVar

    from vedette._noops.spans import Span, StreamedSpan

    F = TypeVar("F", bound=Callable[..., Any])

_TRACING: Final = "tracing is"


def ai_track(description: str, **span_kwargs: Any) -> Callable[[F], F]:
    """A decorator that returns the function itself: tracing is not built yet."""
    not_built(_TRACING, "ai_track")
    return unchanged


def set_ai_pipeline_name(name: str | None) -> None:
    """Do nothing: tracing is not built yet."""
    not_built(_TRACING, "set_ai_pipeline_name")


def get_ai_pipeline_name() -> str | None:
    """None: no name is kept."""
    return None


def set_conversation_id(conversation_id: str) -> None:
    """Do nothing: tracing is not built yet."""
    not_built(_TRACING, "set_conversation_id")


def record_token_usage(
    span: Span | StreamedSpan,
    input_tokens: int | None = None,
    input_tokens_cached: int | None = None,
    input_tokens_cache_write: int | None = None,
    output_tokens: int | None = None,
    output_tokens_reasoning: int | None = None,
    total_tokens: int | None = None,
) -> None:
    """Do nothing: tracing is not built yet."""
    not_built(_TRACING, "record_token_usage")
