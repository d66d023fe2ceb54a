"""From attachments to items of an envelope: what happens to them when an event is captured.

Functions are called, small files read, large ones opened (``_protocol/files.py``). What cannot be sent is left
out by itself: the event goes, with a note, and the loss is counted.
"""

from __future__ import annotations

from vedette._host import guests, log
from vedette._protocol.attachment import MOST_ATTACHMENTS, Attachment
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._protocol.envelope import PayloadRef
from vedette._protocol.files import FilePart, FileTooLargeError, look_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from vedette._protocol.envelope import Item


class LeftOut:
    """An attachment that does not go with its event: its name, bytes as far as known, and why."""

    __slots__ = ("filename", "reason", "size", "why")

    def __init__(self, filename: str, size: int, reason: DiscardReason, why: str) -> None:
        self.filename = filename
        self.size = size
        self.reason = reason
        self.why = why

    def quantities(self) -> tuple[tuple[DataCategory, int], ...]:
        """What client reports count (CR-40)."""
        return (DataCategory.ATTACHMENT, max(1, self.size)), (DataCategory.ATTACHMENT_ITEM, 1)


def all_left_out(given: Iterable[Any], reason: DiscardReason, why: str) -> list[LeftOut]:
    """What is lost when none of them is sent; no function is called, and no file read, to know it."""
    known = [each for each in given if issubclass(type(each), Attachment)]
    return [LeftOut(each.filename, _known_size(each), reason, why) for each in known]


def taken(given: Iterable[object], max_size: int) -> tuple[list[Item], list[LeftOut]]:
    """The items that are to be sent, and what is left out. ``max_size``: bytes of one attachment (ATT-41).

    Raises what a function raised to steer the program (Ctrl-C, cancellation), nothing else.
    """
    items: list[Item] = []
    left_out: list[LeftOut] = []
    for each in given:
        if not issubclass(type(each), Attachment):
            log.debug("an attachment must be a vedette.attachments.Attachment: ignored")
            continue
        attachment: Any = each
        if len(items) >= MOST_ATTACHMENTS:
            why = f"an event takes at most {MOST_ATTACHMENTS}"
            result: Item | LeftOut = LeftOut(attachment.filename, _known_size(attachment), DiscardReason.INVALID, why)
        else:
            result = _one(attachment, max_size)
        if isinstance(result, LeftOut):
            left_out.append(result)
        else:
            items.append(result)
    return items, left_out


def _one(attachment: Attachment, max_size: int) -> Item | LeftOut:
    name = attachment.filename
    if attachment.bytes is None:
        return _of_file(attachment, max_size)
    try:
        data = guests.call("an attachment's function", attachment.made)
    except BaseException as error:
        if guests.is_control_flow(error):
            raise
        if not callable(attachment.bytes):
            return LeftOut(name, 0, DiscardReason.INVALID, "it is neither bytes nor a function")
        log.warn_once("attachment function", "the function of the attachment %r failed", name, exc_info=True)
        return LeftOut(name, 0, DiscardReason.CALLBACK_ERROR, "its function failed")
    if len(data) > max_size:
        return _too_large(name, len(data), max_size)
    return attachment.item(PayloadRef(bytes=data))


def _of_file(attachment: Attachment, max_size: int) -> Item | LeftOut:
    name, path = attachment.filename, attachment.path
    if path is None:
        return LeftOut(name, 0, DiscardReason.INVALID, "it has neither bytes nor a path")
    try:
        found = look_at(path, max_size)
    except FileTooLargeError as error:
        return _too_large(name, error.size, max_size)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return LeftOut(name, _known_size(attachment), DiscardReason.INTERNAL_SDK_ERROR, f"it cannot be read: {why}")
    if isinstance(found, bytes):
        return attachment.item(PayloadRef(bytes=found))
    payload = PayloadRef(path=path)
    payload.file = found
    return attachment.item(payload)


def _too_large(name: str, size: int, max_size: int) -> LeftOut:
    return LeftOut(name, size, DiscardReason.INVALID, f"{size} bytes, max_attachment_size is {max_size}")


def _known_size(attachment: Attachment) -> int:
    data: Any = attachment.bytes
    if data is not None:
        return len(data) if type(data) is bytes or type(data) is bytearray else 0
    try:
        return FilePart.at(attachment.path or "").size
    except (OSError, ValueError):
        return 0
