"""What a scope holds, and how what several scopes hold becomes one.

A scope refers to one dict of fields. A field that was never set is absent, so that it costs nothing at
capture. Neither that dict nor anything in it is ever changed in place: whoever writes builds a new one.
"""

from __future__ import annotations

from vedette._late import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final, TypeAlias, TypedDict

    from vedette._protocol import attachment as attachments
    from vedette._protocol.attachment import Attachment
    from vedette._protocol.types import LogLevel

    RenderedCrumb: TypeAlias = tuple[int, dict[str, Any], bool]  # the last: whether copying it takes a deeper look
    PlainCrumb: TypeAlias = tuple[  # the time, type, category, message, level, data
        int, float, str | None, str | None, str | None, str | None, dict[str, Any] | None
    ]
    Crumb: TypeAlias = RenderedCrumb | PlainCrumb
    EventProcessor: TypeAlias = Callable[[Any, Any], Any]  # (event, hint) -> event or None
    ErrorProcessor: TypeAlias = Callable[[Any, Any], Any]  # (event, exc_info) -> event or None

    class ScopeState(TypedDict, total=False):
        """The fields: exact built-ins, but for the processors. Numbers are of one sequence in the process."""

        tags: dict[str, str]
        contexts: dict[str, dict[str, Any]]
        extra: dict[str, Any]
        attributes: dict[str, Any]
        user: dict[str, Any]
        level: LogLevel
        fingerprint: tuple[str, ...]
        transaction: tuple[str, str | None]  # name, source
        breadcrumbs: tuple[Crumb, ...]
        is_mixed: bool  # there if breadcrumbs came from another scope, so that their numbers are to decide
        flags: dict[str, Any]
        conversation_id: str
        attachments: tuple[tuple[int, Attachment], ...]
        event_processors: tuple[tuple[int, EventProcessor], ...]
        error_processors: tuple[tuple[int, ErrorProcessor], ...]

else:
    attachments = late("vedette._protocol.attachment")


ATTACHED_BYTES: Final = 64 * 1024 * 1024
"""What the attachments of one scope may hold in memory; a single one may be larger."""

_MERGED_BY_KEY: Final = ("tags", "contexts", "extra", "attributes")
_MERGED_BY_NUMBER: Final = ("breadcrumbs", "attachments", "event_processors", "error_processors")


def combined(states: Iterable[ScopeState]) -> ScopeState:
    """Several states as one, the least specific first: what comes later wins (SCO-26, SCO-27).

    User, level, fingerprint and transaction are replaced as a whole, and so is what stands under one key of
    the tags, contexts, extras and attributes (ruling 29). Breadcrumbs and processors are put in the order in
    which they came into the process, each of them once (BRC-16, CLI-38), flags with the newest last.
    """
    layers: list[dict[str, Any]] = [state for state in states if state]  # type: ignore[misc]  # fields by name
    if len(layers) < 2:  # noqa: PLR2004 - two are a merge
        return layers[0] if layers else {}  # type: ignore[return-value]
    result: dict[str, Any] = {}
    for layer in layers:
        result.update(layer)
    for field in _MERGED_BY_KEY:
        if field in result:
            parts = [layer[field] for layer in layers if field in layer]
            if len(parts) > 1:
                result[field] = {key: value for part in parts for key, value in part.items()}
    for field in _MERGED_BY_NUMBER:
        if field in result:
            parts = [layer[field] for layer in layers if field in layer]
            if len(parts) > 1:
                result[field] = in_order(*parts)
    if "flags" in result:
        result["flags"] = _newest_last(layer["flags"] for layer in layers if "flags" in layer)
    return result  # type: ignore[return-value]


def _newest_last(parts: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Flags by name. One that was evaluated again further in is as new as that: events keep the newest (INT-120)."""
    flags: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            flags.pop(name, None)
            flags[name] = value
    return flags


def in_order(*parts: Iterable[Any]) -> tuple[Any, ...]:
    """Numbered things of several scopes, in order of their numbers; what stands in two of them comes once."""
    numbered = {id(item): item for part in parts for item in part}  # two may have a number, where there is no GIL
    return tuple(sorted(numbered.values(), key=_number))


def trimmed(state: ScopeState, max_breadcrumbs: int) -> ScopeState:
    """The state with at most this many breadcrumbs, the oldest gone first (BRC-11, BRC-17)."""
    crumbs = state.get("breadcrumbs", ())
    if len(crumbs) <= max_breadcrumbs:
        return state
    return {**state, "breadcrumbs": crumbs[-max_breadcrumbs:] if max_breadcrumbs > 0 else ()}


def with_attachment(state: ScopeState, number: int, attachment: Attachment) -> ScopeState:
    """The state with one more attachment; past the bounds of count and bytes the oldest are gone."""
    attached = (*state.get("attachments", ()), (number, attachment))[-attachments.MOST_ATTACHMENTS :]
    while len(attached) > 1 and sum(map(_size_in_memory, attached)) > ATTACHED_BYTES:
        attached = attached[1:]
    return {**state, "attachments": attached}


def _size_in_memory(numbered: tuple[int, Attachment]) -> int:
    data: Any = numbered[1].bytes
    return len(data) if type(data) is bytes or type(data) is bytearray else 0


def are_flat(values: Iterable[object]) -> bool:
    """Whether none is a container, so that a shallow copy of what holds them shares nothing that can change."""
    return _SCALARS.issuperset(map(type, values))


def _number(item: tuple[Any, ...]) -> Any:
    return item[0]


_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
