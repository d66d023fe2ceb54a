"""Tracebacks and stacks as the ``frames`` of an event.

Guarantees
- No code of the program runs, and no frame, traceback or value is held after the call.
- Frames by which an integration runs the program's code in its stead are left out: it did not call them.
- The cost depends on the frames that are kept, but for one pointer walk over all of them.
- On Python 3.12 and older, reading ``f_locals`` leaves a snapshot in the frame, which would keep the values
  of a frame that runs on alive. It is emptied again, unless someone else uses it (``locals()``, a debugger).
"""

from __future__ import annotations

import sys
from _operator import attrgetter  # operator itself is a module more to load
from types import BuiltinFunctionType, FunctionType, ModuleType, TracebackType

from vedette._events.in_app import rules_of
from vedette._events.places import is_hidden, place_of
from vedette._events.reading_values import derives
from vedette._events.remarks import cut_remark, place_remark
from vedette._events.values import Seen, render_vars
from vedette._host import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import FrameType
    from typing import Any, Final

    from vedette._events.places import Place
    from vedette._events.remarks import Meta
    from vedette._events.settings import EventSettings

    Frames = tuple[list[dict[str, Any]], Meta]
    Variables = list[tuple[str, object]]

EVENT_BUDGET: Final = 256 * 1024
"""Bytes for the variables of all frames of an event."""
FRAME_BUDGET: Final = 2 * 1024
"""Bytes for the variables of one frame: what Relay keeps."""

_OLDEST_SHARE: Final = 5  # of the frames that are kept, one in so many comes from the old end (ruling 22)
_DEEP: Final = 1000  # entries of a traceback, from which on the walk leaps: a million take 15 ms instead of 60
_LEAP: Final = 100
_SMALLEST_BUDGET: Final = 64  # less says nothing
_HAS_SNAPSHOTS: Final = sys.version_info < (3, 13)
_UNSHARED: Final = 3  # references to a snapshot: the frame's, our name's, getrefcount's argument
_MISSING: Final = object()

_after_leap: Callable[[TracebackType], TracebackType] = attrgetter(".".join(["tb_next"] * _LEAP))

# Of dict itself, for globals and namespaces may be of a class derived from it.
_get: Callable[[dict[str, object], str, object], object] = dict[str, object].get
_items_of_dict: Callable[[dict[str, object]], Iterable[tuple[str, object]]] = dict[str, object].items


class Budget:
    """Bytes left for the variables of an event.

    A frame is booked at the most that it may take. Only when that uses up the budget, which 127 frames don't,
    is it measured what the frames really took.
    """

    __slots__ = ("_left", "_unmeasured", "seen")

    def __init__(self, left: int = EVENT_BUDGET) -> None:
        self._left = left
        self._unmeasured: list[dict[str, str]] = []
        self.seen = Seen()

    def for_next_frame(self) -> int:
        """Bytes for one more frame; 0 if so little is left that it would say nothing."""
        if self._left < FRAME_BUDGET:
            self._left += sum(FRAME_BUDGET - _size(texts) for texts in self._unmeasured)
            self._unmeasured.clear()
        return min(self._left, FRAME_BUDGET) if self._left >= _SMALLEST_BUDGET else 0

    def book(self, texts: dict[str, str]) -> None:
        """These are the variables of one frame."""
        self._left -= FRAME_BUDGET
        self._unmeasured.append(texts)


def frames_of_traceback(
    traceback: TracebackType | None, settings: EventSettings, budget: Budget, *, full_stack: bool = False
) -> Frames:
    """The frames of a traceback, oldest call first, and the remarks on what was cut (EVT-30, ruling 22).

    With ``full_stack``, the callers of the frame that caught the exception come first.
    """
    keep_old, keep_new = _shares(settings)
    oldest: list[FrameType | TracebackType] = []
    newest: deque[FrameType | TracebackType] = deque(maxlen=keep_new)
    total = 0
    if full_stack and traceback is not None:
        callers, total = _stack(traceback.tb_frame.f_back, keep_old, keep_new)
        oldest += callers[:keep_old]
        newest.extend(callers[keep_old:])
    while traceback is not None and total < keep_old:
        oldest.append(traceback)
        total += 1
        traceback = traceback.tb_next
    while traceback is not None:
        if total == _DEEP:
            traceback, leapt = _near_the_end(traceback, keep_new)
            total += leapt
        newest.append(traceback)
        total += 1
        traceback = traceback.tb_next
    return _frames([*oldest, *newest], total, settings, budget)


