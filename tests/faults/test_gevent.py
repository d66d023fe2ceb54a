"""gevent, patched in before or after vedette was imported, set up, or had sent something: events are neither mixed nor
held up, and no greenlet waits for the server of another (PAIN-14). And eventlet, as far as it goes.

Each program runs in a process of its own; what arrived is judged by the server.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.programs import run_program
from tests.servers import Answer, RecordingServer, unused_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TIMEOUT = 60.0

PATCHES = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}
GREENLETS = {
    "gevent": "from gevent import sleep, spawn, joinall",
    "eventlet": """
from eventlet import sleep, spawn
def joinall(greenlets):
    for each in greenlets: each.wait()
""",
}
MOMENTS = ["before the import", "before init", "after init", "after the first event", "after the first flush"]
# Not eventlet in the middle of the worker's first imports, whose locks it replaces: seen to hang (decisions.md).
TOGETHER = [
    (library, moment) for library in PATCHES for moment in MOMENTS if (library, moment) != ("eventlet", MOMENTS[3])
]

PREPARE = """
import sys, time
dsn, moment = sys.argv[1:]
def reached(name):
    if name == moment:
        patch()
def patch():
    {patch}
reached("before the import")
import vedette
reached("before init")
client = vedette.init(dsn, shutdown_timeout=5)
reached("after init")
if moment.startswith("after the first"):
    vedette.capture_message("first")
reached("after the first event")
if moment == "after the first flush":
    vedette.flush(10)
    reached(moment)
{greenlets}
"""

MANY = """
def handle(n):
    with vedette.isolation_scope() as scope:
        scope.set_tag("isolated", n)
        sleep(0.001 * (n % 7))
        vedette.add_breadcrumb(message=str(n))
        sleep(0)
        with vedette.new_scope() as inner:
            inner.set_tag("current", n)
            sleep(0.001 * (n % 3))
            vedette.capture_message(f"of {n}")
joinall([spawn(handle, n) for n in range(1000)])
started = time.monotonic()
vedette.flush(40)
assert time.monotonic() - started < 39, "nobody told flush that all was sent"
stats = client.stats()
expected = 1000 + moment.startswith("after the first")
assert stats.captured == {"error": expected}, stats
if moment == "after the first event" and not stats.delivered["error"] == expected:
    # gevent takes the locks of Python's import system away from the worker in the middle of its first imports.
    assert stats.dropped == {"error": {"internal_sdk_error": 1}}, stats
    expected -= 1
assert stats.delivered == {"error": expected}, stats
"""


def message_of(event: dict[str, Any]) -> str:
    return str(event["logentry"]["message"])


def program(library: str, body: str) -> str:
    return PREPARE.replace("{patch}", PATCHES[library]).replace("{greenlets}", GREENLETS[library]) + body


def skip_without(*packages: str) -> None:
    """Nothing is imported: eventlet would warn of every later fork of the suite."""
    for package in packages:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed")


def run(library: str, body: str, server: RecordingServer, moment: str = "before the import") -> None:
    skip_without(library)
    # Both warn where they are patched in late.
    ended = run_program(program(library, body), server.dsn(), moment, timeout=TIMEOUT, warnings="ignore")
    assert ended.code == 0, ended.stderr


@pytest.mark.long
@pytest.mark.spec("PAIN-14")
@pytest.mark.parametrize(("library", "moment"), TOGETHER)
def test_a_thousand_greenlets_keep_their_events_apart_and_all_arrive(library: str, moment: str) -> None:
    with RecordingServer() as server:
        run(library, MANY, server, moment)
        events = [event for event in server.events if message_of(event) != "first"]
    assert len({event["event_id"] for event in events}) == len(events) == 1000
    for event in events:
        number = message_of(event).removeprefix("of ")
        assert event["tags"] == {"isolated": number, "current": number}
        assert [crumb["message"] for crumb in event["breadcrumbs"]["values"]] == [number]


SLOW = """
ticks = 0
def tick():
    global ticks
    while True:
        ticks += 1
        sleep(0.005)
spawn(tick)
sleep(0)
vedette.capture_message("one")
before = ticks
for _ in range(100):
    sleep(0.005)
assert ticks - before > 20, f"{ticks - before} ticks while the server is waited for"
before = ticks
vedette.flush(5)
assert client.stats().delivered == {"error": 1}
assert ticks - before > 20, f"{ticks - before} ticks in flush"
"""


@pytest.mark.long
@pytest.mark.spec("PAIN-14")
@pytest.mark.parametrize("library", PATCHES)
def test_greenlets_run_on_while_a_slow_server_is_waited_for_also_by_flush(library: str) -> None:
    with RecordingServer() as server:
        server.default = Answer(drip=0.02)  # of about a hundred bytes
        run(library, SLOW, server)


BACKLOG = """
for _ in range(3):
    joinall([spawn(vedette.capture_message, f"of {n}") for n in range(10)])
    vedette.flush(20)
