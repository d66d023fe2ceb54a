"""What a scope holds, and how it is written: the part of `Scope` that knows no context, client or event.

Purpose: writing and forking a scope while others read it, without a reader ever waiting.

Guarantees (test_copy_on_write.py)
- A fork shares nothing that changes.
- No write is lost, and none is seen half done: not one that comes from another thread, nor one from a signal
  handler, ``__del__`` or a garbage collection in the middle of another write of the same thread.
- Readers take no lock, and neither do the two things that programs do all the time: setting a tag, adding a
  breadcrumb.
- No code of the program runs under the lock: values are rendered before it is taken.
- Setters never raise for a value that they cannot use; they say so in debug mode.

How
- Tags are a dict and breadcrumbs a list of the scope's own, changed in place, each change by one operation of
  CPython's on exact built-ins (a store, ``update``, ``append``), which nothing can interrupt; a fork copies them,
  also by one. They are read by way of ``copy`` only: `tuple` of a list that a finalizer grows meanwhile would crash
  older Pythons. Breadcrumbs are cleared by another list in their place; a write that was under way then comes before
  it, or after. The dict of the tags stays, and is emptied: entries refer to it. Copying ten
  tags costs 0.05 microseconds, a hundred breadcrumbs 0.15. To share them, and copy when somebody writes, costs each
  write several times as much, or lets a write seep into a fork (all measured).
- All else is one dict (``state.py``) that is never changed in place: a write builds a new one and stores it, a
  fork copies the reference. Writers are serialized by a `PatientLock`. One that was interrupted by another of its own
  thread finds that the state is not what it started from, and starts over.

Assumptions
- CPython runs signal handlers, collects garbage and switches threads at calls, function entries, backward
  jumps and allocations of containers. There is none of these between the last check and the store in
  `ScopeFields._replace`, which is why they stand next to each other. (A trace function gets in between.)
- One lock serves all scopes of the process. A write holds it for about a microsecond; and in a forked child
  it can be replaced, whoever held it in the parent. Locks inside the scopes could not be found there.
- Without the GIL, CPython's dicts and lists lock themselves for each such operation.
"""

from __future__ import annotations

import os

from vedette._host import log
from vedette._host.patient_lock import PatientLock
from vedette._late import late
from vedette._protocol.version import SDK_NAME, VERSION
from vedette._scopes.breadcrumbs import nests, numbers, plain_of, recorded
from vedette._scopes.client import NoOpClient
from vedette._scopes.normal import attribute_of, is_exactly, level_of, name_of, pairs_of, shown, tag_key_of, text_of
from vedette._scopes.state import combined, in_order, with_attachment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, ClassVar, Final

    from vedette._protocol import attachment as attachments
    from vedette._protocol.types import Breadcrumb, BreadcrumbHint, LogLevel
    from vedette._scopes import flags as feature_flags
    from vedette._scopes.client import BaseClient
    from vedette._scopes.flags import FlagBuffer
    from vedette._scopes.state import Crumb, ErrorProcessor, EventProcessor, ScopeState
else:
    attachments = late("vedette._protocol.attachment")
    feature_flags = late("vedette._scopes.flags")

_writers = PatientLock()
NO_CLIENT: Final = NoOpClient()
_EMPTY: Final[ScopeState] = {}
_GLOBAL_ATTRIBUTES: Final = (
    ("sentry.release", "release"),
    ("sentry.environment", "environment"),
    ("server.address", "server_name"),
)
_KEPT_BY_CLEAR: Final = ("event_processors", "error_processors")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_writers.renew)


