"""Pictures of the inbox's pages: `make screenshots` takes those that the docs show, into docs/images.

`python -m tools.screenshots --all FOLDER` takes every place in both colour schemes, wide and narrow, to be looked at.
The shop of examples/shop.py fails against a real inbox; headless Chromium opens it (CHROMIUM names another one).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    Scheme = Literal["light", "dark"]

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
SECONDS = 30
WIDE, NARROW = 1280, 400
HEIGHT = 800
SWITCHES = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")


@dataclass(frozen=True)
class Picture:
    """One page, as it is seen in a window of that width."""

    name: str
    path: str
    scheme: Scheme = "light"
    width: int = WIDE

    @property
    def file(self) -> str:
        """Its file's name."""
        return f"{self.name}-{self.scheme}{'' if self.width == WIDE else f'-{self.width}'}.png"


@contextlib.contextmanager
def inbox(folder: Path) -> Iterator[tuple[str, str]]:
    """A running inbox: its URL and its DSN."""
    command = [sys.executable, "-m", "vedette", "inbox", "--port", "0", "--json", "--db", str(folder / "inbox.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    try:
        ready = json.loads(process.stdout.readline() if process.stdout else "{}")
        yield ready["url"], ready["dsn"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def have_a_bad_day(dsn: str) -> None:
    """What examples/shop.py captures: a chain, a message, a group, an error in a thread."""
    command = [sys.executable, str(ROOT / "examples" / "shop.py"), dsn]
    subprocess.run(command, check=True, timeout=SECONDS, stdout=sys.stderr)  # noqa: S603 - our own program


def send_what_is_no_error(url: str) -> None:
    """A log, a trace, a session, what a client dropped, and something that is refused."""
    log = {
        "timestamp": time.time(),
        "level": "warn",
        "body": "stock low for sku 47",
        "attributes": {"sku": {"value": 47}},
    }
    trace = {
        "transaction": "/checkout",
        "start_timestamp": time.time() - 1,
        "timestamp": time.time(),
        "spans": [{}, {}],
    }
    dropped = {"reason": "ratelimit_backoff", "category": "error", "quantity": 14}
    payloads: dict[str, dict[str, Any]] = {
        "log": {"items": [log]},
        "transaction": trace,
        "session": {"sid": "7c7b6585-f901-4351-bf8d-02711b721929", "status": "ok"},
        "client_report": {"discarded_events": [dropped]},
    }
    items = (json.dumps({"type": kind}) + "\n" + json.dumps(payload) for kind, payload in payloads.items())
    for body in ("\n".join(["{}", *items]), "no envelope"):
        request = urllib.request.Request(f"{url}/api/1/envelope/?sentry_key=x", body.encode())  # noqa: S310 - our own
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(request, timeout=SECONDS):  # noqa: S310
            pass


def paths_of(url: str) -> dict[str, str]:
    """Where the things are that the pictures show, by name."""
    with urllib.request.urlopen(f"{url}/api/issues", timeout=SECONDS) as answer:  # noqa: S310 - our own inbox
        issues: list[dict[str, Any]] = json.load(answer)["results"]
    by_type = {issue["type"]: f"/issues/{issue['id']}" for issue in issues}
    return {
        "list": "/",
        "chain": by_type["CheckoutError"],
        "group": by_type["ExceptionGroup"],
        "message": by_type[""],
        "other": "/other",
        "logs": "/logs",
        "traces": "/traces",
        "nothing": "/?q=nothing+like+it",
        "delete": "/delete",
    }


def take(browser: Browser, url: str, picture: Picture, folder: Path) -> None:
    """Take one, of what is seen without scrolling."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": HEIGHT}, color_scheme=picture.scheme, base_url=url
    )
    page = context.new_page()
    page.goto(picture.path)
    page.screenshot(path=folder / picture.file)
    context.close()
    print(folder / picture.file)


def pictures(paths: dict[str, str], *, every: bool) -> list[Picture]:
    """Those for the docs, or every place in each scheme and width."""
    if every:
        widths: list[tuple[Scheme, int]] = [("light", WIDE), ("dark", WIDE), ("light", NARROW), ("dark", NARROW)]
        return [Picture(name, path, scheme, width) for name, path in paths.items() for scheme, width in widths]
    return [
        Picture("list", paths["list"]),
        Picture("chain", paths["chain"]),
        Picture("chain", paths["chain"], "dark"),
        Picture("chain", paths["chain"], width=NARROW),
        Picture("group", paths["group"]),
    ]


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every place, scheme and width, into that folder")
    arguments = parser.parse_args()
    folder: Path = arguments.all or IMAGES
    folder.mkdir(parents=True, exist_ok=True)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.exit("no Chromium: install Debian's package, or name one by CHROMIUM=/path")
    with tempfile.TemporaryDirectory() as data, inbox(Path(data)) as (url, dsn), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(SWITCHES))
        if arguments.all:
            for picture in pictures({"empty": "/"}, every=True):
                take(browser, url, picture, folder)
            send_what_is_no_error(url)
        have_a_bad_day(dsn)
        for picture in pictures(paths_of(url), every=arguments.all is not None):
            take(browser, url, picture, folder)
        browser.close()


if __name__ == "__main__":
    main()