assert client.stats().delivered == client.stats().captured, client.stats()
"""


@pytest.mark.long
@pytest.mark.spec("PAIN-14")
@pytest.mark.parametrize("moment", ["before the import", "after init", "after the first flush"])
@pytest.mark.parametrize("library", PATCHES)
def test_a_backlog_for_a_slow_server_arrives_though_green_sockets_are_for_one_thread_only(
    library: str, moment: str
) -> None:
    with RecordingServer() as server:
        server.default = Answer(drip=0.0005)
        run(library, BACKLOG, server, moment)


FROM_THE_POOL = """
import gevent
pool = gevent.get_hub().threadpool
pool.apply(vedette.capture_message, ("from a thread that runs no greenlets",))
vedette.flush(10)
assert client.stats().delivered == {"error": 1}, client.stats()
pool.apply(vedette.capture_message, ("once more",))
pool.apply(vedette.flush, (10,))
assert client.stats().delivered == {"error": 2}, client.stats()
"""


@pytest.mark.spec("PAIN-14")
def test_what_a_thread_of_gevents_pool_captures_first_does_not_stay_behind_in_it() -> None:
    with RecordingServer() as server:
        run("gevent", FROM_THE_POOL, server)


FORKS = """
import os
vedette.capture_message("of the parent")
for _ in range(5):
    child = os.fork()
    if not child:
        spawn(vedette.capture_message, "of a child")
        sleep(0)
        vedette.flush(10)
        os._exit(0 if client.stats().delivered == {"error": 1} else 1)
    assert os.waitpid(child, 0)[1] == 0
vedette.flush(10)
assert client.stats().delivered == {"error": 1}, client.stats()
"""


@pytest.mark.spec("PAIN-14", "PAIN-02")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_children_of_a_gevent_program_deliver_what_is_theirs() -> None:
    with RecordingServer() as server:
        run("gevent", FORKS, server)
        messages = [message_of(event) for event in server.events]
    assert sorted(messages) == ["of a child"] * 5 + ["of the parent"]


APPLICATION = """
import os, vedette
vedette.init(os.environ["DSN"], shutdown_timeout=5)
if os.environ["AT_IMPORT"]:
    vedette.capture_message("at import")
def application(environ, start_response):
    import time
    number = environ["PATH_INFO"].strip("/")
    with vedette.isolation_scope() as scope:
        scope.set_tag("number", number)
        time.sleep(0.05)
        vedette.capture_message(f"request {number}")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"done"]
"""


@contextmanager
def serving(command: list[str], directory: Path, port: int, **environment: str) -> Iterator[None]:
    (directory / "application.py").write_text(APPLICATION)
    with (directory / "log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, *command], cwd=directory, stdout=log, stderr=log, env={**os.environ, **environment}
        )
        try:
            wait_until(lambda: answers(port) or server.poll() is not None, timeout=30)
            assert server.poll() is None, (directory / "log").read_text()
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                raise


def answers(port: int) -> bool:
    try:
        return get(port, "hello") == b"done"
    except OSError:
        return False


def get(port: int, path: str) -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=10) as answer:
        return bytes(answer.read())


@pytest.mark.long
@pytest.mark.spec("PAIN-14")
@pytest.mark.parametrize("at_import", ["", "yes"], ids=["", "captured at import"])
@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["plain", "preload"])
def test_gunicorn_with_gevent_workers_delivers_all(preload: tuple[str, ...], at_import: str, tmp_path: Path) -> None:
    skip_without("gevent", "gunicorn")
    port = unused_port()
    command = ["-m", "gunicorn", "-k", "gevent", "-w", "2", "-b", f"127.0.0.1:{port}", *preload, "application"]
    with RecordingServer() as server:
        with serving(command, tmp_path, port, DSN=server.dsn(), AT_IMPORT=at_import):
            for number in range(20):
                assert get(port, str(number)) == b"done"
        events = [event for event in server.events if message_of(event).startswith("request")]
        assert {message_of(event) for event in events} >= {f"request {number}" for number in range(20)}
        assert all(message_of(event) == f"request {event['tags']['number']}" for event in events)
        others = len(server.events) - len(events)
    assert others == (0 if not at_import else 1 if preload else 2)
    assert "vedette" not in (tmp_path / "log").read_text()


@pytest.mark.long
@pytest.mark.spec("PAIN-14")
def test_uwsgi_with_gevent_delivers_all(tmp_path: Path) -> None:
    skip_without("gevent", "pyuwsgi")
    port = unused_port()
    options = [
        "--http-socket",
        f"127.0.0.1:{port}",
        "--gevent",
        "50",
        "--gevent-monkey-patch",
        "--master",
        "--die-on-term",
    ]
    command = ["-c", "import pyuwsgi, sys; pyuwsgi.run(sys.argv[1:])", *options, "--wsgi", "application", "--need-app"]
    with RecordingServer() as server:
        with serving(command, tmp_path, port, DSN=server.dsn(), AT_IMPORT=""):
            for number in range(20):
                assert get(port, str(number)) == b"done"
            server.wait_for(21, timeout=20)
        messages = [message_of(event) for event in server.events]
    assert {f"request {number}" for number in range(20)} <= set(messages)
