"""What the tests of HTTP clients share: a server that answers as its path says, and the breadcrumbs that were left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import vedette
from tests.servers import Answer

if TYPE_CHECKING:
    from tests.servers import Request
    from vedette.testing import MemoryTransport

DSN = "http://key@dsn.invalid/1"


def as_the_path_says(request: Request) -> Answer:
    """``/503`` is answered with 503, ``/to/PATH`` redirects to ``/PATH``, everything else is fine."""
    path = request.target.partition("?")[0].strip("/")
    if path.startswith("to/"):
        return Answer(302, headers=(("Location", path[2:]),), body=b"")
    status = int(path) if path.isdigit() else 200
    return Answer(status, body=b"" if status in {204, 304} or request.method == "HEAD" else b"answer")


def crumbs(transport: MemoryTransport) -> list[dict[str, Any]]:
    """The breadcrumbs of this context, without the times at which they were left."""
    vedette.capture_message("what was left?")
    left = transport.events[-1].get("breadcrumbs", {"values": []})["values"]
    return [{name: value for name, value in crumb.items() if name != "timestamp"} for crumb in left]


def asked(transport: MemoryTransport) -> list[tuple[str, str, int | str | None, str]]:
    """Of each breadcrumb: method, URL, status or error, and level."""
    return [
        (data["method"], data["url"], data.get("status_code", data.get("error.type")), crumb["level"])
        for crumb in crumbs(transport)
        for data in [crumb["data"]]
    ]
