"""The database file: where it is, its tables, and whether this version can use it.

An envelope is kept once, as received (decompressed); events and items are slices of it (``start``, ``size``).
So the raw envelope can be shown to the byte, and an attachment is not stored twice. The ends of large payloads
stand in ``pieces`` (see there).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vedette._inbox.grouping import GROUPING_VERSION
from vedette._inbox.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION: Final = 2
BUSY_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.01
MAX_LOG: Final = 16 * MIB  # bytes of the ``-wal`` file that stay after a larger transaction

_SINCE_1: Final = """
CREATE TABLE pieces (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    envelope_id INTEGER NOT NULL, cut INTEGER NOT NULL,
    bytes BLOB NOT NULL
);
CREATE INDEX pieces_of_envelope ON pieces (envelope_id, cut);
CREATE INDEX IF NOT EXISTS items_of_event ON items (event_id);
CREATE INDEX IF NOT EXISTS items_by_type ON items (type);
"""
_TABLES: Final = f"""
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE envelopes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project TEXT NOT NULL,
    received_at REAL NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL, value TEXT NOT NULL, title TEXT NOT NULL, level TEXT NOT NULL,
    place TEXT NOT NULL, code_line TEXT NOT NULL, root_type TEXT NOT NULL, root_value TEXT NOT NULL,
    count INTEGER NOT NULL, first_seen REAL NOT NULL, last_seen REAL NOT NULL,
    release TEXT NOT NULL, environment TEXT NOT NULL, explanation TEXT NOT NULL,
    first_row INTEGER NOT NULL, newest_row INTEGER NOT NULL
);
CREATE INDEX issues_by_activity ON issues (newest_row);
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    issue_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    envelope_id INTEGER NOT NULL, start INTEGER NOT NULL, size INTEGER NOT NULL,
    received_at REAL NOT NULL,
    remarks TEXT NOT NULL,
    search_text TEXT NOT NULL, facets TEXT NOT NULL
);
CREATE INDEX events_of_issue ON events (issue_id, id);
CREATE INDEX events_of_envelope ON events (envelope_id);
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    type TEXT NOT NULL,
    envelope_id INTEGER NOT NULL, start INTEGER NOT NULL, size INTEGER NOT NULL,
    received_at REAL NOT NULL,
    headers TEXT NOT NULL, event_id TEXT NOT NULL, remarks TEXT NOT NULL
);
CREATE INDEX items_of_envelope ON items (envelope_id);
CREATE TABLE refused (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at REAL NOT NULL, project TEXT NOT NULL, size INTEGER NOT NULL,
    status INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, excerpt BLOB NOT NULL
);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE client_drops (
    reason TEXT NOT NULL, category TEXT NOT NULL, quantity INTEGER NOT NULL, PRIMARY KEY (reason, category)
) WITHOUT ROWID;
{_SINCE_1}
"""


class StoreError(Exception):
    """The database cannot be used; the message says why: newer, locked, no inbox's database, no access."""


class NoDatabaseError(StoreError):
    """There is no database yet."""


def default_path(environ: Mapping[str, str] = os.environ) -> Path:
    """``VEDETTE_INBOX_DB``, else ``vedette/inbox.db`` in the user's state directory."""
    named = environ.get("VEDETTE_INBOX_DB")
    if named:
        return Path(named)
    state = environ.get("XDG_STATE_HOME") or (environ.get("LOCALAPPDATA") if sys.platform == "win32" else None)
    base = Path(state) if state and Path(state).is_absolute() else Path.home() / ".local" / "state"
    return base / "vedette" / "inbox.db"


def open_database(path: Path, *, create: bool) -> sqlite3.Connection:
    """A connection in autocommit mode to a database of this version, made if it isn't there.

    The file is readable by its owner only (0600; SQLite gives its ``-wal`` and ``-shm`` the same), and so is
    a directory made for it (0700): it holds local variables. Raises StoreError.
    """
    try:
        if not path.exists():
            if not create:
                message = f"there is no inbox database at {path}"
                raise NoDatabaseError(message)
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        connection = connect(path)
    except (OSError, sqlite3.Error) as error:
        message = f"cannot open {path}: {error}"
        raise StoreError(message) from error
    try:
        _prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        message = f"cannot use {path}: {error}"
        raise StoreError(message) from error
    except StoreError:
        connection.close()
        raise
    return connection


def connect(path: Path) -> sqlite3.Connection:
    """One more connection to a database that was opened before. Threads that share it need a lock."""
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        # NORMAL: a commit is a write() to the log, so it survives the death of this process, kill -9 included.
        # Only an fsync at each commit (FULL) would let it survive the machine's, at several times the cost: a
        # power cut may take the last commits here, never the database.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {MAX_LOG}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def get_meta(connection: sqlite3.Connection, name: str) -> str | None:
    """A value of the table ``meta``."""
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(connection: sqlite3.Connection, name: str, value: str) -> None:
    """Set a value of the table ``meta``."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    tables = {str(row[0]) for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        _switch_to_wal(connection)
        _change(connection, _TABLES, 0)
    elif "meta" not in tables:
        message = f"{path} is no inbox database: it has other tables"
        raise StoreError(message)
    found = get_meta(connection, "schema_version")
    if found == "1":
        _change(connection, _SINCE_1, 1)
        found = get_meta(connection, "schema_version")
    if found is None or not found.isdigit() or int(found) != SCHEMA_VERSION:
        message = (
            f"{path} was written by another version of vedette (its schema is {found}, this one reads "
            f"{SCHEMA_VERSION}): update vedette, or name another file with --db"
        )
        raise StoreError(message)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """SQLite's own waiting does not cover this switch: two that open a new file at once would lock each other out."""
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > end:
                raise
            threading.Event().wait(_PAUSE_SECONDS)
        else:
            return


def _change(connection: sqlite3.Connection, statements: str, version: int) -> None:
    """Make the tables, unless another process has done so since it was seen that the version is that one."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) == version:
            for statement in filter(str.strip, statements.split(";")):
                connection.execute(statement)
            set_meta(connection, "schema_version", str(SCHEMA_VERSION))
            if version == 0:
                set_meta(connection, "grouping_version", str(GROUPING_VERSION))
        connection.execute("COMMIT")
    except sqlite3.Error:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    """0 for an empty file."""
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    return 0 if is_empty else int(get_meta(connection, "schema_version") or -1)
