"""Fields of known contexts and the like: of another type, servers would lose them, so vedette says so first."""

from __future__ import annotations

import time
from typing import Any

import pytest
from sentry_relay.processing import StoreNormalizer

from tests.unit._given_events.giving import faults_in, refused_by_relay, sent

UUID = "01234567-89ab-cdef-0123-456789abcdef"
TEXT, FLAG, COUNT, NUMBER = "text", True, 5, 1.5
FIELDS: dict[str, dict[str, Any]] = {
    "os": {
        **dict.fromkeys(["name", "version", "raw_description", "build", "kernel_version"], TEXT),
        **dict.fromkeys(["distribution_name", "distribution_version", "distribution_pretty_name"], TEXT),
        "rooted": FLAG,
    },
    "runtime": dict.fromkeys(["name", "version", "raw_description", "build"], TEXT),
    "browser": dict.fromkeys(["name", "version"], TEXT),
    "device": {
        **dict.fromkeys(["name", "family", "model", "model_id", "arch", "manufacturer", "brand", "locale"], TEXT),
        **dict.fromkeys(["battery_status", "screen_resolution", "orientation", "boot_time", "timezone"], TEXT),
        **dict.fromkeys(["device_type", "device_unique_identifier", "cpu_description"], TEXT),
        **dict.fromkeys(["online", "charging", "low_memory", "simulator", "supports_vibration"], FLAG),
        **dict.fromkeys(["supports_accelerometer", "supports_gyroscope", "supports_audio"], FLAG),
        "supports_location_service": FLAG,
        **dict.fromkeys(["memory_size", "free_memory", "usable_memory", "storage_size", "free_storage"], COUNT),
        **dict.fromkeys(["external_storage_size", "external_free_storage", "processor_count"], COUNT),
        **dict.fromkeys(["processor_frequency", "screen_width_pixels", "screen_height_pixels", "screen_dpi"], COUNT),
        **dict.fromkeys(["battery_level", "screen_density"], NUMBER),
        "uuid": UUID,
    },
    "app": {
        **dict.fromkeys(["app_start_time", "device_app_hash", "build_type", "app_identifier", "app_name"], TEXT),
        **dict.fromkeys(["app_version", "app_build"], TEXT),
        "app_memory": COUNT,
        "in_foreground": FLAG,
        "view_names": ["Cart"],
    },
    "gpu": {
        **dict.fromkeys(["name", "version", "vendor_id", "vendor_name", "api_type", "npot_support"], TEXT),
        "graphics_shader_level": TEXT,
        **dict.fromkeys(["memory_size", "max_texture_size"], COUNT),
        **dict.fromkeys(["multi_threaded_rendering", "supports_draw_call_instancing", "supports_ray_tracing"], FLAG),
        **dict.fromkeys(["supports_compute_shaders", "supports_geometry_shaders"], FLAG),
    },
    "culture": {**dict.fromkeys(["calendar", "display_name", "locale", "timezone"], TEXT), "is_24_hour_format": FLAG},
}
ODD = [["x", 5], {"a": 1}, [], "text", "7", 5, 1.5, -5, True, 2**70, None, 1e30]


def as_stored(event: dict[str, Any]) -> dict[str, Any]:
    """What the servers' normalizer keeps."""
    normalizer = StoreNormalizer(project_id=1, protocol_version="7", remove_other=True)
    stored: dict[str, Any] = normalizer.normalize_event(event={"received": time.time(), **event})
    return stored


@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("typed", [False, True])
def test_known_fields_of_their_type_stay(kind: str, typed: bool) -> None:
    given = {**FIELDS[kind], "own": {"any": [1]}, **({"type": kind} if typed else {})}
    name = "mine" if typed else kind

    event = sent({"contexts": {name: dict(given)}})

    assert event["contexts"][name] == given
    assert refused_by_relay(event) == []
    assert "_meta" not in event


