"""From a captured item to the envelope that carries it: the final scrubbing pass, size guard, encoding, headers.

Runs on the worker, so that the caller pays for the snapshot only (design decision 4).
"""

from __future__ import annotations

import time

from vedette._events.remarks import CUT_IN_UTF8, remark_cuts
from vedette._events.shrink import shrink_event
from vedette._host import guests, log
from vedette._privacy.denylist import DenyList
from vedette._privacy.event_scrubber import EventScrubber, scrub_as
from vedette._privacy.scrub import NOT_DATA, Walk
from vedette._processing.kinds import KINDS
from vedette._protocol import json
from vedette._protocol.categories import DataCategory
from vedette._protocol.envelope import Envelope, EnvelopeError, Item, PayloadRef
from vedette._protocol.files import content_type_of
from vedette._protocol.version import SDK_NAME, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Final

    from vedette._processing.buffer import Item as Captured
    from vedette._processing.kinds import Kind
    from vedette._processing.outcomes import Losses

# servers.md: Bugsink refuses an event over 1 MiB, Relay too; a little below leaves room for re-encoding.
EVENT_LIMIT_BYTES: Final = 1_000_000
_PAIRS_PER_REPORT: Final = 50  # about 70 bytes each: below the 4 KiB of CR-64


class ScrubberError(Exception):
    """A scrubber of the program's own failed: the event must not go out as it is."""


