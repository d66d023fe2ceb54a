"""What holds for every test: its `spec` marks name real rows, it reaches no network, its time is counted."""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import weakref
from collections import defaultdict
from typing import Any

import hypothesis
import pytest

import vedette
from tools.conformance import read_rows
from vedette._host import log
from vedette._integration_set import IntegrationSet

MOST_ROWS_PER_TEST = 8
# Seconds of `make test`, per Python, of both its processes together: 5 minutes on two cores.
TIME_BUDGETS = {"unit": 280, "e2e": 180, "faults": 140}
FOREIGN_SETTINGS = ("SENTRY_", "VEDETTE_")
PROXY_SETTINGS = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

# How long an example takes says more about the machine than about the code; pytest-timeout stops what hangs.
hypothesis.settings.register_profile("vedette", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("vedette")

seconds_spent: defaultdict[str, float] = defaultdict(float)


def pytest_configure() -> None:
    """A shell that runs the suite in the background has Ctrl-C ignored, and so would every program under test."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    rows = read_rows()
    faults = []
    for item in items:
        ids = {row_id for mark in item.iter_markers("spec") for row_id in mark.args}
        if unknown := sorted(ids - rows.keys()):
            faults.append(f"{item.nodeid}: no row of docs/spec: {', '.join(unknown)}")
        if len(ids) > MOST_ROWS_PER_TEST:
            faults.append(f"{item.nodeid}: names {len(ids)} rows, at most {MOST_ROWS_PER_TEST} are provable")
    if faults:
        raise pytest.UsageError("\n".join(faults))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _, _, path = report.nodeid.partition("tests/")
    seconds_spent[path.partition("/")[0]] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    spent = [
        f"{part} {seconds_spent[part]:.0f} s of {budget} s"
        for part, budget in TIME_BUDGETS.items()
        if part in seconds_spent
    ]
    if spent:
        terminalreporter.write_line(f"time budget: {', '.join(spent)}")


@pytest.fixture(autouse=True)
def no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(FOREIGN_SETTINGS) or name.lower() in PROXY_SETTINGS:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_network_but_loopback(monkeypatch: pytest.MonkeyPatch):
    """Lets nobody connect to, or look up, a host other than this one; a test that tried fails."""
    attempts: list[str] = []

    def refuse_foreign(host: object) -> None:
        if not _is_here(host):
            attempts.append(str(host))
            raise ConnectionRefusedError(f"tests may use the loopback interface only, not {host!r}")

    def guarded(connect: Any) -> Any:
        def connect_if_here(sock: socket.socket, address: Any) -> Any:
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                refuse_foreign(address[0])
            return connect(sock, address)

        return connect_if_here

    resolve = socket.getaddrinfo

    def resolve_if_here(host: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(host, str) and host.endswith(".invalid"):  # RFC 6761: the name that never resolves
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        refuse_foreign(host)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    monkeypatch.setattr(socket, "getaddrinfo", resolve_if_here)
    yield
    assert not attempts, f"this test tried to reach {', '.join(sorted(set(attempts)))}"


def _is_here(host: Any) -> bool:
    name = host.decode("ascii") if isinstance(host, bytes) else host
    if name in (None, "", "localhost", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


@pytest.fixture(autouse=True)
def no_client_outlives_its_test(monkeypatch: pytest.MonkeyPatch):
    """Clients made by hand have integrations, too: a hook left in place would be met by the next test."""
    made: weakref.WeakSet[vedette.Client] = weakref.WeakSet()
    set_up = IntegrationSet.set_up

    def set_up_and_note(integrations: Any, *arguments: Any) -> None:
        made.add(integrations.client)
        set_up(integrations, *arguments)

    monkeypatch.setattr(IntegrationSet, "set_up", set_up_and_note)
    yield
    for client in list(made):
        client.close(timeout=0)


@pytest.fixture(autouse=True)
def no_traces_of_other_tests():
    """Each test finds vedette as a new process would: no client, empty scopes, a trace of its own."""
    with vedette.isolation_scope() as scope:
        scope.clear()
        scope.set_new_propagation_context()
        vedette.get_current_scope().clear()
        yield
        vedette.get_client().close(timeout=0)
    global_scope = vedette.get_global_scope()
    global_scope.set_client(None)
    global_scope.clear()
    global_scope._state = vedette.Scope()._state  # noqa: SLF001 - clear() keeps processors, as it must
    log.forget_warnings()
