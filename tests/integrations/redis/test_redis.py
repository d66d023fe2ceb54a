"""Redis: the commands before an error are its breadcrumbs, by every kind of client, and nothing is noticed of it."""

from __future__ import annotations

import asyncio
import inspect
import subprocess
import sys
from typing import Any

import pytest

import vedette
from vedette.integrations.redis import RedisIntegration
from vedette.testing import MemoryTransport

redis = pytest.importorskip("redis")
asynchronous = pytest.importorskip("redis.asyncio")
asyncio_cluster = getattr(asynchronous, "cluster", None)  # from redis 4.3 on

WRAPPED = [
    (getattr(module, owner), name)
    for module in (redis.client, redis.cluster, asynchronous.client, asyncio_cluster)
    for owner, name in (
        ("Redis", "execute_command"),
        ("Pipeline", "execute"),
        ("Pipeline", "immediate_execute_command"),
        ("RedisCluster", "execute_command"),
        ("ClusterPipeline", "execute"),
    )
    if name in getattr(module, owner, type).__dict__
    and getattr(module, owner).__module__ == module.__name__  # the others import it
]
TWO_INCREMENTS = "INCRBY [Filtered]\nINCRBY [Filtered]"
UNPATCHED = [owner.__dict__[name] for owner, name in WRAPPED]


def crumbs(transport: MemoryTransport) -> list[dict[str, Any]]:
    """The breadcrumbs of commands that an event of now has, but for what clients say to find their way."""
    vedette.capture_message("m")
    found = transport.events[-1].get("breadcrumbs", {"values": []})["values"]
    return [crumb for crumb in found if crumb.get("category") == "redis" and not _is_housekeeping(crumb["message"])]


def _is_housekeeping(message: str) -> bool:
    return message.split(maxsplit=1)[0] in {"CLUSTER", "COMMAND", "INFO"}


def messages(transport: MemoryTransport) -> list[str]:
    return [crumb["message"] for crumb in crumbs(transport)]


@pytest.mark.spec("FW-redis-01", "FW-redis-03", "FW-redis-05", "FW-common-22", "BRC-24")
def test_each_command_is_a_breadcrumb_without_its_arguments(client, start) -> None:
    transport = start()
    client.set("user:jane", "secret")
    assert client.get("user:jane") == b"secret"
    client.ping()
    assert messages(transport) == ["SET [Filtered]", "GET [Filtered]", "PING"]
    assert crumbs(transport)[0]["data"] == {"db.system": "redis", "db.operation": "SET"}
    assert "jane" not in str(transport.events)


@pytest.mark.spec("FW-redis-05")
def test_with_send_default_pii_the_arguments_are_there(client, start) -> None:
    transport = start(send_default_pii=True)
    client.set("user:jane", b"\x00blue", ex=30)
    assert messages(transport) == ["SET 'user:jane' b'\\x00blue' 'EX' 30"]


@pytest.mark.spec("FW-redis-06")
def test_what_is_said_with_auth_never_leaves(port, client, start) -> None:
    transport = start(send_default_pii=True)
    client.acl_setuser("jane", enabled=True, passwords=["+hunter2"], categories=["+@all"], keys=["*"])
    client.execute_command("AUTH", "jane", "hunter2")
    client.execute_command("HELLO", 2, "AUTH", "jane", "hunter2")
    client.execute_command("AUTH jane hunter2")
    with redis.Redis(port=port, username="jane", password="hunter2") as authenticated:
        authenticated.ping()
    assert messages(transport)[1:] == ["AUTH [Filtered]", "HELLO [Filtered]", "AUTH [Filtered]", "PING"]
    assert "hunter2" not in str(transport.events)


@pytest.mark.spec("FW-redis-07")
@pytest.mark.parametrize(
    ("options", "longest"), [({}, 1024), ({"max_data_size": None}, 1024), ({"max_data_size": 20}, 20)]
)
def test_long_commands_are_cut(client, start, options, longest) -> None:
    transport = start(options, send_default_pii=True)
    client.set("k", "v" * 5000)
    (message,) = messages(transport)
    assert message == ("SET 'k' '" + "v" * 5000)[:longest] + "..."


