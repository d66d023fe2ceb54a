"""Several clients in one process: each whole in itself, none in the way of another (docs/several-clients.md)."""

from __future__ import annotations

import atexit
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

import vedette
from tests.servers import RecordingServer
from tests.threads import os_threads
from vedette.integrations import Integration
from vedette.integrations.atexit import AtexitIntegration
from vedette.integrations.excepthook import ExcepthookIntegration
from vedette.testing import MemoryTransport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vedette._scopes.client import BaseClient
    from vedette.envelope import Envelope

DSN = "https://key@errors.example.org/7"


class Mine(Integration):
    """One for each client."""

    identifier = "mine"

    def __init__(self) -> None:
        self.client: BaseClient | None = None
        self.is_closed = False

    def setup(self, client: BaseClient) -> None:
        self.client = client

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def servers() -> Iterator[tuple[RecordingServer, RecordingServer]]:
    with RecordingServer() as first, RecordingServer() as second:
        yield first, second


def texts(server: RecordingServer) -> list[str]:
    return sorted(event["logentry"]["formatted"] for event in server.events)


@pytest.mark.spec("PAIN-23")
def test_crossed_captures_of_many_threads_arrive_where_they_belong(
    servers: tuple[RecordingServer, RecordingServer],
) -> None:
    clients = [vedette.Client(server.dsn(), release=f"tenant{n}@1") for n, server in enumerate(servers)]
    gate = threading.Barrier(6)

    def work(worker: int) -> None:
        gate.wait(10)
        for turn in range(10):
            tenant = (worker + turn) % 2
            with vedette.isolation_scope() as scope:
                scope.set_client(clients[tenant])
                scope.set_tag("tenant", str(tenant))
                vedette.capture_message(f"{tenant} by scope")
                clients[1 - tenant].capture_message(f"{1 - tenant} by client")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for tenant, (client, server) in enumerate(zip(clients, servers, strict=True)):
        client.flush(20)
        assert texts(server) == [f"{tenant} by client"] * 30 + [f"{tenant} by scope"] * 30
        assert {event["release"] for event in server.events} == {f"tenant{tenant}@1"}
        assert client.stats().delivered == {"error": 60}


@pytest.mark.spec("PAIN-23")
def test_closing_one_leaves_the_other_at_work(servers: tuple[RecordingServer, RecordingServer]) -> None:
    integrations = Mine(), Mine()
    first, second = (
        vedette.Client(server.dsn(), integrations=[mine]) for server, mine in zip(servers, integrations, strict=True)
    )
    assert first.get_integration(Mine) is integrations[0]
    assert second.get_integration(Mine) is integrations[1]
    for client in (first, second):
        client.capture_message("one")
    first.close(10)
    assert (integrations[0].is_closed, integrations[1].is_closed) == (True, False)
    first.capture_message("two")
    second.capture_message("two")
    second.flush(10)
    assert texts(servers[0]) == ["one"]
    assert texts(servers[1]) == ["one", "two"]
    assert sys.excepthook is not sys.__excepthook__  # the second still wants it
    second.close(10)
    assert integrations[1].is_closed


@pytest.mark.spec("PAIN-23")
def test_a_rate_limit_of_one_does_not_hold_up_the_other(servers: tuple[RecordingServer, RecordingServer]) -> None:
    servers[0].answer(status=429, headers=(("Retry-After", "60"),))
    first, second = (vedette.Client(server.dsn(), default_integrations=False) for server in servers)
    for client in (first, second):
        client.capture_message("one")
        client.flush(10)
        client.capture_message("two")
        client.flush(10)
    assert first.stats().refused == {"error": 1}
    assert first.stats().dropped == {"error": {"ratelimit_backoff": 1}}
    assert second.stats().delivered == {"error": 2}


def test_options_hooks_and_counts_are_each_clients_own() -> None:
    transports = MemoryTransport(), MemoryTransport()
    strict = vedette.Client(DSN, transport=transports[0], before_send=lambda _event, _hint: None)
    open_ = vedette.Client(DSN, transport=transports[1], max_breadcrumbs=1)
    seen: list[Envelope] = []
    open_.on("before_envelope", seen.append)
    for client in (strict, open_):
        with vedette.new_scope() as scope:
            scope.set_client(client)
            vedette.add_breadcrumb(message="first")
            vedette.add_breadcrumb(message="second")
            vedette.capture_message("hello")
    assert strict.stats().dropped == {"error": {"before_send": 1}}
    assert open_.stats().dropped == {}
    assert len(seen) == 1
    assert [crumb["message"] for crumb in transports[1].events[0]["breadcrumbs"]["values"]] == ["second"]


@pytest.mark.spec("PAIN-23", "CLI-30")
def test_a_client_in_a_library_installs_nothing_and_is_not_met_by_the_program() -> None:
    hooks = sys.excepthook, threading.excepthook
    at_exit, threads = atexit._ncallbacks(), os_threads()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other way to count
    transport = MemoryTransport()
    client = vedette.Client(DSN, transport=transport, default_integrations=False)
    assert (sys.excepthook, threading.excepthook) == hooks
    assert atexit._ncallbacks() == at_exit  # type: ignore[attr-defined]  # noqa: SLF001
    assert os_threads() <= threads
    assert client.integrations == {}
    assert not vedette.is_initialized()
    assert vedette.capture_message("of the program") is None
    try:
        raise ValueError
    except ValueError:
        assert client.capture_exception()
    scope = vedette.Scope(client=client)
    scope.set_tag("by", "its own scope")
    assert scope.capture_message("by its own scope")
    assert [event.get("tags") for event in transport.events] == [None, {"by": "its own scope"}]
    assert "integrations" not in transport.events[0]["sdk"] or transport.events[0]["sdk"]["integrations"] == []


