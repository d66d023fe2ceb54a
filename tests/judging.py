"""A server that answers by a plan and keeps books of its own: what it took, from whom, and what it was told of.

The books are written by the answer that went out, not by what the client says of it. Whoever sends has to name
itself in the header ``sender`` of its envelopes (``name_sender``), so that each client of each process is judged by
what it sent itself.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers import Answer, RecordingServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from tests.servers import RecordedItem, Request

SENDER = "sender"


@dataclass(frozen=True)
class Plan:
    """How the next request is answered: the answer, and how many seconds it takes."""

    answer: Answer = field(default_factory=Answer)
    seconds: float = 0.0


class Garbage(Answer):
    """What is no HTTP."""

    def head(self) -> bytes:
        return b"\x00\x01\x02 no HTTP\r\n\r\n"


WINDOW = 0.15
"""Seconds of a rate limit."""


def limits(header: str, status: int = 200) -> Answer:
    return Answer(status, headers=(("X-Sentry-Rate-Limits", header),))


ANSWERS: dict[str, Plan] = {
    "taken": Plan(),
    "taken, slowly": Plan(seconds=0.05),
    "taken, but no more errors": Plan(limits(f"{WINDOW}:error:organization:quota")),
    "taken, but no more feedback": Plan(limits(f"{WINDOW}:feedback;martian:key:why, 0:error:key")),
    "taken, but no more attachments": Plan(limits(f"{WINDOW}:attachment:project")),
    "taken, but no more of anything": Plan(limits(f"{WINDOW}::organization")),
    "taken, then hung up": Plan(Answer(hang_up="after_answer")),
    "429": Plan(Answer(429, headers=(("Retry-After", str(WINDOW)),))),
    "429 of errors": Plan(limits(f"{WINDOW}:error:key", 429)),
    "302": Plan(Answer(302, headers=(("Location", "/elsewhere"),))),
    "400": Plan(Answer(400)),
    "413": Plan(Answer(413)),
    "500": Plan(Answer(500)),
    "503, slowly": Plan(Answer(503), seconds=0.05),
    "hung up before reading": Plan(Answer(hang_up="before_reading")),
    "hung up after reading": Plan(Answer(hang_up="after_reading")),
    "hung up in the answer": Plan(Answer(hang_up="in_answer")),
    "garbage": Plan(Garbage()),
}


@dataclass(frozen=True)
class _Judged(Answer):
    request: Request | None = None
    seconds: float = 0.0


class Books:
    """What became of the envelopes of one sender."""

    def __init__(self) -> None:
        self.delivered: Counter[str] = Counter()
        """By category, of answers 2xx: items, and bytes of attachments."""
        self.refused: Counter[str] = Counter()
        """The same of answers 429."""
        self.told: Counter[tuple[str, str]] = Counter()
        """What taken client reports said was lost, by category and reason."""
        self.ids: Counter[str] = Counter()
        """How often each event was taken."""

    def write(self, status: int, items: tuple[RecordedItem, ...]) -> None:
        for item in items:
            if item.type == "client_report":
                if 200 <= status < 300:
                    for loss in item.json["discarded_events"]:
                        self.told[loss["category"], loss["reason"]] += loss["quantity"]
                continue
            counts = _counts(item)
            if status == 429:
                self.refused.update(counts)
            elif 200 <= status < 300:
                self.delivered.update(counts)
                if item.type != "attachment":
                    self.ids[item.json["event_id"]] += 1


class _Library(dict[str, Books]):
    """The books by sender. Who is asked for is opened once, whichever threads ask (a defaultdict may do it twice)."""

    def __missing__(self, sender: str) -> Books:
        return self.setdefault(sender, Books())


def _counts(item: RecordedItem) -> dict[str, int]:
    if item.type == "attachment":
        return {"attachment": max(1, len(item.payload)), "attachment_item": 1}
    return {{"event": "error", "feedback": "feedback"}[item.type]: 1}


class JudgingServer(RecordingServer):
    """Answers by the plans in ``planned``, then 200; ``books`` holds what it took, by sender."""

    def __init__(self) -> None:
        super().__init__()
        self.planned: deque[Plan] = deque()
        self._books = _Library()
        self.default = self._next_plan
        self._planning = threading.Lock()
        self._answering = threading.Lock()  # an answer is cut off by `go_away` before or after, never in the middle

    @property
    def books(self) -> _Library:
        """With all written down that was answered by now: whoever has an answer may ask sooner than we write."""
        with self._answering:
            return self._books

    def _next_answer(self) -> Answer | None:
        """What is decided before the request is read."""
        with self._planning:
            if self.planned and self.planned[0].answer.hang_up == "before_reading":
                return self.planned.popleft().answer
        return None

    def _next_plan(self, request: Request) -> Answer:
        with self._planning:
            plan = self.planned.popleft() if self.planned else Plan()
        if isinstance(plan.answer, Garbage):
            return plan.answer
        fields = {name: getattr(plan.answer, name) for name in Answer.__dataclass_fields__}
        if plan.answer.hang_up == "before_reading":  # it became the next one only when this request was being read
            fields["hang_up"] = "after_reading"
        return _Judged(**fields, request=request, seconds=plan.seconds)

    def _give(self, sock: socket.socket, answer: Answer) -> bool:
        if not isinstance(answer, _Judged):
            return super()._give(sock, answer)
        self._closing.wait(answer.seconds)
        with self._answering:
            stays = super()._give(sock, answer)
            if answer.request is not None and answer.hang_up in (None, "after_answer"):
                envelope = answer.request.envelope
                self._books[envelope.headers[SENDER]].write(answer.status, envelope.items)
        return stays

    def go_away(self) -> None:
        """Nobody listens any more, until ``come_back``; no answer that was begun is cut off."""
        if self._listener is None:
            return
        with self._answering:
            self._closing.set()
            self.cut_connections()
        self.close()

    def come_back(self) -> None:
        if self._listener is None:
            self.start(self.port)


def name_sender(client: Any, name: Callable[[], str]) -> None:
    """Have a client name itself in all of its envelopes."""

    def put(envelope: Any) -> None:
        envelope.headers[SENDER] = name()

    client.on("before_envelope", put)
