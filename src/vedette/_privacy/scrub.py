"""The last look at an event before it is encoded: what stands under a deny-listed name is ``[Filtered]``.

Guarantees
- The whole event is walked, whatever its depth: extra, contexts, user, tags, breadcrumbs, variables, parameters of
  a message, request (headers, cookies, query strings, body), and what hooks put anywhere (PAIN-09). Texts are
  searched as well (`prose`), but for lines of source code.
- Names stay (DAT-15, DAT-23), and nothing but values under such names is changed.
- It fails closed: what is no plain JSON, lies too deep or comes after too many values is filtered as well.
- It never raises and never recurses.

Assumes an event that nobody else changes meanwhile: it runs on the worker, or, with a journal, before the event is
handed over.
"""

from __future__ import annotations

from vedette._privacy import texts
from vedette._privacy.denylist import FILTERED, LONGEST_REMEMBERED, MAX_REMEMBERED
from vedette._privacy.pairs import is_error
from vedette._privacy.prose import has_hidden_pair, scrub_text, without_texts
from vedette._privacy.records import hide_value
from vedette._privacy.stacks import HARMLESS, SOURCE, filter_stack, stacks_of
from vedette._protocol import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable
    from typing import Any, Final

    from vedette._privacy.denylist import DenyList
    from vedette._privacy.texts import Matches

    Rule = Callable[[str, Matches], str]
    Meaning = tuple[tuple[Rule, str] | None, str | None, bool]

MAX_DEPTH: Final = 100  # containers inside each other
MAX_VALUES: Final = 200_000  # in one part of an event

_class_of: Callable[[object], type] = type  # for checkers: the class of something untyped is a class

NOT_DATA: Final = frozenset({"modules", "_meta"})
"""Fields of an event whose keys are names of packages, and of the event's own fields."""

STACKS: Final = frozenset({"exception", "threads"})
"""The parts of an event in which frames are."""

# Here a list may hold pairs of name and value (EVT-64). Elsewhere, a list of two in a list is taken for a pair if it
# begins with a deny-listed name.
_PAIRS = frozenset({"headers", "env", "cookies", "query-string", "data", "tags", "params"})


# What of an event is mostly the same as in the one before: facts of the process that vedette adds.
_SAME_CONTEXTS: Final = ("runtime", "os", "device")


def scrub_event(event: dict[str, Any], names: DenyList) -> None:
    """Filter a whole event of exact built-ins in place (DAT-14, DAT-24, DAT-35 to DAT-42, DAT-97, DAT-102)."""
    prepare(event, event, names)
    walk = Walk(names)
    for frames in stacks_of(event):
        if filter_stack(frames, names, walk):
            walk.pass_over(frames)
        else:
            walk.expect_frames(frames)
    pass_over_facts(walk, event, names)
    _walk_over(event, event, walk)


def pass_over_facts(walk: Walk, event: dict[str, Any], names: DenyList) -> None:
    """Have the walk pass over facts of the process, which are mostly the same in the event before."""
    contexts: Any = event.get("contexts")
    for name in _SAME_CONTEXTS:
        pass_over_same(walk, name, _get(contexts, name), names)
    pass_over_same(walk, "sdk", event.get("sdk"), names)


def pass_over_same(walk: Walk, name: str, facts: Any, names: DenyList) -> None:
    """Have the walk pass over facts in which the last look has found nothing to hide."""
    if _class_of(facts) is not dict:
        return
    if facts != names.clean.get(name):
        copy: Any = json.decode(json.encode(facts))
        Walk(names).over(copy)
        if copy != facts:
            return
        names.clean[name] = copy
    walk.pass_over(facts)


def scrub_parts(event: dict[str, Any], parts: frozenset[str], names: DenyList) -> None:
    """Filter these top-level fields of an event, whatever it holds."""
    prepare(event, parts, names)
    walk = Walk(names)
    if not parts.isdisjoint(STACKS):
        for frames in stacks_of(event):
            walk.expect_frames(frames)
    _walk_over(event, parts, walk)


def prepare(event: dict[str, Any], parts: Container[str], names: DenyList) -> None:
    """See to what a walk would not know the meaning of: bodies, parameters, remarks."""
    _parse_bodies(event, parts)
    if "logentry" in parts:
        _scrub_parameters(event["logentry"], names)
    if "_meta" in parts:
        _scrub_remarks(event["_meta"], names)


def _walk_over(event: dict[str, Any], parts: Container[str], walk: Walk) -> None:
    if parts is event and NOT_DATA.isdisjoint(event) and len(event) < MAX_VALUES:
        walk.over(event, apart=True)
        return
    data = {name: value for name, value in event.items() if name in parts and name not in NOT_DATA}
    walk.over(data, apart=True)
    event.update(data)


def _get(mapping: Any, name: str) -> Any:
    return mapping.get(name) if _class_of(mapping) is dict else None


