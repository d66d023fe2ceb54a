"""What is answered when the inbox itself cannot: a page for a person, JSON for a program, the same headers."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.markup import Markup
from vedette._inbox.receiver import build_app
from vedette._inbox.retention import Retention
from vedette._inbox.settings import Settings
from vedette._inbox.store import Store
from vedette._inbox.streaming import Streams
from vedette._inbox.writer import Writer

SETTINGS = Settings("http://127.0.0.1:8969", "http://inbox@127.0.0.1:8969/1", "inbox.db")


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "inbox.db") as opened:
        yield opened


def asked(store: Store, accept: str, path: str = "/") -> httpx.Response:
    async def ask() -> httpx.Response:
        app = build_app(store, Writer(store, Retention()), Streams(store, SETTINGS), SETTINGS)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=SETTINGS.url) as client:
            return await client.get(path, headers={"Accept": accept})

    return asyncio.run(ask())


def test_a_database_that_cannot_be_read_is_said(store):
    store.close()
    page = asked(store, "text/html")
    assert page.status_code == 503
    assert "the inbox's database cannot be used" in Markup(page.text).text
    assert asked(store, "*/*").json()["detail"] == "the inbox's database cannot be used"


@pytest.mark.parametrize("broken", ["issues", "stats"])
def test_a_fault_of_ours_is_a_page_that_names_it(store, monkeypatch, broken):
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("<b>by zero</b>")

    monkeypatch.setattr(Store, broken, fail)
    page = asked(store, "text/html")
    assert page.status_code == 500
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "ZeroDivisionError: '<b>by zero</b>'" in Markup(page.text).text
    assert asked(store, "*/*").json()["causes"] == ["ZeroDivisionError: '<b>by zero</b>'"]
