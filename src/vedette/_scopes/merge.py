"""Scope data on its way into an event: merged from all scopes, then written beneath what the event holds.

Scopes are read, never written: what they hold may be in use elsewhere. What goes into the event belongs to
the event, at every depth, for hooks change events in place, and the worker scrubs and shrinks them so.
"""

from __future__ import annotations

from vedette._host import guests, log
from vedette._late import late
from vedette._scopes.breadcrumbs import sent
from vedette._scopes.normal import is_exactly
from vedette._scopes.state import are_flat, combined, in_order, trimmed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

    from vedette._scopes import flags
    from vedette._scopes.propagation import PropagationContext
    from vedette._scopes.scope import Scope
    from vedette._scopes.state import Crumb, ErrorProcessor, EventProcessor, ScopeState
else:
    flags = late("vedette._scopes.flags")


class ScopeData:
    """The data of all scopes, as one capture sees it. Read-only: parts of it are the scopes' own."""

    __slots__ = ("error_processors", "processors", "propagation_context", "state")

    state: ScopeState
    """The merged fields."""
    propagation_context: PropagationContext
    """The trace that the event belongs to."""
    processors: tuple[EventProcessor, ...]
    """Those of the scoped scopes, then the global ones, each in order of registration (CLI-37, CLI-38)."""
    error_processors: tuple[ErrorProcessor, ...]
    """The same for error processors, which are for events of exceptions."""

    def __init__(
        self,
        state: ScopeState,
        propagation_context: PropagationContext,
        processors: tuple[EventProcessor, ...],
        error_processors: tuple[ErrorProcessor, ...],
    ) -> None:
        self.state = state
        self.propagation_context = propagation_context
        self.processors = processors
        self.error_processors = error_processors


def merged(
    current: Scope,
    isolation: Scope,
    global_scope: Scope,
    extra: Scope | None = None,
    *,
    max_breadcrumbs: int = 100,
) -> ScopeData:
    """Merge the data of all scopes (SCO-26, SCO-27): ``extra``, the call's, beats current, isolation, global.

    A scope may be given in two roles: contexts without scopes of their own have the global one stand in.
    """
    globally = global_scope.snapshot()
    scoped = [isolation.snapshot(), current.snapshot()]
    if extra is not None:
        scoped.append(extra.snapshot())
    state = combined((globally, *scoped))
    if "breadcrumbs" in state:
        state = trimmed(state, max_breadcrumbs)
    return ScopeData(
        state,
        isolation.get_active_propagation_context(),
        _processors("event_processors", globally, scoped) if "event_processors" in state else (),
        _processors("error_processors", globally, scoped) if "error_processors" in state else (),
    )


def _processors(field: str, of_global: Any, scoped: list[Any]) -> tuple[Any, ...]:
    globally = of_global.get(field, ())
    numbers = {number for number, _ in globally}
    first = [func for number, func in in_order(*(state.get(field, ()) for state in scoped)) if number not in numbers]
    return (*first, *(func for _, func in globally))


