"""The starts on the pages of web frameworks, copied into a program: what fails arrives once, as the page promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import RecordingServer

pytestmark = pytest.mark.long

PAGES = Path(__file__).resolve().parents[2] / "docs" / "integrations"
START = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ASK_WSGI = """
from wsgiref.util import setup_testing_defaults
environ = {"PATH_INFO": "/pay/lamp", "REQUEST_METHOD": "POST"}
setup_testing_defaults(environ)
try:
    list(APPLICATION(environ, lambda *_: None))
except LookupError:
    pass
"""
ASK_ASGI = """
from starlette.testclient import TestClient
TestClient(APPLICATION, raise_server_exceptions=False).post("/pay/lamp")
"""


@pytest.mark.spec("PAIN-31")
@pytest.mark.parametrize(
    ("page", "ask", "application", "transaction"),
    [
        ("wsgi", ASK_WSGI, "application", "/pay/lamp"),
        ("asgi", ASK_ASGI, "application", "/pay/lamp"),
        ("flask", ASK_WSGI, "app", "pay"),
        ("django", ASK_WSGI, "application", "/pay/<article>"),
        ("starlette", ASK_ASGI, "app", "/pay/{article}"),
        ("fastapi", ASK_ASGI, "app", "/pay/{article}"),
    ],
)
def test_the_start_does_what_the_page_says(
    page: str, ask: str, application: str, transaction: str, tmp_path: Path
) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    (tmp_path / "shop.py").write_text(START.findall(text)[0] + ask.replace("APPLICATION", application))
    with RecordingServer() as server:
        env = {**os.environ, "SENTRY_DSN": server.dsn()}
        done = subprocess.run(
            [sys.executable, "shop.py"], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=50, check=False
        )
        events = server.events
    assert done.returncode == 0, done.stderr
    (event,) = events
    assert event["exception"]["values"][-1]["value"] == "no article lamp"
    mechanism = event["exception"]["values"][-1]["mechanism"]
    assert (mechanism["type"], mechanism["handled"]) == (page, False)
    assert event["transaction"] == transaction
    assert event["request"]["method"] == "POST"
    assert event["request"]["url"].endswith("/pay/lamp")
