"""Unleash, Statsig and LaunchDarkly: what flags were evaluated to is in events, and evaluations are what they were."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import vedette
from vedette.integrations.launchdarkly import LaunchDarklyIntegration
from vedette.integrations.statsig import StatsigIntegration
from vedette.integrations.unleash import UnleashIntegration
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
EVALUATED = [("dark", True), ("off", False)]


def start(*integrations: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, integrations=integrations)
    return transport


def flags(transport: MemoryTransport) -> list[tuple[str, Any]]:
    vedette.capture_message("m")
    found = transport.events[-1]["contexts"].get("flags", {"values": []})
    return [(each["flag"], each["result"]) for each in found["values"]]


@pytest.fixture
def unleash(tmp_path):
    """A client of Unleash that knows its flags without a server."""
    library = pytest.importorskip("UnleashClient")
    cache = pytest.importorskip("UnleashClient.cache").FileCache("shop", directory=str(tmp_path))
    variants = [{"name": "blue", "weight": 1000, "weightType": "variable", "stickiness": "default"}]
    feature = {"name": "dark", "enabled": True, "strategies": [{"name": "default"}], "variants": variants}
    off = {"name": "off", "enabled": False, "strategies": []}
    cache.bootstrap_from_dict({"version": 1, "features": [feature, off]})
    client = library.UnleashClient(
        url="http://127.0.0.1:9/api", app_name="shop", disable_metrics=True, disable_registration=True, cache=cache
    )
    client.initialize_client(fetch_toggles=False)
    yield client
    client.destroy()


@pytest.fixture
def statsig():
    """Statsig, which knows its gates without a server."""
    library = pytest.importorskip("statsig.statsig")
    options = pytest.importorskip("statsig").StatsigOptions(local_mode=True)
    library.initialize("secret-key", options)
    library.override_gate("dark", True)
    library.override_gate("off", False)
    yield library
    library.shutdown()


@pytest.fixture
def launchdarkly():
    """A client of LaunchDarkly that knows its flags without a server."""
    library = pytest.importorskip("ldclient")
    data = pytest.importorskip("ldclient.integrations.test_data").TestData.data_source()
    data.update(data.flag("dark").variation_for_all(True))
    data.update(data.flag("off").variation_for_all(False))
    client = library.LDClient(library.Config("key", update_processor_class=data, send_events=False))
    yield client
    client.close()


@pytest.mark.spec("INT-130", "INT-131")
def test_flags_of_unleash_are_in_events_and_close_restores_its_methods(unleash) -> None:
    methods = [(type(unleash), name) for name in ("is_enabled", "get_variant")]
    before = [owner.__dict__[name] for owner, name in methods]
    transport = start(UnleashIntegration())
    for (owner, name), method in zip(methods, before, strict=True):
        assert inspect.signature(owner.__dict__[name]) == inspect.signature(method)
    assert unleash.is_enabled("dark") is True
    assert unleash.is_enabled(feature_name="off") is False
    assert flags(transport) == EVALUATED
    assert unleash.get_variant("dark")["name"] == "blue"
    assert flags(transport) == [("off", False), ("dark", True)]
    vedette.get_client().close(timeout=0)
    assert [owner.__dict__[name] for owner, name in methods] == before


@pytest.mark.spec("INT-130", "INT-131")
def test_gates_of_statsig_are_in_events_and_close_restores_its_method(statsig) -> None:
    user = pytest.importorskip("statsig").StatsigUser("jane")
    server = pytest.importorskip("statsig.statsig_server").StatsigServer
    before = server.__dict__["check_gate"]
    transport = start(StatsigIntegration())
    assert inspect.signature(server.__dict__["check_gate"]) == inspect.signature(before)
    assert statsig.check_gate(user, "dark") is True
    assert statsig.check_gate(user, "off") is False
    assert flags(transport) == EVALUATED
    vedette.get_client().close(timeout=0)
    assert server.__dict__["check_gate"] is before


@pytest.mark.spec("INT-130", "INT-131")
def test_flags_of_launchdarkly_are_in_events_of_the_client_in_charge(launchdarkly) -> None:
    user = pytest.importorskip("ldclient").Context.create("jane")
    start(LaunchDarklyIntegration(launchdarkly))
    transport = start(LaunchDarklyIntegration(launchdarkly))
    assert launchdarkly.variation("dark", user, False) is True
    assert launchdarkly.variation("off", user, True) is False
    assert flags(transport) == EVALUATED
    vedette.get_current_scope().flags.clear()
    other = start()
    assert launchdarkly.variation("dark", user, False) is True
    assert flags(other) == []


def test_launchdarkly_without_a_configuration_is_not_set_up(launchdarkly) -> None:
    start(LaunchDarklyIntegration())
    assert vedette.get_client().get_integration(LaunchDarklyIntegration) is None
