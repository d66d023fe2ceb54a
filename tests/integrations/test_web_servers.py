"""Frameworks behind the servers that people run them with: each failing request is one event, with its request."""

from __future__ import annotations

import os
import re
import signal
import sys
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.programs import Running
from tests.servers import RecordingServer, unused_port
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.skipif(sys.platform == "win32", reason="needs fork and signals")]

REQUESTS = 30

FLASK = """
import os, time, vedette
vedette.init(os.environ["TEST_DSN"])
import flask
app = flask.Flask("shop")

@app.get("/pay/<item>")
def pay(item):
    vedette.set_tag("item", item)
    time.sleep(0.01)
    raise ValueError(f"no stock of {item}")
"""

FASTAPI = """
import asyncio, os, vedette
vedette.init(os.environ["TEST_DSN"])
import fastapi
app = fastapi.FastAPI()

@app.get("/pay/{item}")
async def pay(item: str):
    vedette.set_tag("item", item)
    await asyncio.sleep(0.01)
    raise ValueError(f"no stock of {item}")
"""

AIOHTTP = """
import asyncio, os, vedette
vedette.init(os.environ["TEST_DSN"])
from aiohttp import web

async def pay(request):
    item = request.match_info["item"]
    vedette.set_tag("item", item)
    await asyncio.sleep(0.01)
    raise ValueError(f"no stock of {item}")

app = web.Application()
app.add_routes([web.get("/pay/{item}", pay)])
if __name__ == "__main__":
    import sys
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""

DJANGO = """
import os, sys, vedette
vedette.init(os.environ["TEST_DSN"])
from django.conf import settings
from django.core.management import execute_from_command_line
from django.urls import path

def pay(request, item):
    vedette.set_tag("item", item)
    raise ValueError(f"no stock of {item}")

urlpatterns = [path("pay/<item>", pay)]
settings.configure(ROOT_URLCONF=__name__, SECRET_KEY="x", ALLOWED_HOSTS=["*"], DEBUG=True)
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
"""


def asked(port: int, item: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/pay/{item}", timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)


def is_listening(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def serve_and_ask(program: str, command: Sequence[str], folder: Path, stop: int = signal.SIGTERM) -> None:
    """Start a server, let requests fail, stop it, and look at what has arrived."""
    (folder / "application.py").write_text(program)
    port = unused_port()
    command = [part.format(port=port) for part in command]
    with RecordingServer() as server:
        env = {**os.environ, "TEST_DSN": server.dsn(), "PYTHONPATH": str(folder)}
        with Running(*command, env=env, cwd=str(folder)) as running:
            wait_until(lambda: is_listening(port), 20)
            items = [f"item-{number}" for number in range(REQUESTS)]
            with ThreadPoolExecutor(8) as pool:
                statuses = list(pool.map(lambda item: asked(port, item), items))
            running.send_signal(stop)
            running.end(20)
            printed = running.stdout + running.stderr
            wait_until(lambda: len(server.events) >= REQUESTS, 20)
        events = server.events
    assert statuses == [500] * REQUESTS, printed
    values = Counter(event["exception"]["values"][-1]["value"] for event in events)
    assert values == {f"no stock of {item}": 1 for item in items}, printed
    for event in events:
        item = event["exception"]["values"][-1]["value"].removeprefix("no stock of ")
        assert event["request"]["url"] == f"http://127.0.0.1:{port}/pay/{item}"
        assert event["tags"]["item"] == item
        assert re.fullmatch(r"(\w+\.)?pay|/pay/[{<]item[}>]", event["transaction"])
    assert "[vedette]" not in printed


GUNICORN = (sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--graceful-timeout", "10")


@pytest.mark.spec("PAIN-07", "FW-flask-02", "FW-flask-03")
@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
def test_flask_in_workers_of_gunicorn_that_were_forked_from_a_loaded_program(kind: str, tmp_path: Path) -> None:
    threads = ("--threads", "4") if kind == "gthread" else ()
    command = (*GUNICORN, "--workers", "2", "--preload", "--worker-class", kind, *threads, "application:app")
    serve_and_ask(FLASK, command, tmp_path)


@pytest.mark.spec("PAIN-07", "FW-fastapi-02", "FW-fastapi-03")
@pytest.mark.parametrize("workers", ["1", "3"])
def test_fastapi_in_uvicorn_with_one_and_with_several_workers(workers: str, tmp_path: Path) -> None:
    command = (sys.executable, "-m", "uvicorn", "--port", "{port}", "--workers", workers, "application:app")
    serve_and_ask(FASTAPI, command, tmp_path)


@pytest.mark.spec("FW-django-02", "FW-django-03")
@pytest.mark.parametrize("reload", [[], ["--noreload"]], ids=["reloading", "not reloading"])
def test_django_in_its_own_server(reload: list[str], tmp_path: Path) -> None:
    command = (sys.executable, "application.py", "runserver", "127.0.0.1:{port}", *reload)
    serve_and_ask(DJANGO, command, tmp_path, signal.SIGINT)


@pytest.mark.spec("PAIN-07", "FW-aiohttp-02", "FW-aiohttp-03")
def test_aiohttp_in_workers_of_gunicorn_that_were_forked_from_a_loaded_program(tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    workers = ("--workers", "2", "--preload", "--worker-class", "aiohttp.GunicornWebWorker")
    serve_and_ask(AIOHTTP, (*GUNICORN, *workers, "application:app"), tmp_path)


@pytest.mark.spec("FW-aiohttp-02", "FW-aiohttp-03")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_aiohttp_in_its_own_server(stop: int, tmp_path: Path) -> None:
    pytest.importorskip("aiohttp")
    serve_and_ask(AIOHTTP, (sys.executable, "application.py", "{port}"), tmp_path, stop)
