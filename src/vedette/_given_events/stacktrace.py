"""``stacktrace``: frames that servers can read (EVT-30 to EVT-50)."""

from __future__ import annotations

from vedette._given_events.faults import is_array, is_object, keep_texts, keep_type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._given_events.faults import Faults

    Path = tuple[str | int, ...]

_TEXTS: Final = ("filename", "abs_path", "function", "module", "context_line", "platform")
_NAMES: Final = ("filename", "function", "instruction_addr")


def put_stacktrace_right(holder: dict[str, Any], path: Path, faults: Faults) -> None:
    """Put the ``stacktrace`` of an exception or thread right, or take it away: it must have frames (EVT-34)."""
    if "stacktrace" not in holder:
        return
    stacktrace = holder["stacktrace"]
    given: Any = stacktrace.get("frames") if is_object(stacktrace) else None
    frames = [frame for frame in given if is_object(frame)] if is_array(given) else []
    if not frames:
        del holder["stacktrace"]
        return
    stacktrace["frames"] = frames
    for at, frame in enumerate(frames):
        _put_frame_right(frame, (*path, "stacktrace", "frames", at), faults)


def _put_frame_right(frame: dict[str, Any], path: Path, faults: Faults) -> None:
    keep_texts(frame, _TEXTS, path, faults)
    if type(frame.get("in_app")) is int:
        frame["in_app"] = bool(frame["in_app"])
    keep_type(bool, frame, ("in_app",), path, faults)
    keep_type(dict, frame, ("vars",), path, faults)
    for name in ("pre_context", "post_context"):
        lines: Any = frame.get(name)
        if name in frame and not (is_array(lines) and all(type(line) is str for line in lines)):
            del frame[name]
    for name in ("lineno", "colno"):
        if name not in frame:
            continue
        number = frame[name]
        if type(number) is str and number.isdecimal() and number.isascii():
            number = int(number[:_MOST_DIGITS])
        if type(number) is int and number > 0:  # from 1 (EVT-43)
            frame[name] = number
        else:
            del frame[name]
            if number is not None:
                faults.note((*path, name), "expected a number from 1")
    if not any(name in frame for name in _NAMES):  # EVT-35
        frame["function"] = "<unknown>"


_MOST_DIGITS: Final = 9
