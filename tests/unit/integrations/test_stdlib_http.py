"""Breadcrumbs of `http.client`: one a request, whatever becomes of it, and nothing that the program would notice."""

from __future__ import annotations

import http.client
import inspect
import ssl
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import trustme
import urllib3

import vedette
from tests.outgoing import DSN, as_the_path_says, asked, crumbs
from tests.programs import run_program
from tests.servers import RecordingProxy, RecordingServer, never, unused_port
from vedette.integrations.stdlib import StdlibIntegration
from vedette.testing import MemoryTransport

PATCHED = ("putrequest", "send", "getresponse", "close")
UNPATCHED = {name: http.client.HTTPConnection.__dict__[name] for name in PATCHED}
NO_RETRIES = urllib3.Retry(0, redirect=0)


@pytest.fixture
def transport():
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    return transport


@pytest.fixture
def server():
    with RecordingServer() as server:
        server.default = as_the_path_says
        yield server


@pytest.fixture
def connection(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    yield connection
    connection.close()


def ask(connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None = None) -> int:
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    return response.status


@pytest.mark.spec("INT-32", "INT-33", "INT-34", "INT-38", "FW-stdlib-03", "FW-stdlib-06", "BRC-25", "BRC-28")
def test_a_request_is_one_breadcrumb_with_both_spellings_and_the_query_apart(transport, server, connection) -> None:
    connection.request("post", "/items?page=2&api_key=hunter2#top&token=abc", b"12345")
    assert crumbs(transport) == []  # it is not over yet
    connection.getresponse().read()
    assert crumbs(transport) == [
        {
            "type": "http",
            "category": "http",
            "level": "info",
            "data": {
                "url": f"{server.url}/items",
                "method": "POST",
                "http.request.method": "POST",
                "status_code": 200,
                "http.response.status_code": 200,
                "http.query": "page=2&api_key=[Filtered]",
                "http.fragment": "top&token=[Filtered]",
                "http.request.body.size": 5,
                "http.response.body.size": 6,
            },
        }
    ]


@pytest.mark.spec("INT-35", "INT-36", "INT-37", "BRC-27")
@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "info"), (302, "info"), (304, "info"), (404, "warning"), (499, "warning"), (500, "error"), (503, "error")],
)
def test_the_status_decides_the_level(transport, connection, status, level) -> None:
    ask(connection, "GET", f"/{status}")
    assert [crumb["level"] for crumb in crumbs(transport)] == [level]


@pytest.mark.spec("FW-stdlib-04")
def test_urllib_and_urllib3_are_seen_as_well_each_hop_of_theirs_once(transport, server) -> None:
    urllib.request.urlopen(f"{server.url}/to/200").read()
    with urllib3.PoolManager() as manager:
        manager.request("PUT", f"{server.url}/to/404", body=b"x")
    hops = [("GET", "/to/200", 302), ("GET", "/200", 200), ("PUT", "/to/404", 302), ("PUT", "/404", 404)]
    assert [(method, url.removeprefix(server.url), status) for method, url, status, _ in asked(transport)] == hops
    assert len(server.requests) == len(hops)


def test_a_connection_that_is_kept_has_a_breadcrumb_for_each_of_its_requests(transport, server, connection) -> None:
    for status in (200, 404, 204):
        ask(connection, "GET", f"/{status}")
    assert [status for _, _, status, _ in asked(transport)] == [200, 404, 204]
    assert server.connections == 1


@pytest.mark.spec("DAT-13")
@pytest.mark.parametrize("path", ["/a", "http://user:hunter2@{server}/a", "http://user@{server}/a"])
def test_no_user_or_password_of_a_url_is_kept(transport, server, connection, path) -> None:
    ask(connection, "GET", path.format(server=f"127.0.0.1:{server.port}"))
    assert [url for _, url, _, _ in asked(transport)] == [f"{server.url}/a"]


