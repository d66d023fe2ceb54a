"""Real inboxes for the suite, in processes of their own, and what is sent to them."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from pathlib import Path

    from typing_extensions import Self

WAIT = 10.0
"""Seconds after which a test that waits has failed."""
AUTH = {"X-Sentry-Auth": "Sentry sentry_key=anything, sentry_version=7"}

EVENT_ID = "5d0c6b7e9f1a4c3d8e2b7a6f5c4d3e2f"


def new_event_id() -> str:
    return os.urandom(16).hex()


def frame(function: str, code: str = "", *, own: bool = True, **more: Any) -> dict[str, Any]:
    """A frame of ``shop/FUNCTION.py``."""
    more = {"lineno": 7, "module": f"shop.{function}", "filename": f"shop/{function}.py", **more}
    return {"function": function, "context_line": code, "in_app": own, **more}


def exception(kind: str, value: str, *frames: dict[str, Any], **mechanism: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"type": kind, "value": value}
    if frames:
        result["stacktrace"] = {"frames": list(frames)}
    if mechanism:
        result["mechanism"] = {"type": "chained", **mechanism}
    return result


def order_failed(*, user: str = "ann", order: str = "A-17", **more: Any) -> dict[str, Any]:
    """The event of the design's example: a KeyError three levels deep, raised again as a CheckoutError."""
    steps = (frame("total", 'tax = vat(net, order["country"])'), frame("vat", "    rate = RATES[country]"))
    cause = exception("KeyError", "'AT'", *steps)
    last = frame("checkout", 'raise CheckoutError(f"cannot price order {order}")', lineno=24)
    outermost = exception("CheckoutError", f"cannot price order {order} for {user}", last)
    values = {"values": [cause, outermost]}
    return {"exception": values, "level": "error", "tags": {"tenant": "acme"}, "user": {"id": user}, **more}


def item(payload: bytes, kind: str = "event", **headers: Any) -> bytes:
    header = {"type": kind, "length": len(payload), **headers}
    return json.dumps({name: value for name, value in header.items() if value is not None}).encode() + (
        b"\n" + payload + b"\n"
    )


def envelope(*events: dict[str, Any], event_id: str | None = None, **headers: Any) -> bytes:
    """An envelope as a correct SDK writes it, with an event id of its own unless given."""
    first = {"event_id": event_id or new_event_id(), **headers}
    return json.dumps(first).encode() + b"\n" + b"".join(item(json.dumps(event).encode()) for event in events)


class RunningInbox:
    """``vedette inbox --json --port 0`` as a child process: ready when entered, ended when left."""

    def __init__(self, database: Path, *options: str) -> None:
        self._command = [sys.executable, "-W", "error", "-m", "vedette", "inbox", "--db", str(database)]
        self._command += ["--json", "--port", "0", *options]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read_first_line, args=(lines,), daemon=True).start()
        line = lines.get(timeout=WAIT)
        if not line:
            raise AssertionError(f"the inbox did not start: {self.process.communicate()[1]}")
        self.ready = json.loads(line)
        self.url: str = self.ready["url"]
        self.dsn: str = self.ready["dsn"]
        self.http = httpx.Client(base_url=self.url, timeout=WAIT, trust_env=False)
        return self

    def _read_first_line(self, lines: queue.Queue[str]) -> None:
        assert self.process.stdout is not None
        lines.put(self.process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self.http.close()
        if self.process.poll() is None:
            self.end()
        with suppress(ValueError):  # communicate() has closed it
            self.process.communicate()

    def end(self, signal_number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; exit code and stderr."""
        self.process.send_signal(signal_number)
        _, stderr = self.process.communicate(timeout=WAIT)
        return self.process.returncode, stderr

    def send(self, body: bytes, path: str = "/api/1/envelope/", **headers: str) -> httpx.Response:
        """POST a body with a key in the usual header; keywords become headers, ``_`` standing for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post(path, content=body, headers={**AUTH, **named})

    def get(self, path: str, **query: Any) -> Any:
        """The JSON answer of a reading route, which must be a 200."""
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()
