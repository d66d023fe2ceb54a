"""Read by mypy and basedpyright in `make test`, never run: decorators keep signatures, deprecated names their types."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import ModuleType

from typing_extensions import assert_type

import vedette
from vedette import traces
from vedette.ai.monitoring import ai_track
from vedette.client import BaseClient
from vedette.traces import StreamedSpan
from vedette.tracing import NoOpSpan, Span, Transaction
from vedette.types import Event, Hint
from vedette.utils import capture_internal_exceptions, event_from_exception


@vedette.trace
def bare(a: int, *, b: str = "") -> str:
    return b * a


@vedette.trace(op="task", name="job", attributes={"a": 1})
def called(a: int) -> Iterator[int]:
    yield a


@vedette.trace()
async def coroutine(a: int) -> bytes:
    return bytes(a)


@traces.trace(name="job", active=False)
async def generator(a: int) -> AsyncIterator[int]:
    yield a


@vedette.monitor(monitor_slug="nightly")
def watched(a: int) -> float:
    return a / 2


@ai_track("pipeline")
def pipeline(prompt: str) -> list[str]:
    return [prompt]


class Owner:
    @vedette.trace
    def method(self, a: int) -> int:
        return a

    @classmethod
    @vedette.trace
    def of_class(cls, a: int) -> int:
        return a


async def decorated() -> None:
    assert_type(bare(1, b="x"), str)
    assert_type(called(1), Iterator[int])
    assert_type(await coroutine(1), bytes)
    assert_type(generator(1), AsyncIterator[int])
    assert_type(watched(1), float)
    assert_type(pipeline("p"), list[str])
    assert_type(Owner().method(1), int)
    assert_type(Owner.of_class(1), int)
    bare("1")  # type: ignore[arg-type]
    bare(1, c=2)  # type: ignore[call-arg]
    watched()  # type: ignore[call-arg]
    Owner().method("1")  # type: ignore[arg-type]


def spans() -> None:
    with vedette.start_span(op="db", name="select") as span:
        assert_type(span, Span)
        assert_type(span.start_child(op="x"), Span)
    with vedette.start_transaction(name="job") as transaction:
        assert_type(transaction, Transaction | NoOpSpan)
    with traces.start_span("job") as streamed:
        assert_type(streamed, StreamedSpan)
    assert_type(vedette.get_current_span(), Span | None)
    assert_type(vedette.get_traceparent(), str | None)


def scope_callback(scope: vedette.Scope) -> None:
    scope.set_tag("a", "b")


def deprecated() -> None:
    with vedette.push_scope() as pushed, vedette.configure_scope() as configured:
        assert_type(pushed, vedette.Scope)
        assert_type(configured, vedette.Scope)
    vedette.push_scope(scope_callback)
    vedette.configure_scope(42)  # type: ignore[call-overload]
    hub = vedette.Hub.current
    assert_type(hub, vedette.Hub)
    assert_type(hub.client, BaseClient | None)
    assert_type(hub.scope, vedette.Scope)
    assert_type(hub.run(lambda: 1), int)
    with vedette.Hub(hub) as entered:
        assert_type(entered, vedette.Hub)


def bridging() -> None:
    assert_type(vedette.as_sentry_sdk(), ModuleType)
    with capture_internal_exceptions():
        assert_type(event_from_exception(ValueError()), tuple[Event, Hint])
    vedette.logger.info("paid {amount}", amount=3)
    vedette.metrics.count("orders", 1)
