"""The last look at an event before it is encoded: what stands under a deny-listed name is ``[Filtered]``.

Guarantees
- The whole event is walked, whatever its depth: extra, contexts, user, tags, breadcrumbs, variables, parameters of
  a message, request (headers, cookies, query strings, body), and what hooks put anywhere (PAIN-09).
- Names stay (DAT-15), and nothing but values under such names is changed.
- It fails closed: what is no plain JSON, lies too deep or comes after too many values is filtered as well.
- It never raises and never recurses.

Assumes an event that nobody else changes meanwhile: it runs on the worker, or, with a journal, before the event is
handed over. URLs lose the values of their query strings here; their credentials, and ``key=value`` inside messages,
are not looked at.
"""

from __future__ import annotations

from vedette._privacy.denylist import FILTERED
from vedette._protocol import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._privacy.denylist import DenyList

    Matches = Callable[[str], bool]
    Rule = Callable[[str, Matches], str]

MAX_DEPTH: Final = 100  # containers inside each other
MAX_VALUES: Final = 200_000  # in one event

_class_of: Callable[[object], type] = type  # for checkers: the class of something untyped is a class

# Their keys are names of packages, and of the event's own fields.
_NOT_DATA = frozenset({"modules", "_meta"})

# Here the extended terms count as well.
_HEADERS = frozenset({"headers", "env"})

# Here a term counts anywhere in a name.
_PARAMETERS = frozenset({"cookies", "query-string"})

# Here a list may hold pairs of name and value (EVT-64).
_PAIRS = frozenset({"headers", "env", "cookies", "query-string", "data", "tags", "params"})

_COOKIE_ATTRIBUTES = frozenset(
    {"expires", "max-age", "domain", "path", "secure", "httponly", "samesite", "partitioned", "priority"}
)


def scrub_event(event: dict[str, Any], denylist: DenyList) -> None:
    """Filter an event of exact built-ins in place (DAT-14, DAT-24, DAT-35 to DAT-42, DAT-97, DAT-102)."""
    request: Any = event.get("request")
    kind = _class_of(request)
    if kind is dict and type(request.get("data")) is str:
        request["data"] = _body(request["data"])
    _Scrubber(denylist).scrub(event)


class _Scrubber:
    """One walk over an event."""

    __slots__ = ("_denylist", "_waiting")

    def __init__(self, denylist: DenyList) -> None:
        self._denylist = denylist
        # Containers that are still to be walked: which names count there, whether pairs do, and the depth.
        self._waiting: list[tuple[Any, Matches, bool, int]] = []

    def scrub(self, event: dict[str, Any]) -> None:
        matches = self._denylist.matches
        data = {name: value for name, value in event.items() if name not in _NOT_DATA}
        self._scrub_dict(data, matches, 0)
        event.update(data)
        seen = 0
        while self._waiting:
            container, matches, pairs, depth = self._waiting.pop()
            seen += len(container)
            if seen > MAX_VALUES:
                container.clear()
                continue
            kind = _class_of(container)
            if kind is dict:
                self._scrub_dict(container, matches, depth)
            else:
                self._scrub_list(container, matches, pairs, depth)

    def _scrub_dict(self, mapping: dict[Any, Any], matches: Matches, depth: int) -> None:
        for key, value in mapping.items():  # values are replaced, keys stay: safe while iterating
            name = key if type(key) is str else ""
            mapping[key] = self._scrubbed(name, value, matches, depth)

    def _scrub_list(self, items: list[Any], matches: Matches, pairs: bool, depth: int) -> None:  # noqa: FBT001
        for index, item in enumerate(items):
            if pairs and _is_pair(item):
                items[index] = [item[0], self._scrubbed(item[0], item[1], matches, depth + 1)]
            else:
                items[index] = self._kept(item, matches, depth)

    def _scrubbed(self, name: str, value: Any, matches: Matches, depth: int) -> Any:
        """What stands under this name, after filtering."""
        folded = name.lower().replace("_", "-")
        rule = _RULES.get(folded) if type(value) is str else None
        if rule is not None:
            return rule(value, self._denylist.matches_part)
        if matches(name):
            return FILTERED
        if folded in _HEADERS:
            matches = self._denylist.matches_header
        elif folded in _PARAMETERS:
            matches = self._denylist.matches_part
        elif folded == "vars":
            matches = self._denylist.matches_variable
        return self._kept(value, matches, depth, pairs=folded in _PAIRS)

    def _kept(self, value: Any, matches: Matches, depth: int, *, pairs: bool = False) -> Any:
        """A value that no name hides: looked into later if it is a container."""
        cls = _class_of(value)
        if cls is str or value is None or cls is int or cls is float or cls is bool:
            return value
        if depth >= MAX_DEPTH:
            return FILTERED
        if cls is tuple:
            value = list(value)
        elif cls is not dict and cls is not list:
            return FILTERED
        self._waiting.append((value, matches, pairs, depth + 1))
        return value


