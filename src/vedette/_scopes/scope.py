"""Scope: the data that the events of a process, of an execution context or of a block of code are given.

How a scope is written and forked is in `fields.py`; which scopes are active, in `entries.py`.
"""

# ruff: noqa: SLF001 - a class knows the inside of its instances

from __future__ import annotations

from vedette._enumeration import Enum
from vedette._host import guests, log
from vedette._late import late
from vedette._scopes import merge, propagation
from vedette._scopes.client import BaseClient
from vedette._scopes.entries import active, stay, top
from vedette._scopes.fields import NO_CLIENT, ScopeFields
from vedette._scopes.normal import shown
from vedette._scopes.propagation import PropagationContext
from vedette._scopes.unbuilt import UnbuiltOnScopes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any, Final, NoReturn, Protocol, TypedDict

    from typing_extensions import Unpack

    from vedette._noops import spans
    from vedette._noops.spans import Transaction
    from vedette._protocol import feedback as feedback_page
    from vedette._protocol.types import Event, ExcInfo, Hint
    from vedette._scopes.entries import Entry
    from vedette._scopes.merge import ScopeData

    class Work(Protocol):
        """What a scope was entered for, such as a request, a task or a job."""

        def describe(self, event: dict[str, Any], client: Any) -> None:
            """Add to an event what it does not say yet: ``request``, ``transaction``, ``user``, contexts.

            Called when an event is captured, and never else. It reads what is stored, calls nothing of the program's,
            and asks ``client.policy`` what may be collected.
            """

    class MessageKwargs(TypedDict, total=False):
        """Data of one capture call, given by keyword; a message has its level as an argument."""

        user: Mapping[str, Any] | None
        extras: Mapping[str, Any] | None
        contexts: Mapping[str, Mapping[str, Any]] | None
        tags: Mapping[str, Any] | None
        fingerprint: Sequence[str] | None
        attributes: Mapping[str, Any] | None

    class ScopeKwargs(MessageKwargs, total=False):
        """Data of one capture call, given by keyword."""

        level: str | None

else:
    feedback_page = late("vedette._protocol.feedback")
    spans = late("vedette._noops.spans")


class ScopeType(Enum):
    """The three roles of a scope (SCO-01)."""

    CURRENT = "current"
    ISOLATION = "isolation"
    GLOBAL = "global"


