"""What is not built yet lets programs run on unchanged, sends nothing, and says so once to whoever listens."""

from __future__ import annotations

import asyncio
import importlib
import inspect

import pytest

import vedette
from tests.programs import run_program
from vedette import ai, consts, crons, logger, metrics, profiler, traces, tracing
from vedette.ai import monitoring
from vedette.testing import MemoryTransport


def plain(a: int, *, b: int = 2) -> int:
    """Adds."""
    return a + b


def generator(n: int):
    yield from range(n)


async def coroutine(a: int) -> int:
    await asyncio.sleep(0)
    return a


async def async_generator(n: int):
    for i in range(n):
        yield i


class Owner:
    @classmethod
    def of_class(cls) -> str:
        return cls.__name__

    def of_instance(self) -> str:
        return type(self).__name__


DECORATORS = {
    "trace": vedette.trace,
    "trace()": vedette.trace(),
    "trace(op=)": vedette.trace(op="task", name="n", attributes={"a": 1}, template=consts.SPANTEMPLATE.AI_TOOL),
    "traces.trace": traces.trace,
    "traces.trace(name=)": traces.trace(name="n", attributes={}, active=False),
    "monitor": vedette.monitor(monitor_slug="nightly"),
    "ai_track": monitoring.ai_track("pipeline"),
}


@pytest.mark.parametrize("decorate", DECORATORS.values(), ids=DECORATORS)
def test_a_decorated_function_is_the_one_that_it_was(decorate) -> None:
    for function in (plain, generator, coroutine, async_generator, Owner, Owner.of_class, Owner.of_instance):
        assert decorate(function) == function
    assert decorate(plain)(1, b=3) == 4
    assert list(decorate(generator)(2)) == [0, 1]
    assert asyncio.run(decorate(coroutine)(5)) == 5
    assert inspect.isasyncgenfunction(decorate(async_generator))


def test_code_that_traces_runs_on() -> None:
    transport = MemoryTransport()
    vedette.init("https://key@errors.example.org/7", transport=transport, default_integrations=False)
    ran = []
    with vedette.start_transaction(op="task", name="nightly") as transaction:
        transaction.set_tag("a", "b")
        transaction.name = "renamed"
        with vedette.start_span(op="db", name="select") as span:
            span.set_data("rows", 3)
            span.set_attribute("rows", 3)
            span.description += " more"
            span.description = "select 1"
            span.set_status("ok")
            with span.start_child(op="inner"):
                ran.append("inner")
        current = vedette.get_current_span()
        assert current is not None
        current.set_data("rows", 4)
        vedette.update_current_span(name="n")
        vedette.set_measurement("size", 4, "byte")
        scope = vedette.get_current_scope()
        assert scope.span is not None
        scope.span.set_tag("a", "b")
        scope.span = span
    with vedette.continue_trace({"sentry-trace": "1-2-1"}, op="task") as continued:
        ran.append("continued")
    assert vedette.start_transaction(continued) is continued
    with traces.start_span("streamed", attributes={"a": 1}) as streamed:
        streamed.set_attribute("b", 2)
        streamed.name = "renamed"
        streamed.status = traces.SpanStatus.ERROR
    assert ran == ["inner", "continued"]
    assert transport.envelopes == []


@pytest.mark.parametrize("make", [tracing.Span, tracing.Transaction, tracing.NoOpSpan, traces.StreamedSpan])
def test_a_span_keeps_nothing(make) -> None:
    span = make()
    known = {
        name: getattr(span, name)
        for name in dir(span)
        if not name.startswith("__") and not callable(getattr(span, name))
    }
    for name in (*known, "invented"):
        if not isinstance(inspect.getattr_static(make, name, None), property):
            setattr(span, name, "changed")
    assert vars(span) == {}
    assert {name: getattr(span, name) for name in known} == known
    assert int(span.trace_id, 16) == int(span.span_id, 16) == 0


def test_the_exceptions_of_the_code_inside_go_on() -> None:
    for context in (
        vedette.start_span(op="a"),
        vedette.start_transaction(name="a"),
        traces.start_span("a"),
        vedette.monitor("a"),
    ):
        with pytest.raises(KeyError), context:
            raise KeyError


def test_a_span_propagates_no_trace_and_does_not_stand_in_the_way_of_the_one_that_is() -> None:
    with vedette.continue_trace({"sentry-trace": f"{'a' * 32}-{'b' * 16}-1"}) as transaction:
        assert (transaction.to_traceparent(), transaction.to_baggage(), list(transaction.iter_headers())) == (
            "",
            None,
            [],
        )
        traceparent = vedette.get_traceparent()
        assert traceparent is not None
        assert traceparent.startswith("a" * 32)
    traces.new_trace()
    assert vedette.get_traceparent() != traceparent
    traces.continue_trace({"sentry-trace": f"{'c' * 32}-{'b' * 16}-1"})
    assert str(vedette.get_traceparent()).startswith("c" * 32)


def test_check_ins_sessions_logs_metrics_and_profiles_send_nothing() -> None:
    transport = MemoryTransport()
    vedette.init("https://key@errors.example.org/7", transport=transport, default_integrations=False)
    started = crons.capture_checkin(monitor_slug="nightly", status=crons.MonitorStatus.IN_PROGRESS)
    assert started == ""
    assert crons.capture_checkin(check_in_id="7", status=crons.MonitorStatus.OK) == "7"
    vedette.start_session()
    vedette.end_session()
    for name in logger.__all__:
        assert getattr(logger, name)("paid {amount}", attributes={"a": 1}, amount=3) is None
    for name in metrics.__all__:
        assert getattr(metrics, name)("orders", 1, unit="none", attributes={"a": 1}) is None
    for name in profiler.__all__:
        assert getattr(profiler, name)() is None
    monitoring.set_ai_pipeline_name("p")
    monitoring.record_token_usage(vedette.start_span(), input_tokens=3)
    ai_utils = importlib.import_module(f"{ai.__name__}.utils")
    ai_utils.set_conversation_id("7")
    vedette.flush()
    assert transport.envelopes == []
    assert vedette.get_client().stats().captured == {}


def test_names_of_operations_are_texts() -> None:
    assert consts.OP.HTTP_CLIENT == "http.client"
    assert consts.SPANDATA.DB_NAME == "db.name"
    with pytest.raises(AttributeError):
        consts.OP.lower_case  # noqa: B018 - the look-up is what is tested


def test_each_feature_says_once_in_debug_mode_that_it_does_nothing() -> None:
    done = run_program("""
        import vedette
        from vedette import logger, metrics

        @vedette.trace  # before anybody listens
        def job(): pass

        vedette.init("", debug=True)
        for _ in range(3):
            with vedette.start_span(op="a"):
                vedette.start_transaction(name="b")
            logger.info("x")
            metrics.count("x", 1)
            with vedette.monitor("x"):
                job()
    """)
    assert done.code == 0
    said = [line for line in done.stderr.splitlines() if "does nothing" in line]
    assert said == [
        f"[vedette] DEBUG: {name} does nothing: {feature} not built yet (docs/differences.md)"
        for name, feature in (
            ("start_span", "tracing is"),
            ("logger.info", "structured logs are"),
            ("metrics.count", "metrics are"),
            ("monitor", "check-ins are"),
        )
    ]


def test_nothing_is_said_without_debug_mode() -> None:
    done = run_program("""
        import vedette
        vedette.init("")
        with vedette.start_span(op="a"), vedette.monitor("x"):
            vedette.logger.error("lost")
    """)
    assert (done.code, done.stdout, done.stderr) == (0, "", "")
