"""The queries of Django's connections as breadcrumbs, by the hook that Django has for it (FW-django-07).

The text has placeholders; what is filled in for them is never told (FW-common-23).
"""

from __future__ import annotations

import importlib

from vedette.api import add_breadcrumb, get_client
from vedette.integrations._frames import hide_variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

__all__ = ["hide_parameters", "leave_connections", "watch_connections"]

_DATABASES: Final = ("django.db.", "MySQLdb.", "oracledb.", "psycopg.", "psycopg2.", "pymysql.")
_PARAMETERS: Final = frozenset({"args", "mogrified_query", "param_list", "q", "query"})


def watch_connections() -> None:
    """Note the queries of the connections that there are in this thread, and of those that will be made."""
    _signal().connect(_on_created, weak=False, dispatch_uid="vedette")
    for connection in _connections():
        _watch(connection)


def leave_connections() -> None:
    """Undo it, for this thread's connections; those of others pass on until they end."""
    _signal().disconnect(dispatch_uid="vedette")
    for connection in _connections():
        if _noting in connection.execute_wrappers:
            connection.execute_wrappers.remove(_noting)


def _signal() -> Any:
    return importlib.import_module("django.db.backends.signals").connection_created


def _connections() -> Iterable[Any]:
    """Those that this thread has used."""
    found: Any = importlib.import_module("django.db").connections
    return [found[alias] for alias in found if hasattr(getattr(found, "_connections", None), alias)]


def _on_created(connection: Any, **_: Any) -> None:
    _watch(connection)


def _watch(connection: Any) -> None:
    if _noting not in connection.execute_wrappers:
        connection.execute_wrappers.append(_noting)


def _noting(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
    __tracebackhide__ = True
    try:
        return execute(sql, params, many, context)
    finally:
        if type(sql) is str and get_client().get_integration("django") is not None:
            add_breadcrumb(category="query", message=sql, data={"db.system": str(context["connection"].vendor)})


def hide_parameters(event: Any) -> None:
    """Hide what was filled in for placeholders in the frames of Django and of drivers.

    A database that does not answer fails each request at the query of its session, whose key is a parameter.
    """
    hide_variables(event, _DATABASES, _is_parameter)


def _is_parameter(name: str) -> bool:
    return name in _PARAMETERS or name.endswith("params")
