"""Making an event fit: what may go, goes in a fixed order, and ``_meta`` says so (ruling 12, PAIN-03).

Runs on the worker, over exact built-in values. What is taken away is measured on its own, so the whole event
is encoded again only when enough is gone by that count. The event that was given is not changed: parts of it
may be shared with scopes.
"""

from __future__ import annotations

from vedette._events.remarks import branch_at, cut_remark, place_remark
from vedette._host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, Final

    from vedette._events.remarks import Meta

    Json = dict[str, Any]
    Path = tuple[str | int, ...]
    Encode = Callable[[Any], bytes]
    Step = Callable[[Json, Encode], Iterator[int]]

MAX_FRAMES: Final = 10
"""Frames that the last step but one leaves of each stack, the newest."""
MAX_TEXT: Final = 1000
"""Characters of a text in the bare event."""

_REMARK_BYTES: Final = 60  # what a remark takes, and its share in the path that leads to it
_BARE: Final = (
    "event_id",
    "timestamp",
    "platform",
    "level",
    "logger",
    "transaction",
    "server_name",
    "release",
    "dist",
    "environment",
    "fingerprint",
    "sdk",
)


class TooLargeError(ValueError):
    """Not even the bare event fits."""


def shrink_event(event: Json, limit: int, encode: Encode, data: bytes | None = None) -> bytes:
    """The event encoded in at most ``limit`` bytes; what was cut is said in its ``_meta``.

    ``data``: what it is encoded, if it was already.

    Raises:
        TooLargeError: Nothing that may go is left, and it is still too large.
    """
    if data is None:
        data = encode(event)
    if len(data) <= limit:
        return data
    log.warn_once("shrunk", "an event of %d bytes is cut down to %d; its _meta says what went", len(data), limit)
    event = _copied(event)
    event["_meta"] = _dict(event.get("_meta"))
    excess = len(data) - limit
    for freed in _freed_by_steps(event, encode):
        excess -= freed
        if excess <= 0:
            data = encode(event)
            if len(data) <= limit:
                return data
            excess = len(data) - limit
    for last in (event, _bare(event)):
        data = encode(last)
        if len(data) <= limit:
            return data
    raise TooLargeError(f"the bare event takes {len(data)} bytes, only {limit} are allowed")


def _freed_by_steps(event: Json, encode: Encode) -> Iterator[int]:
    for step in _STEPS:
        yield from step(event, encode)


# The steps: each takes away one thing after the other, remarks it, and yields how many bytes that saved.


def _library_variables(event: Json, encode: Encode) -> Iterator[int]:
    return _without_in_frames(event, encode, ("vars",), in_app=False)


def _own_variables(event: Json, encode: Encode) -> Iterator[int]:
    return _without_in_frames(event, encode, ("vars",), in_app=True)


def _request_body(event: Json, encode: Encode) -> Iterator[int]:
    yield from _taken(event, ("request",), _dict(event.get("request")), ("data",), encode)


def _extra(event: Json, encode: Encode) -> Iterator[int]:
    return _largest_first(event, "extra", encode)


def _breadcrumbs(event: Json, encode: Encode) -> Iterator[int]:
    path, crumbs = _list_of(event, "breadcrumbs")
    while crumbs:
        freed = len(encode(crumbs[0]))  # the oldest
        _remark_oldest(event["_meta"], path, len(crumbs), 1)
        del crumbs[0]
        yield freed


def _modules(event: Json, encode: Encode) -> Iterator[int]:
    yield from _taken(event, (), event, ("modules",), encode)


def _library_source(event: Json, encode: Encode) -> Iterator[int]:
    return _without_in_frames(event, encode, ("pre_context", "post_context"), in_app=False)


def _own_source(event: Json, encode: Encode) -> Iterator[int]:
    return _without_in_frames(event, encode, ("pre_context", "post_context"), in_app=True)


def _contexts(event: Json, encode: Encode) -> Iterator[int]:
    return _largest_first(event, "contexts", encode, but="trace")


def _older_frames(event: Json, encode: Encode) -> Iterator[int]:
    for path, frames in _stacks(event):
        surplus = len(frames) - MAX_FRAMES
        if surplus > 0:
            freed = len(encode(frames[:surplus]))
            _remark_oldest(event["_meta"], path, len(frames), surplus)
            del frames[:surplus]
            yield freed