def without_the_programs_data(event: Any, _hint: Any) -> Any:
    for field in ("tags", "user", "extra", "breadcrumbs", "request", "transaction", "server_name"):
        event.pop(field, None)
    contexts = event.get("contexts", {})
    event["contexts"] = {name: contexts[name] for name in ("trace", "runtime") if name in contexts}
    return event


def test_a_library_can_leave_out_what_is_the_programs() -> None:
    transports = MemoryTransport(), MemoryTransport()
    vedette.init(DSN, transport=transports[0])
    client = vedette.Client(
        DSN, transport=transports[1], default_integrations=False, before_send=without_the_programs_data
    )
    vedette.set_tag("whose", "the program's")
    vedette.set_user({"id": "the program's"})
    vedette.set_context("order", {"whose": "the program's"})
    vedette.set_extra("whose", "the program's")
    vedette.add_breadcrumb(message="the program's")
    vedette.set_transaction_name("the program's")
    client.capture_message("of the library")
    vedette.capture_message("of the program")
    assert "the program's" not in repr(transports[1].events)
    assert repr(transports[0].events).count("the program's") == 6


def test_a_library_may_have_its_client_closed_at_exit() -> None:
    client = vedette.Client(
        DSN, transport=MemoryTransport(), default_integrations=False, integrations=[AtexitIntegration()]
    )
    assert set(client.integrations) == {"atexit"}


def test_a_client_made_by_hand_sets_up_its_integrations() -> None:
    mine = Mine()
    client = vedette.Client(DSN, transport=MemoryTransport(), integrations=[mine])
    assert mine.client is client
    assert {"mine", "atexit", "excepthook", "modules", "threading"} <= set(client.integrations)
    client.close()
    assert mine.is_closed


class Everywhere(vedette.Transport):
    def __init__(self, dsns: list[str]) -> None:
        super().__init__()
        self.transports = [vedette.HttpTransport({"dsn": dsn}) for dsn in dsns]

    def capture_envelope(self, envelope: Envelope) -> None:
        for transport in self.transports:
            transport.capture_envelope(envelope)

    def kill(self) -> None:
        for transport in self.transports:
            transport.kill()


def test_a_transport_can_send_everything_to_several_servers(servers: tuple[RecordingServer, RecordingServer]) -> None:
    dsns = [server.dsn() for server in servers]
    client = vedette.init(dsns[0], transport=Everywhere(dsns))
    vedette.capture_message("to everybody")
    client.close(10)
    assert texts(servers[0]) == texts(servers[1]) == ["to everybody"]


class ByTeam(vedette.Transport):
    def __init__(self, dsns: dict[str, str], default: str) -> None:
        super().__init__()
        self.transports = {team: vedette.HttpTransport({"dsn": dsn}) for team, dsn in dsns.items()}
        self.default = self.transports[default]

    def capture_envelope(self, envelope: Envelope) -> None:
        event: Any = envelope.get_event() or {}
        team = event.get("tags", {}).get("team")
        self.transports.get(team, self.default).capture_envelope(envelope)

    def kill(self) -> None:
        for transport in self.transports.values():
            transport.kill()


@pytest.mark.spec("PAIN-23")
def test_a_transport_can_choose_the_server_of_each_event_by_a_rule(
    servers: tuple[RecordingServer, RecordingServer],
) -> None:
    dsns = {team: server.dsn() for team, server in zip(("shop", "billing"), servers, strict=True)}
    client = vedette.init(dsns["shop"], transport=ByTeam(dsns, default="shop"))
    for team in ("shop", "billing", "nobody knows"):
        with vedette.new_scope() as scope:
            scope.set_tag("team", team)
            vedette.capture_message(f"of {team}")
    vedette.capture_message("of no team")
    client.close(10)
    assert texts(servers[0]) == ["of no team", "of nobody knows", "of shop"]
    assert texts(servers[1]) == ["of billing"]
    assert client.stats().delivered == {"error": 4}


def only_with(package: str) -> Any:
    def before_send(event: Any, _hint: Any) -> Any:
        values = event.get("exception", {}).get("values", ())
        frames = [frame for value in values for frame in (value.get("stacktrace") or {}).get("frames", ())]
        modules = [frame.get("module") or "" for frame in frames]
        return event if any(f"{module}.".startswith(f"{package}.") for module in modules) else None

    return before_send


@pytest.mark.spec("PAIN-23")
def test_a_library_can_be_told_of_the_errors_alone_in_which_it_had_a_part() -> None:
    transport = MemoryTransport()
    client = vedette.Client(
        DSN,
        transport=transport,
        default_integrations=False,
        integrations=[ExcepthookIntegration()],
        before_send=only_with("json"),
    )
    with vedette.isolation_scope() as scope:
        scope.set_client(client)
        for source in ("import json; json.loads('[')", "import jsonschema_of_nobody", "1 / 0"):
            try:
                exec(source, {"__name__": "program"})
            except Exception as error:
                sys.excepthook(type(error), error, error.__traceback__)
        vedette.capture_message("of the program")
    assert [event["exception"]["values"][-1]["type"] for event in transport.events] == ["JSONDecodeError"]
    assert client.stats().dropped == {"error": {"before_send": 3}}
    client.close()