class ScopeFields:
    """Tags, contexts, breadcrumbs and so on. All values are bounded, and none is the program's own (decision 6)."""

    __slots__ = ("__weakref__", "_crumbs", "_flags", "_state", "_tags", "client")

    has_attached: ClassVar[bool] = False
    """Whether any scope of the process was ever given an attachment."""

    client: BaseClient | None
    """The client bound to this scope, if any (SCO-50)."""

    def __init__(self, client: BaseClient | None = None) -> None:
        self.client = client
        self._state = _EMPTY
        self._tags: dict[str, str] = {}
        self._crumbs: list[Crumb] = []
        self._flags: FlagBuffer | None = None

    def clear(self) -> None:
        """Empty the scope, but for its processors, its client and its trace (SCO-38, ruling 30)."""
        self._write(lambda state: _only(_KEPT_BY_CLEAR, state))
        self._tags.clear()  # entries of `entries.py` refer to it
        self.clear_breadcrumbs()
        self._flags = None

    def snapshot(self) -> ScopeState:
        """What the scope holds now, as a value that never changes; for vedette's own use, to be read only."""
        state = self._state
        if not (self._tags or self._crumbs or self._flags):
            return state
        state = state.copy()
        if self._tags:
            tags = self._tags.copy()
            if "\n" in "".join(tags.values()):
                tags = {key: value.replace("\n", " ") for key, value in tags.items()}
            state["tags"] = tags
        if self._crumbs:
            crumbs = tuple(self._crumbs.copy())
            state["breadcrumbs"] = in_order(crumbs) if "is_mixed" in state else crumbs
        if self._flags:
            state["flags"] = self._flags.snapshot()
        return state

    def _client_in_charge(self) -> BaseClient:
        """Who renders what is set here."""
        return NO_CLIENT if self.client is None else self.client

    def _write(self, change: Callable[[ScopeState], ScopeState]) -> None:
        _writers.run(self._replace, change)

    def _replace(self, change: Callable[[ScopeState], ScopeState]) -> None:
        while True:
            before = self._state
            after = change(before)
            if self._state is before:  # else a signal handler or __del__ wrote meanwhile
                self._state = after
                return

    # --- tags --------------------------------------------------------------------------------------------

    def set_tag(self, key: str, value: object) -> None:
        """Set a tag to a value's text (SCO-32): one line of at most 200 characters, longer ones are cut.

        Characters of the key other than ``a-z A-Z 0-9 _ . : -`` become ``_``: servers refuse them.
        """
        render = self._client_in_charge().render
        self._tags[tag_key_of(key, render)] = name_of(value, render)

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Set several tags at once (SCO-33)."""
        render = self._client_in_charge().render
        self._tags.update({tag_key_of(key, render): name_of(value, render) for key, value in pairs_of(tags, "tags")})

    def remove_tag(self, key: str) -> None:
        """Remove a tag of this scope, if it is there."""
        self._tags.pop(tag_key_of(key, self._client_in_charge().render), None)

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
        ``unit``, such as ``{"value": 3600, "unit": "second"}``. Anything else becomes text (ATTR-08).
        """
        self._add_attributes(pairs_of(attributes, "attributes"))

    def _add_attributes(self, attributes: list[tuple[object, object]]) -> None:
        render = self._client_in_charge().render
        new = {text_of(key, render): attribute_of(value, render) for key, value in attributes}
        self._write(lambda state: {**state, "attributes": {**state.get("attributes", {}), **new}})

    def set_global_attributes(self) -> None:
        """Set what describes the process on this scope, usually the global one, as the client in charge knows it."""
        client = self._client_in_charge()
        known = {name: client.event_defaults.get(field) for name, field in _GLOBAL_ATTRIBUTES}
        known["sentry.sdk.name"], known["sentry.sdk.version"] = SDK_NAME, VERSION
        self.set_attributes({name: value for name, value in known.items() if value is not None})

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

    @property
    def transaction(self) -> Any:
        """The transaction that is going on: None, as long as vedette traces nothing. Setting it is its name."""
        return None

    @transaction.setter
    def transaction(self, value: str | None) -> None:
        if value is None:
            self._write(lambda state: _without(state, "transaction"))
        else:
            self.set_transaction_name(value)

    def set_transaction_name(self, name: str, source: str | None = None) -> None:
        """Name the piece of work that events come from, such as a route (SCO-45); at most 200 characters."""
        render = self._client_in_charge().render
        transaction = (name_of(name, render), None if source is None else text_of(source, render))
        self._write(lambda state: {**state, "transaction": transaction})

    def set_conversation_id(self, conversation_id: str) -> None:
        """Set the conversation with a language model that is going on, as spans will tell it."""
        text = text_of(conversation_id, self._client_in_charge().render)
        self._write(lambda state: {**state, "conversation_id": text})

    def get_conversation_id(self) -> str | None:
        """The conversation that was set on this scope, if any."""
        return self._state.get("conversation_id")

    def remove_conversation_id(self) -> None:
        """Forget the conversation of this scope."""
        self._write(lambda state: _without(state, "conversation_id"))

    # --- breadcrumbs, flags, processors ------------------------------------------------------------------

    def add_breadcrumb(
        self, crumb: Breadcrumb | None = None, hint: BreadcrumbHint | None = None, **kwargs: Any
    ) -> None:
        """Record what happened, for the events to come (BRC-34). The newest ``max_breadcrumbs`` are kept.

        Args:
            crumb: Any of ``type``, ``category``, ``message``, ``level``, ``data``, ``timestamp``.
            hint: Told to ``before_breadcrumb``, which may change or refuse the breadcrumb (BRC-20 to BRC-23).
            **kwargs: The same keys; they win.
        """
        self.record_breadcrumb(self._client_in_charge(), crumb, hint, kwargs)

    def record_breadcrumb(
        self,
        client: BaseClient,
        crumb: Mapping[str, Any] | None,
        hint: Mapping[str, Any] | None,
        fields: dict[str, Any],
    ) -> None:
        """`add_breadcrumb`, with the keyword arguments as a dict of vedette's own; for vedette's own use."""
        if crumb is not None and type(crumb) is dict:
            fields = {**crumb, **fields}
            crumb = None
        text_limit = client.plain_text_limit
        new: Crumb | None = plain_of(text_limit, fields) if text_limit and crumb is None else None
        if new is None:
            kept = recorded(client, crumb, hint, fields)
            if kept is None:
                return
            new = next(numbers), kept, nests(kept)
        limit = client.max_breadcrumbs
        if limit <= 0:
            return
        crumbs = self._crumbs
        crumbs.append(new)
        if len(crumbs) > limit:
            # Only the one that is too many by the line before: other threads do the same. Where another client
            # allowed more of them, merging takes the newest.
            del crumbs[0]

    def clear_breadcrumbs(self) -> None:
        """Remove all breadcrumbs of this scope (BRC-35)."""
        self._crumbs = []

    @property
    def flags(self) -> FlagBuffer:
        """The feature flags that were evaluated here, the newest hundred (INT-120, INT-121)."""
        flags = self._flags
        return _writers.run(self._begin_flags) if flags is None else flags

    def _begin_flags(self) -> FlagBuffer:
        begun = feature_flags.FlagBuffer()
        if self._flags is None:
            self._flags = begun
        return self._flags

    def add_event_processor(self, func: EventProcessor) -> None:
        """Let ``func(event, hint)`` change or, with None, drop the events of this scope (SCO-37)."""
        self._write(
            lambda state: {
                **state,
                "event_processors": (*state.get("event_processors", ()), (next(numbers), func)),
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
                "error_processors": (*state.get("error_processors", ()), (next(numbers), processor)),
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
        attachment = attachments.Attachment(bytes, filename, path, content_type, add_to_transactions)
        if bytes is None and attachment.path is None:
            given = "" if path is None else f" (path={shown(path)})"
            log.warn_once("add_attachment", "add_attachment takes bytes or a path, and got neither: ignored%s", given)
            return
        ScopeFields.has_attached = True
        self._write(lambda state: with_attachment(state, next(numbers), attachment))

    # --- data of several scopes --------------------------------------------------------------------------

    def _absorb(self, other: ScopeFields) -> None:
        """Take over what another scope holds; where both have something, the other's wins."""
        theirs = other._state
        self._write(lambda mine: combined((mine, theirs)))
        self._tags.update(other._tags.copy())
        mine = set(map(id, self._crumbs.copy()))
        new = [entry for entry in other._crumbs.copy() if id(entry) not in mine]
        if new:
            self._write(lambda state: {**state, "is_mixed": True})
            self._crumbs.extend(new)
        if other._flags is not None:
            self.flags.update(other._flags)

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


def _without(fields: Any, key: str) -> Any:
    return {name: value for name, value in fields.items() if name != key}


def _only(keys: Iterable[str], fields: Any) -> Any:
    return {key: fields[key] for key in keys if key in fields}


def _only_for(cls: type[BaseException], func: ErrorProcessor) -> ErrorProcessor:
    def for_class(event: Any, exc_info: Any) -> Any:
        return func(event, exc_info) if isinstance(exc_info[1], cls) else event

    return for_class
