"""What the inbox's store hands out: frozen rows, for the terminal, the JSON routes and the pages.

Every text in them came from somebody else: it is data, never markup, and may hold control characters. It
holds no lone surrogates, and ``StoredEvent.data`` no NaN or infinity: both were written out on arrival.
Times are seconds since the epoch, by the inbox's own clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Issue:
    """Events that belong together by the rule of ``grouping.py``.

    Titled by the outermost exception of its newest event; ``place`` and ``code_line`` are the innermost own
    frame of the root cause. Absent texts are empty, never None.
    """

    id: int
    key: str
    type: str  # of the outermost exception; empty for a message
    value: str  # its value, or the message; may have several lines
    title: str  # "Type: value" in one line
    level: str
    place: str  # "shop/pricing.py:7 in vat"
    code_line: str
    root_type: str  # of the root cause, if that is another exception than the outermost
    root_value: str
    count: int  # how often it was seen, also what retention has taken since
    first_seen: float
    last_seen: float
    release: str
    environment: str
    explanation: str = ""  # why events are in this issue, in words; a part a line
    newest_row: int = 0  # row_id of the newest event: the cursor of ``Store.issues(before=...)``


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One error or message event, as it was received."""

    row_id: int  # grows with arrival; the cursor of ``events_after`` and ``events_of_issue``
    event_id: str  # 32 hex digits
    issue_id: int
    number_in_issue: int  # 1 for the first one seen
    received_at: float
    data: dict[str, Any]  # decoded; empty if it could not be read at all (then ``remarks`` say why)
    remarks: list[str]  # what the sender got wrong and the inbox put up with
    project: str = ""
    size: int = 0  # bytes of its JSON as received


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with an event; its name and type are the sender's words."""

    row_id: int
    filename: str
    content_type: str
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Item:
    """Something that is no error event: a session, a check-in, an attachment, an unknown type.

    An envelope without items is one of type ``empty``; a body that was not taken is one of type ``refused``.
    """

    row_id: int
    type: str
    project: str
    received_at: float
    size: int  # bytes of the payload as received
    headers: dict[str, Any]  # the item header
    excerpt: str  # the first 4 KiB of the payload, as text
    remarks: list[str]
    event_id: str = ""  # of its envelope
    issue_id: int = 0  # the issue of the event that came with it, 0 if none did or it is gone
    status: int = 0  # refused only: what was answered
    reason: str = ""  # refused only: why, in words


@dataclass(frozen=True, slots=True)
class Stats:
    """What became of everything that reached the inbox, since the database was made or cleared."""

    received: int = 0  # requests to the ingest routes
    stored: int = 0  # events stored
    duplicates: int = 0  # events whose id had been stored before: answered 200, not counted again
    refused: dict[str, int] = field(default_factory=dict[str, int])  # by code, such as "malformed"
    removed_events: int = 0  # taken by retention
    removed_items: int = 0
    issues: int = 0  # there now
    events: int = 0
    items: int = 0
    dropped_by_clients: dict[str, dict[str, int]] = field(default_factory=dict[str, "dict[str, int]"])
    """From client reports: reason to data category to number."""
