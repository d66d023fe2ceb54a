"""User feedback: from what the caller says to the event that carries it, and what servers ask of its message."""

from __future__ import annotations

from vedette._events.remarks import cut_remark, place_remark
from vedette._host import log
from vedette._protocol.feedback import FIELDS, MOST_CHARACTERS
from vedette._protocol.ids import read_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

# Of dict itself, for the feedback may be of a class derived from it.
_get: Callable[[dict[str, object], str], object] = dict[str, object].get
_IDS: Final = ("associated_event_id", "replay_id")


def feedback_event(feedback: object) -> dict[str, Any] | None:
    """The event for a feedback, given as a dict of FIELDS; None if it is none, or has no message (FBK-10).

    Fields that are no text, and ids that are no UUIDs, are left out: the message is worth more.
    """
    if not issubclass(type(feedback), dict):
        return None
    given: Any = feedback
    context: dict[str, str] = {}
    for name in FIELDS:
        value: Any = _get(given, name)
        if value is None:
            continue
        if not issubclass(type(value), str):
            log.debug("%s of a feedback must be a text: ignored", name)
            continue
        text: str | None = str.__str__(value)
        if name in _IDS:
            text = read_uuid(text)
        if text:
            context[name] = text
        else:
            log.debug("%s of a feedback cannot be used: ignored", name)
    event: dict[str, Any] = {"type": "feedback", "contexts": {"feedback": context}}
    return event if put_right(event) else None


def put_right(event: dict[str, Any]) -> bool:
    """Cut the message to what servers take, and say so in ``_meta``. False where there is no message."""
    context = _dict(_dict(event.get("contexts")).get("feedback"))
    message: str | None = context.get("message")
    if type(message) is not str or not message.strip():
        return False
    if len(message) > MOST_CHARACTERS:
        context["message"] = message[: MOST_CHARACTERS - 1] + "…"
        meta = event["_meta"] = _dict(event.get("_meta"))
        remark = cut_remark(len(message), MOST_CHARACTERS - 1, MOST_CHARACTERS)
        place_remark(meta, ("contexts", "feedback", "message"), remark)
    return True


def _dict(value: Any) -> dict[str, Any]:
    """The same, if it is a dict: a program's hooks may have put anything where the protocol has one."""
    found: dict[str, Any] | None = value
    return found if type(found) is dict else {}
