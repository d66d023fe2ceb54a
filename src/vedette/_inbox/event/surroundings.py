"""What an event says beside its exceptions: the message, who and where, what happened before, the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from vedette._inbox.event import safe
from vedette._inbox.event.fields import MAX_ENTRIES, MAX_WORD, Entry, as_text, lines_of
from vedette._inbox.event.templates import filled
from vedette._inbox.lenient_json import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vedette._inbox.event.fields import Fields
    from vedette._inbox.event.remarks import Path

MAX_CRUMBS = 100
_SAID_OF_CRUMB = frozenset({"method", "url", "status_code", "http.request.method", "http.response.status_code"})
_MORE = ("logger", "server_name", "dist", "platform")


@dataclass(frozen=True, slots=True)
class Message:
    """What was logged; ``params`` are those that could not be put into the text."""

    lines: tuple[str, ...] = ()
    note: str = ""
    params: tuple[Entry, ...] = ()


@dataclass(frozen=True, slots=True)
class Crumb:
    """One thing that happened before: ``at`` in seconds since the epoch; ``data`` is what ``text`` leaves out."""

    at: float | None
    category: str
    text: str
    level: str
    data: tuple[Entry, ...] = ()
    is_exchange: bool = False
    """Whether ``text`` is an HTTP request and its answer, so that the category says nothing new."""


@dataclass(frozen=True, slots=True)
class Request:
    """The request during which it happened. Nothing of it is an address to follow: all is text."""

    line: str = ""
    query: tuple[Entry, ...] = ()
    headers: tuple[Entry, ...] = ()
    cookies: tuple[Entry, ...] = ()
    environment: tuple[Entry, ...] = ()
    body: tuple[str, ...] = ()
    note: str = ""  # on the body


@dataclass(frozen=True, slots=True)
class Context:
    """One of the contexts: ``runtime``, ``os``, or the program's own."""

    name: str
    entries: tuple[Entry, ...]


def read_message(fields: Fields) -> Message:
    """The message, its parameters put in if the client did not."""
    key = "logentry" if fields.data.get("logentry") else "message"
    entry = fields.data.get(key)
    if isinstance(entry, str):
        return Message(tuple(safe.lines(entry)), fields.notes.take((key,)))
    source = fields.mapping(fields.data, key, ())
    if formatted := fields.text(source, "formatted", (key,)):
        return Message(tuple(safe.lines(formatted)), fields.notes.take((key, "formatted")))
    template, params = fields.text(source, "message", (key,)), source.get("params")
    note = fields.notes.take((key, "message"))
    if template and (text := filled(template, params)) is not None:
        return Message(tuple(safe.lines(text)), note)
    rows = {str(index): value for index, value in enumerate(params)} if is_list(params) else params
    lines = tuple(safe.lines(template)) if template else ()
    return Message(lines, note, fields.entries({"params": rows}, "params", (key,)))


def read_user(fields: Fields) -> tuple[str, tuple[Entry, ...]]:
    """Who it was, in a word, and all that is known of the person."""
    user = fields.mapping(fields.data, "user", ())
    named = next((user[key] for key in ("id", "username", "email", "ip_address") if user.get(key)), None)
    word = "" if named is None else f"user {safe.line(as_text(named), MAX_WORD)}"
    return word, fields.entries({"user": user}, "user", ())


def read_contexts(fields: Fields) -> tuple[Context, ...]:
    """All contexts that hold something."""
    contexts = fields.mapping(fields.data, "contexts", ())
    found = (
        Context(safe.line(name, MAX_WORD), fields.entries(contexts, name, ("contexts",), indent=True))
        for name in list(contexts)[:MAX_ENTRIES]
    )
    return tuple(context for context in found if context.entries)


def read_more(fields: Fields) -> tuple[Entry, ...]:
    """Plain fields of the event that have no place of their own."""
    words = ((name, fields.word(fields.data, name, ())) for name in _MORE)
    return tuple(Entry(name, (word,)) for name, word in words if word)


