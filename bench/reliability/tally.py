"""What the receiver counted, by the texts of the exceptions: each capture has one of its own.

So the same capture is known again, be it under two event ids.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What arrived so far, by the texts of the exceptions."""

    accepted: Counter[str] = field(default_factory=Counter)
    """How many times each was answered 2xx."""
    refused: Counter[str] = field(default_factory=Counter)
    """How many times each was answered with another status."""
    too_many: int = 0
    """Events among the refused that were answered 429: the server has counted these itself."""
    unanswered: int = 0
    """Events among the accepted whose client had gone before it got the answer."""
    reported: Counter[str] = field(default_factory=Counter)
    """Errors that client reports told of as lost, by reason."""
    first_at: float = math.nan
    last_at: float = math.nan
    """When events were accepted, in seconds of the clock."""
    malformed: list[str] = field(default_factory=list)
    """What could not be understood."""

    @property
    def arrived(self) -> int:
        """Distinct captures that were accepted."""
        return len(self.accepted)

    @property
    def duplicates(self) -> int:
        """Acceptances beyond the first of each capture."""
        return self.accepted.total() - len(self.accepted)

    def since(self, earlier: Tally) -> Tally:
        """What came after that, without the times."""
        return Tally(
            accepted=self.accepted - earlier.accepted,
            refused=self.refused - earlier.refused,
            too_many=self.too_many - earlier.too_many,
            unanswered=self.unanswered - earlier.unanswered,
            reported=self.reported - earlier.reported,
            malformed=self.malformed[len(earlier.malformed) :],
        )

    @property
    def per_second(self) -> float:
        """The rate at which events were accepted."""
        seconds = self.last_at - self.first_at
        return (self.accepted.total() - 1) / seconds if seconds > 0 else math.nan


@dataclass(frozen=True)
class Contents:
    """What one envelope told."""

    events: tuple[str, ...]
    reported: Counter[str]


def parse_envelope(body: bytes) -> Contents:
    """The texts of the events in it, and the errors that its client reports tell of. Raises ValueError."""
    _, _, rest = body.partition(b"\n")
    events: list[str] = []
    reported: Counter[str] = Counter()
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        headers = json.loads(line)
        length = headers.get("length")
        payload = rest.partition(b"\n")[0] if length is None else rest[:length]
        rest = rest[len(payload) + 1 :]
        if headers["type"] == "event":
            events.append(json.loads(payload)["exception"]["values"][-1]["value"])
        elif headers["type"] == "client_report":
            for each in json.loads(payload)["discarded_events"]:
                if each["category"] == "error":
                    reported[each["reason"]] += each["quantity"]
    return Contents(tuple(events), reported)