class Packer:
    """Makes envelopes for one client.

    ``trace`` holds the fields of the dynamic sampling context that do not change (ENV-44): ``public_key``,
    ``release``, ``environment``. ``scrubber`` has the last look at each event: vedette's own, or what the option
    ``event_scrubber`` puts in its place, which may be anything with ``scrub_event``.
    ``text_limit`` is how many characters of one text were kept when it was set. Error events without a field that
    ``later`` names are given what its function returns.
    """

    def __init__(
        self,
        *,
        trace: Mapping[str, str],
        scrubber: Any,
        text_limit: int,
        later: Mapping[str, Callable[[], object]],
    ) -> None:
        self._text_limit = text_limit
        self._trace = trace
        self._scrubber = scrubber
        self._scrubs_itself = type(scrubber) is EventScrubber
        self._later = later

    def _complete(self, event: dict[str, Any]) -> None:
        for name, read in tuple(self._later.items()):
            if name not in event:
                try:
                    found = read()
                except Exception:  # noqa: BLE001 - the border: an event is worth more than a field of it
                    log.warn_once(f"packing {name}", "could not add %r to events", name, exc_info=True)
                    continue
                if found:
                    event[name] = found

    def envelope(
        self,
        kind: Kind,
        batch: Sequence[Captured],
        attachments: Iterable[Item] = (),
        limit: int = EVENT_LIMIT_BYTES,
    ) -> Envelope:
        """One event with its attachments behind it, one other item, or a batch as one item.

        Raises TooLargeError where nothing helps, ScrubberError where the program's own scrubber fails.
        """
        first = batch[0]
        headers = _headers() if first.headers is None else dict(first.headers)
        if kind.is_event:
            item = self._event_item(kind, first, headers, limit)
        elif kind.batch > 1:  # ENV-65, ENV-67, ENV-80 to ENV-86
            payload = PayloadRef(json={"items": [each.payload for each in batch]})
            item = Item(payload, type=kind.item_type, content_type=kind.content_type)
            item.headers["item_count"] = len(batch)
        else:
            item = Item(PayloadRef(json=first.payload), type=kind.item_type)
        for attachment in attachments:
            _infer_content_type(attachment)
        return Envelope(headers=headers, items=[item, *attachments])

    def record(self, kind: Kind, batch: Sequence[Captured], attachments: Sequence[Item]) -> tuple[bytes, ...]:
        """What ``envelope`` makes as bytes, in pieces, for the journal; that of an event alone without detours.

        Raises as ``envelope``.
        """
        first = batch[0]
        if not kind.is_event or attachments or first.headers is not None:
            return (b"".join(self.envelope(kind, batch, attachments).pieces()),)
        headers = _headers()
        body = self._event_body(kind, first, headers, EVENT_LIMIT_BYTES)
        head = b'\n{"type":"%b","length":%d}\n' % (kind.item_type.encode(), len(body))
        return json.encode(headers), head, body, b"\n"

    def _event_item(self, kind: Kind, captured: Captured, headers: dict[str, Any], limit: int) -> Item:
        body = self._event_body(kind, captured, headers, limit)
        return Item(PayloadRef(bytes=body, json=captured.payload), type=kind.item_type)

    def _event_body(self, kind: Kind, captured: Captured, headers: dict[str, Any], limit: int) -> bytes:
        event = captured.payload
        if captured.is_finished:
            body = json.encode(event)
        else:
            body = self._finished(kind, event, captured.is_built)
            captured.is_finished = True
        if captured.headers is None:
            headers["event_id"] = event["event_id"]
            trace_id = _trace_id_of(event)
            if trace_id is not None:
                headers["trace"] = {"trace_id": trace_id, **self._trace}
        return shrink_event(event, limit, json.encode, body)

    def _finished(self, kind: Kind, event: dict[str, Any], is_built: bool) -> bytes:  # noqa: FBT001
        """The event as JSON, once all has been done to it that is done once."""
        if kind is KINDS[DataCategory.ERROR]:
            self._complete(event)
        if self._scrubs_itself:
            # Others than vedette may add something before sending, too: to any field, in any form.
            scrub_as(self._scrubber, event, is_built=is_built and self._later.keys() <= NOT_DATA)
        else:
            self._scrub_as_guest(event)
        body = json.encode(event)
        if not body.isascii() and CUT_IN_UTF8 in body and remark_cuts(event, self._text_limit):
            body = json.encode(event)
        return body

    def unpacked(self, body: bytes) -> tuple[dict[str, Any], dict[str, Any], list[Item]]:
        """Of an envelope that was written to disk: its headers, the payload of its first item, the attachments.

        Raises ValueError for what is none.
        """
        envelope = Envelope.deserialize(body)
        if not envelope.items:
            raise EnvelopeError("an envelope without items")
        found: dict[str, Any] | None = json.decode(envelope.items[0].get_bytes())
        if type(found) is dict:
            return envelope.headers, found, envelope.items[1:]
        raise EnvelopeError("an item that is no JSON object")

    def _scrub_as_guest(self, event: dict[str, Any]) -> None:
        """Have foreign code scrub the event. What it leaves half done, or is not JSON, does not leave."""
        event_id = event["event_id"]
        try:
            answer: object = guests.call("event_scrubber", self._scrubber.scrub_event, event)
        except BaseException as error:
            if guests.is_control_flow(error):
                raise
            log.warn_once("event_scrubber", "event_scrubber raised; the event is dropped", exc_info=True)
            raise ScrubberError from None
        if hasattr(answer, "__await__"):
            guests.call("event_scrubber", _discard, answer)
            log.warn_once(
                "event_scrubber", "event_scrubber must not be async: it scrubbed nothing; the event is dropped"
            )
            raise ScrubberError
        Walk(DenyList((), ()), searches=False).over(event)
        event["event_id"] = event_id

    def report_envelope(self) -> Envelope:
        """An envelope for a client report that travels alone (CR-61, CR-63)."""
        return Envelope(headers=_headers())

    def add_report(self, envelope: Envelope, losses: Losses) -> None:
        """Add what was dropped, and why, to an envelope that goes out (CR-65)."""
        records = [
            {"reason": reason.value, "category": category.value, "quantity": quantity}
            for (reason, category), quantity in losses.items()
        ]
        for start in range(0, len(records), _PAIRS_PER_REPORT):
            report = {
                "timestamp": time.time(),
                "discarded_events": records[start : start + _PAIRS_PER_REPORT],
            }
            envelope.add_item(Item(PayloadRef(json=report), type="client_report"))


def _infer_content_type(attachment: Item) -> None:
    """From the name, where none was given (ATT-34); here, because it may read files of the system."""
    if "content_type" not in attachment.headers:
        guess = content_type_of(attachment.headers["filename"])
        if guess is not None:
            attachment.headers["content_type"] = guess


def _discard(awaitable: Any) -> None:
    """Close a coroutine that nobody will await, so that it does not warn (ruling 5)."""
    if hasattr(awaitable, "close"):
        awaitable.close()


def _headers() -> dict[str, Any]:
    return {"sdk": {"name": SDK_NAME, "version": VERSION}}


def _trace_id_of(event: dict[str, Any]) -> str | None:
    contexts: Any = event.get("contexts")
    try:
        trace_id: Any = contexts["trace"]["trace_id"]
    except (KeyError, TypeError):
        return None
    return trace_id if isinstance(trace_id, str) else None


def utc_now() -> str:
    """RFC 3339 in UTC, with microseconds (ENV-31, ENV-32)."""
    now = time.time()
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{seconds}.{int(now % 1 * 1_000_000):06d}Z"
