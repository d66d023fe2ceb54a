"""The style sheet, the script and the icon: read once, under a name that changes with what is in them."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

_FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {"inbox.css": "text/css", "inbox.js": "text/javascript", "icon.svg": "image/svg+xml"}


class Assets:
    """``urls`` has the path of each by its name, for the templates."""

    def __init__(self) -> None:
        contents = {name: (_FOLDER / name).read_bytes() for name in _TYPES}
        self.urls = {name: f"/static/{sha256(data).hexdigest()[:12]}/{name}" for name, data in contents.items()}
        self._contents = contents

    def routes(self) -> list[Route]:
        """One each."""
        return [Route(url, _served(self._contents[name], _TYPES[name])) for name, url in self.urls.items()]


def _served(data: bytes, kind: str) -> Response:
    return Response(data, media_type=kind)
