"""A real Bugsink for tests: in an environment of its own, a process of its own, on a free port of this host.

Installed once per virtual environment of the suite (about 15 s), started in about 10 s.
"""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUIREMENT = "bugsink==2.6.1"
HOME = Path(sys.prefix) / "bugsink"
PYTHON = HOME / "bin" / "python"

CONFIGURATION = """
from bugsink.settings.default import *

SECRET_KEY = "only for tests, on this host: {port}"
SNAPPEA = {{"TASK_ALWAYS_EAGER": True, "NUM_WORKERS": 1}}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
TIME_ZONE = "UTC"
DEBUG = False
DATABASES["default"]["NAME"] = {folder!r} + "/db.sqlite3"
DATABASES["snappea"]["NAME"] = {folder!r} + "/snappea.sqlite3"
BUGSINK = {{
    "BASE_URL": "http://127.0.0.1:{port}",
    "PHONEHOME": False,
    "VALIDATE_ON_DIGEST": "warn",
    "DIGEST_IMMEDIATELY": True,
    "FILE_EVENT_STORAGE_PATH": None,
}}
ALLOWED_HOSTS = ["127.0.0.1"]
"""

ACCOUNT = """
import json
from bsmain.models import AuthToken
from projects.models import Project
from teams.models import Team
team = Team.objects.create(name="team")
project = Project.objects.create(name="shop", team=team)
token = AuthToken.objects.create(issues_read=True, events_read=True)
print(json.dumps({"project": project.id, "key": project.sentry_key.hex, "token": token.token}))
"""


class Bugsink:
    """A running Bugsink with one project. ``dsn`` is where to send; ``events()`` what it took."""

    def __init__(self, port: int, account: dict[str, Any], log: Path) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self._project = account["project"]
        self._token = account["token"]
        self._log = log
        self.dsn = f"http://{account['key']}@127.0.0.1:{port}/{account['project']}"

    def events(self) -> list[dict[str, Any]]:
        """The payloads of all events that it stored, in no particular order."""
        return [
            self._get(f"{self._base}/api/canonical/0/events/{event['id']}/")["data"]
            for issue in self._pages(f"issues/?project={self._project}")
            for event in self._pages(f"events/?issue={issue['id']}")
        ]

    def first_issues(self) -> list[dict[str, Any]]:
        """A page of them."""
        page = self._get(f"{self._base}/api/canonical/0/issues/?project={self._project}")
        return list(page["results"])

    def event(self, event_id: str) -> dict[str, Any] | None:
        """The payload of one event, None while it is not there."""
        return next((event for event in self.events() if event["event_id"] == event_id), None)

    def complaints(self) -> list[str]:
        """What it had to say against events: it validates them against its schema, and warns."""
        lines = self._log.read_text().splitlines()
        return [line for line in lines if "valid" in line.lower() or "error" in line.lower()]

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        url: str | None = f"{self._base}/api/canonical/0/{path}"
        while url:
            page = self._get(url)
            yield from page["results"]
            url = page.get("next")

    def _get(self, url: str) -> Any:
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self._token}"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)


def install() -> None:
    """Make the environment, unless it is there."""
    stamp = HOME / hashlib.sha256(REQUIREMENT.encode()).hexdigest()[:12]
    if stamp.exists():
        return
    subprocess.run([sys.executable, "-m", "venv", str(HOME)], check=True, timeout=120)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
    subprocess.run(pip, check=True, timeout=300)
    stamp.touch()


@contextmanager
def running_bugsink(folder: Path) -> Iterator[Bugsink]:
    """Bugsink on a free port, its data in ``folder``; it is ended with the block."""
    install()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "bugsink_conf.py").write_text(CONFIGURATION.format(port=port, folder=str(folder)))
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV_"))},
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "bugsink_conf",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(folder),  # gunicorn leaves a socket there
    }
    manage = str(HOME / "bin" / "bugsink-manage")
    for arguments in (["migrate"], ["migrate", "snappea", "--database=snappea"]):
        subprocess.run([manage, *arguments], env=env, cwd=folder, check=True, timeout=120, capture_output=True)
    made = subprocess.run(
        [manage, "shell", "-c", ACCOUNT], env=env, cwd=folder, check=True, timeout=60, capture_output=True, text=True
    )
    account = json.loads(made.stdout.strip().splitlines()[-1])
    gunicorn = [
        str(HOME / "bin" / "gunicorn"),
        f"--bind=127.0.0.1:{port}",
        "--workers=1",
        "--threads=8",
        "--graceful-timeout=1",
    ]
    with (folder / "gunicorn.log").open("wb") as log:
        server = subprocess.Popen(
            [*gunicorn, "bugsink.wsgi"], env=env, cwd=folder, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            wait_until(lambda: _is_ready(port), timeout=60)
            yield Bugsink(port, account, folder / "gunicorn.log")
        finally:
            server.terminate()
            server.wait(timeout=20)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
