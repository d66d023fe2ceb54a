"""Chromium, headless, and an inbox to look at. What a page does that no page of the inbox may do fails the test."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.inboxes import RunningInbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
# It may ask nobody but the inbox; and a container has neither a sandbox of its own nor much of /dev/shm.
SWITCHES = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
    "--no-sandbox",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: install Debian's package, or name one by CHROMIUM=/path")
    api = pytest.importorskip("playwright.sync_api", reason="the group `browser` is not installed")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


class Visitor:
    """Somebody with a browser: opens pages, and notes what went wrong in them."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self._browser = browser
        self._base_url = base_url
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def open(self, path: str, *, width: int = 1280, height: int = 800, **context: object) -> Page:
        """A new page in a context of its own; keywords are those of ``Browser.new_context``."""
        options = {"viewport": {"width": width, "height": height}, "base_url": self._base_url, **context}
        self._contexts.append(self._browser.new_context(**options))
        page = self._contexts[-1].new_page()
        self.watch(page)
        page.goto(path)
        return page

    def watch(self, page: Page) -> None:
        page.on("console", lambda message: self._note(message.type in {"error", "warning"}, message.text))
        page.on("pageerror", lambda error: self._note(True, str(error)))
        page.on("dialog", self._dismiss)
        page.on("request", lambda request: self._note(self._is_foreign(request.url), f"asked {request.url}"))

    def _dismiss(self, dialog: Dialog) -> None:
        self._note(True, f"a dialog: {dialog.message}")
        dialog.dismiss()  # else the page would stand still until the test times out

    def _is_foreign(self, url: str) -> bool:
        return urlsplit(url).scheme not in {"about", "blob"} and not url.startswith(self._base_url)

    def _note(self, is_fault: bool, what: str) -> None:
        if is_fault:
            self.faults.append(what)

    def leave(self) -> None:
        for context in self._contexts:
            context.close()


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[RunningInbox]:
    with RunningInbox(tmp_path / "inbox.db") as running:
        yield running


@pytest.fixture
def visitor(chromium: Browser, inbox: RunningInbox) -> Iterator[Visitor]:
    """Opens pages of ``inbox``. A console error, a dialog, a request to elsewhere fails the test when it ends."""
    someone = Visitor(chromium, inbox.url)
    yield someone
    someone.leave()
    assert someone.faults == []
