"""The client: its life, how it is found, what it owns."""

from __future__ import annotations

import ast
import asyncio
import inspect
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

import vedette
from tests.programs import run_program
from tests.servers import RecordingServer
from tests.threads import os_threads
from tests.waiting import wait_until
from vedette._scopes.client import BaseClient, NoOpClient
from vedette.integrations import Integration
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


class Recorder(Integration):
    """Writes down what the client calls."""

    identifier = "recorder"

    def __init__(self, calls: list[str]) -> None:
        self.calls = calls

    def setup(self, client: BaseClient) -> None:
        self.calls.append("setup")

    def after_all_setup(self, client: BaseClient) -> None:
        self.calls.append("after_all_setup")

    def close(self) -> None:
        self.calls.append("close")


class Slow(vedette.Transport):
    """Takes as long as it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.flushed: list[float] = []
        self.got: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.got.append(envelope)
        self.go_on.wait(30)

    def flush(self, timeout: float, callback: object = None) -> None:
        self.flushed.append(timeout)


# --- before init -----------------------------------------------------------------------------------------


@pytest.mark.spec("CLI-05", "CLI-06", "CLI-27", "CLI-28", "SCO-06", "SCO-47", "SCO-48")
def test_before_init_a_client_that_does_nothing_is_there() -> None:
    client = vedette.get_client()
    assert type(client) is NoOpClient
    assert vedette.get_global_scope().client is client
    assert not client.is_active()
    assert not vedette.is_initialized()
    assert client.capture_message("hello") is None
    assert client.capture_exception(ValueError()) is None
    assert client.capture_event({"message": "hello"}) is None
    assert client.flush() is None
    assert client.close() is None
    assert client.stats().captured == {}
    assert client.dsn is None
    assert client.get_integration("excepthook") is None


@pytest.mark.spec("CLI-05")
def test_the_idle_client_has_the_methods_of_the_real_one() -> None:
    def surface(cls: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(cls) if not name.startswith("_")}

    assert surface(NoOpClient) == surface(BaseClient)
    only_real = surface(vedette.Client) - surface(NoOpClient)
    assert only_real == {
        "from_config",
        "redirect_new",
        "redirect",
        "render_event",
        "render_mechanism",
        "render_request",
        "render_user",
        "sdk_info",
        "sighting",
        "stop_debug",
    }


# --- init ------------------------------------------------------------------------------------------------


@pytest.mark.spec("CLI-10", "CLI-11", "CLI-12", "CLI-13", "SCO-07", "CLI-02", "CFG-14")
def test_init_makes_a_client_with_transport_and_integrations_and_puts_it_on_the_global_scope() -> None:
    calls: list[str] = []
    client = vedette.init(DSN, integrations=[Recorder(calls)])
    assert vedette.get_global_scope().client is client
    assert vedette.get_client() is client
    assert isinstance(client.transport, vedette.HttpTransport)
    assert str(client.transport.parsed_dsn) == DSN
    assert calls == ["setup", "after_all_setup"]
    assert client.options["dsn"] == DSN
    assert client.get_integration("recorder") is client.get_integration(Recorder)
    assert {"recorder", "atexit", "excepthook", "modules", "threading"} <= set(
        client.integrations
    )  # others: if imported


@pytest.mark.spec("CLI-14", "CLI-15", "CLI-33", "CFG-02")
@pytest.mark.parametrize("arguments", [(), ("",), (None,)])
def test_an_empty_dsn_is_valid_and_sends_nothing(arguments: tuple[Any, ...]) -> None:
    transport = MemoryTransport()
    client = vedette.init(*arguments, transport=transport)
    assert not client.is_active()
    assert vedette.capture_message("hello") is None
    assert vedette.capture_exception(ValueError()) is None
    client.close()
    assert transport.envelopes == []
    assert client.stats().captured == {}


@pytest.mark.spec("CLI-16")
def test_an_empty_dsn_starts_no_thread() -> None:
    before = os_threads()
    vedette.init("")
    vedette.capture_message("hello")
    assert os_threads() == before


@pytest.mark.spec("CLI-07", "CLI-09", "BRC-13")
def test_while_disabled_no_callback_runs() -> None:
    calls: list[str] = []
    vedette.init(
        "",
        before_send=lambda *_: calls.append("before_send"),
        before_breadcrumb=lambda *_: calls.append("crumb"),
    )
    vedette.get_isolation_scope().add_event_processor(lambda *_: calls.append("processor"))
    vedette.add_breadcrumb(message="hello")
    vedette.capture_message("hello")
    assert calls == []


@pytest.mark.spec("CLI-17")
def test_init_again_replaces_the_client_and_closes_the_older_one_in_the_background() -> None:
    with RecordingServer() as server:
        older = vedette.init(server.dsn(project="1"))
        vedette.capture_message("of the older client")
        newer = vedette.init(server.dsn(project="2"))
        assert vedette.get_client() is newer
        wait_until(lambda: not older.is_active())
        vedette.capture_message("of the newer client")
        vedette.flush(5)
        server.wait_for(2)
        texts = sorted(event["logentry"]["formatted"] for event in server.events)
        assert texts == ["of the newer client", "of the older client"]


def test_init_again_does_not_wait_for_the_older_client() -> None:
    slow = Slow()
    vedette.init(DSN, transport=slow)
    vedette.capture_message("hello")
    wait_until(lambda: slow.got)
    start = time.monotonic()
    vedette.init(DSN)
    assert time.monotonic() - start < 1.0
    slow.go_on.set()


@pytest.mark.spec("CLI-18", "CLI-19", "CLI-21")
def test_a_client_is_active_while_it_has_a_transport_and_is_not_closed() -> None:
    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport)
    assert client.is_active()
    assert client.capture_message("one")
    client.close()
    assert not client.is_active()
    assert client.capture_message("two") is None
    client.close()
    assert [event["logentry"]["formatted"] for event in transport.events] == ["one"]


@pytest.mark.spec("CLI-61")
def test_a_client_can_be_made_from_options_in_three_ways() -> None:
    for client in (
        vedette.Client(DSN, sample_rate=0.5),
        vedette.Client({"dsn": DSN, "sample_rate": 0.5}),
        vedette.Client.from_config({"dsn": DSN, "sample_rate": 0.5}),
    ):
        assert client.dsn == DSN
        assert client.options["sample_rate"] == 0.5
        assert client.is_active()


@pytest.mark.spec("CLI-01")
def test_the_client_keeps_no_contextual_data() -> None:
    client = vedette.init(DSN, transport=MemoryTransport())
    vedette.set_tag("tenant", "planted")
    vedette.set_user({"id": "planted"})
    vedette.add_breadcrumb(message="planted")
    vedette.capture_message("hello")
    held = {name: value for name, value in vars(client).items() if name not in {"transport", "processor"}}
    assert "planted" not in repr(held)


@pytest.mark.spec("CLI-04")
def test_the_client_opens_no_connection_itself() -> None:
    source = Path(inspect.getfile(vedette.Client)).read_text(encoding="utf-8")
    imported = {
        name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [each.name for each in node.names])
    }
    assert not {name.partition(".")[0] for name in imported} & {"socket", "http", "urllib", "urllib3", "ssl"}


# --- flush and close -------------------------------------------------------------------------------------


@pytest.mark.spec("CLI-22", "TP-26")
def test_flush_sends_what_waits_and_leaves_the_client_usable() -> None:
    with RecordingServer() as server:
        vedette.init(server.dsn())
        for number in range(3):
            vedette.capture_message(f"message {number}")
        vedette.flush(5)
        assert len(server.events) == 3
        vedette.capture_message("one more")
        vedette.flush(5)
        assert len(server.events) == 4


@pytest.mark.spec("CLI-20", "TP-28")
def test_close_sends_what_waits() -> None:
    with RecordingServer() as server:
        client = vedette.init(server.dsn())
        for number in range(3):
            vedette.capture_message(f"message {number}")
        client.close(5)
        assert len(server.events) == 3
        assert client.stats().delivered == {"error": 3}


@pytest.mark.spec("CLI-23", "CLI-24")
@pytest.mark.parametrize("method", ["flush", "close"])
def test_flush_and_close_end_by_their_deadline(method: str) -> None:
    slow = Slow()
    client = vedette.Client(DSN, transport=slow)
    client.capture_message("hello")
    client.capture_message("never sent")
    start = time.monotonic()
    getattr(client, method)(0.2)
    took = time.monotonic() - start
    slow.go_on.set()
    assert 0.15 < took < 1.0


@pytest.mark.spec("CLI-25", "CLI-26", "TP-89")
def test_flush_hands_over_what_is_buffered_and_only_then_flushes_the_transport() -> None:
    class Ordered(vedette.Transport):
        def __init__(self) -> None:
            super().__init__()
            self.calls: list[str] = []
            self.seconds = 0.0

        def capture_envelope(self, envelope: Envelope) -> None:
            self.calls.append("envelope")

        def flush(self, timeout: float, callback: object = None) -> None:
            self.calls.append("flush")
            self.seconds = timeout

    transport = Ordered()
    client = vedette.Client(DSN, transport=transport)
    for _ in range(20):
        client.capture_message("hello")
    client.flush(5)
    assert transport.calls == ["envelope"] * 20 + ["flush"]
    assert 0 < transport.seconds <= 5  # one deadline for both


def test_close_counts_what_could_not_be_sent_in_time() -> None:
    slow = Slow()
    client = vedette.Client(DSN, transport=slow)
    for _ in range(5):
        client.capture_message("hello")
    client.close(0.1)
    slow.go_on.set()
    wait_until(lambda: not client.stats().waiting)
    stats = client.stats()
    assert stats.captured == {"error": 5}
    assert stats.delivered == {"error": 1}
    assert stats.dropped == {"error": {"network_error": 4}}


def test_close_undoes_the_integrations() -> None:
    calls: list[str] = []
    client = vedette.init(DSN, transport=MemoryTransport(), integrations=[Recorder(calls)])
    client.close()
    assert calls == ["setup", "after_all_setup", "close"]


def test_flush_tells_its_callback_what_is_pending() -> None:
    slow = Slow()
    client = vedette.Client(DSN, transport=slow)
    client.capture_message("hello")
    told: list[tuple[int, float]] = []
    client.flush(0.1, callback=lambda pending, timeout: told.append((pending, timeout)))
    slow.go_on.set()
    assert told == [(1, 0.1)]


def test_a_transport_that_flushes_from_inside_does_not_wait_for_itself() -> None:
    class Flushing(vedette.Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            vedette.flush(5)

    client = vedette.init(DSN, transport=Flushing())
    vedette.capture_message("hello")
    start = time.monotonic()
    vedette.flush(5)
    assert time.monotonic() - start < 2
    assert client.stats().delivered == {"error": 1}


@pytest.mark.spec("CLI-20")
def test_a_client_is_a_context_manager_that_closes() -> None:
    with vedette.Client(DSN, transport=MemoryTransport()) as client:
        client.capture_message("hello")
    assert not client.is_active()


def test_what_is_captured_after_close_is_counted_and_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    with RecordingServer() as server:
        client = vedette.init(server.dsn())
        client.capture_message("in time")
        client.close(5)
        wait_until(lambda: not client.processor.threads())
        monkeypatch.setattr("vedette._host.os_threads.start_new_thread", lambda *arguments: started.append(arguments))
        assert vedette.capture_message("too late") is None
        assert vedette.capture_exception(ValueError()) is None
        assert started == []
        stats = client.stats()
        assert stats.captured == {"error": 3}
        assert stats.delivered == {"error": 1}
        assert stats.dropped == {"error": {"network_error": 2}}
        assert len(server.events) == 1


@pytest.mark.parametrize("timeout", ["soon", float("nan"), float("inf"), -1, True, 10**400, object(), [1]])
def test_a_timeout_that_is_none_stops_nobody(timeout: Any) -> None:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport)
    client.capture_message("hello")
    client.flush(timeout)
    client.close(timeout)
    assert len(transport.events) == 1


@pytest.mark.parametrize("method", ["flush", "close"])
def test_a_callback_of_flush_that_raises_stays_behind_the_border(method: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(_pending: int, _timeout: float) -> None:
        raise ValueError

    slow = Slow()
    client = vedette.Client(DSN, transport=slow)
    client.capture_message("hello")
    getattr(client, method)(0.01, callback=fail)
    slow.go_on.set()
    assert "the callback of flush (" in caplog.text


def test_a_client_without_a_dsn_undoes_its_integrations_too() -> None:
    calls: list[str] = []
    client = vedette.init("", integrations=[Recorder(calls)])
    client.close()
    client.close()
    assert calls == ["setup", "after_all_setup", "close"]


def test_a_client_that_is_closed_while_it_is_redirected_stays_closed() -> None:
    client = vedette.init(DSN, transport=MemoryTransport())
    undo = client.redirect(MemoryTransport())
    client.close()
    undo()
    assert not client.is_active()


def test_init_as_a_context_manager_closes_at_the_end() -> None:
    with vedette.init(DSN, transport=MemoryTransport()) as client:
        assert vedette.get_client() is client
        assert vedette.is_initialized()
    assert not client.is_active()
    assert not vedette.is_initialized()


def test_an_error_in_the_with_block_of_a_client_goes_through() -> None:
    with pytest.raises(ValueError, match="mine"), vedette.Client(DSN, transport=MemoryTransport()):
        raise ValueError("mine")


# --- in coroutines ---------------------------------------------------------------------------------------


class Beating:
    """Counts how often an event loop comes round while something else is awaited."""

    def __init__(self) -> None:
        self.beats = 0

    async def while_(self, awaited: Any) -> None:
        beating = asyncio.ensure_future(self._beat())
        await awaited
        beating.cancel()

    async def _beat(self) -> None:
        while True:
            self.beats += 1
            await asyncio.sleep(0)


@pytest.mark.spec("CLI-22", "CLI-24")
@pytest.mark.parametrize("method", ["flush_async", "close_async"])
def test_waiting_in_a_coroutine_does_not_hold_up_the_loop(method: str) -> None:
    slow = Slow()
    client = vedette.Client(DSN, transport=slow, default_integrations=False)
    client.capture_message("hello")
    loop_thread = threading.get_ident()
    told: list[tuple[int, bool]] = []
    beating = Beating()

    def callback(pending: int, _timeout: float) -> None:
        told.append((pending, threading.get_ident() == loop_thread))
        wait_until(lambda: beating.beats > 100)  # which a loop that stands still would never do

    async def main() -> None:
        await beating.while_(getattr(client, method)(0.05, callback))

    start = time.monotonic()
    asyncio.run(main())
    slow.go_on.set()
    assert told == [(1, False)]
    assert time.monotonic() - start < 10
    assert client.is_active() == (method == "flush_async")


@pytest.mark.parametrize("method", ["flush_async", "close_async"])
def test_flush_async_and_close_async_send_what_waits(method: str) -> None:
    async def main() -> None:
        for number in range(3):
            vedette.capture_message(f"message {number}")
        await getattr(vedette.get_client(), method)(10)

    with RecordingServer() as server:
        vedette.init(server.dsn())
        asyncio.run(main())
        assert len(server.events) == 3


def test_flush_async_of_the_module_flushes_the_client_in_charge() -> None:
    async def main() -> None:
        assert await vedette.flush_async() is None
        vedette.init(server.dsn())
        vedette.capture_message("hello")
        await vedette.flush_async(10)

    with RecordingServer() as server:
        asyncio.run(main())
        assert len(server.events) == 1


def test_a_client_is_an_async_context_manager_that_closes() -> None:
    async def main() -> vedette.Client:
        async with vedette.Client(server.dsn(), default_integrations=False) as client:
            client.capture_message("hello")
        return client

    with RecordingServer() as server:
        client = asyncio.run(main())
        assert not client.is_active()
        assert len(server.events) == 1


@pytest.mark.parametrize("loop_goes_on", [True, False])
@pytest.mark.parametrize("method", ["flush_async", "close_async"])
def test_a_task_that_is_cancelled_stops_waiting_at_once_and_the_event_still_arrives(
    method: str, loop_goes_on: bool
) -> None:
    slow = Slow()
    client = vedette.Client(DSN, transport=slow, default_integrations=False)
    client.capture_message("hello")

    async def main() -> None:
        task = asyncio.ensure_future(getattr(client, method)(30))
        await asyncio.get_running_loop().run_in_executor(None, wait_until, lambda: slow.got)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - start < 10
        if loop_goes_on:
            asyncio.get_running_loop().set_exception_handler(lambda _loop, context: faults.append(context))
            slow.go_on.set()
            await asyncio.get_running_loop().run_in_executor(None, wait_until, arrived)

    def arrived() -> bool:
        return client.stats().delivered == {"error": 1}

    faults: list[object] = []
    start = time.monotonic()
    asyncio.run(main())
    slow.go_on.set()  # if the loop is closed by now, nobody may be hurt by that
    wait_until(arrived)
    assert faults == []


def test_where_no_thread_can_be_had_a_coroutine_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    client = vedette.Client(DSN, transport=Slow(), default_integrations=False)
    monkeypatch.setattr("_thread.start_new_thread", refuse)
    monkeypatch.setattr("vedette._host.os_threads.start_new_thread", refuse)
    client.capture_message("hello")
    start = time.monotonic()
    asyncio.run(client.close_async(30))
    assert time.monotonic() - start < 10
    assert client.stats().dropped == {"error": {"network_error": 1}}


def test_under_another_event_loop_the_waiting_is_done_on_the_spot() -> None:
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport, default_integrations=False)
    client.capture_message("hello")
    with pytest.raises(StopIteration):  # driven by hand, as trio would
        client.close_async(5).send(None)
    assert not client.is_active()
    assert len(transport.events) == 1


def test_the_idle_client_may_be_awaited() -> None:
    async def main() -> None:
        idle = NoOpClient()
        await idle.flush_async(1.0, callback=lambda *_: None)
        async with idle as entered:
            assert entered is idle

    asyncio.run(main())


# --- what the client tells -------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "expected"), [(True, True), (False, False), (None, False)])
def test_should_send_default_pii_says_what_was_configured(given: bool | None, expected: bool) -> None:
    assert vedette.Client(DSN, send_default_pii=given).should_send_default_pii() is expected
    assert vedette.get_client().should_send_default_pii() is False


@pytest.mark.spec("CLI-02", "CLI-03")
def test_the_options_are_a_mapping_that_cannot_be_changed() -> None:
    client = vedette.Client(DSN, sample_rate=0.5)
    assert isinstance(client.options, Mapping)
    assert client.options["sample_rate"] == 0.5
    assert vedette.get_client().options["sample_rate"] == 1.0  # before init: the defaults
    for options in (client.options, vedette.get_client().options):
        with pytest.raises(TypeError):
            options["sample_rate"] = 0.1  # type: ignore[index]


def test_the_dsn_is_there_as_given_and_in_parts() -> None:
    client = vedette.Client(DSN)
    assert client.dsn == DSN
    assert client.parsed_dsn is not None
    assert client.parsed_dsn.host == "errors.example.org"
    assert vedette.Client("").parsed_dsn is None


@pytest.mark.parametrize("given", [5, "text", ValueError, (1, 2, 3), object()])
def test_what_is_no_exception_is_a_counted_loss_and_named(given: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = vedette.init(DSN, transport=MemoryTransport())
    assert vedette.capture_exception(given) is None
    assert client.stats().dropped == {"error": {"invalid": 1}}
    assert "capture_exception takes an exception, and got" in caplog.text


@pytest.mark.parametrize("given", [(), (1,), (None, None, None)])
def test_an_exc_info_without_an_exception_stands_for_the_one_being_handled(given: Any) -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    assert vedette.capture_exception(given) is None
    try:
        raise ValueError
    except ValueError:
        assert vedette.capture_exception(given)
    assert vedette.get_client().stats().captured == {"error": 1}


# --- which client ----------------------------------------------------------------------------------------


@pytest.mark.spec("CLI-29", "CLI-30", "SCO-49", "SCO-50")
def test_the_client_of_the_most_specific_scope_captures() -> None:
    transports = {name: MemoryTransport() for name in ("global", "isolation", "current")}
    clients = {name: vedette.Client(DSN, transport=transport) for name, transport in transports.items()}
    vedette.get_global_scope().set_client(clients["global"])
    vedette.capture_message("global")
    with vedette.isolation_scope() as isolation:
        isolation.set_client(clients["isolation"])
        vedette.capture_message("isolation")
        with vedette.new_scope() as scope:
            scope.set_client(clients["current"])
            vedette.capture_message("current")
        vedette.capture_message("isolation")
    vedette.capture_message("global")
    texts = {name: [e["logentry"]["formatted"] for e in each.events] for name, each in transports.items()}
    assert texts == {"global": ["global"] * 2, "isolation": ["isolation"] * 2, "current": ["current"]}


# --- transports of the user ------------------------------------------------------------------------------


@pytest.mark.spec("TP-04")
def test_a_users_transport_may_be_an_instance_a_class_or_a_function() -> None:
    class Own(MemoryTransport):
        made: ClassVar[list[Own]] = []

        def __init__(self, options: Any = None) -> None:
            super().__init__(options)
            self.made.append(self)

    events: list[Any] = []
    instance = MemoryTransport()
    vedette.Client(DSN, transport=instance).capture_message("instance")
    vedette.Client(DSN, transport=Own).capture_message("class")
    with pytest.warns(DeprecationWarning, match="a function as 'transport' is deprecated") as warned:
        client = vedette.Client(DSN, transport=events.append)
    client.capture_message("function")
    client.flush(5)
    assert instance.events[0]["logentry"]["formatted"] == "instance"
    assert Own.made[0].events[0]["logentry"]["formatted"] == "class"
    assert str(Own.made[0].parsed_dsn) == DSN
    assert [event["logentry"]["formatted"] for event in events] == ["function"]
    assert warned[0].filename == __file__


def test_a_transport_class_of_another_kind_is_refused() -> None:
    with pytest.raises(vedette.OptionError, match=r"must be a subclass of vedette\.Transport, got the class 'dict'"):
        vedette.Client(DSN, transport=dict)


def test_a_transport_that_raises_loses_the_event_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(vedette.Transport):
        def capture_envelope(self, envelope: Envelope) -> None:
            message = "no such server"
            raise OSError(message)

    client = vedette.Client(DSN, transport=Broken())
    client.capture_message("one")
    client.capture_message("two")
    client.flush(5)
    assert client.stats().dropped == {"error": {"internal_sdk_error": 2}}
    (warning,) = (r.getMessage() for r in caplog.records if r.levelname == "WARNING")
    assert warning.startswith("the transport's capture_envelope (")
    assert warning.endswith("Broken.capture_envelope) raised")


def test_a_transport_that_ends_its_own_thread_prints_nothing() -> None:
    done = run_program("""
        import vedette
        from vedette.testing import MemoryTransport

        class Interrupted(MemoryTransport):
            def flush(self, timeout, callback=None):
                raise KeyboardInterrupt

        vedette.init("http://key@127.0.0.1:9/1", transport=Interrupted())
        vedette.capture_message("hello")
        vedette.flush(1)
    """)
    assert (done.code, done.stdout, done.stderr) == (0, "", "")


def test_a_subclass_of_the_http_transport_works_and_its_losses_are_known() -> None:
    class Logging(vedette.HttpTransport):
        seen = 0

        def capture_envelope(self, envelope: Envelope) -> None:
            self.seen += 1
            super().capture_envelope(envelope)

    with RecordingServer() as server:
        client = vedette.Client(server.dsn(), transport=Logging)
        server.answer(status=500)
        client.capture_message("lost")
        client.flush(5)
        client.capture_message("arrives")
        client.flush(5)
        assert client.stats().delivered == {"error": 1}
        assert client.stats().dropped == {"error": {"send_error": 1}}
        assert client.transport.seen == 3  # two events, and the report on the lost one


@pytest.mark.spec("CLI-23", "CLI-24")
def test_a_transport_whose_flush_or_kill_blocks_holds_nobody_up() -> None:
    go_on = threading.Event()

    class Blocking(MemoryTransport):
        def flush(self, timeout: float, callback: object = None) -> None:
            go_on.wait(20)

        def kill(self) -> None:
            go_on.wait(20)

    client = vedette.Client(DSN, transport=Blocking())
    client.capture_message("hello")
    start = time.monotonic()
    client.flush(0.1)
    client.close(0.1)
    took = time.monotonic() - start
    go_on.set()
    assert took < 2.0


@pytest.mark.parametrize("event", [5, "text", [], (1,), None])
def test_an_event_that_is_no_dict_is_a_counted_loss(event: Any) -> None:
    client = vedette.init(DSN, transport=MemoryTransport())
    assert vedette.capture_event(event) is None
    assert client.stats().dropped == {"error": {"invalid": 1}}


def test_a_client_that_is_none_is_not_bound() -> None:
    client = vedette.init(DSN, transport=MemoryTransport())
    vedette.get_current_scope().set_client(5)  # type: ignore[arg-type]
    assert vedette.get_client() is client


def test_an_exception_whose_class_is_a_property_is_captured_unasked() -> None:
    class Odd(Exception):
        @property
        def __class__(self) -> type:
            raise AssertionError

    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    assert vedette.capture_exception(Odd())
    assert transport.events[0]["exception"]["values"][0]["type"] == "Odd"


def test_a_breadcrumb_from_inside_before_breadcrumb_is_not_kept() -> None:
    def before_breadcrumb(crumb: Any, _hint: Any) -> Any:
        vedette.add_breadcrumb(message="from inside")
        return crumb

    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, before_breadcrumb=before_breadcrumb)
    vedette.add_breadcrumb(message="hello")
    vedette.capture_message("message")
    assert [crumb["message"] for crumb in transport.events[0]["breadcrumbs"]["values"]] == ["hello"]
