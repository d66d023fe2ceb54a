"""From a captured item to the envelope that carries it: the final scrubbing pass, size guard, encoding, headers.

Runs on the worker, so that the caller pays for the snapshot only (design decision 4).
"""

from __future__ import annotations

import time

from vedette._events.remarks import remark_cuts
from vedette._events.shrink import shrink_event
from vedette._host import log
from vedette._privacy.scrub import scrub_event
from vedette._protocol import json
from vedette._protocol.categories import DataCategory
from vedette._protocol.content_types import content_type_of
from vedette._protocol.envelope import Envelope, Item, PayloadRef
from vedette._protocol.version import SDK_NAME, VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final

    from vedette._privacy.denylist import DenyList
    from vedette._processing.outcomes import Losses

# servers.md: Bugsink refuses an event over 1 MiB, Relay too; a little below leaves room for re-encoding.
EVENT_LIMIT_BYTES: Final = 1_000_000
_PAIRS_PER_REPORT: Final = 50  # about 70 bytes each: below the 4 KiB of CR-64

_ITEM_TYPES: Final = {
    DataCategory.ERROR: "event",
    DataCategory.TRANSACTION: "transaction",
    DataCategory.FEEDBACK: "feedback",
}


class Packer:
    """Makes envelopes for one client.

    ``trace`` holds the fields of the dynamic sampling context that do not change (ENV-44): ``public_key``,
    ``release``, ``environment``. ``text_limit`` is how many characters of one text were kept when it was set.
    """

    def __init__(self, *, trace: Mapping[str, str], denylist: DenyList, text_limit: int) -> None:
        self._text_limit = text_limit
        self._trace = trace
        self._denylist = denylist
        self._later: dict[str, Callable[[], object]] = {}

    def add_before_sending(self, name: str, read: Callable[[], object]) -> None:
        """Give events without this field what ``read`` returns."""
        self._later[name] = read

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

    def event_envelope(
        self,
        category: DataCategory,
        event: dict[str, Any],
        attachments: Iterable[Item] = (),
        limit: int = EVENT_LIMIT_BYTES,
    ) -> Envelope:
        """One event, with its attachments behind it. Raises TooLargeError where nothing helps."""
        if category is DataCategory.ERROR:
            self._complete(event)
        scrub_event(event, self._denylist)
        remark_cuts(event, self._text_limit)
        body = shrink_event(event, limit, json.encode)
        headers = _headers()
        headers["event_id"] = event["event_id"]
        trace_id = _trace_id_of(event)
        if trace_id is not None:
            headers["trace"] = {"trace_id": trace_id, **self._trace}
        item = Item(PayloadRef(bytes=body, json=event), type=_ITEM_TYPES.get(category, "event"))
        for attachment in attachments:
            _infer_content_type(attachment)
        return Envelope(headers=headers, items=[item, *attachments])

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


def _headers() -> dict[str, Any]:
    return {"sent_at": _utc_now(), "sdk": {"name": SDK_NAME, "version": VERSION}}


def _trace_id_of(event: dict[str, Any]) -> str | None:
    contexts: Any = event.get("contexts")
    try:
        trace_id: Any = contexts["trace"]["trace_id"]
    except (KeyError, TypeError):
        return None
    return trace_id if isinstance(trace_id, str) else None


def _utc_now() -> str:
    """RFC 3339 in UTC, with microseconds (ENV-31, ENV-32)."""
    now = time.time()
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
    return f"{seconds}.{int(now % 1 * 1_000_000):06d}Z"
