"""Everything that was received, in one SQLite file that outlives the inbox.

Guarantees
- What ``record`` returned from is committed: it is there after kill -9 (``schema.connect`` says why).
- Readers see whole commits and wait for no writer (WAL); other processes (``inbox tail``) may read and delete
  at the same time. Any thread may call any method.

Relies on: one connection for writing under ``_write_lock`` and one for reading under ``_read_lock``: SQLite's
own locks order connections, not threads that share one.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from vedette._inbox import event_queries, item_queries, pieces, recording, retention
from vedette._inbox.arrival import Arrival, decode_event, read_arrival
from vedette._inbox.changes import Change, Position, changes_since, position_of
from vedette._inbox.item_queries import NO_ROW
from vedette._inbox.limits import Refused
from vedette._inbox.models import Attachment, Issue, Item, Stats, StoredEvent
from vedette._inbox.recording import Recorded, Refusal
from vedette._inbox.schema import (
    BUSY_SECONDS,
    MAX_LOG,
    NoDatabaseError,
    StoreError,
    connect,
    default_path,
    open_database,
)
from vedette._inbox.summary import parse_query

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from vedette._inbox.retention import Retention

__all__ = ["NoDatabaseError", "Store", "StoreError", "default_path"]

Work: TypeAlias = "Arrival | Refusal"

# An empty slice of an empty body, as /store/ may bring it, is NULL to SQLite.
_EVENT = """
    SELECT e.*, v.project, coalesce(substr(v.body, e.start + 1, e.size), x'') AS payload
    FROM events e JOIN envelopes v ON v.id = e.envelope_id"""


class Store:
    """The inbox's database. Made at ``path`` if it isn't there, unless ``create=False`` (NoDatabaseError).

    Raises StoreError if the file cannot be used: another version's, no inbox database, locked, no access.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        self._writing = open_database(self.path, create=create)
        self._reading = connect(self.path)
        self._write_lock = threading.RLock()
        self._read_lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file. Twice is fine."""
        with self._read_lock:
            self._reading.close()
        with self._write_lock:
            self._writing.close()

    # --- reading ---

    def issues(
        self, q: str | None = None, since: float | None = None, limit: int = 50, before: int | None = None
    ) -> list[Issue]:
        """Newest activity first.

        ``q`` is a search as typed (``summary.parse_query``), ``since`` in seconds since the epoch, ``before``
        the ``newest_row`` of the last issue of the page before.
        """
        where, values = ["newest_row < ?"], list[object]([NO_ROW if before is None else before])
        if since is not None:
            where.append("last_seen >= ?")
            values.append(since)
        plain, terms = parse_query(q or "")
        conditions = [("instr(search_text, ?)", plain)] if plain else []
        conditions += [("instr(facets, ?)", f"\n{term}\n") for term in terms]
        if conditions:
            where.append(
                f"id IN (SELECT issue_id FROM events WHERE {' AND '.join(c for c, _ in conditions)})"  # noqa: S608 - our own tables and columns; values are bound
            )
            values += [value for _, value in conditions]
        query = f"SELECT * FROM issues WHERE {' AND '.join(where)} ORDER BY newest_row DESC LIMIT ?"  # noqa: S608 - our own tables and columns; values are bound
        return [recording.issue_of(row) for row in self._all(query, *values, limit)]

    def issue(self, number: int) -> Issue | None:
        """One issue by its number."""
        rows = self._all("SELECT * FROM issues WHERE id = ?", min(number, NO_ROW))
        return recording.issue_of(rows[0]) if rows else None

    def event(self, event_id: str) -> StoredEvent | None:
        """One event by its whole id, 32 hex digits."""
        return self._one_event(f"{_EVENT} WHERE e.event_id = ?", event_id)

    def events_of_issue(self, number: int, limit: int = 50, before: int | None = None) -> list[StoredEvent]:
        """The events stored of an issue, newest first; ``before`` is a ``row_id``."""
        query = f"{_EVENT} WHERE e.issue_id = ? AND e.id < ? ORDER BY e.id DESC LIMIT ?"
        return self._events(query, min(number, NO_ROW), NO_ROW if before is None else before, limit)

    def newest_event(self) -> StoredEvent | None:
        """The event that arrived last."""
        return self._one_event(f"{_EVENT} ORDER BY e.id DESC LIMIT 1")

    def events_after(self, row_id: int, limit: int = 100) -> list[StoredEvent]:
        """What arrived after the event with that ``row_id``, oldest first."""
        return self._events(f"{_EVENT} WHERE e.id > ? ORDER BY e.id LIMIT ?", row_id, limit)

    def latest_events(self, limit: int) -> list[StoredEvent]:
        """The newest events of all issues, oldest first."""
        return self._events(f"{_EVENT} ORDER BY e.id DESC LIMIT ?", limit)[::-1]

    def find_event(self, prefix: str, limit: int = 20) -> list[StoredEvent]:
        """The events whose id begins so, newest first. Dashes and case don't matter."""
        digits = prefix.replace("-", "").lower()
        query = f"{_EVENT} WHERE e.event_id >= ? AND e.event_id < ? ORDER BY e.id DESC LIMIT ?"
        return self._events(query, digits, digits + "g", limit)  # "g" comes after all hex digits

    def neighbours(self, event: StoredEvent) -> tuple[str, str]:
        """The ids of the next older and the next newer event of its issue; empty where there is none."""
        return event_queries.neighbours(self._all, event)

    def attachments(self, event_id: str) -> list[Attachment]:
        """The files that came with an event."""
        return event_queries.attachments(self._all, event_id)

    def envelope(self, event_id: str) -> bytes | None:
        """The envelope that brought an event: the body as received, decompressed."""
        parts = self.envelope_parts(event_id)
        return None if parts is None else b"".join(parts)

    def envelope_parts(self, event_id: str) -> Iterator[bytes] | None:
        """The same, part by part: it may be large. Raises StoreError where a part was removed meanwhile."""
        return pieces.envelope(self._all, event_id)

    def items(self, type: str | None = None, limit: int = 50, before: int | None = None) -> list[Item]:  # noqa: A002 - the protocol's word
        """What is no error event, newest first; ``before`` is a ``row_id``.

        All types but ``refused``, which is asked for by name.
        """
        if type == "refused":
            return item_queries.refused_items(self._all, limit, before)
        if type is None:
            return item_queries.all_items(self._all, limit, before)
        return item_queries.items_among(self._all, [type], limit, before)

    def items_among(self, types: Collection[str], limit: int = 50, before: int | None = None) -> list[Item]:
        """Items of these types, newest first."""
        return item_queries.items_among(self._all, types, limit, before)

    def items_but(self, types: Collection[str], limit: int = 50, before: int | None = None) -> list[Item]:
        """Items of all types but these, newest first."""
        return item_queries.items_but(self._all, types, limit, before)

    def item(self, row_id: int) -> Item | None:
        """One item by its ``row_id``."""
        return item_queries.one_item(self._all, row_id)

    def item_payload(self, row_id: int) -> bytes | None:
        """The payload of an item as received."""
        parts = self.item_payload_parts(row_id)
        return None if parts is None else b"".join(parts)

    def item_payload_parts(self, row_id: int) -> Iterator[bytes] | None:
        """The same, part by part, as with ``envelope_parts``."""
        return pieces.payload(self._all, row_id)

    def item_counts(self) -> dict[str, int]:
        """The items there are, by type; logs and spans are counted one by one."""
        return item_queries.counts(self._all)

    def refused_count(self) -> int:
        """The refused requests that are kept."""
        return item_queries.refused_count(self._all)

    def stats(self) -> Stats:
        """What became of everything that reached the inbox."""
        counters = {str(row["name"]): int(row["value"]) for row in self._all("SELECT * FROM counters")}
        dropped: dict[str, dict[str, int]] = {}
        for row in self._all("SELECT * FROM client_drops"):
            dropped.setdefault(row["reason"], {})[row["category"]] = row["quantity"]
        numbers = self._all(
            "SELECT (SELECT count(*) FROM issues), (SELECT count(*) FROM events), (SELECT count(*) FROM items)"
        )[0]
        return Stats(
            received=counters.get("received", 0),
            stored=counters.get("stored", 0),
            duplicates=counters.get("duplicates", 0),
            refused={name[len("refused:") :]: n for name, n in counters.items() if name.startswith("refused:")},
            removed_events=counters.get("removed_events", 0),
            removed_items=counters.get("removed_items", 0),
            issues=int(numbers[0]),
            events=int(numbers[1]),
            items=int(numbers[2]),
            dropped_by_clients=dropped,
        )

    def position(self) -> Position:
        """Where the database is now, for ``changes``."""
        with self._reader() as connection:
            return position_of(connection)

    def changes(self, since: Position) -> tuple[Position, list[Change]]:
        """What happened since, by whichever process, and the position to go on from."""
        with self._reader() as connection:
            return changes_since(connection, since)

    # --- writing ---

    def record(self, work: Sequence[Work]) -> list[list[Recorded] | StoreError]:
        """Store a batch in one commit. For each part what was stored, or why that part alone could not be.

        Raises StoreError if nothing could be stored (disk full, locked by another process).
        """
        now = time.time()
        results: list[list[Recorded] | StoreError] = []
        with self._transaction() as connection:
            for part in work:
                connection.execute("SAVEPOINT part")
                try:
                    results.append(recording.record(connection, part, now))
                except (sqlite3.IntegrityError, sqlite3.DataError, sqlite3.InterfaceError, ValueError) as error:
                    connection.execute("ROLLBACK TO part")
                    results.append(StoreError(f"could not be stored: {error}"))
                connection.execute("RELEASE part")
        return results

    def add_envelope(self, project: str, body: bytes, remarks: Sequence[str] = ()) -> str:
        """Store one envelope at once; the id its sender is told. Raises ``Refused`` or StoreError."""
        try:
            arrival = read_arrival(project, body, list(remarks))
        except Refused as refused:
            self.record([Refusal(project, bytes(body), len(body), refused)])
            raise
        for result in self.record([arrival]):
            if isinstance(result, StoreError):
                raise result
        return arrival.event_id

    def retain(self, limits: Retention) -> None:
        """Remove what is over the limits."""
        with self._transaction() as connection:
            retention.enforce(connection, limits, time.time())

    def tidy(self) -> None:
        """Give back the disk space of a log that a large body has blown up: SQLite keeps it, to be used again."""
        if _size_of(f"{self.path}-wal") > MAX_LOG:
            self._tidy("PRAGMA wal_checkpoint(TRUNCATE)")

    def regroup(self) -> int:
        """Group anew what was grouped by another version of the rule; the number of events looked at."""
        with self._transaction() as connection:
            return recording.regroup(connection)

    def delete_issue(self, number: int) -> bool:
        """Delete an issue with its events; whether it was there."""
        with self._transaction() as connection:
            rows = connection.execute("SELECT envelope_id FROM events WHERE issue_id = ?", (min(number, NO_ROW),))
            return retention.remove(connection, [int(row[0]) for row in rows])[0] > 0

    def clear(self) -> int:
        """Delete everything, counters included, and give back the disk space; the number of events deleted."""
        with self._transaction() as connection:
            events = int(connection.execute("SELECT count(*) FROM events").fetchone()[0])
            for table in ("events", "issues", "items", "envelopes", "pieces", "refused", "counters", "client_drops"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own tables and columns; values are bound
        self._tidy("VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)")
        return events

    def _tidy(self, *statements: str) -> None:
        """Give disk space back. Who reads or writes at the moment is in the way, and more important."""
        with self._write_lock, contextlib.suppress(sqlite3.Error):
            try:
                self._writing.execute("PRAGMA busy_timeout = 100")
                for statement in statements:
                    self._writing.execute(statement).fetchone()
            finally:
                self._writing.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    @contextlib.contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection, None, None]:
        with self._write_lock:
            connection = self._writing
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    message = f"{self.path}: {error}"
                    raise StoreError(message) from error
                raise

    @contextlib.contextmanager
    def _reader(self) -> Generator[sqlite3.Connection, None, None]:
        with self._read_lock:
            try:
                yield self._reading
            except sqlite3.Error as error:
                message = f"{self.path}: {error}"
                raise StoreError(message) from error

    def _all(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._reader() as connection:
            return connection.execute(query, values).fetchall()

    def _events(self, query: str, *values: object) -> list[StoredEvent]:
        return [_event(row) for row in self._all(query, *values)]

    def _one_event(self, query: str, *values: object) -> StoredEvent | None:
        found = self._events(query, *values)
        return found[0] if found else None


def _size_of(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _event(row: sqlite3.Row) -> StoredEvent:
    data, _ = decode_event(row["payload"])  # its remarks were stored with the row
    return recording.event_of(row, row["project"], data)