def _is_pair(item: Any) -> bool:
    kind = _class_of(item)
    return (kind is list or kind is tuple) and len(item) == 2 and type(item[0]) is str  # noqa: PLR2004


# --- texts that hold pairs of name and value ---


def _query(text: str, matches: Matches) -> str:
    """``a=1&password=[Filtered]``."""
    return "&".join(_query_pair(pair, matches) for pair in text.split("&"))


def _query_pair(pair: str, matches: Matches) -> str:
    kept: list[str] = []
    for piece in pair.split(";"):  # the older separator
        name, equals, _ = piece.partition("=")
        if equals and matches(_unquoted(name)):
            kept.append(f"{name}={FILTERED}")
            break  # what follows may belong to the value
        kept.append(piece)
    return ";".join(kept)


def _unquoted(name: str) -> str:
    if "%" not in name:
        return name
    from urllib.parse import unquote  # noqa: PLC0415 - the capture path does without it, such names are rare

    return unquote(name)


def _url(text: str, matches: Matches) -> str:
    """The URL with its query string and its fragment filtered."""
    start = min((at for at in (text.find("?"), text.find("#")) if at >= 0), default=-1) + 1
    if start == 0:
        return text
    return text[:start] + "#".join(_query(part, matches) for part in text[start:].split("#"))


def _cookies(text: str, matches: Matches) -> str:
    """``theme=dark; user_session=[Filtered]``; as a whole ``[Filtered]`` if these are no pairs (DAT-35)."""
    pairs = [pair.strip() for pair in text.split(";") if pair.strip()]
    if not all("=" in pair for pair in pairs):
        return FILTERED
    return "; ".join(_cookie(pair, matches) for pair in pairs)


def _cookie(pair: str, matches: Matches) -> str:
    name, _, value = pair.partition("=")
    # A comma in a value may be where some proxy glued two headers together (DAT-38).
    return f"{name}={FILTERED}" if matches(name) or "," in value else pair


def _set_cookie(text: str, matches: Matches) -> str:
    """One cookie and its attributes; anything else is ``[Filtered]`` as a whole (DAT-36)."""
    cookie, *attributes = (piece.strip() for piece in text.split(";"))
    for attribute in attributes:
        name, _, value = attribute.partition("=")
        if name.lower() not in _COOKIE_ATTRIBUTES or ("=" in value or value.count(",") > 1):
            return FILTERED
    if "=" not in cookie:
        return FILTERED
    return "; ".join((_cookie(cookie, matches), *attributes))


_RULES: dict[str, Rule] = {
    "cookie": _cookies,
    "cookies": _cookies,
    "http-cookie": _cookies,
    "set-cookie": _set_cookie,
    "query-string": _query,
    "http.query": _query,
    "url": _url,
    "http.url": _url,
    "url.full": _url,
    "http.target": _url,
    "referer": _url,
    "http-referer": _url,
}


def _body(text: str) -> Any:
    """A request's body as structure that can be filtered, or ``[Filtered]`` (DAT-39 to DAT-42)."""
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        try:
            return json.decode(text.encode())
        except (ValueError, RecursionError):
            return FILTERED
    pairs = [pair.partition("=") for pair in text.split("&")]
    if text and all(name and equals and not any(map(str.isspace, name)) for name, equals, _ in pairs):
        return [[_unquoted(name), value] for name, _, value in pairs]
    return text if text in {"", FILTERED} else FILTERED
