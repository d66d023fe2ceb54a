"""Redis commands as breadcrumbs say them: what is the command, and which of its arguments may be seen."""

from __future__ import annotations

from typing import Any

import pytest

import vedette
from vedette.integrations._redis_commands import LONGEST, name_and_arguments, shown

DSN = "http://key@localhost/1"


def told(*command: Any, limit: int = 1024, pii: bool = True, **options: Any) -> str:
    with vedette.Client(DSN, send_default_pii=pii, default_integrations=False, **options) as client:
        return shown(*name_and_arguments(command), limit, client)


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("GET", "k"), "GET 'k'"),
        (("get k", "more"), "GET 'k' 'more'"),  # redis-py splits it
        ((b"GET", b"k"), "GET b'k'"),
        (("CLIENT SETNAME", "me"), "CLIENT SETNAME 'me'"),
        (("CLIENT", "SETNAME", "me"), "CLIENT 'SETNAME' 'me'"),
        (("SLOWLOG GET 3",), "SLOWLOG GET '3'"),
        (("EXPIRE", "k", 30, 1.5, True, None), "EXPIRE 'k' 30 1.5 True None"),
        ((), "?"),
        (("  ", "k"), "? 'k'"),
    ],
)
def test_a_command_with_its_arguments(command, expected) -> None:
    assert told(*command) == expected


@pytest.mark.spec("FW-redis-05")
@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("GET", "user:jane"), "GET [Filtered]"),
        (("SET user:jane blue",), "SET [Filtered]"),
        (("CLIENT SETNAME", "jane"), "CLIENT SETNAME [Filtered]"),
        (("PING",), "PING"),
    ],
)
def test_without_permission_no_argument_is_seen(command, expected) -> None:
    assert told(*command, pii=False) == expected


@pytest.mark.spec("FW-redis-06")
@pytest.mark.parametrize(
    "command",
    [
        ("AUTH", "hunter2"),
        ("auth", "jane", "hunter2"),
        ("AUTH jane hunter2",),
        (b"AUTH hunter2",),
        ("HELLO", "3", "AUTH", "jane", "hunter2"),
        ("ACL SETUSER", "jane", ">hunter2"),
        ("ACL", "SETUSER", "jane", ">hunter2"),
        ("CONFIG SET", "requirepass", "hunter2"),
        ("CONFIG SET masterauth hunter2",),
        ("MIGRATE", "host", 6379, "", 0, 1000, "AUTH2", "jane", "hunter2"),
        ("SENTINEL SET", "master", "auth-pass", "hunter2"),
    ],
)
def test_passwords_are_never_seen(command) -> None:
    assert "hunter2" not in told(*command)


def test_what_follows_a_sensitive_name_is_filtered() -> None:
    assert told("HSET", "user:1", "password", "hunter2", "name", "x") == (
        "HSET 'user:1' 'password' [Filtered] 'name' 'x'"
    )
    assert told("SET", b"api_key", b"hunter2", "EX", 3) == "SET b'api_key' [Filtered] 'EX' 3"


def test_no_code_of_an_argument_runs() -> None:
    class Loud(str):
        __slots__ = ()

        def __repr__(self) -> str:
            raise AssertionError

        __str__ = __getitem__ = __len__ = __repr__  # type: ignore[assignment]

    assert told("SET", "k", Loud("v"), memoryview(b"x")).startswith("SET 'k' ")


def test_a_command_of_a_million_arguments_is_cut_where_the_limit_is() -> None:
    long = told("MSET", *["name"] * 1_000_000, limit=100)
    assert long == ("MSET" + " 'name'" * 100)[:100] + "..."
    assert len(told("SET", "k", "v" * 10_000_000, limit=LONGEST)) == LONGEST + 3