def _parse_bodies(event: dict[str, Any], parts: Container[str]) -> None:
    """Bodies of requests and responses as structure, or not at all (DAT-41, DAT-42)."""
    request: Any = event.get("request") if "request" in parts else None
    response: Any = _get(event.get("contexts"), "response") if "contexts" in parts else None
    for message in (request, response):
        if message is not None:
            data = _get(message, "data")
            if type(data) is str:
                message["data"] = texts.body(data)


def _scrub_parameters(logentry: Any, names: DenyList) -> None:
    """``password=%s`` hides its parameters: all of them, since which is whose can't be told for certain."""
    message = _get(logentry, "message")
    params = _get(logentry, "params")
    if type(message) is not str or params is None or not has_hidden_pair(message, names):
        return
    kind = _class_of(params)
    formatted = logentry.get("formatted")
    if type(formatted) is str and kind in {dict, list, tuple}:
        given: Iterable[Any] = params.values() if kind is dict else params
        logentry["formatted"] = without_texts(formatted, (each for each in given if not _is_error(each)))
    if kind is dict:
        logentry["params"] = {name: _parameter(value) for name, value in params.items()}
    else:
        logentry["params"] = [_parameter(each) for each in params] if kind is list or kind is tuple else FILTERED


def _parameter(value: Any) -> Any:
    return value if _is_error(value) else FILTERED


def _is_error(value: Any) -> bool:
    """Whether this says what is wrong with a secret: ``"Invalid token: %s", error``."""
    return type(value) is str and is_error(value)


def _scrub_remarks(meta: Any, names: DenyList) -> None:
    """Remarks stand under the names of the event's own fields; only what is no container can be a secret there."""
    waiting: list[Any] = [meta]
    seen = 0
    while waiting:
        remarks = waiting.pop()
        kind = _class_of(remarks)
        if kind is not dict and kind is not list:
            continue
        seen += len(remarks)
        if seen > MAX_VALUES:
            remarks.clear()
        elif kind is list:
            waiting += remarks
        else:
            waiting += remarks.values()
            for name, value in remarks.items():
                if type(name) is str and _class_of(value) not in {dict, list} and names.matches(name):
                    remarks[name] = FILTERED


class _Searched(dict[str, str]):
    """Texts and what is left of them once they were searched: the variables of an event's frames are often the same."""

    __slots__ = ("_names",)

    def __init__(self, names: DenyList) -> None:
        super().__init__()
        self._names = names

    def __missing__(self, text: str) -> str:
        found = scrub_text(text, self._names)
        self[text] = found
        return found


class Walk:
    """One walk over values, which are filtered in place.

    ``searches``: whether texts are searched for secrets. ``keeps_foreign``: whether values that are no plain JSON stay
    as they are instead of being filtered.
    """

    __slots__ = ("_frames", "_keeps_foreign", "_names", "_passed_over", "_waiting", "searched")

    searched: Callable[[str], str]
    """What is left of a text."""

    def __init__(self, names: DenyList, *, searches: bool = True, keeps_foreign: bool = False) -> None:
        self._names = names
        self.searched = _Searched(names).__getitem__ if searches else str
        self._frames: dict[int, object] = {}  # by identity; held, so that it stays theirs
        self._passed_over: dict[int, object] = {}
        self._keeps_foreign = keeps_foreign
        # Containers that are still to be walked: which names count there, whether pairs do, and the depth.
        self._waiting: list[tuple[Any, Matches, bool, int]] = []

    def expect_frames(self, frames: Iterable[object]) -> None:
        """These hold lines of source code, which are left alone."""
        self._frames.update({id(frame): frame for frame in frames})

    def pass_over(self, container: dict[Any, Any] | list[Any]) -> None:
        """Leave what this holds alone: it has been seen to."""
        self._passed_over[id(container)] = container

    def odd(self, names: set[str], matches: Matches) -> list[str]:
        """Those of these names that mean something, or hide what stands under them."""
        ordinary = self._names.ordinary.get(matches) or self._ordinary(matches)
        return [name for name in names.difference(ordinary) if not _is_ordinary(name, matches, ordinary)]

    def over(self, value: dict[Any, Any] | list[Any], *, pairs: bool = False, apart: bool = False) -> None:
        """Walk all that this dict or list holds.

        ``pairs``: its items may be pairs of name and value. ``apart``: it has few parts, each of which may hold as much
        as all of them otherwise.
        """
        self._waiting.append((value, self._names.matches, pairs, 0))
        seen = 0
        waiting = self._waiting
        while waiting:
            container, matches, pairs, depth = waiting.pop()
            if apart and depth == 1:  # the parts before have been walked to their ends
                seen = 0
            seen += len(container)
            if seen > MAX_VALUES:
                container.clear()
            elif _class_of(container) is dict or issubclass(_class_of(container), dict):
                self._scrub_dict(container, matches, depth)
            else:
                self._scrub_list(container, matches, pairs, depth)

    def _scrub_dict(self, mapping: dict[Any, Any], matches: Matches, depth: int) -> None:
        if "value" in mapping or "Value" in mapping:
            hide_value(mapping, matches)
        is_frame = id(mapping) in self._frames
        ordinary = self._names.ordinary.get(matches) or self._ordinary(matches)
        for key, value in mapping.items():  # values are replaced, keys stay: safe while iterating
            if is_frame and key in SOURCE:
                continue
            # Most names are ordinary, and most of a walk's time goes by here.
            if (type(key) is not str or key not in ordinary) and not _is_ordinary(key, matches, ordinary):
                mapping[key] = self.below(key, value, matches, depth)
                continue
            cls = _class_of(value)
            if cls is str:
                if not value.isalnum():  # what is one word holds no secret
                    mapping[key] = self.searched(value)
            elif (cls is dict or cls is list) and depth < MAX_DEPTH:
                if id(value) not in self._passed_over:
                    self._waiting.append((value, matches, False, depth + 1))
            elif cls not in HARMLESS:
                mapping[key] = self._kept(value, matches, depth)

    def _ordinary(self, matches: Matches) -> set[str]:
        return self._names.ordinary.setdefault(matches, set())

    def _scrub_list(self, items: list[Any], matches: Matches, pairs: bool, depth: int) -> None:  # noqa: FBT001
        for index, item in enumerate(items):
            cls = _class_of(item)
            if (cls is list or cls is tuple) and _is_pair(item) and (pairs or matches(item[0])):
                # What is no name after all, but a text beside something, is searched like one.
                items[index] = [self.searched(item[0]), self.below(item[0], item[1], matches, depth + 1)]
            else:
                items[index] = self._kept(item, matches, depth)

    def below(self, name: str, value: Any, matches: Matches, depth: int = 0) -> Any:
        """What stands under this name, after filtering."""
        meaning = _meanings[name]
        if meaning is None:
            return FILTERED if matches(name) else self._kept(value, matches, depth)
        rule, below, pairs = meaning
        if type(value) is not str:
            rule = None
        if (rule is None or rule[1] != _COOKIES) and matches(name):  # the names of cookie headers always match
            return FILTERED
        if rule is not None:
            return self.searched(rule[0](value, getattr(self._names, rule[1])))
        return self._kept(value, getattr(self._names, below) if below else matches, depth, pairs=pairs)

    def _kept(self, value: Any, matches: Matches, depth: int, *, pairs: bool = False) -> Any:
        """A value that no name hides: looked into later if it is a container."""
        cls = _class_of(value)
        if cls is str:
            return self.searched(value)
        if cls in HARMLESS or id(value) in self._passed_over:
            return value
        if depth >= MAX_DEPTH:
            return FILTERED
        if cls is tuple:
            value = list(value)
        elif cls is not dict and cls is not list and not (self._keeps_foreign and issubclass(cls, (dict, list))):
            return value if self._keeps_foreign else FILTERED
        self._waiting.append((value, matches, pairs, depth + 1))
        return value


