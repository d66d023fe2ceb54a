"""What the receiver needs to know about itself."""

from __future__ import annotations

from dataclasses import dataclass

from vedette._inbox.limits import MAX_BODY, MAX_IN_FLIGHT, PING_SECONDS, REQUEST_SECONDS


@dataclass(frozen=True, slots=True)
class Settings:
    """One inbox: its addresses, who may use it, and how much it takes at once."""

    url: str
    dsn: str
    database: str
    allow_hosts: tuple[str, ...] = ()
    editor: str = ""  # what a link to a place opens, a URL with {path} and {line}; empty: no links
    path_map: tuple[tuple[str, str], ...] = ()  # beginnings of paths there, and what they are here
    token: str | None = None  # asked of readers, if the inbox can be reached from elsewhere
    max_body: int = MAX_BODY
    max_in_flight: int = MAX_IN_FLIGHT
    request_seconds: float = REQUEST_SECONDS
    ping_seconds: float = PING_SECONDS  # of silence on a stream, after which its reader is told that it still stands

    @property
    def attempt(self) -> str:
        """A line to paste into a shell: an error of which the inbox shows code and values."""
        return f"python -c \"import vedette; vedette.init('{self.dsn}'); a, b = 1, 0; a / b\""
