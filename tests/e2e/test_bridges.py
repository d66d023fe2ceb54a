"""Published packages that report to sentry_sdk report to vedette, which stands in under that name.

They are installed once an environment, into a folder of their own and without what they require, so that the real
package is nowhere near the suite.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.programs import run_program

pytestmark = pytest.mark.long  # the first time, they come from PyPI

REQUIREMENTS = Path(__file__).parent.parent / "bridges.txt"

BEGIN = """
import json, sys
sys.path.append({folder!r})
import vedette
from vedette.testing import MemoryTransport
vedette.as_sentry_sdk()
transport = MemoryTransport()

def init(**options):
    return vedette.init("https://key@errors.example.org/7", transport=transport, default_integrations=False, **options)
"""
END = """
assert sys.modules["sentry_sdk"].init is vedette.init
print(json.dumps(transport.events))
"""


@pytest.fixture(scope="module")
def bridges() -> str:
    """The folder that the packages are in."""
    folder = Path(sys.prefix) / "bridges"
    stamp = folder / ".installed"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--upgrade",
        ]
        subprocess.run([*pip, "--target", str(folder), "--requirement", str(REQUIREMENTS)], check=True, timeout=50)
        stamp.write_text(wanted)
    assert not (folder / "sentry_sdk").exists()
    return str(folder)


def events_of(folder: str, program: str) -> list[dict]:
    done = run_program(BEGIN.format(folder=folder) + textwrap.dedent(program) + END, warnings="default")
    assert done.code == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_structlog_sentry(bridges: str) -> None:
    first, second = events_of(
        bridges,
        """
        import structlog
        from structlog_sentry import SentryProcessor
        init()
        vedette.integrations.logging.ignore_logger("noisy*")
        structlog.configure(
            processors=[
                structlog.stdlib.add_log_level,
                SentryProcessor(tag_keys=["city"], verbose=True),
                lambda _, __, event: str(event),
            ],
            logger_factory=structlog.ReturnLoggerFactory(),
        )
        log = structlog.get_logger()
        log.info("logged in", user="ann")
        log.error("no stock", city="Ulm")
        log.error("not reported", logger="noisy.one")
        try:
            {}["missing"]
        except KeyError:
            assert "'sentry': 'sent'" in log.exception("failed")
        """,
    )
    assert "no stock" in {first.get("message"), first.get("logentry", {}).get("formatted")}
    assert (first["level"], first["tags"]) == ("error", {"city": "Ulm"})
    assert first["contexts"]["structlog"]["city"] == "Ulm"
    assert [crumb["message"] for crumb in first["breadcrumbs"]["values"]] == ["logged in"]
    assert second["exception"]["values"][0]["type"] == "KeyError"
    assert [crumb["message"] for crumb in second["breadcrumbs"]["values"]] == ["logged in", "no stock"]


def test_fillmore(bridges: str) -> None:
    (event,) = events_of(
        bridges,
        """
        from fillmore.libsentry import set_up_sentry
        from fillmore.scrubber import Rule, Scrubber, build_scrub_query_string
        scrubber = Scrubber(
            rules=[
                Rule(path="request", keys=["query_string"], scrub=build_scrub_query_string(["coupon"])),
                Rule(path="user", keys=["email"], scrub="scrub"),
            ]
        )
        set_up_sentry(
            "https://key@errors.example.org/7", release="1.2", host_id="web-1", before_send=scrubber,
            transport=transport, default_integrations=False,
        )
        import sentry_sdk
        sentry_sdk.set_user({"email": "ann@example.org", "id": "7"})
        with sentry_sdk.new_scope() as scope:
            def of_request(event, hint):
                event["request"] = {"query_string": "coupon=abc&page=2"}
                return event
            scope.add_event_processor(of_request)
            sentry_sdk.capture_message("scrubbed")
        from fillmore import SCRUBBER_MODULE_NAME
        assert SCRUBBER_MODULE_NAME in vedette.integrations.logging._IGNORED_LOGGERS
        """,
    )
    assert (event["release"], event["server_name"]) == ("1.2", "web-1")
    assert event["user"] == {"email": "[Scrubbed]", "id": "7"}
    assert "abc" not in event["request"]["query_string"]
    assert "page=2" in event["request"]["query_string"]


def test_sentry_asgi(bridges: str) -> None:
    (event,) = events_of(
        bridges,
        """
        import asyncio, urllib.parse
        from sentry_asgi import SentryMiddleware
        init()

        async def app(scope, receive, send):
            vedette.set_tag("inside", "1")
            raise ValueError("handler")

        scope = {
            "type": "http", "method": "GET", "path": "/cart", "scheme": "https", "query_string": b"page=2",
            "headers": [(b"host", b"shop.example.org"), (b"accept", b"text/html")], "client": ("192.0.2.7", 4711),
        }
        try:
            asyncio.run(SentryMiddleware(app)(scope, None, None))
        except ValueError:
            pass
        """,
    )
    assert event["exception"]["values"][-1]["value"] == "handler"
    assert event["request"]["url"] == "https://shop.example.org/cart"
    assert event["request"]["headers"]["accept"] == "text/html"
    assert event["tags"] == {"inside": "1"}


def test_sentry_dramatiq(bridges: str) -> None:
    first, second = events_of(
        bridges,
        """
        import dramatiq
        from dramatiq.brokers.stub import StubBroker
        from sentry_dramatiq import DramatiqIntegration
        init(integrations=[DramatiqIntegration()])
        broker = StubBroker(middleware=[])
        dramatiq.set_broker(broker)

        @dramatiq.actor
        def resize(number):
            raise ValueError(number)

        worker = dramatiq.Worker(broker, worker_timeout=100, worker_threads=1)
        worker.start()
        for number in (1, 2):
            resize.send(number)
            broker.join(resize.queue_name, timeout=10_000, fail_fast=False)
        worker.stop()
        """,
    )
    for number, event in enumerate((first, second), 1):
        (value,) = event["exception"]["values"]
        assert (value["type"], value["value"]) == ("ValueError", str(number))
        assert value["mechanism"]["type"] == "dramatiq"
        assert value["mechanism"]["handled"] is False
        assert event["transaction"] == "resize"
    assert first["tags"]["dramatiq_message_id"] != second["tags"]["dramatiq_message_id"]