@pytest.mark.spec("EVT-85")
@pytest.mark.parametrize("kind", FIELDS)
@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("typed", [False, True])
def test_what_is_sent_of_a_known_context_is_stored_and_what_is_not_is_remarked(
    kind: str, odd: Any, typed: bool
) -> None:
    name = "mine" if typed else kind
    event = sent({"contexts": {name: {**dict.fromkeys(FIELDS[kind], odd), **({"type": kind} if typed else {})}}})

    context = event["contexts"][name]
    stored = as_stored(event)["contexts"][name]
    assert refused_by_relay(event) == []
    for field in FIELDS[kind]:
        if field in context:
            assert stored[field] == context[field]
        elif odd not in (None, []):  # nothing, to servers as well
            assert f"contexts.{name}.{field}" in faults_in(event["_meta"])


@pytest.mark.parametrize("odd", [["x"], {"a": 1}, "text", -5, True, 1e30])
def test_the_size_of_a_body_is_a_whole_number(odd: Any) -> None:
    event = sent(
        {"request": {"url": "http://shop.example/", "body_size": odd}, "contexts": {"response": {"body_size": odd}}}
    )

    assert "body_size" not in event["request"]
    assert "body_size" not in event["contexts"]["response"]
    assert faults_in(event["_meta"]) == ["contexts.response.body_size", "request.body_size"]
    assert refused_by_relay(event) == []


@pytest.mark.parametrize(("given", "kept"), [(5, 5), (0, 0), ("5", 5), (1.5, 1), (2**64 - 1, 2**64 - 1)])
def test_a_size_that_servers_can_read_stays(given: Any, kept: int) -> None:
    event = sent({"request": {"url": "http://shop.example/", "body_size": given}})

    assert event["request"]["body_size"] == kept
    assert as_stored(event)["request"]["body_size"] == kept


@pytest.mark.parametrize("field", ["api_target", "protocol"])
def test_texts_of_a_request_are_texts(field: str) -> None:
    event = sent({"request": {"url": "http://shop.example/", field: ["x"]}})

    assert field not in event["request"]
    assert faults_in(event["_meta"]) == [f"request.{field}"]


LOCK = {"type": 1, "address": "0x1", "package_name": "shop", "class_name": "Cart", "thread_id": "7"}


@pytest.mark.spec("EVT-59")
def test_held_locks_have_a_type() -> None:
    given = {"a": dict(LOCK), "b": {"type": 3}, "c": {"type": True}, "d": {}, "e": 5, "f": {"type": 8, "address": [1]}}

    event = sent({"threads": [{"id": 1, "held_locks": given}]})

    assert event["threads"]["values"][0]["held_locks"] == {"a": LOCK, "f": {"type": 8}}
    places = [f"threads.values.0.held_locks.{name}" for name in ("b", "c", "d", "e", "f.address")]
    assert faults_in(event["_meta"]) == places
    assert refused_by_relay(event) == []


@pytest.mark.parametrize("odd", ["x", 5, [LOCK]])
def test_held_locks_are_an_object(odd: Any) -> None:
    event = sent({"threads": [{"id": 1, "held_locks": odd}]})

    assert event["threads"]["values"] == [{"id": 1}]
    assert faults_in(event["_meta"]) == ["threads.values.0.held_locks"]
    assert refused_by_relay(event) == []


@pytest.mark.parametrize("odd", [5, ["url"], {"a": 1}, True])
def test_the_source_of_a_transactions_name_is_a_text(odd: Any) -> None:
    event = sent({"transaction_info": {"source": odd, "original": odd, "propagations": "x", "changes": 5}})

    assert event["transaction_info"] == {}
    places = [f"transaction_info.{name}" for name in ("changes", "original", "propagations", "source")]
    assert faults_in(event["_meta"]) == places
    assert refused_by_relay(event) == []


def test_a_transactions_name_has_a_source() -> None:
    given = {"source": "route", "original": "/a", "propagations": 2}
    event = sent({"transaction_info": dict(given)})

    assert event["transaction_info"] == given
    assert refused_by_relay(event) == []
