"""Scope: the data that the events of a process, of an execution context or of a block of code are given.

Purpose: writing and forking a scope while others read it, without a reader ever waiting.

Guarantees (test_copy_on_write.py)
- A fork shares nothing that changes: a scope refers to one dict (``state.py``) that is never changed in
  place; a write builds a new one and stores it, a fork copies the reference.
- Writers are serialized by an RLock, readers take no lock.
- A write may come from a signal handler, ``__del__`` or a garbage collection in the middle of another write
  of the same thread. The RLock lets it in; the interrupted write then finds that the state is not what it
  started from, and starts over. Neither is lost.
- No code of the program runs under the lock: values are rendered before it is taken.
- Setters never raise for a value that they cannot use; they say so in debug mode.

Assumptions
- CPython runs signal handlers, collects garbage and switches threads at calls, function entries, backward
  jumps and allocations of containers. There is none of these between the last check and the store in
  `Scope._write`, which is why they stand next to each other. (A trace function gets in between.)
- One lock serves all scopes of the process. A write holds it for about a microsecond; and in a forked child
  it can be replaced, whoever held it in the parent. Locks inside the scopes could not be found there.
"""

# ruff: noqa: SLF001 - a class knows the inside of its instances

from __future__ import annotations

import itertools
import os
from _thread import RLock
from enum import Enum

from vedette._host import log
from vedette._protocol.attachment import Attachment
from vedette._protocol.feedback import FIELDS
from vedette._scopes.breadcrumbs import nests, recorded
from vedette._scopes.client import BaseClient, NoOpClient
from vedette._scopes.entries import active, stay
from vedette._scopes.normal import is_exactly, level_of, name_of, pairs_of, shown, tag_key_of, text_of
from vedette._scopes.propagation import PropagationContext
from vedette._scopes.state import combined, trimmed, with_attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Final, TypedDict

    from typing_extensions import Unpack

    from vedette._protocol.types import Breadcrumb, BreadcrumbHint, Event, ExcInfo, Hint, LogLevel
    from vedette._scopes.entries import Entry
    from vedette._scopes.state import ErrorProcessor, EventProcessor, ScopeState

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


class ScopeType(Enum):
    """The three roles of a scope (SCO-01)."""

    CURRENT = "current"
    ISOLATION = "isolation"
    GLOBAL = "global"


_writers = RLock()
_numbers: Final = itertools.count(1)  # drawn under the lock, so that no number comes twice
_NO_CLIENT: Final = NoOpClient()
_EMPTY: Final[ScopeState] = {}
_KEPT_BY_CLEAR: Final = ("event_processors", "error_processors")


def _renew_lock_in_child() -> None:
    # A thread of the parent may have held it at the fork, and does not exist here.
    global _writers  # noqa: PLW0603 - one lock a process
    _writers = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock_in_child)


