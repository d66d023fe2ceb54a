"""OpenFeature: what flags were evaluated to is in events, and evaluations are what they were."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

import vedette
from vedette.integrations.openfeature import OpenFeatureIntegration
from vedette.testing import MemoryTransport

api = pytest.importorskip("openfeature.api")
from openfeature.hook import Hook  # noqa: E402
from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider  # noqa: E402

DSN = "http://key@localhost/1"
FLAGS = {
    "new-checkout": InMemoryFlag("on", {"on": True, "off": False}),
    "dark": InMemoryFlag("off", {"on": True, "off": False}),
    "color": InMemoryFlag("blue", {"blue": "#00f"}),
    "limit": InMemoryFlag("low", {"low": 3}),
    "layout": InMemoryFlag("wide", {"wide": {"columns": 3}}),
}


@pytest.fixture(autouse=True)
def provider():
    api.set_provider(InMemoryProvider(FLAGS))
    yield
    api.clear_hooks()
    api.clear_providers()


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, integrations=[OpenFeatureIntegration()])
    return transport


def flags(transport: MemoryTransport) -> list[tuple[str, Any]]:
    vedette.capture_message("m")
    found = transport.events[-1]["contexts"].get("flags", {"values": []})
    return [(each["flag"], each["result"]) for each in found["values"]]


@pytest.mark.spec("INT-117", "INT-125", "INT-129", "INT-130", "INT-131")
def test_events_say_what_flags_of_all_types_were_evaluated_to(transport) -> None:
    client = api.get_client()
    assert client.get_boolean_value("new-checkout", False) is True
    assert client.get_boolean_value("dark", True) is False
    assert client.get_string_value("color", "none") == "#00f"
    assert client.get_integer_value("limit", 0) == 3
    assert client.get_object_value("layout", {}) == {"columns": 3}
    assert flags(transport) == [
        ("new-checkout", True),
        ("dark", False),
        ("color", "#00f"),
        ("limit", 3),
        ("layout", {"columns": 3}),
    ]


def test_an_evaluation_that_fails_is_noted_with_the_default_that_the_program_gets(transport) -> None:
    client = api.get_client()
    assert client.get_boolean_value("no-such-flag", True) is True
    assert client.get_boolean_value("color", False) is False  # a text, where a boolean is asked for
    assert flags(transport) == [("no-such-flag", True), ("color", False)]


def test_what_another_hook_makes_of_an_evaluation_is_what_is_noted(transport) -> None:
    class Refusing(Hook):
        def after(self, hook_context: Any, details: Any, hints: Any) -> None:
            raise LookupError

    assert api.get_client().get_boolean_value("new-checkout", False) is True
    api.add_hooks([Refusing()])
    assert api.get_client().get_boolean_value("new-checkout", False) is False
    assert flags(transport) == [("new-checkout", False)]


@pytest.mark.spec("INT-124", "PAIN-07")
def test_concurrent_requests_never_mix_their_flags(transport) -> None:
    found = {}

    async def request(name: str) -> None:
        with vedette.isolation_scope():
            for _ in range(3):
                api.get_client().get_boolean_value(name, False)
                await asyncio.sleep(0)
            found[name] = flags(transport)

    async def serve() -> None:
        await asyncio.gather(request("new-checkout"), request("dark"))

    asyncio.run(serve())
    assert found == {"new-checkout": [("new-checkout", True)], "dark": [("dark", False)]}
    assert flags(transport) == []


def test_setting_up_twice_leaves_one_hook_and_close_leaves_those_of_the_program(transport) -> None:
    class Own(Hook):
        pass

    own = Own()
    api.add_hooks([own])
    first = vedette.get_client()
    second = MemoryTransport()
    vedette.init(DSN, transport=second, integrations=[OpenFeatureIntegration()])
    first.close(timeout=0)
    assert len(api.get_hooks()) == 2
    api.get_client().get_boolean_value("dark", True)
    assert flags(second) == [("dark", False)]
    vedette.get_client().close(timeout=0)
    assert api.get_hooks() == [own]


def test_a_program_may_clear_the_hooks_itself(transport) -> None:
    api.clear_hooks()
    vedette.get_client().close(timeout=0)
    assert api.get_hooks() == []


def test_a_client_without_the_integration_gets_no_flags(transport) -> None:
    other = MemoryTransport()
    with vedette.Client(DSN, transport=other) as client, vedette.new_scope() as scope:
        scope.set_client(client)
        api.get_client().get_boolean_value("dark", True)
        assert flags(other) == []


def test_a_fault_of_ours_does_not_change_the_value(transport, monkeypatch, caplog) -> None:
    def break_down(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("vedette.integrations._flags.add_feature_flag", break_down)
    assert api.get_client().get_boolean_value("new-checkout", False) is True
    assert "integration 'openfeature'" in caplog.text


PROGRAM = """
import sys
import vedette
from vedette.integrations.openfeature import OpenFeatureIntegration
from vedette.testing import MemoryTransport
transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport, integrations=[OpenFeatureIntegration()])
assert "openfeature" not in sys.modules
from openfeature import api
api.get_client().get_boolean_value("new-checkout", True)
vedette.capture_message("m")
print(transport.events[0]["contexts"]["flags"]["values"])
"""


def test_it_waits_for_the_program_to_import_the_library() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False)
    assert (ran.stdout.strip(), ran.stderr) == ("[{'flag': 'new-checkout', 'result': True}]", "")
