"""The columns of an event: what lists show and search looks through, beside the JSON as received."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from vedette._inbox.event.templates import filled
from vedette._inbox.grouping import key_of_chain
from vedette._inbox.shape import (
    Frame,
    Raised,
    exceptions_of,
    frames_of_message,
    line,
    message_of,
    own_frames,
    pairs,
    part,
    root_cause,
)

_MAX_SEARCH_TEXT: Final = 16_384  # characters an event
_TERM = re.compile(r'(?<!\S)(level|release|env|tag\.[^\s:"]+):(?:"([^"]*)"|(\S+))')


@dataclass(frozen=True, slots=True)
class Summary:
    """What is extracted from an event when it arrives."""

    key: str
    explanation: str
    type: str
    value: str
    title: str
    level: str
    place: str
    code_line: str
    root_type: str
    root_value: str
    release: str
    environment: str
    search_text: str  # case-folded
    facets: str  # "\nlevel:error\nrelease:1.0\ntag.tenant:acme\n", case-folded, for exact narrowing


def summarize(event_id: str, event: dict[str, Any]) -> Summary:
    """Extract the columns. For any JSON object; never raises."""
    exceptions, outermost = exceptions_of(event)
    key, explanation = key_of_chain(event, exceptions, outermost)
    shown = _message_of(event)
    root: Raised | None = None
    if exceptions:
        top = exceptions[outermost]
        kind, value = top.type, top.value
        index = root_cause(exceptions, outermost)
        root = exceptions[index] if index != outermost else None
        frames = exceptions[index].frames
    else:
        kind, value, frames = "", shown, frames_of_message(event)
    title = ": ".join(filter(None, (kind, line(value, 500))))
    place = own_frames(frames)[-1] if frames else None
    release, environment = line(event.get("release"), 250), line(event.get("environment"), 100)
    level = line(event.get("level"), 20).lower() or "error"
    return Summary(
        key=key,
        explanation=explanation,
        type=kind,
        value=value,
        title=title or "(an event without exception and message)",
        level=level,
        place=_place(place) if place else "",
        code_line=place.code if place else "",
        root_type=root.type if root else "",
        root_value=root.value if root else "",
        release=release,
        environment=environment,
        search_text=_search_text(event_id, event, exceptions, shown),
        facets=_facets([("level", level), ("release", release), ("env", environment)], pairs(event, "tags")),
    )


def parse_query(q: str) -> tuple[str, list[str]]:
    """A search as typed: the plain substring, and the ``level:``, ``release:``, ``env:``, ``tag.KEY:`` terms.

    A value with blanks stands in double quotes. Both come back case-folded, the terms as ``facets`` has them.
    """
    q = q.encode("utf-8", "backslashreplace").decode()  # argv holds other bytes as surrogates; events have them so
    terms = [_facet(name, quoted or plain) for name, quoted, plain in _TERM.findall(q)]
    return " ".join(_TERM.sub(" ", q).split()).casefold(), terms


def _message_of(event: dict[str, Any]) -> str:
    """The message as shown; parameters that the sender did not put in (``sentry-cli``) are put in here."""
    shown, template, has_parameters = message_of(event)
    if not has_parameters or shown != template:
        return shown
    entry = part(event, "logentry") or part(event, "sentry.interfaces.Message")
    return filled(template, entry.get("params")) or shown


def _place(frame: Frame) -> str:
    file = frame.filename or frame.module or "?"
    number = "" if frame.lineno is None else f":{frame.lineno}"
    return f"{file}{number}" + (f" in {frame.function}" if frame.function else "")


def _facet(name: str, value: str) -> str:
    return " ".join(f"{name}:{value}".casefold().split())


def _facets(known: list[tuple[str, str]], tags: list[tuple[str, str]]) -> str:
    facets = [_facet(name, value) for name, value in known]
    facets += [_facet(f"tag.{name}", value) for name, value in tags]
    return "\n" + "\n".join(facets) + "\n"


def _search_text(event_id: str, event: dict[str, Any], exceptions: list[Raised], shown: str) -> str:
    words: dict[str, None] = {event_id: None, line(shown, 2000): None}
    stacks = [exc.frames for exc in exceptions] or [frames_of_message(event)]
    for exc in reversed(exceptions):
        words[f"{exc.type}: {line(exc.value, 2000)}"] = None
    for name, value in pairs(event, "tags"):
        words[f"{name}: {line(value)}"] = None
    for value in list(part(event, "user").values())[:20]:
        words[line(value, 200)] = None
    for name in ("release", "transaction", "environment", "logger", "server_name"):
        words[line(event.get(name), 250)] = None
    for frames in stacks:
        for frame in reversed(frames):
            words[frame.filename] = words[frame.function] = words[frame.module] = None
    return "\n".join(filter(None, words))[:_MAX_SEARCH_TEXT].casefold().replace("\0", " ")
