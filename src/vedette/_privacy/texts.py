"""Texts that hold pairs of name and value in a known form: query strings, URLs, cookies, bodies of requests."""

from __future__ import annotations

from vedette._privacy.denylist import FILTERED
from vedette._protocol import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Matches = Callable[[str], bool]

_COOKIE_ATTRIBUTES = frozenset(
    {"expires", "max-age", "domain", "path", "secure", "httponly", "samesite", "partitioned", "priority"}
)


def query(text: str, matches: Matches) -> str:
    """``a=1&password=[Filtered]`` (DAT-34)."""
    return "&".join([_query_pair(pair, matches) for pair in text.split("&")])


def _query_pair(pair: str, matches: Matches) -> str:
    name, equals, _ = pair.partition("=")
    if equals and ";" not in pair:
        return f"{name}={FILTERED}" if matches(unquoted(name)) else pair
    kept: list[str] = []
    for piece in pair.split(";"):  # the older separator
        name, equals, _ = piece.partition("=")
        if equals and matches(unquoted(name)):
            kept.append(f"{name}={FILTERED}")
            break  # what follows may belong to the value
        kept.append(piece)
    return ";".join(kept)


def unquoted(name: str) -> str:
    """A name without percent encoding."""
    if "%" not in name:
        return name
    from urllib.parse import unquote  # noqa: PLC0415 - the capture path does without it, such names are rare

    return unquote(name)


def url(text: str, matches: Matches) -> str:
    """The URL with its query string and its fragment filtered."""
    start, fragment = text.find("?") + 1, text.find("#") + 1
    if fragment:
        start = min(start, fragment) or fragment
        return text[:start] + "#".join([query(part, matches) for part in text[start:].split("#")])
    return text[:start] + query(text[start:], matches) if start else text


def cookies(text: str, matches: Matches) -> str:
    """``theme=dark; user_session=[Filtered]``; as a whole ``[Filtered]`` if these are no pairs (DAT-35)."""
    pairs = [pair.strip() for pair in text.split(";") if pair.strip()]
    if not all("=" in pair for pair in pairs):
        return FILTERED
    return "; ".join(_cookie(pair, matches) for pair in pairs)


def _cookie(pair: str, matches: Matches) -> str:
    name, _, value = pair.partition("=")
    # A comma in a value may be where some proxy glued two headers together (DAT-38).
    return f"{name}={FILTERED}" if matches(name) or "," in value else pair


def set_cookie(text: str, matches: Matches) -> str:
    """One cookie and its attributes; anything else is ``[Filtered]`` as a whole (DAT-36)."""
    cookie, *attributes = (piece.strip() for piece in text.split(";"))
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        if name.lower() not in _COOKIE_ATTRIBUTES or ("=" in value or value.count(",") > 1):
            return FILTERED
    if "=" not in cookie:
        return FILTERED
    return "; ".join((_cookie(cookie, matches), *attributes))


def body(text: str) -> Any:
    """A body as structure that can be filtered by its names, or ``[Filtered]`` (DAT-39 to DAT-42)."""
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        try:
            return json.decode(text.encode())
        except (ValueError, RecursionError):
            return FILTERED
    pairs = [pair.partition("=") for pair in text.split("&")]
    if text and all(name and equals and not any(map(str.isspace, name)) for name, equals, _ in pairs):
        return [[unquoted(name), value] for name, _, value in pairs]
    return text if text in {"", FILTERED} else FILTERED
