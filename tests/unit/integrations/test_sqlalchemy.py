"""SQLAlchemy: the queries before an error are its breadcrumbs, and nothing of the program notices."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, event, exc, insert, text
from sqlalchemy.engine import Engine

import vedette
from vedette.integrations import sqlalchemy as integration
from vedette.integrations.sqlalchemy import SqlalchemyIntegration
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
SECRET = "correct-horse-battery"
USERS = Table("users", MetaData(), Column("id", Integer, primary_key=True), Column("name", String(50)))


def start(**options: Any) -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, integrations=[SqlalchemyIntegration()], **options)
    return transport


@pytest.fixture
def transport():
    return start()


@pytest.fixture
def engine(tmp_path):
    engine = create_engine(f"sqlite:///{tmp_path}/shop.db")
    with engine.begin() as connection:
        USERS.metadata.create_all(connection)
    yield engine
    engine.dispose()


def queries(transport: MemoryTransport) -> list[dict[str, Any]]:
    """The breadcrumbs of queries that an event of now has."""
    vedette.capture_message("m")
    crumbs = transport.events[-1].get("breadcrumbs", {"values": []})["values"]
    return [crumb for crumb in crumbs if crumb.get("category") == "query"]


def texts(transport: MemoryTransport) -> list[str]:
    return [" ".join(crumb["message"].split()) for crumb in queries(transport)]


@pytest.mark.spec("FW-sqlalchemy-02", "FW-common-22", "BRC-24")
def test_each_query_is_a_breadcrumb_with_placeholders_and_never_with_values(engine, transport) -> None:
    with engine.begin() as connection:
        connection.execute(insert(USERS), {"name": SECRET})
        assert connection.execute(USERS.select().where(USERS.c.name == SECRET)).scalar() == 1
        connection.execute(text("UPDATE users SET name = :name"), {"name": SECRET})
    assert texts(transport) == [
        "INSERT INTO users (name) VALUES (?)",
        "SELECT users.id, users.name FROM users WHERE users.name = ?",
        "UPDATE users SET name = ?",
    ]
    assert SECRET not in str(transport.events[-1])


def test_a_breadcrumb_says_which_database_and_how_many_rows(engine, transport, tmp_path) -> None:
    with engine.begin() as connection:
        connection.execute(insert(USERS), [{"name": "a"}, {"name": "b"}, {"name": "c"}])
        connection.execute(USERS.select())
    database = {"db.system": "sqlite", "db.name": f"{tmp_path}/shop.db"}
    assert [crumb["data"] for crumb in queries(transport)] == [{**database, "db.operation.batch.size": 3}, database]
    in_memory = create_engine("sqlite://")
    with in_memory.connect() as connection:
        connection.execute(text("SELECT 1"))
    in_memory.dispose()
    assert queries(transport)[-1]["data"] == {"db.system": "sqlite"}


def test_an_async_engine_leaves_them_as_well_in_the_task_that_queries(transport, tmp_path) -> None:
    asynchronous = pytest.importorskip("sqlalchemy.ext.asyncio")  # of 1.4
    pytest.importorskip("sqlalchemy.dialects.sqlite.aiosqlite")  # of one of its later releases

    async def request(marker: str) -> list[str]:
        with vedette.isolation_scope():
            for number in range(3):
                async with engine.connect() as connection:
                    await connection.execute(text(f"SELECT {number} AS {marker}"))
            return texts(transport)

    async def serve() -> list[list[str]]:
        try:
            return await asyncio.gather(request("a"), request("b"))
        finally:
            await engine.dispose()

    engine = asynchronous.create_async_engine(f"sqlite+aiosqlite:///{tmp_path}/shop.db")
    found = asyncio.run(serve())
    assert found == [[f"SELECT {number} AS {marker}" for number in range(3)] for marker in ("a", "b")]


@pytest.mark.spec("PAIN-07")
def test_two_threads_never_mix_their_queries(engine, transport) -> None:
    found = {}
    both = threading.Barrier(2)

    def request(marker: str) -> None:
        with vedette.isolation_scope():
            for number in range(5):
                both.wait(10)
                with engine.connect() as connection:
                    connection.execute(text(f"SELECT {number} AS {marker}"))
            found[marker] = [crumb["message"] for crumb in crumbs_of_scope()]

    threads = [threading.Thread(target=request, args=(marker,)) for marker in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == {marker: [f"SELECT {number} AS {marker}" for number in range(5)] for marker in "ab"}


def crumbs_of_scope() -> list[dict[str, Any]]:
    kept = []

    def look(event: dict[str, Any], hint: object) -> None:
        kept.extend(event["breadcrumbs"]["values"])

    with vedette.new_scope() as scope:
        scope.add_event_processor(look)
        vedette.capture_message("m")
    return kept


def test_a_query_that_fails_raises_as_without_vedette_and_is_no_event(engine, transport) -> None:
    with engine.connect() as connection, pytest.raises(exc.OperationalError) as caught:
        connection.execute(text("SELECT nothing FROM nowhere"))
    assert type(caught.value.orig).__name__ == "OperationalError"
    assert transport.events == []
    assert texts(transport) == ["SELECT nothing FROM nowhere"]


def test_a_query_that_a_listener_of_the_program_refuses_raises_what_it_raised(engine, transport) -> None:
    def refuse(*_: Any) -> None:
        raise LookupError("no")

    event.listen(engine, "before_cursor_execute", refuse)
    with engine.connect() as connection, pytest.raises(LookupError, match="no"):
        connection.execute(text("SELECT 1"))


def test_a_huge_statement_is_cut(engine, transport) -> None:
    with engine.connect() as connection:
        connection.execute(text("SELECT 1 /* " + "x" * 1_000_000 + " */"))
    (crumb,) = queries(transport)
    assert len(crumb["message"]) < 10_000


def test_connections_of_engines_made_before_are_recorded(engine) -> None:
    transport = start()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert texts(transport) == ["SELECT 1"]


def test_setting_up_twice_records_once(engine) -> None:
    start()
    transport = start()
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert texts(transport) == ["SELECT 1"]


def test_a_client_without_the_integration_gets_no_breadcrumbs(engine, transport) -> None:
    vedette.get_client().close(timeout=0)
    other = MemoryTransport()
    vedette.init(DSN, transport=other, default_integrations=False)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    assert texts(other) == []


def test_a_client_may_close_while_a_query_is_on_its_way(engine, transport) -> None:
    """What `sqlalchemy.event.remove` does not allow: other threads' queries would fail, this one for certain."""
    client = vedette.get_client()

    def close(*_: Any) -> None:
        client.close(timeout=0)

    event.listen(Engine, "before_cursor_execute", close)
    try:
        with engine.connect() as connection:
            assert connection.execute(text("SELECT 7")).scalar() == 7
    finally:
        event.remove(Engine, "before_cursor_execute", close)


def test_a_fault_of_ours_does_not_reach_the_query(engine, transport, monkeypatch, caplog) -> None:
    def break_down(*_: Any) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(integration, "_facts", break_down)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT 7")).scalar() == 7
    assert "integration 'sqlalchemy'" in caplog.text


PROGRAM = """
import sys
{before}
import vedette
from vedette.testing import MemoryTransport
transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport)
assert {there} == ("sqlalchemy" in sys.modules)
import sqlalchemy
engine = sqlalchemy.create_engine("sqlite://")
with engine.connect() as connection:
    connection.execute(sqlalchemy.text("SELECT 1"))
vedette.capture_message("m")
print([crumb["message"] for crumb in transport.events[0]["breadcrumbs"]["values"]])
"""


@pytest.mark.spec("FW-sqlalchemy-01")
@pytest.mark.parametrize(("before", "there"), [("", False), ("import sqlalchemy", True)])
def test_it_is_enabled_by_itself_when_the_program_imports_sqlalchemy_and_never_imports_it(before, there) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before, there=there)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ran.stdout.strip(), ran.stderr) == ("['SELECT 1']", "")
