"""Opening a page in the person's browser: on a thread, for a browser may take its time, or never come back."""

from __future__ import annotations

import threading
import webbrowser
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def open_page(url: str, complain: Callable[[str], None]) -> None:
    """Open it soon; ``complain`` gets a line if there is no browser. Never blocks, never raises."""
    threading.Thread(target=_open, args=(url, complain), name="vedette-inbox-browser", daemon=True).start()


def _open(url: str, complain: Callable[[str], None]) -> None:
    try:
        is_open = webbrowser.open(url)
    except (webbrowser.Error, OSError, ValueError):  # what $BROWSER names may be anything
        is_open = False
    if not is_open:
        complain(f"no browser could be opened; the page is {url}")