_STEPS: Final[tuple[Step, ...]] = (
    _library_variables,
    _own_variables,
    _request_body,
    _extra,
    _breadcrumbs,
    _modules,
    _library_source,
    _own_source,
    _contexts,
    _older_frames,
)


def _bare(event: Json) -> Json:
    """What happened, in a few words: the captured exception with its last frame, or the message."""
    bare: Json = {key: event[key] for key in _BARE if key in event}
    trace = _dict(event.get("contexts")).get("trace")
    if trace is not None:
        bare["contexts"] = {"trace": trace}
    _, exceptions = _list_of(event, "exception")
    if exceptions:
        captured = _short_texts(_dict(exceptions[-1]))
        frames = _frames_of(captured)
        if frames:
            captured["stacktrace"] = {"frames": [_short_texts(_dict(frames[-1]))]}
        bare["exception"] = {"values": [captured]}
    if "logentry" in event:
        bare["logentry"] = _short_texts(_dict(event["logentry"]))
        bare["logentry"].pop("params", None)
    bare["_meta"] = cut_remark()
    return bare


def _short_texts(value: Json) -> Json:
    return {key: part[:MAX_TEXT] if type(part) is str else part for key, part in value.items()}


def _without_in_frames(event: Json, encode: Encode, keys: tuple[str, ...], *, in_app: bool) -> Iterator[int]:
    """The same of each frame of the application, or of each other one: the oldest call first."""
    for path, frames in _stacks(event):
        for at, frame in enumerate(frames):
            if (frame.get("in_app") is True) is in_app:
                yield from _taken(event, (*path, at), frame, keys, encode)


def _largest_first(event: Json, name: str, encode: Encode, but: str = "") -> Iterator[int]:
    parts = _dict(event.get(name))
    sizes = {key: len(encode(part)) for key, part in parts.items() if key != but}
    yield from _taken(event, (name,), parts, sorted(sizes, key=lambda key: -sizes[key]), encode)


def _taken(event: Json, path: Path, parts: Json, keys: Iterable[str], encode: Encode) -> Iterator[int]:
    """Take these keys out, where that saves more than the remark on it costs."""
    for key in keys:
        if key not in parts:
            continue
        part: Any = parts[key]
        saved = len(encode(part)) - _REMARK_BYTES
        if saved > 0:
            del parts[key]
            length = len(part) if type(part) in {str, list, dict} else None
            branch_at(event["_meta"], (*path, key)).clear()  # nothing below is left
            place_remark(event["_meta"], (*path, key), cut_remark(length))
            yield saved


def _remark_oldest(meta: Meta, path: Path, total: int, surplus: int) -> None:
    """Say that the first of a list are gone, and move what was said about the others to their new places."""
    meta = branch_at(meta, path)
    known = _dict(meta.get("")).get("len")
    earlier = known if type(known) is int else total
    moved = {str(int(at) - surplus): remark for at, remark in meta.items() if at.isdecimal() and int(at) >= surplus}
    meta.clear()
    meta.update(moved)
    place_remark(meta, (), cut_remark(earlier, 0, earlier - total + surplus))


def _stacks(event: Json) -> Iterator[tuple[Path, list[Json]]]:
    """The lists of frames, and where they stand: those of chained exceptions before the captured one's."""
    for name in ("exception", "threads"):
        path, values = _list_of(event, name)
        for at, value in enumerate(values):
            yield (*path, at, "stacktrace", "frames"), _frames_of(_dict(value))


def _frames_of(value: Json) -> list[Json]:
    frames: list[Json] | None = _dict(value.get("stacktrace")).get("frames")
    return frames if type(frames) is list else []


def _list_of(event: Json, name: str) -> tuple[Path, list[Any]]:
    """An interface's list, which may stand under ``values`` or by itself (ERR-52, EVT-51)."""
    path: Path = (name,)
    values: list[Any] | None = event.get(name)
    if type(values) is not list:
        path = (name, "values")
        values = _dict(event.get(name)).get("values")
    return path, values if type(values) is list else []


def _dict(value: Any) -> Json:
    """The same, if it is a dict: a program's hooks may have put anything where the protocol has one."""
    found: Json | None = value
    return found if type(found) is dict else {}


def _copied(value: Any) -> Any:
    """Containers of its own, the same leaves."""
    if type(value) is dict:
        return {key: _copied(part) for key, part in _dict(value).items()}
    parts: list[Any] | None = value
    return [_copied(part) for part in parts] if type(parts) is list else value
