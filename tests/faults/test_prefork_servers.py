"""Servers that load the program first and fork their workers from it: gunicorn with ``--preload``, uWSGI."""

from __future__ import annotations

import os
import re
import signal
import sys
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.programs import Running
from tests.servers import RecordingServer, slowly

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork")

BIN = Path(sys.executable).parent
WORKERS = 3
REQUESTS = 45

# The capture at import leaves the master with a worker thread of ours when it forks.
APPLICATION = """
import os, time, vedette
client = vedette.init(os.environ["TEST_DSN"])
vedette.capture_message("master")
vedette.flush(10)
MASTER = os.getpid()

def app(environ, start_response):
    with vedette.isolation_scope() as scope:
        scope.set_tag("pid", os.getpid())
        vedette.capture_message(environ["QUERY_STRING"])
    time.sleep(0.02)  # so that no worker can do everything alone
    assert os.getpid() != MASTER
    captured = sum(client.stats().captured.values())
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {captured}".encode()]

application = app
"""


def asked(port: int, number: int) -> tuple[str, int]:
    """Which worker answered, and how much it had captured by then."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/?request-{number}", timeout=10) as answer:
        pid, captured = answer.read().decode().split()
    return pid, int(captured)


def serve_and_stop(
    command: Sequence[str], listening: str, stop: int, folder: Path
) -> tuple[Counter[str], set[str], str]:
    """What arrived of one run, the workers that took part, and what was printed."""
    (folder / "application.py").write_text(APPLICATION)
    with RecordingServer() as server:
        server.default = slowly(0.02)  # so that there is something left to send when the workers are told to stop
        env = {**os.environ, "TEST_DSN": server.dsn(), "PYTHONWARNINGS": "always::DeprecationWarning"}
        with Running(*command, env=env, cwd=str(folder)) as running:
            running.wait_for("ready")
            found = re.search(listening, running.stderr + running.stdout)
            assert found, running.stderr
            port = int(found[1])
            with ThreadPoolExecutor(3 * WORKERS) as pool:
                answers = list(pool.map(lambda number: asked(port, number), range(REQUESTS)))
            running.send_signal(stop)
            ended = running.end(20)
            printed = running.stdout + running.stderr
        assert ended.code == 0, printed
        texts = Counter(event["logentry"]["formatted"] for event in server.events)
        pids = {event["tags"]["pid"] for event in server.events if "pid" in event.get("tags", {})}
    assert {pid for pid, _ in answers} == pids
    assert max(captured for _, captured in answers) <= REQUESTS, "a worker starts at zero"
    return texts, pids, printed


EVERYTHING = dict.fromkeys(["master", *(f"request-{number}" for number in range(REQUESTS))], 1)


def assert_quiet(printed: str) -> None:
    for word in ("Traceback", "vedette", "multi-threaded"):
        assert word not in printed, printed


@pytest.mark.spec("PAIN-02")
@pytest.mark.parametrize("kind", ["sync", "gthread"])
def test_gunicorn_with_preload_delivers_what_every_worker_captured(kind: str, tmp_path: Path) -> None:
    (tmp_path / "settings.py").write_text("def when_ready(server): server.log.info('ready')\n")
    threads = ["--threads", "2"] if kind == "gthread" else []
    command = [
        sys.executable,
        *("-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", str(WORKERS), "--preload"),
        *("--worker-class", kind, *threads, "--config", "settings.py", "--graceful-timeout", "10", "application:app"),
    ]
    texts, pids, printed = serve_and_stop(command, r"http://127\.0\.0\.1:(\d+)", signal.SIGTERM, tmp_path)
    assert texts == EVERYTHING
    assert len(pids) > 1
    assert_quiet(printed)


@pytest.mark.spec("PAIN-02")
@pytest.mark.skipif(not (BIN / "uwsgi").exists(), reason="uWSGI is not installed")
@pytest.mark.parametrize("threads", [True, False], ids=["threads", "no threads"])
def test_uwsgi_workers_forked_from_a_master_deliver_what_they_captured(threads: bool, tmp_path: Path) -> None:
    """Without ``--enable-threads`` no thread but the one with the request runs: all goes out at the worker's end."""
    command = [
        str(BIN / "uwsgi"),
        *("--http-socket", "127.0.0.1:0", "--master", "--processes", str(WORKERS), "--need-app", "--die-on-term"),
        *(["--enable-threads"] if threads else []),
        *("--wsgi-file", "application.py", "--virtualenv", str(BIN.parent), "--hook-accepting1", "print:ready"),
        *("--worker-reload-mercy", "10"),
    ]
    texts, pids, printed = serve_and_stop(command, r"TCP address 127\.0\.0\.1:(\d+)", signal.SIGTERM, tmp_path)
    assert texts == EVERYTHING
    assert len(pids) > 1
    assert_quiet(printed)
