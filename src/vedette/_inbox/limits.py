"""What the inbox takes at most, with units, and the one exception that says no."""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_BODY: Final = 64 * MIB  # bytes of a request, as sent
MAX_DECOMPRESSED: Final = 200 * MIB  # bytes, counted while decompressing
MAX_EVENT: Final = MIB  # bytes of one event's JSON
MAX_EVENTS: Final = 4 * MAX_EVENT  # bytes of all events of an envelope: decoded, they take 25 times as much
MAX_HEADER: Final = 64 * KIB  # bytes of an envelope's header line, or an item's
MAX_ITEMS: Final = 1_000  # items of an envelope
MAX_DEPTH: Final = 200  # JSON containers inside each other
MAX_IN_FLIGHT: Final = 256 * MIB  # bytes of bodies being received or waiting for the writer; the rest waits
REQUEST_SECONDS: Final = 30.0
PING_SECONDS: Final = 15.0

KEPT_REFUSALS: Final = 100
KEPT_REFUSAL_BYTES: Final = 4 * KIB

DEFAULT_KEEP_EVENTS: Final = 10_000
DEFAULT_KEEP_BYTES: Final = 512 * MIB

DEFAULT_PORT: Final = 8969
MAX_PAGE: Final = 200  # results of one list


class Refused(Exception):
    """A request that isn't taken.

    ``code`` is one of our own words, for counting; ``detail`` says what is wrong and, where there is one, the
    fix; ``causes`` are the errors underneath. Received text in them is escaped: they can be shown anywhere.
    """

    def __init__(self, status: int, code: str, detail: str, causes: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.causes = causes
