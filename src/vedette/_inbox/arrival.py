"""A request body on its way into the store: read, identified, summarized. No database here.

Everything is hostile and nothing is lost: an event that cannot be read becomes an event that says so.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from vedette._inbox import lenient_json
from vedette._inbox.lenient_json import is_dict, is_list
from vedette._inbox.limits import MAX_EVENT, MAX_EVENTS, MIB, Refused
from vedette._inbox.reading import ReadEnvelope, ReadItem, read_envelope
from vedette._inbox.summary import Summary, summarize

if TYPE_CHECKING:
    from vedette._inbox.decoding import Body

_HEX_ID: Final = re.compile(r"[0-9a-f]{32}")
_MAX_REPORT: Final = MIB  # bytes of a client report that is looked into


@dataclass(frozen=True, slots=True)
class ArrivedEvent:
    """An error or message event, ready to be stored."""

    event_id: str
    data: dict[str, Any]
    summary: Summary
    start: int
    size: int
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class ArrivedItem:
    """Anything else."""

    type: str
    headers: dict[str, Any]
    start: int
    size: int
    remarks: list[str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """All that one request brought."""

    project: str
    body: Body
    event_id: str  # what the sender is told, empty if there is none
    events: list[ArrivedEvent]
    items: list[ArrivedItem]
    drops: dict[tuple[str, str], int]  # from client reports: (reason, category) to number


def read_arrival(project: str, body: Body, remarks: list[str]) -> Arrival:
    """An envelope. Raises ``Refused`` if it cannot be cut into items or exceeds a limit."""
    return arrival_of(project, body, read_envelope(body), remarks)


def arrival_of(project: str, body: Body, envelope: ReadEnvelope, remarks: list[str]) -> Arrival:
    """An envelope that was read already."""
    remarks = [*remarks, *envelope.remarks]
    event_items = [item for item in envelope.items if item.type == "event"]
    together = sum(item.size for item in event_items)
    if together > MAX_EVENTS and len(event_items) > 1:
        raise Refused(413, "event_too_large", f"events of {together} bytes together: the limit is {MAX_EVENTS}")
    if len(event_items) > 1:
        remarks.append(f"{len(event_items)} events in one envelope: other servers drop them")
    header_id = as_event_id(envelope.headers.get("event_id"))
    if header_id is None and event_items:
        remarks.append("no valid event_id in the envelope header: other servers refuse this")
    events: list[ArrivedEvent] = []
    taken: set[str] = set()
    for item in event_items:
        given = header_id if len(event_items) == 1 else None
        event = _event(body, item, given, header_id, taken, remarks)
        taken.add(event.event_id)
        events.append(event)
    items = [ArrivedItem(i.type, i.headers, i.start, i.size, remarks) for i in envelope.items if i.type != "event"]
    if not envelope.items:
        items = [ArrivedItem("empty", {}, 0, len(body), [*remarks, "an envelope without items"])]
    event_id = events[0].event_id if events else header_id or ""
    return Arrival(project, body, event_id, events, items, _drops(body, envelope.items))


def read_store_body(project: str, body: Body, remarks: list[str]) -> Arrival:
    """The body of the old ``/store/`` endpoint: the JSON of one event. Raises ``Refused``."""
    item = ReadItem("event", {}, 0, len(body))
    event = _event(body, item, None, None, set(), [*remarks, "sent to /store/, which newer servers don't have"])
    if event.data.get("type") == "transaction":
        kept = ArrivedItem("transaction", {}, 0, len(body), event.remarks)
        return Arrival(project, body, event.event_id, [], [kept], {})
    return Arrival(project, body, event.event_id, [event], [], {})


def as_event_id(value: object) -> str | None:
    """A UUID with or without dashes as 32 hex digits, or None."""
    if not isinstance(value, str) or len(value) > 36:  # noqa: PLR2004 - with dashes
        return None
    digits = value.replace("-", "").lower()
    return digits if _HEX_ID.fullmatch(digits) else None


def decode_event(payload: bytes | memoryview) -> tuple[dict[str, Any], list[str]]:
    """An event's JSON and remarks; an empty object if it is none. Raises ``Refused`` if it is too deep."""
    try:
        value, remarks = lenient_json.decode(payload)
    except lenient_json.NotJsonError as error:
        return {}, [f"the event's payload is no JSON: {error}"]
    if not is_dict(value):
        return {}, [f"the event's payload is no JSON object but {ascii(value)[:80]}"]
    return value, remarks


def summarize_safely(event_id: str, data: dict[str, Any]) -> tuple[Summary, list[str]]:
    """Never raises: should the summary of some event show a fault of ours, the event is kept all the same."""
    try:
        return summarize(event_id, data), []
    except Exception as error:  # noqa: BLE001 - the border between hostile data and the store
        cause = f"{type(error).__name__}: {ascii(str(error))[:200]}"
        fault = f"a bug in vedette, please report it: it could not summarize this event ({cause})"
        return summarize(event_id, {}), [fault]


def _event(
    body: Body, item: ReadItem, given: str | None, header_id: str | None, taken: set[str], remarks: list[str]
) -> ArrivedEvent:
    if item.size > MAX_EVENT:
        raise Refused(413, "event_too_large", f"an event of {item.size} bytes: the limit is {MAX_EVENT}")
    data, found = decode_event(bytes(body[item.start : item.start + item.size]))
    own_id = as_event_id(data.get("event_id"))
    if given and own_id and given != own_id:
        found.append(f"its own event_id is {own_id}: the envelope header's wins")
    event_id = given or own_id or header_id
    if event_id is None or event_id in taken:
        event_id = uuid4().hex
        found.append("no event_id of its own: one was made up")
    summary, faults = summarize_safely(event_id, data)
    return ArrivedEvent(event_id, data, summary, item.start, item.size, [*remarks, *found, *faults])


def _drops(body: Body, items: list[ReadItem]) -> dict[tuple[str, str], int]:
    drops: dict[tuple[str, str], int] = {}
    for item in items:
        if item.type != "client_report" or item.size > _MAX_REPORT:
            continue
        try:
            report, _ = lenient_json.decode(bytes(body[item.start : item.start + item.size]))
        except (lenient_json.NotJsonError, Refused):
            continue  # kept and shown as an item like any other
        entries: object = report.get("discarded_events") if is_dict(report) else None
        for entry in entries[:1000] if is_list(entries) else ():
            if not is_dict(entry):
                continue
            reason, category, quantity = entry.get("reason"), entry.get("category"), entry.get("quantity")
            if isinstance(reason, str) and isinstance(category, str) and type(quantity) is int and quantity > 0:
                kind = (reason[:64], category[:64])
                drops[kind] = min(drops.get(kind, 0) + quantity, 10**9)
    return drops


def as_json(value: object) -> str:
    """For a column: compact JSON."""
    return json.dumps(value, separators=(",", ":"))