def read_sdk(fields: Fields) -> str:
    """Name and version of the client."""
    sdk = fields.mapping(fields.data, "sdk", ())
    return " ".join(filter(None, (fields.word(sdk, name, ("sdk",)) for name in ("name", "version"))))


def read_crumbs(fields: Fields) -> tuple[Crumb, ...]:
    """The breadcrumbs, oldest first."""
    values, path = fields.values("breadcrumbs")
    if note := fields.notes.take(path):
        fields.say(f"breadcrumbs: {note}")
    first = max(0, len(values) - MAX_CRUMBS)
    if first:
        fields.say(f"breadcrumbs: the last {MAX_CRUMBS} of {len(values)} are shown")
    crumbs = (_crumb(fields, crumb, where) for crumb, where in fields.objects(values[first:], path, first))
    return tuple(crumb for crumb in crumbs if crumb.text or crumb.category or crumb.data)


def _crumb(fields: Fields, crumb: Mapping[str, Any], path: Path) -> Crumb:
    data = fields.mapping(crumb, "data", path)
    url, message = data.get("url"), fields.text(crumb, "message", path)
    text, said = message, frozenset[str]()
    if isinstance(url, str) and not message:
        text, said = _exchange(data, url), _SAID_OF_CRUMB
    elif not message:
        text = " ".join(f"{name}={as_text(value)}" for name, value in list(data.items())[:MAX_ENTRIES])
        said = frozenset(data)
    rest = {name: value for name, value in data.items() if name not in said}
    return Crumb(
        at=fields.time(crumb, path),
        category=fields.word(crumb, "category", path),
        text=safe.line(text) + _note(fields.notes.take((*path, "message"))),
        level=fields.word(crumb, "level", path),
        data=fields.entries({"data": rest}, "data", path),
        is_exchange=crumb.get("type") == "http" or said is _SAID_OF_CRUMB,
    )


def _exchange(data: Mapping[str, Any], url: str) -> str:
    """``GET stock.local/items?id=7 → 200``."""
    method = data.get("method", data.get("http.request.method"))
    status = data.get("status_code", data.get("http.response.status_code", data.get("reason")))
    answer = "" if status is None else f" → {as_text(status)}"
    return f"{method if isinstance(method, str) else 'GET'} {url.partition('://')[2] or url}{answer}"


def read_request(fields: Fields) -> Request:
    """The request; empty if there is none."""
    path: Path = ("request",)
    request = fields.mapping(fields.data, "request", ())
    url, query, body = fields.text(request, "url", path), request.get("query_string"), request.get("data")
    if is_list(query) or is_dict(query):
        pairs = query.items() if is_dict(query) else (pair for pair in query if is_list(pair))
        text = "&".join("=".join(as_text(part) for part in pair) for pair in pairs)
        rows = fields.entries(request, "query_string", path)
    else:
        text = fields.text(request, "query_string", path)
        rows = _parted(text, "&")
    text = f"?{text.removeprefix('?')}" if text and "?" not in url else ""
    return Request(
        line=safe.line(f"{fields.text(request, 'method', path)} {url}{text}".strip()),
        query=rows,
        headers=fields.entries(request, "headers", path),
        cookies=_cookies(fields, request, path),
        environment=fields.entries(request, "env", path),
        body=() if body in (None, "", {}, []) else lines_of(body, indent=True),
        note=fields.notes.take((*path, "data")),
    )


def _cookies(fields: Fields, request: Mapping[str, Any], path: Path) -> tuple[Entry, ...]:
    cookies = request.get("cookies")
    return _parted(cookies, ";") if isinstance(cookies, str) else fields.entries(request, "cookies", path)


def _parted(text: str, separator: str) -> tuple[Entry, ...]:
    """``a=1&b=2`` as names and values."""
    parts = (part.strip().partition("=") for part in text.removeprefix("?").split(separator, MAX_ENTRIES) if part)
    decoded = ((unquote_plus(name), unquote_plus(value)) for name, _, value in parts)
    return tuple(Entry(safe.line(name, MAX_WORD), lines_of(value)) for name, value in decoded)


def _note(note: str) -> str:
    return f" ({note})" if note else ""
