"""What users attach to events: bytes, a file, or a function that makes bytes when an event is captured."""

from __future__ import annotations

import os

from vedette._protocol.envelope import Item, PayloadRef, bare_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    Given = bytes | Callable[[], bytes]

MOST_ATTACHMENTS: Final = 30
"""Servers take no more in one envelope (envelopes.md, size limits)."""
NOTE: Final = "attachments"
"""The context of an event that says which of its attachments were left out, and why (PAIN-29)."""

_NAMELESS: Final = "attachment"
_LONGEST_TYPE: Final = 255  # characters; names of types take at most 127 on either side of the slash
_LONGEST_NOTE: Final = 300  # characters


class Attachment:
    """A file that goes with events.

    Args:
        bytes: The content; or a function without arguments that returns it, called at each capture, on the
            capturing thread. It wins over ``path``.
        filename: As the server shows it; folders in it are cut off. By default the name of the file at ``path``.
        path: A file, which is looked at when an event is captured (ATT-32), and read when it is sent. Relative
            ones are relative to the directory that is current now.
        content_type: Its MIME type; by default what the file's name suggests.
        add_to_transactions: Whether it goes on transactions, too (ATT-39).

    Nothing is read, checked or raised here: what cannot be sent is left out when an event is captured.
    """

    __slots__ = ("add_to_transactions", "bytes", "content_type", "filename", "path")

    bytes: Given | None
    filename: str
    path: str | None
    content_type: str | None
    add_to_transactions: bool

    def __init__(
        self,
        bytes: Given | None = None,  # noqa: A002 - the unified API's name
        filename: str | None = None,
        path: str | None = None,
        content_type: str | None = None,
        add_to_transactions: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> None:
        self.bytes = bytes
        self.path = _absolute(path)
        self.filename = bare_name(_text(filename) or self.path or "") or _NAMELESS
        kind = _text(content_type)
        self.content_type = None if kind is None else kind.encode("utf-8", "replace").decode()[:_LONGEST_TYPE]
        self.add_to_transactions = add_to_transactions is True

    def to_envelope_item(self) -> Item:
        """The item that carries it, made now: a function is called, a file will be read when the item is sent.

        Raises what the function raises, and TypeError if there are no bytes to be had from it.
        """
        return self.item(PayloadRef(path=self.path) if self.bytes is None else PayloadRef(bytes=self.made()))

    def made(self) -> _bytes:
        """The content that was given or is made by the function. Raises TypeError, and what the function raises."""
        given: Any = self.bytes
        made: Any = given() if callable(given) else given
        if type(made) in {bytearray, memoryview}:
            made = b"".join([made])
        if not issubclass(type(made), bytes):
            if hasattr(made, "__await__") and hasattr(made, "close"):  # a coroutine that nobody will await
                made.close()
            raise TypeError(f"an attachment must be bytes, got {type(made).__qualname__}")
        return made if type(made) is bytes else b"".join([made])

    def item(self, payload: PayloadRef) -> Item:
        """The item around this payload."""
        return Item(payload, type="attachment", filename=self.filename, content_type=self.content_type)

    def __repr__(self) -> str:
        return f"<Attachment {self.filename!r}>"


_bytes = bytes  # in the class, the name is the attribute's


def note_left_out(event: dict[str, Any], filename: str, why: str) -> None:
    """Say on the event that one of its attachments is missing."""
    contexts = event["contexts"] = _dict(event.get("contexts"))
    note = contexts[NOTE] = _dict(contexts.get(NOTE))
    left_out: list[str] | None = note.get("left_out")
    if type(left_out) is not list:
        left_out = note["left_out"] = []
    if len(left_out) < MOST_ATTACHMENTS:
        left_out.append(f"{filename}: {why}"[:_LONGEST_NOTE])


def _dict(value: Any) -> dict[str, Any]:
    """The same, if it is a dict: hooks may have put anything into an event."""
    found: dict[str, Any] | None = value
    return found if type(found) is dict else {}


def _absolute(path: object) -> str | None:
    text = _text(path)
    if not text:
        return None
    try:
        return os.path.abspath(text)
    except (OSError, ValueError):  # the current directory is gone
        return text


def _text(value: Any) -> str | None:
    """A name or path as text: a ``str``, bytes or a ``pathlib.Path``; None for anything else."""
    if value is None or type(value) is str:
        return value
    try:
        return "".join([os.fsdecode(value)])  # an exact str, whatever class it was
    except Exception:  # noqa: BLE001 - of a foreign __fspath__: nothing is raised here
        return None
