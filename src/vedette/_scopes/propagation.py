"""Which trace an execution context belongs to when no span is active: begun here, or continued from a caller.

Nothing is sampled here: what a caller decided is handed on as it came (ruling 40).
"""

from __future__ import annotations

from vedette._host import guests, log
from vedette._protocol.ids import new_span_id, new_trace_id
from vedette._scopes.normal import pairs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final, NoReturn

    from typing_extensions import Self

    from vedette._scopes.client import BaseClient

    External = Callable[[], tuple[str, str] | None]

SENTRY_TRACE: Final = "sentry-trace"
BAGGAGE: Final = "baggage"

_PREFIX: Final = "sentry-"
_TRACE_DIGITS, _SPAN_DIGITS = 32, 16
_HEX: Final = frozenset("0123456789abcdef")
_SAMPLED: Final = {"": None, "0": False, "1": True}
_LONGEST_BAGGAGE: Final = 8192  # characters, as W3C has it
_LARGEST_RANDOM: Final = 1_000_000


class PropagationContext:
    """The trace that errors of one execution context belong to; with random ids unless they are given.

    It never changes, so that forks can share it; ``Scope.set_new_propagation_context()`` puts another in its
    place (SCO-52, PROP-05).
    """

    __slots__ = ("dynamic_sampling_context", "parent_sampled", "parent_span_id", "span_id", "trace_id")

    trace_id: str
    """32 lower-case hex digits."""
    span_id: str
    """16 lower-case hex digits."""
    parent_span_id: str | None
    """The span of the caller whose trace is continued; None at the head of a trace."""
    parent_sampled: bool | None
    """What the caller decided; None: nothing."""
    dynamic_sampling_context: Mapping[str, str] | None
    """What the caller said of the trace, handed on as it is; None at the head of a trace."""

    def __init__(
        self,
        trace_id: str | None = None,
        span_id: str | None = None,
        parent_span_id: str | None = None,
        parent_sampled: bool | None = None,  # noqa: FBT001 - the unified API's names
        dynamic_sampling_context: Mapping[str, str] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "trace_id", trace_id or new_trace_id())
        put(self, "span_id", span_id or new_span_id())
        put(self, "parent_span_id", parent_span_id)
        put(self, "parent_sampled", parent_sampled)
        put(self, "dynamic_sampling_context", dynamic_sampling_context)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(
            f"cannot set {name!r}: a PropagationContext never changes, "
            "Scope.set_new_propagation_context() puts another in its place"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __delattr__(self, name: str) -> NoReturn:
        self.__setattr__(name, None)

    def __repr__(self) -> str:
        return f"PropagationContext(trace_id={self.trace_id!r}, span_id={self.span_id!r})"

    def trace_context(self) -> dict[str, str]:
        """A fresh ``contexts.trace`` for an event (EVT-90, EVT-91)."""
        found = {"trace_id": self.trace_id, "span_id": self.span_id}
        if self.parent_span_id is not None:
            found["parent_span_id"] = self.parent_span_id
        return found


# --- incoming --------------------------------------------------------------------------------------------


def continued(incoming: Mapping[str, Any], client: BaseClient) -> PropagationContext | None:
    """The trace of a caller, by its headers or environment variables; None if there is none to go on with.

    Names are taken in any spelling: ``sentry-trace``, ``Sentry-Trace``, ``HTTP_SENTRY_TRACE``, ``SENTRY_TRACE``.
    A trace of another organization is not continued, nor, with ``strict_trace_continuation``, one of which that
    cannot be told (PROP-34 to PROP-38).
    """
    headers = {_plain_name(name): value for name, value in pairs_of(incoming, "trace headers") if type(name) is str}
    trace = read_sentry_trace(headers.get(SENTRY_TRACE))
    if trace is None:
        return None
    said = read_baggage(headers.get(BAGGAGE))
    theirs, ours = said.get("org_id"), client.organization
    is_strict = bool(client.options.get("strict_trace_continuation"))
    if theirs != ours and (is_strict or (theirs is not None and ours is not None)):
        return None
    trace_id, span_id, sampled = trace
    return PropagationContext(trace_id, None, span_id, sampled, said)


def _plain_name(name: str) -> str:
    name = name.lower().replace("_", "-").removeprefix("http-")
    return BAGGAGE if name == "sentry-baggage" else name


def read_sentry_trace(text: object) -> tuple[str, str, bool | None] | None:
    """Trace id, span id and decision of a ``sentry-trace`` header; None if it is none (PROP-88 to PROP-92)."""
    if type(text) is not str:
        return None
    trace_id, _, rest = text.strip().lower().partition("-")
    span_id, _, sampled = rest.partition("-")
    is_trace = len(trace_id) == _TRACE_DIGITS and len(span_id) == _SPAN_DIGITS and _HEX.issuperset(trace_id + span_id)
    if not is_trace or not trace_id.strip("0") or not span_id.strip("0") or sampled not in _SAMPLED:
        return None
    return trace_id, span_id, _SAMPLED[sampled]


def read_baggage(text: object) -> dict[str, str]:
    """The pairs of a ``baggage`` header that are for us, without their prefix (DSC-20 to DSC-22, DSC-28)."""
    if type(text) is not str or len(text) > _LONGEST_BAGGAGE or _PREFIX not in text:
        return {}
    from urllib.parse import unquote  # noqa: PLC0415 - who continues no trace does without it

    found: dict[str, str] = {}
    for member in text.split(","):
        name, equals, value = member.partition(";")[0].partition("=")
        name = name.strip()
        if equals and name.startswith(_PREFIX):
            found[unquote(name[len(_PREFIX) :])] = unquote(value.strip())
    return found


# --- outgoing --------------------------------------------------------------------------------------------


def sampling_context(trace: PropagationContext, client: BaseClient) -> dict[str, str]:
    """What is said of the trace to whoever continues it: as it came, or what the head knows (DSC-34, PROP-77)."""
    if trace.dynamic_sampling_context is not None:
        return dict(trace.dynamic_sampling_context)
    random = int(trace.trace_id, 16) % _LARGEST_RANDOM  # of the trace id, so that it is the same each time (PROP-50)
    found = {"trace_id": trace.trace_id, **client.trace_fields, "sample_rand": f"0.{random:06d}"}
    if client.organization is not None:
        found["org_id"] = client.organization
    return found


def sentry_trace(trace: PropagationContext) -> str:
    """The ``sentry-trace`` header: with the caller's decision, or none (PROP-73, PROP-74, PROP-88)."""
    decision = "" if trace.parent_sampled is None else "-1" if trace.parent_sampled else "-0"
    return f"{trace.trace_id}-{trace.span_id}{decision}"


def baggage(said: Mapping[str, str]) -> str:
    """The ``baggage`` header, without anybody else's members (DSC-20, DSC-21, DSC-27)."""
    from urllib.parse import quote  # noqa: PLC0415 - who calls nobody does without it

    return ",".join(f"{_PREFIX}{quote(name, safe='')}={quote(value, safe='')}" for name, value in said.items())


# --- the trace of another library ------------------------------------------------------------------------

external: External | None = None
"""Who names the trace in place of the scopes, if anybody does: `external_trace` asks."""


def register_external_propagation_context(fn: External) -> None:
    """Let ``fn`` name the trace that is active: ``(trace_id, span_id)``, or None where it knows of none.

    Events then belong to that trace. For libraries that do the tracing themselves.
    """
    global external  # noqa: PLW0603 - one a process
    external = fn


def remove_external_propagation_context() -> None:
    """Undo `register_external_propagation_context`."""
    global external  # noqa: PLW0603 - one a process
    external = None


def external_trace() -> PropagationContext | None:
    """The trace that the registered function names, if it names one."""
    if external is None:
        return None
    try:
        answer: Any = guests.call("external_propagation_context", external)
        trace = read_sentry_trace(f"{answer[0]}-{answer[1]}") if type(answer) is tuple else None
    except BaseException as error:
        if guests.is_control_flow(error):
            raise
        log.warn_once("external_propagation_context", "the external propagation context raised", exc_info=True)
        return None
    return None if trace is None else PropagationContext(trace[0], trace[1])
