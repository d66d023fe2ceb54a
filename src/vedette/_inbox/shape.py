"""Reading the parts of an event that may be anything.

An event is whatever JSON somebody sent. These functions find what the protocol puts where, skip what has
another shape, and bound what they return; they never raise.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from vedette._inbox.lenient_json import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_EXCEPTIONS: Final = 1_000
"""Of one event. vedette sends 50, others as many as a group has: a MiB holds about a thousand with their frames."""
MAX_FRAMES: Final = 500

_LIBRARY: Final = re.compile(
    r"[/\\](?:site-packages|dist-packages|node_modules)[/\\]|[/\\]lib(?:64)?[/\\]python\d|[/\\]Lib[/\\]"
    r"|^<frozen |^node:"
)


class Frame(NamedTuple):  # quicker to make than a frozen dataclass: an event has hundreds
    """A frame, as far as the inbox groups and titles by it."""

    module: str
    filename: str
    function: str
    lineno: int | None
    code: str  # the line, blanks squeezed
    own: bool  # of the program itself, by ``is_own``


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of an event; ``parent`` and ``members`` are indices into ``exceptions_of``."""

    type: str
    value: str
    frames: list[Frame]  # most recent call last
    cause: int | None  # what it was raised from
    members: list[int]  # of a group


def text(value: object, limit: int = 1024) -> str:
    """A scalar as text of at most ``limit`` characters; anything else is empty."""
    if isinstance(value, str):
        return value[:limit]
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)[:limit]
    return ""


def line(value: object, limit: int = 1024) -> str:
    """Like ``text``, blanks and line ends squeezed."""
    return " ".join((value[:limit] if type(value) is str else text(value, limit)).split())


def part(event: dict[str, Any], name: str) -> dict[str, Any]:
    """The object of that name, or an empty one."""
    value: object = event.get(name)
    return value if is_dict(value) else {}


def pairs(event: dict[str, Any], name: str) -> list[tuple[str, str]]:
    """Tags and the like: an object, or a list of pairs as old SDKs send. At most 200."""
    value: object = event.get(name)
    if is_dict(value):
        return [(key[:200], text(item, 1000)) for key, item in list(value.items())[:200]]
    if not is_list(value):
        return []
    found = [pair for pair in value[:200] if is_list(pair) and len(pair) == 2]  # noqa: PLR2004 - a pair
    return [(text(name, 200), text(item, 1000)) for name, item in found]


def message_of(event: dict[str, Any]) -> tuple[str, str, bool]:
    """The message as shown, its template, and whether the template has parameters."""
    entry: object = event.get("logentry") or event.get("sentry.interfaces.Message") or event.get("message")
    if not is_dict(entry):
        shown = text(entry, 8192)
        return shown, shown, False
    template, formatted = text(entry.get("message"), 8192), text(entry.get("formatted"), 8192)
    return formatted or template, template or formatted, bool(entry.get("params"))


def exceptions_of(event: dict[str, Any]) -> tuple[list[Raised], int]:
    """The event's exceptions in the order of ``values`` (cause first), and the index of the outermost one.

    Linked by ``mechanism``'s ids where they make sense (a child's id is larger than its parent's); otherwise
    each exception was caused by the one before it. Without any exception: an empty list.
    """
    values: object = event.get("exception")
    if is_dict(values):
        values = values.get("values", [values])
    raw = [value for value in values[-MAX_EXCEPTIONS:] if is_dict(value)] if is_list(values) else []
    if not raw:
        return [], 0
    found = [
        Raised(line(value.get("type"), 256), text(value.get("value"), 8192), _frames(value), None, []) for value in raw
    ]
    return _linked(found, [part(value, "mechanism") for value in raw])


def _linked(found: list[Raised], mechanisms: list[dict[str, Any]]) -> tuple[list[Raised], int]:
    by_id: dict[int, int] = {}
    for index, mechanism in enumerate(mechanisms):
        number: object = mechanism.get("exception_id")
        if type(number) is int:
            by_id.setdefault(number, index)
    outermost = len(found) - 1
    if len(by_id) < len(found):  # ids are missing or repeated: read as a plain chain
        return [_with_links(exc, index - 1 if index else None, []) for index, exc in enumerate(found)], outermost
    causes: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    roots: list[int] = []
    for number in sorted(by_id):
        index = by_id[number]
        parent_id: object = mechanisms[index].get("parent_id")
        parent = by_id.get(parent_id) if type(parent_id) is int and parent_id < number else None
        if parent is None:
            roots.append(index)
        elif text(mechanisms[index].get("source")).startswith("exceptions[") or parent in causes:
            members.setdefault(parent, []).append(index)
        else:
            causes[parent] = index
    linked = [_with_links(exc, causes.get(index), members.get(index, [])) for index, exc in enumerate(found)]
    return linked, roots[0]


def _with_links(exc: Raised, cause: int | None, members: list[int]) -> Raised:
    return Raised(exc.type, exc.value, exc.frames, cause, members)


def root_cause(exceptions: list[Raised], outermost: int) -> int:
    """Where it began: down the causes, and into the first member of a group."""
    index = outermost
    for _ in exceptions:  # links lead to larger ids or to earlier places, so they end; the bound is for readers
        exc = exceptions[index]
        following = exc.members[0] if exc.members else exc.cause
        if following is None:
            break
        index = following
    return index


def is_own(frame: Mapping[str, Any]) -> bool:
    """Whether a frame is of the program itself: ``in_app``, as the SDK says.

    Where it doesn't say (the published SDK, run from another directory than the program's): unless its file lies
    where libraries do.
    """
    marked: object = frame.get("in_app")
    if isinstance(marked, bool):
        return marked
    file = text(frame.get("abs_path"), 4096) or text(frame.get("filename"), 4096)
    return _LIBRARY.search(file) is None


def own_frames(frames: list[Frame]) -> list[Frame]:
    """The program's own frames; all of them, if none is marked."""
    return [frame for frame in frames if frame.own] or frames


def frames_of_message(event: dict[str, Any]) -> list[Frame]:
    """The stack sent with a message: of the current thread, else of the first that has one."""
    threads: object = event.get("threads")
    if is_dict(threads):
        threads = threads.get("values")
    candidates = [thread for thread in threads[:200] if is_dict(thread)] if is_list(threads) else []
    candidates.sort(key=lambda thread: not (thread.get("current") or thread.get("crashed")))
    for holder in [*candidates, event]:
        frames = _frames(holder)
        if frames:
            return frames
    return []


def _frames(holder: dict[str, Any]) -> list[Frame]:
    frames: object = part(holder, "stacktrace").get("frames")
    if not is_list(frames):
        return []
    return [_frame(frame) for frame in frames[-MAX_FRAMES:] if is_dict(frame)]


def _frame(frame: dict[str, Any]) -> Frame:
    number: object = frame.get("lineno")
    return Frame(
        module=line(frame.get("module"), 256),
        filename=line(frame.get("filename") or frame.get("abs_path"), 512),
        function=line(frame.get("function"), 256),
        lineno=number if type(number) is int else None,
        code=line(frame.get("context_line"), 512),
        own=is_own(frame),
    )