def test_the_standard_port_is_not_named_and_an_ipv6_host_stands_in_brackets(transport, monkeypatch) -> None:
    def refuse(connection: http.client.HTTPConnection) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(http.client.HTTPConnection, "connect", refuse)
    monkeypatch.setattr(http.client.HTTPSConnection, "connect", refuse)
    for connection in (
        http.client.HTTPConnection("a.invalid"),
        http.client.HTTPSConnection("a.invalid"),
        http.client.HTTPSConnection("a.invalid", 80),
        http.client.HTTPConnection("::1", 8000),
    ):
        with pytest.raises(ConnectionRefusedError):
            connection.request("GET", "/x")
    urls = ["http://a.invalid/x", "https://a.invalid/x", "https://a.invalid:80/x", "http://[::1]:8000/x"]
    assert [url for _, url, _, _ in asked(transport)] == urls


# --- what goes wrong ---------------------------------------------------------------------------------------


def test_no_connection_is_one_breadcrumb_of_level_error_and_the_programs_own_exception(transport) -> None:
    port = unused_port()
    with pytest.raises(ConnectionRefusedError) as raised:
        http.client.HTTPConnection("127.0.0.1", port).request("GET", "/")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/")
    with urllib3.PoolManager() as manager, pytest.raises(urllib3.exceptions.MaxRetryError):
        manager.request("GET", f"http://127.0.0.1:{port}/", retries=NO_RETRIES)
    errors = [status for _, _, status, _ in asked(transport)]
    assert errors[:2] == ["ConnectionRefusedError"] * 2
    assert errors[2:] == ["NewConnectionError"]
    assert {level for *_, level in asked(transport)} == {"error"}
    assert raised.value.__context__ is None


def test_an_answer_that_does_not_come_is_one_breadcrumb_with_what_was_raised(transport, server) -> None:
    server.answer(never())
    slow = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.05)
    slow.request("GET", "/slow")
    with pytest.raises(TimeoutError):
        slow.getresponse()
    slow.close()
    server.answer(hang_up="after_reading")
    with pytest.raises(http.client.RemoteDisconnected):
        urllib.request.urlopen(f"{server.url}/gone")
    assert [status for _, _, status, _ in asked(transport)] == ["TimeoutError", "RemoteDisconnected"]


def test_an_answer_that_nobody_asked_for_is_a_breadcrumb_without_status_when_the_connection_closes(
    transport, server, connection
) -> None:
    connection.request("GET", "/never")
    server.wait_for(1)
    assert crumbs(transport) == []
    connection.close()
    connection.close()
    assert asked(transport) == [("GET", f"{server.url}/never", None, "info")]


def test_asking_too_early_changes_nothing(transport, server, connection) -> None:
    connection.putrequest("GET", "/late")
    with pytest.raises(http.client.ResponseNotReady):
        connection.getresponse()
    connection.endheaders()
    assert connection.getresponse().read() == b"answer"
    assert asked(transport) == [("GET", f"{server.url}/late", 200, "info")]


def test_a_request_that_cannot_be_begun_leaves_the_one_under_way_alone(transport, server, connection) -> None:
    connection.request("GET", "/first")
    with pytest.raises(http.client.CannotSendRequest):
        connection.request("GET", "/second")
    with pytest.raises(ValueError, match="control characters"):
        http.client.HTTPConnection("127.0.0.1", server.port).putrequest("GET\n", "/")
    connection.getresponse().read()
    assert asked(transport) == [("GET", f"{server.url}/first", 200, "info")]


def test_a_server_that_answers_before_it_took_the_body_is_a_breadcrumb_with_its_answer(
    transport, server, connection
) -> None:
    connection.putrequest("POST", "/413")
    connection.putheader("Content-Length", "0")
    connection.endheaders()
    server.wait_for(1)
    sock = connection.sock

    class Broken:
        def sendall(self, data: bytes) -> None:
            raise BrokenPipeError

    connection.sock = Broken()
    with pytest.raises(BrokenPipeError):
        connection.send(b"body")
    connection.sock = sock
    assert connection.getresponse().status == 413
    assert [status for _, _, status, _ in asked(transport)] == [413]


def test_what_fails_in_vedette_stays_there(transport, server, connection, monkeypatch) -> None:
    client = vedette.get_client()
    monkeypatch.setattr(type(client), "parsed_dsn", property(lambda self: 1 / 0))
    assert ask(connection, "GET", "/404") == 404
    monkeypatch.undo()
    assert ask(connection, "GET", "/204") == 204
    assert [status for _, _, status, _ in asked(transport)] == [204]


