"""Pages of events as a browser gets them: rendered from a real store, parsed."""

from __future__ import annotations

import asyncio
import contextlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import httpx
from starlette.applications import Starlette

from tests.inboxes import envelope, new_event_id
from vedette._inbox.settings import Settings
from vedette._inbox.store import Store
from vedette._inbox.web.pages import Pages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VOID = frozenset({"meta", "link", "input", "br", "img", "hr"})
ENDED_BY = {"li": {"li"}, "td": {"td", "th"}, "th": {"td", "th"}, "tr": {"tr", "td", "th"}}
"""Whose end may be left out before what."""


class Document(HTMLParser):
    """The elements of a page, in order, each with its attributes and the text inside it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.elements: list[dict[str, Any]] = []
        self._open: list[dict[str, Any]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        while self._open and self._open[-1]["tag"] in ENDED_BY.get(tag, ()):
            self._open.pop()
        element = {"tag": tag, "attrs": dict(attrs), "text": "", "path": [open_["tag"] for open_ in self._open]}
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()["tag"] != tag:
            pass

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element["text"] += data

    @property
    def main(self) -> list[dict[str, Any]]:
        """The elements of the page's own part."""
        return [element for element in self.elements if "main" in element["path"]]

    def all(self, tag: str, **attrs: str) -> list[dict[str, Any]]:
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        return [
            element
            for element in self.elements
            if element["tag"] == tag
            and all(value in (element["attrs"].get(name) or "").split() for name, value in wanted.items())
        ]

    def texts(self, tag: str, **attrs: str) -> list[str]:
        return [" ".join(element["text"].split()) for element in self.all(tag, **attrs)]


class Site:
    """The pages over a store."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self._app = Starlette(routes=Pages(store, settings).routes())
        self._url = settings.url

    def add(self, data: Any) -> str:
        event_id = new_event_id()
        self.store.add_envelope("1", envelope({**data, "event_id": event_id}, event_id=event_id))
        return event_id

    def page_of(self, data: Any) -> Document:
        return self.open(f"/events/{self.add(data)}")

    def open(self, path: str) -> Document:
        answer = asyncio.run(self._get(path))
        assert answer.status_code == 200, answer.text
        return Document(answer.text)

    async def _get(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url=self._url) as client:
            return await client.get(path)


@contextlib.contextmanager
def site(folder: Path, **settings: Any) -> Iterator[Site]:
    with Store(folder / "inbox.db") as store:
        url = "http://127.0.0.1:8969"
        yield Site(store, Settings(url=url, dsn=f"{url}/1", database="inbox.db", **settings))
