"""What the tests of this room share: a client that keeps what is captured, and ways to look at scopes."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from vedette._scopes import merge
from vedette._scopes.client import BaseClient
from vedette._scopes.context import active_scopes, get_isolation_scope
from vedette._scopes.scope import Scope, ScopeType

if TYPE_CHECKING:
    from collections.abc import Callable


class RecordingClient(BaseClient):
    """Applies scope data as a client does, and keeps the events."""

    def __init__(self, before_breadcrumb: Callable[[Any, Any], Any] | None = None, max_breadcrumbs: int = 100) -> None:
        self.events: list[dict[str, Any]] = []
        self.before_breadcrumb = before_breadcrumb
        self.max_breadcrumbs = max_breadcrumbs
        # As the real one has it.
        plain = before_breadcrumb is None and max_breadcrumbs > 0
        self.plain_text_limit = 8192 if plain else 0

    def is_active(self):
        return True

    def capture_event(self, event, hint=None, scope=None):
        return self._keep(dict(event), scope, level_given="level" in event)

    def capture_exception(self, exception=None, scope=None, *, mechanism=None):
        return self._keep({"exception": exception, "level": "error"}, scope, level_given=False)

    def capture_message(self, message, level=None, scope=None):
        return self._keep({"message": message, "level": level or "info"}, scope, level_given=level is not None)

    def record_breadcrumb(self, crumb, hint):
        kept = crumb if self.before_breadcrumb is None else self.before_breadcrumb(crumb, hint)
        return None if kept is None else self.render(kept)

    def _keep(self, event, scope, *, level_given):
        data = merge.merged(*active_scopes(), scope, max_breadcrumbs=self.max_breadcrumbs)
        merge.apply(data, event, level_given=level_given)
        self.events.append(event)
        event_id = f"{len(self.events):032x}"
        get_isolation_scope().set_last_event_id(event_id)
        return event_id


def applied(*, current=None, isolation=None, global_scope=None, extra=None, event=None, **options):
    """The event that scopes make of an event."""
    event = {} if event is None else event
    limit = options.pop("max_breadcrumbs", 100)
    scopes = (
        current or Scope(ScopeType.CURRENT),
        isolation or Scope(ScopeType.ISOLATION),
        global_scope or Scope(ScopeType.GLOBAL),
    )
    merge.apply(merge.merged(*scopes, extra, max_breadcrumbs=limit), event, **options)
    return event


def event_of(scope):
    """What a scope alone gives an event, but for the trace."""
    event = applied(current=scope)
    del event["contexts"]["trace"]
    return {key: value for key, value in event.items() if value}


def messages(event):
    """The messages of an event's breadcrumbs."""
    return [crumb["message"] for crumb in event.get("breadcrumbs", {"values": []})["values"]]


def in_empty_context(function, *args):
    """Run something where no scope was entered, as in a new thread."""
    return contextvars.Context().run(function, *args)