# --- proxies and tunnels -----------------------------------------------------------------------------------


def test_through_a_proxy_the_server_is_named_not_the_proxy(transport, server) -> None:
    with urllib3.ProxyManager(server.url) as manager:
        manager.request("GET", "http://user:hunter2@shop.invalid:8080/a?b=1")
    assert server.requests[0].target == "http://user:hunter2@shop.invalid:8080/a?b=1"
    assert asked(transport) == [("GET", "http://shop.invalid:8080/a", 200, "info")]


def test_through_a_tunnel_the_server_at_its_end_is_named_and_the_tunnel_itself_is_no_request(transport) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    with RecordingServer(context) as server, RecordingProxy() as proxy:
        server.default = as_the_path_says
        plain = http.client.HTTPSConnection("127.0.0.1", proxy.port, context=trusting, timeout=5)
        plain.set_tunnel("127.0.0.1", server.port)
        ask(plain, "GET", "/one")
        plain.close()
        with urllib3.ProxyManager(proxy.url, ssl_context=trusting) as manager:
            manager.request("GET", f"{server.url}/two")
        assert [url for _, url, _, _ in asked(transport)] == [f"{server.url}/one", f"{server.url}/two"]


def test_a_tunnel_that_is_refused_is_one_breadcrumb_with_the_error(transport) -> None:
    with RecordingProxy(refuse_with=407) as proxy:
        connection = http.client.HTTPSConnection("127.0.0.1", proxy.port, timeout=5)
        connection.set_tunnel("a.invalid", 443)
        with pytest.raises(OSError, match="407"):
            connection.request("GET", "/x")
        connection.close()
        assert asked(transport) == [("GET", "https://a.invalid/x", "OSError", "error")]


# --- vedette's own requests --------------------------------------------------------------------------------


@pytest.mark.spec("INT-31", "BRC-29")
@pytest.mark.parametrize(
    ("dsn_path", "asked_for", "is_left_out"),
    [
        ("/1", "/api/1/envelope/", True),
        ("/1", "/anything", True),
        ("/sentry/1", "/sentry/api/1/envelope/", True),
        ("/sentry/1", "/sentry", True),
        ("/sentry/1", "/sentryx", False),
        ("/sentry/1", "/shop", False),
    ],
)
def test_requests_to_the_server_of_the_dsn_are_left_out(server, connection, dsn_path, asked_for, is_left_out) -> None:
    transport = MemoryTransport()
    vedette.init(f"http://key@127.0.0.1:{server.port}{dsn_path}", transport=transport)
    ask(connection, "GET", asked_for)
    assert crumbs(transport) == [] if is_left_out else len(crumbs(transport)) == 1


@pytest.mark.spec("INT-31", "BRC-29")
def test_the_same_host_at_another_port_is_another_server(server, connection) -> None:
    transport = MemoryTransport()
    vedette.init("http://key@127.0.0.1/1", transport=transport)
    ask(connection, "GET", "/")
    assert len(crumbs(transport)) == 1


@pytest.mark.spec("INT-31", "BRC-29")
def test_requests_to_the_dsn_through_a_proxy_are_left_out_as_well(server) -> None:
    transport = MemoryTransport()
    vedette.init(f"http://key@127.0.0.1:{server.port}/1", transport=transport)
    with RecordingProxy() as proxy, urllib3.ProxyManager(proxy.url) as manager:
        manager.request("GET", f"{server.url}/api/1/envelope/")
    assert crumbs(transport) == []


@pytest.mark.spec("INT-31", "BRC-29")
def test_what_vedettes_transport_sends_is_no_request_of_the_program() -> None:
    """Neither on the worker nor where the program drains; also for a server that is not that of the client's DSN."""
    seen: list[object] = []
    with RecordingServer() as server, RecordingServer() as other:
        older = vedette.Client(other.dsn())
        with vedette.init(server.dsn(), before_breadcrumb=lambda crumb, hint: seen.append(crumb)) as client:
            assert client.get_integration(StdlibIntegration) is not None
            vedette.capture_message("one")
            older.capture_message("two")
            older.flush(5)
            client.flush(5)
            older.close()
        server.wait_for(1)
        other.wait_for(1)
    assert seen == []


# --- patches -----------------------------------------------------------------------------------------------