class Scope(ScopeFields, UnbuiltOnScopes):
    """Tags, user, contexts, breadcrumbs and so on, to be applied to events.

    There are three roles (SCO-01): the *global* scope is the process's; an *isolation* scope belongs to one
    execution context, such as a request; a *current* scope to one block of code. An event gets the data of
    all three, and where they differ, that of the more specific one. All values are bounded and rendered when
    they are set, so that a scope keeps no object of the program alive (design decision 6).
    """

    __slots__ = ("_last_event_id", "_propagation_context", "_type", "work")

    work: Work | None
    """What is being worked on, where this is the isolation scope of one request, task or job."""

    def __init__(self, ty: ScopeType | None = None, client: BaseClient | None = None) -> None:
        super().__init__(client)
        self._type = ty
        self.work = None
        self._last_event_id: str | None = None
        self._propagation_context = (
            None if ty is None or ty is ScopeType.CURRENT else PropagationContext()
        )  # SCO-53; the global scope's serves contexts that have no isolation scope

    def __repr__(self) -> str:
        role = "" if self._type is None else f"{self._type.value} "
        return f"<{role}Scope at {id(self):#x}>"

    def fork(self) -> Scope:
        """A scope with all data of this one, and a life of its own (SCO-18, SCO-19, SCO-22).

        It keeps the bound client (SCO-51) and the trace. It has sent no event yet (SCO-73).
        """
        fork = _new(Scope)
        fork.client = self.client
        fork._state = self._state
        fork._tags = self._tags.copy()
        fork._crumbs = self._crumbs.copy()
        flags = self._flags
        fork._flags = flags if flags is None else flags.fork()
        fork._type = self._type
        fork.work = self.work
        fork._last_event_id = None
        fork._propagation_context = self._propagation_context
        return fork

    def __copy__(self) -> Scope:
        return self.fork()

    def __deepcopy__(self, memo: object) -> Scope:
        return self.fork()

    def __reduce__(self) -> NoReturn:
        """No pickles: what matters most in a scope, its client and processors, cannot leave the process."""
        message = "a Scope cannot be pickled: set in the other process what its events should say"
        raise TypeError(message)

    def clear(self) -> None:
        """Empty the scope, but for its processors, its client and its trace (SCO-38, ruling 30)."""
        super().clear()
        self.work = None
        self._last_event_id = None

    # --- the scopes of this context ----------------------------------------------------------------------

    @classmethod
    def get_global_scope(cls) -> Scope:
        """The one scope of the process, whose data is applied to every event (SCO-03, SCO-04)."""
        return GLOBAL

    @classmethod
    def get_isolation_scope(cls) -> Scope:
        """The scope of this execution context, such as a request; made if there is none yet (SCO-08)."""
        return entry_in_force().isolation

    @classmethod
    def get_current_scope(cls) -> Scope:
        """The scope of this block of code; made if there is none yet (SCO-16)."""
        return entry_in_force().current

    @classmethod
    def set_isolation_scope(cls, new_isolation_scope: Scope) -> None:
        """Replace the isolation scope, until an enclosing ``with`` block of a scope ends."""
        if not _is_scope(new_isolation_scope):
            log.debug("set_isolation_scope takes a Scope, and got %s: ignored", shown(new_isolation_scope))
            return
        new_isolation_scope.ensure_propagation_context()
        stay(new_isolation_scope, entry_in_force().current)

    @classmethod
    def set_current_scope(cls, new_current_scope: Scope) -> None:
        """Replace the current scope, until an enclosing ``with`` block of a scope ends."""
        if not _is_scope(new_current_scope):
            log.debug("set_current_scope takes a Scope, and got %s: ignored", shown(new_current_scope))
            return
        stay(entry_in_force().isolation, new_current_scope)

    # --- client and trace --------------------------------------------------------------------------------

    @classmethod
    def get_client(cls) -> BaseClient:
        """The client of the current, else of the isolation, else of the global scope (CLI-29, SCO-49).

        Where none is bound, one that does nothing: never None (CLI-27, CLI-28, SCO-47, SCO-48).
        """
        entry = top()
        if entry is not None and entry.left:  # asked by `active` as well: to call it each time costs 30 ns
            entry = active()
        if entry is not None:
            client = entry.current.client
            if client is not None:
                return client
            client = entry.isolation.client
            if client is not None:
                return client
        client = GLOBAL.client
        return NO_CLIENT if client is None else client

    def set_client(self, client: BaseClient | None = None) -> None:
        """Bind a client to this scope; None lets the next scope's client serve (CLI-30, SCO-50)."""
        kind: type = type(client)
        if client is not None and not issubclass(kind, BaseClient):
            log.debug("set_client takes a client, and got %s: ignored", shown(client))
            return
        self.client: BaseClient | None = NO_CLIENT if client is None and self is GLOBAL else client

    def _client_in_charge(self) -> BaseClient:
        return self.get_client() if self.client is None else self.client

    def set_new_propagation_context(self) -> None:
        """Let what comes from now on belong to a new trace (PROP-98)."""
        self._propagation_context = PropagationContext()

    def generate_propagation_context(self, incoming_data: Mapping[str, str] | None = None) -> None:
        """Go on with the trace of a caller, or else with a new one (PROP-02, PROP-93).

        Args:
            incoming_data: HTTP headers, the WSGI environment or environment variables, with ``sentry-trace``
                and ``baggage`` in any spelling.
        """
        found = None if incoming_data is None else propagation.continued(incoming_data, self._client_in_charge())
        self._propagation_context = PropagationContext() if found is None else found

    def continue_trace(
        self,
        environ_or_headers: Mapping[str, str],
        op: str | None = None,
        name: str | None = None,
        source: str | None = None,
        origin: str = "manual",
    ) -> Transaction:
        """Go on with the trace of a caller, as `generate_propagation_context` does.

        The transaction that comes back is not recorded: spans are not built yet.
        """
        self.generate_propagation_context(environ_or_headers)
        return spans.Transaction()

    def ensure_propagation_context(self) -> None:
        """Begin a trace, unless this scope has one: every isolation scope does (SCO-53)."""
        if self._propagation_context is None:
            self._propagation_context = PropagationContext()

    def get_active_propagation_context(self) -> PropagationContext:
        """The trace that an event captured on this scope belongs to (SCO-52, SCO-54)."""
        if propagation.external is not None:
            external = propagation.external_trace()
            if external is not None:
                return external
        if self._propagation_context is not None:
            return self._propagation_context
        entry = active()
        isolation = GLOBAL if entry is None else entry.isolation
        return isolation._propagation_context or PropagationContext()

    def get_trace_context(self) -> dict[str, Any]:
        """What events have as ``contexts.trace`` (EVT-90)."""
        return dict(self.get_active_propagation_context().trace_context())

    def get_dynamic_sampling_context(self) -> dict[str, str]:
        """What is said of the trace to whoever continues it; a caller's own words, if it was a caller's trace."""
        return propagation.sampling_context(self.get_active_propagation_context(), self._client_in_charge())

    def get_traceparent(self, *_args: Any, **_kwargs: Any) -> str:
        """The ``sentry-trace`` header for the next service: no decision, unless a caller made one (PROP-97)."""
        return propagation.sentry_trace(self.get_active_propagation_context())

    def get_baggage(self, *_args: Any, **_kwargs: Any) -> str | None:
        """The ``baggage`` header for the next service; None if there is nothing to say (PROP-97, DSC-40)."""
        return propagation.baggage(self.get_dynamic_sampling_context()) or None

    def iter_headers(self) -> Iterator[tuple[str, str]]:
        """The names and values of the headers by which the next service continues the trace (PROP-07, PROP-08)."""
        yield propagation.SENTRY_TRACE, self.get_traceparent()
        baggage = self.get_baggage()
        if baggage is not None:
            yield propagation.BAGGAGE, baggage

    def iter_trace_propagation_headers(self, *_args: Any, **_kwargs: Any) -> Iterator[tuple[str, str]]:
        """`iter_headers`, while there is a client at work."""
        if self._client_in_charge().is_active():
            yield from self.iter_headers()

    def trace_propagation_meta(self, *_args: Any, **_kwargs: Any) -> str:
        """The headers as ``meta`` elements of an HTML page, for a browser to continue the trace."""
        return "".join(f'<meta name="{name}" content="{value}">' for name, value in self.iter_headers())

    @classmethod
    def last_event_id(cls) -> str | None:
        """The id of the last event that was accepted in this execution context (SCO-40, SCO-73)."""
        entry = active()
        return None if entry is None else entry.isolation._last_event_id

    def set_last_event_id(self, event_id: str | None) -> None:
        """Remember the id of an accepted event; the client does so on the isolation scope (SCO-41)."""
        self._last_event_id = event_id

    # --- data of several scopes --------------------------------------------------------------------------

    def update_from_scope(self, scope: Scope) -> None:
        """Take over what another scope holds; where both have something, the other's wins. Not its client."""
        if not _is_scope(scope):
            log.debug("a scope must be a Scope, and is %s: ignored", shown(scope))
            return
        self._absorb(scope)
        if scope._propagation_context is not None:
            self._propagation_context = scope._propagation_context

    def _merged(self) -> ScopeData:
        """The active scopes, with this one on top if it is none of them."""
        scopes = active_scopes()
        on_top = None if self in scopes else self
        return merge.merged(*scopes, on_top, max_breadcrumbs=self._client_in_charge().max_breadcrumbs)

    def apply_to_event(self, event: Event, hint: Hint, options: Mapping[str, Any] | None = None) -> Event | None:
        """Merge the active scopes, and this one on top, into an event, and run their processors (SCO-26, CLI-37).

        Captures do this by themselves. ``options`` is of the unified API and without effect: the client's are used.
        Returns the event, or None if a processor dropped it. The event is changed in place.
        """
        data = self._merged()
        given: Any = event
        merge.apply(data, given, level_given="level" in given)
        applied = self.run_error_processors(given, hint)
        return None if applied is None else self.run_event_processors(applied, hint)

    def run_event_processors(self, event: Event, hint: Hint) -> Event | None:
        """Run the event processors of the active scopes, and of this one; None if one of them dropped the event."""
        return merge.run_processors("an event processor", self._merged().processors, event, hint)

    def run_error_processors(self, event: Event, hint: Hint) -> Event | None:
        """The same for error processors, if ``hint`` has an ``exc_info``."""
        exc_info = hint.get("exc_info")
        if exc_info is None:
            return event
        return merge.run_processors("an error processor", self._merged().error_processors, event, exc_info)

    def apply_to_telemetry(self, telemetry: dict[str, Any]) -> None:
        """Give a log or metric the attributes of the active scopes, and of this one on top (ATTR-19 to ATTR-23).

        Those that it has win. It gets them in the form in which they were set.
        """
        own = telemetry.get("attributes")
        telemetry["attributes"] = {**merge.attributes(self._merged()), **(own or {})}

    # --- capturing ---------------------------------------------------------------------------------------

    def capture_event(
        self,
        event: Event,
        hint: Hint | None = None,
        scope: Scope | Callable[[Scope], object] | None = None,
        **scope_kwargs: Unpack[ScopeKwargs],
    ) -> str | None:
        """Send an event built by hand; its id, or None if it was dropped (SCO-72).

        Args:
            event: The event; what it holds wins over all scopes (SCO-29).
            hint: What hooks and processors are told beside the event.
            scope: A scope whose data is applied on top of the active ones, or a function that writes one (SCO-28).
            **scope_kwargs: The same, as arguments of `update_from_kwargs`; they win.
        """
        return self._client_in_charge().capture_event(event, hint, self._of_call(scope, scope_kwargs))

    def capture_exception(
        self,
        error: BaseException | ExcInfo | None = None,
        scope: Scope | Callable[[Scope], object] | None = None,
        **scope_kwargs: Unpack[ScopeKwargs],
    ) -> str | None:
        """Send an exception, by default the one being handled (SCO-70). Otherwise as `capture_event`."""
        return self._client_in_charge().capture_exception(error, self._of_call(scope, scope_kwargs))

    def capture_message(
        self,
        message: str,
        level: str | None = None,
        scope: Scope | Callable[[Scope], object] | None = None,
        **scope_kwargs: Unpack[MessageKwargs],
    ) -> str | None:
        """Send a message, of level ``info`` unless the call or a scope says otherwise (SCO-71).

        The rest is as with `capture_event`.
        """
        return self._client_in_charge().capture_message(message, level, self._of_call(scope, scope_kwargs))

    def capture_feedback(
        self,
        feedback: dict[str, Any] | None = None,
        hint: Hint | None = None,
        scope: Scope | Callable[[Scope], object] | None = None,
        **kwargs: Any,
    ) -> str | None:
        """Send what a user said about the program (FBK-38); its id, or None if it was dropped.

        Args:
            feedback: A dict with ``message`` and, if known, ``contact_email``, ``name``, ``url``,
                ``associated_event_id``, ``replay_id``.
            hint: As with `capture_event`; files may be under ``attachments``.
            scope: As with `capture_event`.
            **kwargs: The same keys as in ``feedback``, and the data of `update_from_kwargs`; they win.
        """
        fields = {name: kwargs[name] for name in feedback_page.FIELDS if name in kwargs}
        others = {name: value for name, value in kwargs.items() if name not in fields}
        given: Any = feedback
        if fields:
            given = {**given, **fields} if issubclass(type(given), dict) else fields
        return self._client_in_charge().capture_feedback(given, hint, self._of_call(scope, others))

    def _of_call(self, scope: Scope | Callable[[Scope], object] | None, kwargs: Mapping[str, Any]) -> Scope | None:
        """What a capture puts on top of the active scopes: this one if it is none of them, its arguments."""
        detached = self if self not in active_scopes() else None
        if scope is None and not kwargs:
            return detached
        top = Scope() if detached is None else detached.fork()
        if scope is not None:
            if not _is_scope(scope) and callable(scope):
                _fill(top, scope)
            else:
                top.update_from_scope(scope)  # type: ignore[arg-type] # takes anything
        known = {name: kwargs[name] for name in _SCOPE_KWARGS if name in kwargs}
        if len(known) < len(kwargs):
            unknown = ", ".join(sorted(kwargs.keys() - known.keys()))
            log.warn_once(
                f"capture {unknown}",
                "capture_* takes no argument %s, it is ignored; there are %s",
                unknown,
                ", ".join(_SCOPE_KWARGS),
            )
        top.update_from_kwargs(**known)
        return top