@pytest.mark.spec("FW-redis-07")
def test_with_a_max_data_size_of_0_they_are_not(client, start) -> None:
    transport = start({"max_data_size": 0}, send_default_pii=True)
    client.set("k", "v" * 5000)
    assert messages(transport) == ["SET 'k' '" + "v" * 5000 + "'"]


def test_a_pipeline_is_one_breadcrumb_with_the_first_ten_of_its_commands(client, start) -> None:
    transport = start()
    with client.pipeline() as pipeline:
        for number in range(12):
            pipeline.incrby("counter", number)
        pipeline.ping()
        assert pipeline.execute()[-2:] == [66, True]
        assert pipeline.execute() == []  # nothing is sent
    (crumb,) = crumbs(transport)
    assert crumb["message"].splitlines() == ["INCRBY [Filtered]"] * 10
    assert crumb["data"] == {"db.system": "redis", "db.operation": "PIPELINE", "redis.commands.count": 13}


def test_what_a_watching_pipeline_sends_at_once_is_recorded_like_other_commands(client, start) -> None:
    transport = start()

    def double(pipeline: Any) -> None:
        found = int(pipeline.get("counter"))
        pipeline.multi()
        pipeline.set("counter", 2 * found)

    client.set("counter", 21)
    client.transaction(double, "counter")
    assert client.get("counter") == b"42"
    assert messages(transport) == [
        "SET [Filtered]",
        "WATCH [Filtered]",
        "GET [Filtered]",
        "SET [Filtered]",
        "GET [Filtered]",
    ]
    assert crumbs(transport)[3]["data"]["db.operation"] == "PIPELINE"


@pytest.mark.spec("FW-redis-02", "FW-redis-03")
def test_asyncio_clients_and_pipelines_leave_the_same(port, start) -> None:
    transport = start()

    async def serve() -> None:
        async with asynchronous.Redis(port=port) as client:
            await client.set("counter", 1)
            async with client.pipeline() as pipeline:
                pipeline.incr("counter")
                await pipeline.incr("counter").execute()
            async with client.pipeline() as pipeline:
                await pipeline.watch("counter")
                assert await pipeline.get("counter") == b"3"

    asyncio.run(serve())
    assert messages(transport) == ["SET [Filtered]", TWO_INCREMENTS, "WATCH [Filtered]", "GET [Filtered]"]


@pytest.mark.spec("FW-redis-02", "FW-redis-03")
def test_clients_of_clusters_and_their_pipelines_leave_the_same(cluster_port, start) -> None:
    transport = start()
    with redis.cluster.RedisCluster(host="127.0.0.1", port=cluster_port) as client:
        client.set("{a}counter", 1)
        with client.pipeline() as pipeline:
            pipeline.incr("{a}counter")
            pipeline.incr("{b}counter")
            assert pipeline.execute()[0] == 2
    assert messages(transport) == ["SET [Filtered]", TWO_INCREMENTS]
    assert crumbs(transport)[1]["data"]["redis.commands.count"] == 2


@pytest.mark.skipif(not hasattr(asyncio_cluster, "ClusterPipeline"), reason="this version has none")
@pytest.mark.spec("FW-redis-02", "FW-redis-03")
def test_asyncio_clients_of_clusters_leave_the_same(cluster_port, start) -> None:
    transport = start()

    async def serve() -> None:
        async with asyncio_cluster.RedisCluster(host="127.0.0.1", port=cluster_port) as client:
            await client.set("{a}number", 1)
            async with client.pipeline() as pipeline:
                assert await pipeline.incr("{a}number").incr("{a}number").execute() == [2, 3]

    asyncio.run(serve())
    assert messages(transport) == ["SET [Filtered]", TWO_INCREMENTS]