def apply(data: ScopeData, event: dict[str, Any], *, level_given: bool = True) -> None:
    """Write scope data into an event. What the event holds already wins (SCO-29).

    Tags, contexts and extras are merged by key; user, fingerprint, transaction and breadcrumbs are the
    event's or the scopes'. ``level_given`` is false for an event whose level is but a default, which a
    scope's level overrides (SCO-35, ruling 28).
    """
    state = data.state
    contexts: dict[str, Any] = {"trace": data.propagation_context.trace_context()}
    if "contexts" in state:
        contexts.update(_own_fields(state["contexts"]))
    if "contexts" in event:
        contexts.update(_fields(event, "contexts"))
    event["contexts"] = contexts
    if not state:
        return
    if "flags" in state and "flags" not in contexts:
        contexts["flags"] = {"values": flags.listed(_own_fields(state["flags"]))}  # EVT-96
    if "tags" in state:
        tags = {**state["tags"], **_fields(event, "tags")}
        if not all(map(str.strip, state["tags"].values())):  # servers refuse a tag without a value
            tags = {key: value for key, value in tags.items() if type(value) is not str or value.strip()}
        event["tags"] = tags
    if "extra" in state:
        event["extra"] = {**_own_fields(state["extra"]), **_fields(event, "extra")}
    if "user" in state and not event.get("user"):
        event["user"] = _own_fields(state["user"])
    if "level" in state and not (level_given and event.get("level")):
        event["level"] = state["level"]
    if "fingerprint" in state and not event.get("fingerprint"):
        event["fingerprint"] = list(state["fingerprint"])
    if "transaction" in state and not event.get("transaction"):
        _apply_transaction(event, *state["transaction"])
    crumbs = state.get("breadcrumbs")
    if crumbs and not event.get("breadcrumbs"):
        event["breadcrumbs"] = {"values": _own_breadcrumbs(crumbs)}  # BRC-08, BRC-09


def _own_breadcrumbs(crumbs: tuple[Crumb, ...]) -> list[dict[str, Any]]:
    # A hundred of them are most of the work at capture.
    return [_own_rendered(*crumb) if len(crumb) == _RENDERED else sent(crumb) for crumb in crumbs]


def _own_rendered(_number: int, crumb: dict[str, Any], nests: bool) -> dict[str, Any]:  # noqa: FBT001 - of a tuple
    if nests:
        return _own_fields(crumb)
    return {**crumb, "data": crumb["data"].copy()} if "data" in crumb else crumb.copy()


def add_extra(event: dict[str, Any], values: dict[str, Any]) -> None:
    """Add extra values that the event does not have."""
    event["extra"] = {**_own_fields(values), **_fields(event, "extra")}


def attributes(data: ScopeData) -> dict[str, Any]:
    """The attributes that a log, metric or span gets from the scopes (ATTR-19 to ATTR-22)."""
    return _own_fields(data.state.get("attributes", _NONE))


def _apply_transaction(event: dict[str, Any], name: str, source: str | None) -> None:
    event["transaction"] = name
    if source is not None:
        event["transaction_info"] = {"source": source}


def _fields(event: dict[str, Any], key: str) -> dict[str, Any]:
    """What an event holds under a key, as a dict: servers take a list of pairs as well (EVT-18)."""
    held = event.get(key)
    if is_exactly(dict, held):
        return held or _NONE
    if is_exactly(list, held):
        return {pair[0]: pair[1] for pair in held or () if is_exactly(list, pair) and len(pair) == _PAIR}
    return _NONE


def _own(value: Any) -> Any:
    """A copy that shares nothing that can change. Rendered values are exact built-ins of bounded depth."""
    if is_exactly(dict, value):
        return _own_fields(value)
    if is_exactly(list, value):
        return value.copy() if are_flat(value) else [_own(item) for item in value]
    return value


def _own_fields(fields: dict[str, Any]) -> dict[str, Any]:
    if are_flat(fields.values()):
        return fields.copy()
    return {key: _own(value) for key, value in fields.items()}


_NONE: Final[dict[str, Any]] = {}
_PAIR: Final = 2
_RENDERED: Final = 3  # items of a RenderedCrumb


def run_processors(
    name: str, processors: Iterable[Callable[[Any, Any], Any]], event: Any, argument: object
) -> Any | None:
    """By hand, for `Scope.apply_to_event` and its like, where captures have a stage for it.

    Returns: the event of the last processor; None as soon as one of them drops it, or fails (ruling 4).
    """
    for processor in processors:
        try:
            event = guests.call(name, processor, event, argument)
        except BaseException as error:
            if guests.is_control_flow(error):
                raise
            log.warn_once(name, "%s raised; the event is dropped", name, exc_info=True)
            return None
        if not is_exactly(dict, event):
            return None
    return event