def _is_ordinary(name: Any, matches: Matches, ordinary: set[str]) -> bool:
    """Whether a name means nothing and hides nothing; found out once for most."""
    if type(name) is not str:
        return True
    if _meanings[name] is not None or matches(name):
        return False
    if len(name) <= LONGEST_REMEMBERED:
        if len(ordinary) >= MAX_REMEMBERED:
            ordinary.clear()
        ordinary.add(name)
    return True


def _is_pair(items: list[Any] | tuple[Any, ...]) -> bool:
    return len(items) == 2 and type(items[0]) is str  # noqa: PLR2004


_COOKIES: Final = "matches_cookie"
_QUERY: Final = "matches_query"

# Below these names, others count than in names of data.
_MATCHES: Final = {
    "headers": "matches_header",
    "env": "matches_server_variable",
    "cookies": _COOKIES,
    "query-string": _QUERY,
    "vars": "matches_variable",
}

# Texts under these names have a form of their own, in which these names count.
_RULES: Final[dict[str, tuple[Rule, str]]] = {
    "cookie": (texts.cookies, _COOKIES),
    "cookies": (texts.cookies, _COOKIES),
    "http-cookie": (texts.cookies, _COOKIES),
    "set-cookie": (texts.set_cookie, _COOKIES),
    "query-string": (texts.query, _QUERY),
    "http.query": (texts.query, _QUERY),
    "http.fragment": (texts.query, _QUERY),
    "url": (texts.url, _QUERY),
    "http.url": (texts.url, _QUERY),
    "url.full": (texts.url, _QUERY),
    "url.query": (texts.query, _QUERY),
    "url.fragment": (texts.query, _QUERY),
    "http.target": (texts.url, _QUERY),
    "referer": (texts.url, _QUERY),
    "http-referer": (texts.url, _QUERY),
}


class _Meanings(dict[str, "Meaning | None"]):
    """What names mean here: a form of text, other names below, pairs in lists; None: nothing. Found out once."""

    __slots__ = ()

    def __missing__(self, name: str) -> Meaning | None:
        folded = name.lower().replace("_", "-")
        meaning = (_RULES.get(folded), _MATCHES.get(folded), folded in _PAIRS)
        found = meaning if meaning != (None, None, False) else None
        if len(name) <= LONGEST_REMEMBERED:
            if len(self) >= MAX_REMEMBERED:
                self.clear()
            self[name] = found
        return found


_meanings: Final = _Meanings()
