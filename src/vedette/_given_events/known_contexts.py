"""The contexts whose fields servers know by name: what is of another type would be lost there (EVT-84 to EVT-88)."""

from __future__ import annotations

from vedette._given_events.faults import is_array, keep_counts, keep_numbers, keep_texts, keep_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

    Path = tuple[str | int, ...]
    Names = dict[str, tuple[str, ...]]

_TEXTS: Final[Names] = {
    "os": (
        *("name", "version", "raw_description", "build", "kernel_version", "os"),
        *("distribution_name", "distribution_version", "distribution_pretty_name"),
    ),
    "runtime": ("name", "version", "raw_description", "build", "runtime"),
    "browser": ("name", "version", "browser"),
    "device": (
        *("name", "family", "model", "model_id", "arch", "battery_status", "manufacturer", "brand", "orientation"),
        *("screen_resolution", "boot_time", "timezone", "locale", "device_type", "device_unique_identifier"),
        *("cpu_description", "uuid"),
    ),
    "app": (
        *("app_start_time", "device_app_hash", "build_type", "app_identifier", "app_name", "app_version"),
        "app_build",
    ),
    "gpu": (
        *("name", "version", "vendor_id", "vendor_name", "api_type", "npot_support"),
        "graphics_shader_level",
    ),
    "culture": ("calendar", "display_name", "locale", "timezone"),
}
_FLAGS: Final[Names] = {
    "os": ("rooted",),
    "device": (
        *("online", "charging", "low_memory", "simulator", "supports_vibration", "supports_accelerometer"),
        *("supports_gyroscope", "supports_audio", "supports_location_service"),
    ),
    "app": ("in_foreground",),
    "gpu": (
        *("multi_threaded_rendering", "supports_draw_call_instancing", "supports_ray_tracing"),
        *("supports_compute_shaders", "supports_geometry_shaders"),
    ),
    "culture": ("is_24_hour_format",),
}
_COUNTS: Final[Names] = {
    "device": (
        *("screen_width_pixels", "screen_height_pixels", "screen_dpi", "memory_size", "free_memory", "usable_memory"),
        *("storage_size", "free_storage", "external_storage_size", "external_free_storage", "processor_count"),
        "processor_frequency",
    ),
    "app": ("app_memory",),
    "gpu": ("memory_size", "max_texture_size"),
    "response": ("body_size",),
}
_NUMBERS: Final[Names] = {"device": ("battery_level", "screen_density")}

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_UUID: Final = 32  # digits


def keep_known_fields(kind: str, context: dict[str, Any], path: Path, faults: Faults) -> None:
    """Of a context of this kind, keep the fields that servers know if they are of their type, and all others."""
    keep_texts(context, _TEXTS.get(kind, ()), path, faults)
    keep_type(bool, context, _FLAGS.get(kind, ()), path, faults)
    keep_counts(context, _COUNTS.get(kind, ()), path, faults)
    keep_numbers(context, _NUMBERS.get(kind, ()), path, faults)
    if kind == "device" and "uuid" in context and not _is_uuid(context["uuid"]):
        del context["uuid"]
        faults.note((*path, "uuid"), "expected a UUID")
    if kind == "app" and "view_names" in context:
        _put_view_names_right(context, path, faults)


def _is_uuid(text: str) -> bool:
    digits = text.replace("-", "")
    return len(digits) == _UUID and _HEX.issuperset(digits)


def _put_view_names_right(context: dict[str, Any], path: Path, faults: Faults) -> None:
    given: Any = context.pop("view_names")
    kept = [name for name in given if type(name) is str] if is_array(given) else []
    if kept:
        context["view_names"] = kept
    if given is not None and kept != given:
        faults.note((*path, "view_names"), "expected a list of strings")