@pytest.mark.spec("PAIN-33")
def test_patched_methods_look_as_before_are_wrapped_once_and_close_restores_them(server) -> None:
    before = {name: inspect.signature(method) for name, method in UNPATCHED.items()}
    first = vedette.init(DSN, transport=MemoryTransport())
    second = vedette.Client(DSN, transport=MemoryTransport())
    for name, unpatched in UNPATCHED.items():
        ours = http.client.HTTPConnection.__dict__[name]
        assert ours is not unpatched
        assert ours.__wrapped__ is unpatched
        assert inspect.signature(ours) == before[name]
        assert (ours.__name__, ours.__qualname__, ours.__doc__) == (name, unpatched.__qualname__, unpatched.__doc__)
    first.close()
    assert http.client.HTTPConnection.__dict__["send"] is not UNPATCHED["send"]
    second.close()
    assert {name: http.client.HTTPConnection.__dict__[name] for name in PATCHED} == UNPATCHED


@pytest.mark.spec("PAIN-33")
def test_after_init_twice_a_request_is_still_one_breadcrumb(server, connection) -> None:
    vedette.init(DSN, transport=MemoryTransport())
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    ask(connection, "GET", "/200")
    assert len(crumbs(transport)) == 1


@pytest.mark.parametrize("how", ["disabled", "no defaults", "closed meanwhile"])
def test_without_the_integration_nothing_is_noted_and_all_works(server, connection, how) -> None:
    transport = MemoryTransport()
    options = {
        "disabled": {"disabled_integrations": [StdlibIntegration()]},
        "no defaults": {"default_integrations": False},
        "closed meanwhile": {},
    }[how]
    with suppress(ConnectionError):
        vedette.init(DSN, transport=transport, **options)
    if how == "closed meanwhile":
        connection.request("GET", "/404")
        vedette.get_client().close()
        assert connection.getresponse().status == 404
        assert transport.events == []
        return
    assert ask(connection, "GET", "/404") == 404
    assert crumbs(transport) == []


@pytest.mark.spec("PAIN-33", "PAIN-34", "FW-stdlib-02")
def test_init_imports_neither_module_and_finds_each_when_the_program_imports_it() -> None:
    ended = run_program(
        f"""
        import sys
        import vedette
        from vedette.testing import MemoryTransport

        client = vedette.init({DSN!r}, transport=MemoryTransport())
        assert "http.client" not in sys.modules, "http.client"
        assert "subprocess" not in sys.modules, "subprocess"
        assert "vedette.integrations.stdlib" not in sys.modules
        import http.client
        assert client.get_integration("stdlib") is not None
        assert hasattr(http.client.HTTPConnection.send, "__wrapped__")
        assert "subprocess" not in sys.modules
        import subprocess
        assert hasattr(subprocess.Popen.__init__, "__wrapped__")
        client.close()
        assert not hasattr(http.client.HTTPConnection.send, "__wrapped__")
        assert not hasattr(subprocess.Popen.__init__, "__wrapped__")
        """
    )
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.spec("PAIN-07")
def test_requests_of_units_that_run_at_once_are_in_their_own_events_only(transport, server) -> None:
    together = threading.Barrier(4)

    def unit(number: int) -> None:
        own = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        with vedette.isolation_scope() as scope:
            scope.clear_breadcrumbs()
            for _ in range(10):
                together.wait(5)
                ask(own, "GET", f"/unit/{number}")
            own.close()
            vedette.capture_message(str(number))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(unit, range(4)))
    for event in transport.events:
        number = event["logentry"]["message"]
        urls = [crumb["data"]["url"] for crumb in event["breadcrumbs"]["values"]]
        assert urls == [f"{server.url}/unit/{number}"] * 10


def test_the_frames_of_an_event_are_those_of_the_program(transport) -> None:
    with pytest.raises(ConnectionRefusedError) as raised:
        http.client.HTTPConnection("127.0.0.1", unused_port()).request("GET", "/")
    vedette.capture_exception(raised.value)
    frames = transport.events[-1]["exception"]["values"][-1]["stacktrace"]["frames"]
    assert {frame["function"].rpartition(".")[2] for frame in frames} >= {"send", "connect"}
    assert not any("vedette" in frame["module"] for frame in frames)