class Scope:
    """Tags, user, contexts, breadcrumbs and so on, to be applied to events.

    There are three roles (SCO-01): the *global* scope is the process's; an *isolation* scope belongs to one
    execution context, such as a request; a *current* scope to one block of code. An event gets the data of
    all three, and where they differ, that of the more specific one. All values are bounded and rendered when
    they are set, so that a scope keeps no object of the program alive (design decision 6).
    """

    __slots__ = ("__weakref__", "_last_event_id", "_propagation_context", "_state", "_type", "client")

    client: BaseClient | None
    """The client bound to this scope, if any (SCO-50)."""

    def __init__(self, ty: ScopeType | None = None, client: BaseClient | None = None) -> None:
        self._type = ty
        self.client = client
        self._state = _EMPTY
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
        fork._type = self._type
        fork.client = self.client
        fork._state = self._state
        fork._last_event_id = None
        fork._propagation_context = self._propagation_context
        return fork

    def clear(self) -> None:
        """Empty the scope, but for its processors, its client and its trace (SCO-38, ruling 30)."""
        self._write(lambda state: _only(_KEPT_BY_CLEAR, state))
        self._last_event_id = None

    def snapshot(self) -> ScopeState:
        """What the scope holds now, as a value that never changes; for vedette's own use, to be read only."""
        return self._state

    def _write(self, change: Callable[[ScopeState], ScopeState]) -> None:
        with _writers:
            while True:
                before = self._state
                after = change(before)
                if self._state is before:  # else a signal handler or __del__ wrote meanwhile
                    self._state = after
                    return

    # --- the scopes of this context ----------------------------------------------------------------------

    @classmethod
    def get_global_scope(cls) -> Scope:
        """The one scope of the process, whose data is applied to every event (SCO-03, SCO-04)."""
        return _GLOBAL

    @classmethod
    def get_isolation_scope(cls) -> Scope:
        """The scope of this execution context, such as a request; made if there is none yet (SCO-08)."""
        return _entry().isolation

    @classmethod
    def get_current_scope(cls) -> Scope:
        """The scope of this block of code; made if there is none yet (SCO-16)."""
        return _entry().current

    @classmethod
    def set_isolation_scope(cls, new_isolation_scope: Scope) -> None:
        """Replace the isolation scope, until an enclosing ``with`` block of a scope ends."""
        new_isolation_scope.ensure_propagation_context()
        stay(new_isolation_scope, _entry().current)

    @classmethod
    def set_current_scope(cls, new_current_scope: Scope) -> None:
        """Replace the current scope, until an enclosing ``with`` block of a scope ends."""
        stay(_entry().isolation, new_current_scope)

    # --- client and trace --------------------------------------------------------------------------------

    @classmethod
    def get_client(cls) -> BaseClient:
        """The client of the current, else of the isolation, else of the global scope (CLI-29, SCO-49).

        Where none is bound, one that does nothing: never None (CLI-27, CLI-28, SCO-47, SCO-48).
        """
        entry = active()
        if entry is not None:
            if entry.current.client is not None:
                return entry.current.client
            if entry.isolation.client is not None:
                return entry.isolation.client
        return _NO_CLIENT if _GLOBAL.client is None else _GLOBAL.client

    def set_client(self, client: BaseClient | None = None) -> None:
        """Bind a client to this scope; None lets the next scope's client serve (CLI-30, SCO-50)."""
        kind: type = type(client)
        if client is not None and not issubclass(kind, BaseClient):
            log.debug("set_client takes a client, and got %s: ignored", shown(client))
            return
        self.client = _NO_CLIENT if client is None and self is _GLOBAL else client

    def _client_in_charge(self) -> BaseClient:
        return self.get_client() if self.client is None else self.client

    def set_new_propagation_context(self) -> None:
        """Let what comes from now on belong to a new trace."""
        self._propagation_context = PropagationContext()

    def ensure_propagation_context(self) -> None:
        """Begin a trace, unless this scope has one: every isolation scope does (SCO-53)."""
        if self._propagation_context is None:
            self._propagation_context = PropagationContext()

    def get_active_propagation_context(self) -> PropagationContext:
        """The trace that an event captured on this scope belongs to (SCO-52, SCO-54)."""
        if self._propagation_context is not None:
            return self._propagation_context
        entry = active()
        isolation = _GLOBAL if entry is None else entry.isolation
        return isolation._propagation_context or PropagationContext()

    @classmethod
    def last_event_id(cls) -> str | None:
        """The id of the last event that was accepted in this execution context (SCO-40, SCO-73)."""
        entry = active()
        return None if entry is None else entry.isolation._last_event_id

    def set_last_event_id(self, event_id: str | None) -> None:
        """Remember the id of an accepted event; the client does so on the isolation scope (SCO-41)."""
        self._last_event_id = event_id

    # --- tags --------------------------------------------------------------------------------------------

    def set_tag(self, key: str, value: object) -> None:
        """Set a tag to a value's text (SCO-32): one line of at most 200 characters, longer ones are cut.

        Characters of the key other than ``a-z A-Z 0-9 _ . : -`` become ``_``: servers refuse them.
        """
        self._add_tags([(key, value)])

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set several tags at once (SCO-33)."""
        self._add_tags(pairs_of(tags, "tags"))

    def _add_tags(self, tags: list[tuple[object, object]]) -> None:
        render = self._client_in_charge().render
        new = {tag_key_of(key, render): name_of(value, render) for key, value in tags}
        self._write(lambda state: {**state, "tags": {**state.get("tags", {}), **new}})

    def remove_tag(self, key: str) -> None:
        """Remove a tag of this scope, if it is there."""
        gone = tag_key_of(key, self._client_in_charge().render)
        self._write(lambda state: {**state, "tags": _without(state.get("tags", {}), gone)})

    # --- contexts, extras, attributes --------------------------------------------------------------------

    def set_context(self, key: str, value: Mapping[str, Any]) -> None:
        """Set a structured context; it replaces what stood under the key (SCO-34, EVT-86).

        A value that is no dict is kept as ``{"value": ...}``, for servers want an object.
        """
        render = self._client_in_charge().render
        name, rendered = text_of(key, render), render(value)
        context: dict[str, Any] = rendered if is_exactly(dict, rendered) else {"value": rendered}
        self._write(lambda state: {**state, "contexts": {**state.get("contexts", {}), name: context}})

    def remove_context(self, key: str) -> None:
        """Remove a context of this scope, if it is there."""
        gone = text_of(key, self._client_in_charge().render)
        self._write(lambda state: {**state, "contexts": _without(state.get("contexts", {}), gone)})

    def set_extra(self, key: str, value: object) -> None:
        """Set a value of any kind. New code better uses `set_context` (SCO-44)."""
        render = self._client_in_charge().render
        new = {text_of(key, render): render(value)}
        self._write(lambda state: {**state, "extra": {**state.get("extra", {}), **new}})

    def remove_extra(self, key: str) -> None:
        """Remove an extra of this scope, if it is there."""
        gone = text_of(key, self._client_in_charge().render)
        self._write(lambda state: {**state, "extra": _without(state.get("extra", {}), gone)})

    def set_attribute(self, attribute: str, value: object) -> None:
        """Set an attribute, which logs, metrics and spans get (ATTR-09)."""
        self._add_attributes([(attribute, value)])

    def set_attributes(self, attributes: Mapping[str, object]) -> None:
        """Set several attributes at once (ATTR-10).

        A value is a str, bool, int, float, a list of one of these, or a dict of such a ``value`` and its
        ``unit``.
        """
        self._add_attributes(pairs_of(attributes, "attributes"))

    def _add_attributes(self, attributes: list[tuple[object, object]]) -> None:
        render = self._client_in_charge().render
        new = {text_of(key, render): render(value) for key, value in attributes}
        self._write(lambda state: {**state, "attributes": {**state.get("attributes", {}), **new}})

    def remove_attribute(self, attribute: str) -> None:
        """Remove an attribute of this scope, if it is there (ATTR-17)."""
        gone = text_of(attribute, self._client_in_charge().render)
        self._write(lambda state: {**state, "attributes": _without(state.get("attributes", {}), gone)})

    # --- single values -----------------------------------------------------------------------------------

    @property
    def user(self) -> dict[str, Any] | None:
        """The user as a dict of your own, None if this scope has none; setting it is `set_user`."""
        user = self._state.get("user")
        return None if user is None else dict(user)

    @user.setter
    def user(self, value: Mapping[str, Any] | None) -> None:
        self.set_user(value)

    def set_user(self, value: Mapping[str, Any] | None) -> None:
        """Set who is concerned, with keys such as ``id``, ``username``, ``email``, ``ip_address`` (SCO-31).

        It replaces the user as a whole; None removes it from this scope (ruling 29).
        """
        if value is None:
            self._write(lambda state: _without(state, "user"))
            return
        user = self._client_in_charge().render(value)
        if type(user) is not dict:
            log.debug("the user must be a dict, and is %s: ignored", shown(value))
            return
        self._write(lambda state: {**state, "user": user})

    @property
    def level(self) -> LogLevel | None:
        """The level, None if this scope has none; setting it is `set_level`."""
        return self._state.get("level")

    @level.setter
    def level(self, value: str | None) -> None:
        self.set_level(value)

    def set_level(self, value: str | None) -> None:
        """Set the level that events get unless theirs was given with the call (SCO-35, ruling 28).

        One of ``fatal``, ``error``, ``warning``, ``info``, ``debug``, in any case; ``critical`` and ``warn``
        are understood. None removes it from this scope; any other value is ignored.
        """
        if value is None:
            self._write(lambda state: _without(state, "level"))
            return
        level = level_of(value)
        if level is not None:
            self._write(lambda state: {**state, "level": level})

    @property
    def fingerprint(self) -> list[str] | None:
        """The fingerprint as a list of your own, None if there is none; setting it is `set_fingerprint`."""
        fingerprint = self._state.get("fingerprint")
        return None if fingerprint is None else list(fingerprint)

    @fingerprint.setter
    def fingerprint(self, value: Sequence[str] | None) -> None:
        self.set_fingerprint(value)

    def set_fingerprint(self, value: Sequence[str] | None) -> None:
        """Set what events are grouped by; ``{{ default }}`` stands for the server's own grouping (SCO-36).

        None removes it from this scope.
        """
        if value is None:
            self._write(lambda state: _without(state, "fingerprint"))
            return
        render = self._client_in_charge().render
        rendered = render(value)
        parts = rendered if is_exactly(list, rendered) else [rendered]
        fingerprint = tuple(text_of(part, render) for part in parts)
        self._write(lambda state: {**state, "fingerprint": fingerprint})

    def set_transaction_name(self, name: str, source: str | None = None) -> None:
        """Name the piece of work that events come from, such as a route (SCO-45); at most 200 characters."""
        render = self._client_in_charge().render
        transaction = (name_of(name, render), None if source is None else text_of(source, render))
        self._write(lambda state: {**state, "transaction": transaction})

    # --- breadcrumbs and processors ----------------------------------------------------------------------

    def add_breadcrumb(
        self, crumb: Breadcrumb | None = None, hint: BreadcrumbHint | None = None, **kwargs: Any
    ) -> None:
        """Record what happened, for the events to come (BRC-34). The newest ``max_breadcrumbs`` are kept.

        Args:
            crumb: Any of ``type``, ``category``, ``message``, ``level``, ``data``, ``timestamp``.
            hint: Told to ``before_breadcrumb``, which may change or refuse the breadcrumb (BRC-20 to BRC-23).
            **kwargs: The same keys; they win.
        """
        client = self._client_in_charge()
        kept = recorded(client, crumb, hint, kwargs)
        if kept is None:
            return
        limit = client.max_breadcrumbs

        is_nested = nests(kept)

        def change(state: ScopeState) -> ScopeState:
            crumbs = (*state.get("breadcrumbs", ()), (next(_numbers), kept))
            nested = is_nested or state.get("nested_data", False)
            return trimmed({**state, "breadcrumbs": crumbs, "nested_data": nested}, limit)

        self._write(change)

    def clear_breadcrumbs(self) -> None:
        """Remove all breadcrumbs of this scope (BRC-35)."""
        self._write(lambda state: _without(_without(state, "breadcrumbs"), "nested_data"))

    def add_event_processor(self, func: EventProcessor) -> None:
        """Let ``func(event, hint)`` change or, with None, drop the events of this scope (SCO-37)."""
        self._write(
            lambda state: {
                **state,
                "event_processors": (*state.get("event_processors", ()), (next(_numbers), func)),
            }
        )

    def add_error_processor(self, func: ErrorProcessor, cls: type[BaseException] | None = None) -> None:
        """Let ``func(event, exc_info)`` change or, with None, drop the events of exceptions (SCO-43).

        With ``cls``, only those of that class or its subclasses.
        """
        processor = func if cls is None else _only_for(cls, func)
        self._write(
            lambda state: {
                **state,
                "error_processors": (*state.get("error_processors", ()), (next(_numbers), processor)),
            }
        )

    # --- attachments -------------------------------------------------------------------------------------

    def add_attachment(
        self,
        bytes: bytes | Callable[[], bytes] | None = None,  # noqa: A002 - the unified API's name
        filename: str | None = None,
        path: str | None = None,
        content_type: str | None = None,
        add_to_transactions: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        """Attach a file to the events captured under this scope (ATT-30, ATT-31, ATT-44).

        The arguments are those of ``vedette.attachments.Attachment``. A scope keeps the newest 30, and at most
        64 MiB of given bytes.
        """
        attachment = Attachment(bytes, filename, path, content_type, add_to_transactions)
        if bytes is None and attachment.path is None:
            log.debug("add_attachment takes bytes or a path, and got neither: ignored")
            return
        self._write(lambda state: with_attachment(state, next(_numbers), attachment))

    # --- data of several scopes --------------------------------------------------------------------------

    def update_from_scope(self, scope: Scope) -> None:
        """Take over what another scope holds; where both have something, the other's wins. Not its client."""
        if not _is_scope(scope):
            log.debug("a scope must be a Scope, and is %s: ignored", shown(scope))
            return
        theirs = scope._state
        limit = self._client_in_charge().max_breadcrumbs
        self._write(lambda mine: trimmed(combined((mine, theirs)), limit))
        if scope._propagation_context is not None:
            self._propagation_context = scope._propagation_context

    def update_from_kwargs(
        self,
        user: Mapping[str, Any] | None = None,
        level: str | None = None,
        extras: Mapping[str, Any] | None = None,
        contexts: Mapping[str, Mapping[str, Any]] | None = None,
        tags: Mapping[str, Any] | None = None,
        fingerprint: Sequence[str] | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        """Set what is given, by the setters of these names; None leaves a thing as it is."""
        if user is not None:
            self.set_user(user)
        if level is not None:
            self.set_level(level)
        if extras is not None:
            for key, value in pairs_of(extras, "extras"):
                self.set_extra(key, value)
        if contexts is not None:
            for key, context in pairs_of(contexts, "contexts"):
                self.set_context(key, context)  # type: ignore[arg-type]  # takes anything
        if tags is not None:
            self.set_tags(tags)
        if fingerprint is not None:
            self.set_fingerprint(fingerprint)
        if attributes is not None:
            self.set_attributes(attributes)

    # --- capturing ---------------------------------------------------------------------------------------

    def capture_event(
        self,
        event: Event,
        hint: Hint | None = None,
        scope: Scope | None = None,
        **scope_kwargs: Unpack[ScopeKwargs],
    ) -> str | None:
        """Send an event built by hand; its id, or None if it was dropped (SCO-72).

        Args:
            event: The event; what it holds wins over all scopes (SCO-29).
            hint: What hooks and processors are told beside the event.
            scope: A scope whose data is applied on top of the active ones (SCO-28).
            **scope_kwargs: The same, as arguments of `update_from_kwargs`; they win.
        """
        return self._client_in_charge().capture_event(event, hint, self._of_call(scope, scope_kwargs))

    def capture_exception(
        self,
        error: BaseException | ExcInfo | None = None,
        scope: Scope | None = None,
        **scope_kwargs: Unpack[ScopeKwargs],
    ) -> str | None:
        """Send an exception, by default the one being handled (SCO-70). Otherwise as `capture_event`."""
        return self._client_in_charge().capture_exception(error, self._of_call(scope, scope_kwargs))

    def capture_message(
        self,
        message: str,
        level: str | None = None,
        scope: Scope | None = None,
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
        scope: Scope | None = None,
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
        fields = _only(FIELDS, kwargs)
        others = {name: value for name, value in kwargs.items() if name not in fields}
        given: Any = feedback
        if fields:
            given = {**given, **fields} if issubclass(type(given), dict) else fields
        return self._client_in_charge().capture_feedback(given, hint, self._of_call(scope, others))

    def _of_call(self, scope: Scope | None, kwargs: Mapping[str, Any]) -> Scope | None:
        """What a capture puts on top of the active scopes: this one if it is none of them, its arguments."""
        detached = self if self not in active_scopes() else None
        if scope is None and not kwargs:
            return detached
        top = Scope() if detached is None else detached.fork()
        if scope is not None:
            top.update_from_scope(scope)
        known = _only(_SCOPE_KWARGS, kwargs)
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


def active_scopes() -> tuple[Scope, Scope, Scope]:
    """Current, isolation and global scope, for a capture: nothing is made.

    Where the context has none of its own, the global scope stands in.
    """
    entry = active()
    return (_GLOBAL, _GLOBAL, _GLOBAL) if entry is None else (entry.current, entry.isolation, _GLOBAL)


def _entry() -> Entry:
    entry = active()
    if entry is not None:
        return entry
    isolation, current = Scope(ScopeType.ISOLATION), Scope(ScopeType.CURRENT)
    entry = active()  # a signal handler may have been here meanwhile
    return stay(isolation, current) if entry is None else entry


def _is_scope(value: object) -> bool:
    return issubclass(type(value), Scope)


def _without(fields: Any, key: str) -> Any:
    return {name: value for name, value in fields.items() if name != key}


def _only(keys: Iterable[str], fields: Any) -> Any:
    return {key: fields[key] for key in keys if key in fields}


def _only_for(cls: type[BaseException], func: ErrorProcessor) -> ErrorProcessor:
    def for_class(event: Any, exc_info: Any) -> Any:
        return func(event, exc_info) if isinstance(exc_info[1], cls) else event

    return for_class


_new: Final = object.__new__
_SCOPE_KWARGS: Final = ("user", "level", "extras", "contexts", "tags", "fingerprint", "attributes")
_GLOBAL: Final = Scope(ScopeType.GLOBAL, _NO_CLIENT)
