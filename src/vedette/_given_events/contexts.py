"""``contexts``: objects, and those that the protocol knows in its form (EVT-83 to EVT-96)."""

from __future__ import annotations

from vedette._given_events.faults import is_array, is_object, keep_counts, keep_numbers, keep_texts, keep_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._given_events.faults import Faults

    Context = dict[str, Any]
    Path = tuple[str | int, ...]
    Names = dict[str, tuple[str, ...]]

# The fields that servers know, by kind of context: of another type, they would be lost there.
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

_UUID: Final = 32  # digits

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_TRACE_ID, _SPAN_ID = 32, 16  # digits


def right_contexts(given: Any, faults: Faults) -> dict[str, Any] | None:
    """Those that are objects, for servers lose any other (EVT-83)."""
    if not is_object(given):
        faults.note(("contexts",), "expected an object")
        return None
    kept: dict[str, Any] = {}
    for name, context in given.items():
        if is_object(context):
            right = _right_context(name, context, faults)
            if right is not None:
                kept[name] = right
        elif context is not None:
            faults.note(("contexts", name), "expected an object")
    return kept


def _right_context(name: str, context: Context, faults: Faults) -> Context | None:
    kind = context.get("type")
    kind = kind if type(kind) is str else name
    _keep_known_fields(kind, context, ("contexts", name), faults)
    if kind in _SYSTEMS:
        _put_name_right(context)
    known = _KNOWN.get(name)
    return context if known is None else known(context, faults)


def _keep_known_fields(kind: str, context: Context, path: Path, faults: Faults) -> None:
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


def _put_view_names_right(context: Context, path: Path, faults: Faults) -> None:
    given: Any = context.pop("view_names")
    kept = [name for name in given if type(name) is str] if is_array(given) else []
    if kept:
        context["view_names"] = kept
    if given is not None and kept != given:
        faults.note((*path, "view_names"), "expected a list of strings")


def _trace(context: Context, faults: Faults) -> Context | None:
    """Both ids, or no trace at all (EVT-90, EVT-91)."""
    if not (_is_hex(context.get("trace_id"), _TRACE_ID) and _is_hex(context.get("span_id"), _SPAN_ID)):
        faults.note(("contexts", "trace"), "expected a trace_id and a span_id")
        return None
    if not _is_hex(context.get("parent_span_id"), _SPAN_ID):
        context.pop("parent_span_id", None)
    return context


def _is_hex(value: Any, digits: int) -> bool:
    return type(value) is str and len(value) == digits and _HEX.issuperset(value) and value.strip("0") != ""


def _put_name_right(context: Context) -> None:
    """``name`` or ``raw_description`` must be there (EVT-89)."""
    if not (context.get("name") or context.get("raw_description")):
        context["raw_description"] = context.get("version") or "unknown"


def _response(context: Context, faults: Faults) -> Context:
    """``status_code`` is a whole number (EVT-94)."""
    code = context.get("status_code")
    if type(code) is str and code.isdecimal() and code.isascii():
        context["status_code"] = int(code[:3])
    elif "status_code" in context and type(code) is not int:
        del context["status_code"]
        faults.note(("contexts", "response", "status_code"), "expected a whole number")
    return context


def _flags(context: Context, faults: Faults) -> Context:
    """``values`` holds names and booleans (EVT-96)."""
    given: Any = context.get("values")
    kept = [each for each in given if is_object(each) and _is_flag(each)] if is_array(given) else []
    if not is_array(given) or len(kept) < len(given):
        faults.note(("contexts", "flags", "values"), "expected objects with a flag and a boolean result")
    context["values"] = kept
    return context


def _is_flag(value: Context) -> bool:
    return type(value.get("flag")) is str and type(value.get("result")) is bool


_SYSTEMS: Final = frozenset({"os", "runtime"})
_KNOWN: Final[dict[str, Callable[[Context, Faults], Context | None]]] = {
    "trace": _trace,
    "response": _response,
    "flags": _flags,
}