@pytest.mark.spec("PAIN-07")
def test_concurrent_tasks_never_mix_their_commands(port, start) -> None:
    transport = start(send_default_pii=True)
    found = {}

    async def task(client: Any, marker: str) -> None:
        with vedette.isolation_scope():
            for number in range(5):
                await client.get(f"{marker}{number}")
            found[marker] = messages(transport)

    async def serve() -> None:
        async with asynchronous.Redis(port=port) as client:
            await asyncio.gather(task(client, "a"), task(client, "b"))

    asyncio.run(serve())
    assert found == {marker: [f"GET '{marker}{number}'" for number in range(5)] for marker in "ab"}


def test_a_command_that_fails_raises_as_without_vedette_and_is_no_event(client, start) -> None:
    transport = start()
    client.set("text", "no number")
    with pytest.raises(redis.ResponseError, match="not an integer") as caught:
        client.incr("text")
    assert transport.events == []
    assert messages(transport)[-1] == "INCRBY [Filtered]"
    vedette.capture_exception(caught.value)
    frames = transport.events[-1]["exception"]["values"][-1]["stacktrace"]["frames"]
    assert not [frame for frame in frames if "vedette" in frame["filename"]]


def test_signatures_names_and_kinds_of_functions_stay(start) -> None:
    start()
    assert len(WRAPPED) >= 8
    for (owner, name), before in zip(WRAPPED, UNPATCHED, strict=True):
        now = owner.__dict__[name]
        assert now is not before
        assert now.__wrapped__ is before
        assert inspect.signature(now) == inspect.signature(before)
        assert inspect.iscoroutinefunction(now) == inspect.iscoroutinefunction(before)
        assert (now.__name__, now.__qualname__, now.__module__) == (name, before.__qualname__, before.__module__)


PROGRAM_THAT_IMPORTS_ASYNCIO_LATER = """
import vedette
vedette.init("http://key@localhost/1")
import redis
import redis.asyncio
assert redis.asyncio.Redis.execute_command.__wrapped__
vedette.get_client().close(timeout=0)
print(hasattr(redis.asyncio.Redis.execute_command, "__wrapped__"))
"""


def test_asyncio_clients_that_are_imported_later_are_watched_as_well() -> None:
    assert run(PROGRAM_THAT_IMPORTS_ASYNCIO_LATER) == "False"


def test_setting_up_twice_records_once_and_the_last_close_puts_the_methods_back(client, start) -> None:
    start()
    first = vedette.get_client()
    transport = start()
    first.close(timeout=0)
    client.ping()
    assert messages(transport) == ["PING"]
    vedette.get_client().close(timeout=0)
    assert all(owner.__dict__[name] is before for (owner, name), before in zip(WRAPPED, UNPATCHED, strict=True))


def test_a_client_that_has_the_integration_disabled_gets_no_breadcrumbs(client, start) -> None:
    start()
    transport = MemoryTransport()
    vedette.init("http://key@localhost/1", transport=transport, disabled_integrations=[RedisIntegration()])
    client.ping()
    assert messages(transport) == []


def test_a_fault_of_ours_does_not_reach_the_command(client, start, monkeypatch, caplog) -> None:
    def break_down(*_: Any) -> str:
        raise ZeroDivisionError

    start()
    monkeypatch.setattr("vedette.integrations.redis.shown", break_down)
    assert client.ping() is True
    assert "integration 'redis'" in caplog.text


PROGRAM = """
import sys
{before}
import vedette
from vedette.testing import MemoryTransport
transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport)
assert {there} == ("redis" in sys.modules)
import redis
try:
    redis.Redis(port=1, retry=None).ping()
except redis.ConnectionError:
    vedette.capture_message("m")
print([crumb["message"] for crumb in transport.events[0]["breadcrumbs"]["values"]])
"""


@pytest.mark.spec("FW-redis-02")
@pytest.mark.parametrize(("before", "there"), [("", False), ("import redis", True)])
def test_it_is_enabled_by_itself_when_the_program_imports_redis_and_never_imports_it(before, there) -> None:
    assert run(PROGRAM.format(before=before, there=there)) == "['PING']"


def run(program: str) -> str:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False)
    assert ran.stderr == ""
    return ran.stdout.strip()
