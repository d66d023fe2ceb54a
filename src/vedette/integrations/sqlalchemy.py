"""SQLAlchemy: which queries ran before an error, by the library's own event for engines.

The breadcrumb is made before the query runs: it is there, too, when the query is what a time-out or a cancelled task
ended, and other listeners have not put anything into the text of the statement yet.
"""

from __future__ import annotations

from vedette._host import guests
from vedette.api import add_breadcrumb, get_client
from vedette.integrations import Integration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from sqlalchemy.engine import Connection

__all__ = ["SqlalchemyIntegration"]


class SqlalchemyIntegration(Integration):
    """Records each query as a breadcrumb: its text with placeholders, never the values of parameters.

    This holds for sync and async engines, whenever they were made; of connections that are open when it is set up,
    it depends on SQLAlchemy's version. What the program itself writes into the text of a statement, literals or
    ``literal_binds``, is in the breadcrumb. A query that fails is no event of its own: it raises in the program.

    After ``close`` the listener stays where it is and does nothing. SQLAlchemy cannot take one out while queries run:
    those of other threads fail with "deque mutated during iteration" (docs/decisions.md).
    """

    identifier = "sqlalchemy"
    library = "sqlalchemy"
    minimum_version: ClassVar[tuple[int, ...]] = (1, 3)

    @staticmethod
    def setup_once() -> None:
        """Listen to the queries of all engines of this process."""
        from sqlalchemy import event  # noqa: PLC0415 - the program has imported it
        from sqlalchemy.engine import Engine  # noqa: PLC0415 - as above

        event.listen(Engine, "before_cursor_execute", _before_cursor_execute)


def _before_cursor_execute(
    conn: Connection,
    _cursor: object,
    statement: str,
    parameters: Any,
    _context: object,
    executemany: bool,  # noqa: FBT001 - SQLAlchemy's signature
) -> None:
    __tracebackhide__ = True
    if get_client().get_integration(SqlalchemyIntegration) is None:
        return
    try:
        add_breadcrumb(category="query", message=statement, data=_facts(conn, parameters if executemany else None))
    except Exception as error:
        if guests.is_control_flow(error):
            raise
        guests.complain("integration 'sqlalchemy'", _before_cursor_execute, "raised", exc_info=True)


def _facts(conn: Connection, rows: Any) -> dict[str, Any]:
    """What is known of a query beside its text. ``rows``: the parameters of each row, for ``executemany``."""
    engine = conn.engine
    facts: dict[str, Any] = {"db.system": engine.dialect.name}
    database = engine.url.database
    if database:
        facts["db.name"] = database
    if rows is not None:
        facts["db.operation.batch.size"] = len(rows)
    return facts
