"""The last look at an event in which nobody but vedette has written exceptions and threads: no hook, no caller.

Their form is known then, so they need no walk, which is most of what `scrub_event` takes for an event of few frames.
Their texts are searched all at once, and each by itself only where that finds something. The result is the same.

Assumes what `scrub` does; that ``exception``, ``threads`` and the fields in ``_FACTS`` are as `_events` and the client
have built them (integrations of vedette may have hidden variables, and added frames).
"""

from __future__ import annotations

from _operator import itemgetter  # operator itself is a module more to load

from vedette._privacy.scrub import NOT_DATA, STACKS, Walk, pass_over_facts, pass_over_same, prepare
from vedette._privacy.stacks import filter_variables, filtered_texts, put_in_place, remember_clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from vedette._privacy.denylist import DenyList

    Fields = dict[str, Any]

# Fields without data of the program's: the options' are not among these.
_FACTS: Final = frozenset({"level", "event_id", "timestamp", "platform"})
_SEEN_TO: Final = STACKS | _FACTS | NOT_DATA

_SAYING: Final = ("value", "name")  # in an exception and in a thread, what is new each time
_CLASS: Final = ("module", "type")
_PLACE: Final = ("filename", "abs_path", "function", "module")
_PLAIN_MECHANISM: Final = frozenset({"type", "handled", "exception_id"})
_ARGUMENTS: Final = frozenset({"sys.argv"})

# A deny list that has one of these means something else than most: what stands under such a name is filtered.
_NAMES: Final = {
    *(_SEEN_TO - NOT_DATA),
    *(*_SAYING, *_CLASS, *_PLACE, *_PLAIN_MECHANISM),
    *("values", "thread_id", "mechanism", "stacktrace", "frames", "lineno", "colno", "in_app"),
    *("id", "current", "main", "crashed"),
}

_place_of: Callable[[Fields], tuple[str, ...]] = itemgetter(*_PLACE)
_values: Callable[[Fields], Iterable[str]] = dict[str, "str"].values


def scrub_built(event: Fields, names: DenyList) -> bool:
    """Filter a whole event of exact built-ins in place; False, and nothing is done, if `scrub_event` has to.

    Implements what `scrub_event` does.
    """
    walk = Walk(names)
    if names.matches("vars") or walk.odd(_NAMES, names.matches) or not _filter_stacks(event, names, walk):
        return False
    prepare(event, event, names)
    rest = {name: value for name, value in event.items() if name not in _SEEN_TO}
    pass_over_facts(walk, rest, names)
    extra = rest.get("extra")
    if extra is not None and extra.keys() == _ARGUMENTS:
        pass_over_same(walk, "extra", extra, names)
    walk.over(rest, apart=True)
    event.update(rest)
    return True


def _filter_stacks(event: Fields, names: DenyList, walk: Walk) -> bool:
    """Filter exceptions and threads; False, and nothing is done, if a frame is none of vedette's usual ones."""
    values: list[Fields] = []
    for part in STACKS.intersection(event):
        values += event[part]["values"]
    frames: list[Fields] = []
    mechanisms: list[Fields] = []
    said: set[Any] = set()
    known: set[Any] = set()
    for value in values:
        said.update(map(value.get, _SAYING))
        known.update(map(value.get, _CLASS))
        if "stacktrace" in value:
            frames += value["stacktrace"]["frames"]
        if "mechanism" in value:
            mechanisms.append(value["mechanism"])
    variables = [frame["vars"] for frame in frames if "vars" in frame]
    said.update(*map(_values, variables))
    said.discard(None)
    try:
        known.update(*map(_place_of, frames))
    except KeyError:  # a frame of no function or no file: of a template, say
        return False
    known.discard(None)
    known -= names.clean_texts
    said |= known
    filtered = filtered_texts(said, names, walk)
    if known:
        remember_clean(known, filtered, names)
    filter_variables(variables, names, walk, filtered)
    put_in_place(values, (*_SAYING, *_CLASS), filtered)
    put_in_place(frames, _PLACE, filtered)
    for mechanism in mechanisms:
        if not (mechanism.keys() <= _PLAIN_MECHANISM and str(mechanism.get("type")).isalnum()):
            walk.over(mechanism)
    return True
