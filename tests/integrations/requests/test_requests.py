"""requests has no patch of its own: its requests are seen in `http.client`, each once."""

from __future__ import annotations

import pytest

import vedette
from tests.outgoing import DSN, as_the_path_says, asked, crumbs
from tests.servers import RecordingServer, unused_port
from vedette.integrations.stdlib import StdlibIntegration
from vedette.testing import MemoryTransport

requests = pytest.importorskip("requests")


@pytest.fixture
def server():
    with RecordingServer() as server:
        server.default = as_the_path_says
        yield server


@pytest.fixture
def session():
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.mark.spec("FW-stdlib-04", "INT-32")
def test_each_hop_is_one_breadcrumb_without_credentials(server, session) -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    url = server.url.replace("://", "://user:hunter2@")
    assert session.post(f"{url}/to/404?page=2", data={"a": "b"}).status_code == 404
    with session.get(f"{server.url}/stream", stream=True) as response:
        assert len(crumbs(transport)) == 3
        assert response.content == b"answer"
    with pytest.raises(requests.ConnectionError):
        session.get(f"http://127.0.0.1:{unused_port()}/")
    left = asked(transport)
    assert [(method, url.removeprefix(server.url), status) for method, url, status, _ in left[:3]] == [
        ("POST", "/to/404", 302),
        ("GET", "/404", 404),
        ("GET", "/stream", 200),
    ]
    assert [(status, level) for _, _, status, level in left[3:]] == [("NewConnectionError", "error")]
    assert crumbs(transport)[0]["data"]["http.request.body.size"] == 3


def test_through_a_proxy_the_server_is_named(server, session) -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    session.proxies = {"http": server.url}
    session.get("http://shop.invalid/a?b=1")
    assert asked(transport) == [("GET", "http://shop.invalid/a", 200, "info")]


@pytest.mark.spec("INT-47")
def test_failed_requests_are_captured_on_request(server, session) -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, integrations=[StdlibIntegration(capture_failed_requests=True)])
    session.get(f"{server.url}/500", headers={"X-Shown": "s"})
    [event] = transport.events
    assert dict(event["request"]["headers"])["X-Shown"] == "s"