def _near_the_end(traceback: TracebackType, keep: int) -> tuple[TracebackType, int]:
    """An entry that is followed by as many as are to be kept, or by all there are, and how many come before it."""
    passed: deque[TracebackType] = deque((traceback,), maxlen=keep // _LEAP + 2)
    leaps = 0
    try:
        while True:
            passed.append(_after_leap(passed[-1]))
            leaps += 1
    except AttributeError:  # the end is nearer than that
        return passed[0], (leaps + 1 - len(passed)) * _LEAP


def frames_of_stack(newest: FrameType | None, settings: EventSettings, budget: Budget) -> Frames:
    """The frames of a running stack, oldest call first, and the remarks on what was cut."""
    stack, total = _stack(newest, *_shares(settings))
    return _frames(stack, total, settings, budget)


def _shares(settings: EventSettings) -> tuple[int, int]:
    keep_old = settings.max_stack_frames // _OLDEST_SHARE
    return keep_old, settings.max_stack_frames - keep_old


def _stack(newest: FrameType | None, keep_old: int, keep_new: int) -> tuple[list[FrameType], int]:
    """The oldest and the newest frames of a running stack, oldest first, and how many there are in all."""
    kept: list[FrameType] = []
    while newest is not None and len(kept) < keep_new:
        kept.append(newest)
        newest = newest.f_back
    total = len(kept)
    oldest: deque[FrameType] = deque(maxlen=keep_old)
    while newest is not None:
        oldest.append(newest)
        newest = newest.f_back
        total += 1
    kept += oldest
    kept.reverse()
    return kept, total


def _frames(kept: Sequence[FrameType | TracebackType], total: int, settings: EventSettings, budget: Budget) -> Frames:
    rules = rules_of(settings)
    with_source = settings.include_source_context
    around = settings.context_lines
    frames: list[dict[str, Any]] = []
    sources: list[tuple[FrameType, Place]] = []
    for entry in kept:
        if type(entry) is TracebackType:
            running = entry.tb_frame
            place = place_of(running, entry.tb_lasti, entry.tb_lineno, rules, around)
        else:
            running = entry
            place = place_of(running, running.f_lasti, running.f_lineno, rules, around)
        if place.is_left_out:
            total -= 1
            continue
        frame = place.facts.copy()
        if with_source and place.line is not None:
            # Lists of its own: a hook may change the event in place.
            frame["pre_context"] = place.before.copy()
            frame["context_line"] = place.line
            frame["post_context"] = place.after.copy()
        frames.append(frame)
        sources.append((running, place))
    meta: Meta = {}
    if total > len(frames):
        keep_old, keep_new = _shares(settings)
        place_remark(meta, (), cut_remark(total, keep_old, total - keep_new))
    if settings.include_local_variables:
        _add_variables(frames, sources, settings, budget, meta)
    return frames, meta


def _add_variables(
    frames: list[dict[str, Any]],
    sources: list[tuple[FrameType, Place]],
    settings: EventSettings,
    budget: Budget,
    meta: Meta,
) -> None:
    """From the raise outwards, the application's frames first, until the budget of the event is used up."""
    may_empty = _HAS_SNAPSHOTS and sys.gettrace() is None
    outwards = range(len(frames) - 1, -1, -1)
    for in_app in (True, False):
        for at in outwards:
            frame = frames[at]
            if frame["in_app"] is not in_app:
                continue
            room = budget.for_next_frame()
            if not room:
                place_remark(meta, (at, "vars"), cut_remark())
                continue
            running, place = sources[at]
            variables = _variables(running, place, may_empty=may_empty)
            if variables:
                frame["vars"] = texts = render_vars(variables, room, settings, budget.seen)
                budget.book(texts)


def _variables(frame: FrameType, place: Place, *, may_empty: bool) -> Variables:
    """The locals, then the globals that the failing line names. A module has the latter only."""
    if place.is_function:
        own = _locals_of_function(frame, place, may_empty=may_empty)
        return own + _globals(frame, place, {}) if place.global_names else own
    namespace = _namespace(frame, place)
    if place.is_module:
        return _globals(frame, place, namespace)
    # A class body.
    own = [(name, value) for name, value in namespace.items() if type(name) is str and not is_hidden(name)]
    return own + [pair for pair in _globals(frame, place, namespace) if pair[0] not in namespace]


def _locals_of_function(frame: FrameType, place: Place, *, may_empty: bool) -> Variables:
    snapshot = frame.f_locals
    variables: Variables = list(snapshot.items())
    if may_empty and sys.getrefcount(snapshot) <= _UNSHARED:
        if snapshot.keys() <= place.local_names:
            snapshot.clear()
        else:  # `exec` left names here for a later `eval`
            for name in place.local_names:
                snapshot.pop(name, None)
    if place.hidden:
        return [pair for pair in variables if pair[0] not in place.hidden]
    return variables


def _namespace(frame: FrameType, place: Place) -> dict[str, object]:
    """The names of a body that runs in a namespace of its own, which may be any mapping; if it is a dict."""
    if _HAS_SNAPSHOTS and place.code.co_cellvars:
        return {}  # reading would write the cells into the mapping: the program's __setitem__
    namespace = frame.f_locals
    kind: type = type(namespace)
    if namespace is frame.f_globals or not derives(kind, dict):
        return {}
    return dict(_items_of_dict(namespace))


def _globals(frame: FrameType, place: Place, namespace: dict[str, object]) -> Variables:
    """Those that the failing line names; but not functions, classes and modules, which say nothing new."""
    named: Variables = []
    for name in place.global_names:
        value = namespace.get(name, _MISSING)
        if value is _MISSING:
            value = _get(frame.f_globals, name, _MISSING)
        if value is not _MISSING and not _says_nothing(value):
            named.append((name, value))
    return named


def _says_nothing(value: object) -> bool:
    kind = type(value)
    if kind is FunctionType or kind is BuiltinFunctionType or kind is ModuleType or kind is type:
        return True
    return derives(kind, type) or derives(kind, ModuleType)


def _size(texts: dict[str, str]) -> int:
    """Bytes of names and texts; what JSON puts between them is not counted."""
    text = "".join((*texts, *texts.values()))
    return len(text) if text.isascii() else len(text.encode())