def _fill(top: Scope, write: Callable[[Scope], object]) -> None:
    """Let a caller's function write the scope of one capture; the event goes out whatever becomes of it."""
    try:
        guests.call("scope", write, top)
    except BaseException as error:
        if guests.is_control_flow(error):
            raise
        log.warn_once("scope", "the function given as scope= of a capture raised", exc_info=True)


def active_scopes() -> tuple[Scope, Scope, Scope]:
    """Current, isolation and global scope, for a capture: nothing is made.

    Where the context has none of its own, the global scope stands in.
    """
    entry = top()
    if entry is not None and entry.left:
        entry = active()
    return (GLOBAL, GLOBAL, GLOBAL) if entry is None else (entry.current, entry.isolation, GLOBAL)


def entry_in_force() -> Entry:
    """What is in force in this context; made, to stay, if there is nothing yet."""
    entry = top()
    if entry is not None and entry.left:
        entry = active()
    if entry is not None:
        return entry
    isolation, current = Scope(ScopeType.ISOLATION), Scope(ScopeType.CURRENT)
    entry = active()  # a signal handler may have been here meanwhile
    return stay(isolation, current) if entry is None else entry


def _is_scope(value: object) -> bool:
    return issubclass(type(value), Scope)


_new: Final = object.__new__
_SCOPE_KWARGS: Final = ("user", "level", "extras", "contexts", "tags", "fingerprint", "attributes")
GLOBAL: Final = Scope(ScopeType.GLOBAL, NO_CLIENT)
