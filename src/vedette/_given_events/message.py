"""``logentry``: a message and its parameters (EVT-77 to EVT-80)."""

from __future__ import annotations

from vedette._given_events.faults import is_object, keep_texts, scalar_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vedette._given_events.faults import Faults


def put_message_right(event: dict[str, Any], faults: Faults) -> None:
    """Put the message under ``logentry``; a text alone is a whole message, and ``message`` is its old name."""
    older = event.pop("message", None)
    entry: Any = event.pop("logentry", None)
    if entry is None:
        entry = older
    text = scalar_text(entry)
    if text is not None:
        entry = {"message": text}
    if not is_object(entry):
        if entry is not None:
            faults.note(("logentry",), "expected an object")
        return
    keep_texts(entry, ("message", "formatted"), ("logentry",), faults)
    if type(entry.get("params")) not in {list, dict}:
        entry.pop("params", None)
    # With parameters the server puts them in: a format of foreign make may ask for gigabytes.
    if "formatted" not in entry and "message" in entry and not entry.get("params"):
        entry["formatted"] = entry["message"]
    if "message" in entry or "formatted" in entry:
        event["logentry"] = entry
