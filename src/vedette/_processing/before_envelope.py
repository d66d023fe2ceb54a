"""The hook ``before_envelope``: the last look at an outgoing envelope, after all other changes (HOOK-09).

Runs on the thread that sends, for every envelope, client reports included. Costs a look-up where nobody listens.
"""

from __future__ import annotations

from vedette._host import guests, log
from vedette._protocol import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._host.lifecycle import Lifecycle
    from vedette._protocol.envelope import Envelope, Item

NAME: Final = "before_envelope"


def show(envelope: Envelope, lifecycle: Lifecycle) -> None:
    """Let the callbacks change the envelope: its headers, its items, and the JSON of their payloads.

    What they made of it is sent; if it cannot be written any more, it goes as it was before (HOOK-64). No file of
    an attachment is read for that.
    """
    if not lifecycle.has(NAME):
        return
    headers = json.encode(envelope.headers)
    items = [_Before(item) for item in envelope.items]
    lifecycle.emit(NAME, envelope)
    try:
        for each in items:
            each.encode_again()
        _check(envelope)
    except Exception as error:  # whatever foreign code put in; said here, for no callback has raised
        if guests.is_control_flow(error):
            raise
        message = "a callback of %r left an envelope that cannot be sent; it goes as it was"
        log.warn_once(NAME, message, NAME, exc_info=True)
        envelope.headers = json.decode(headers)
        envelope.items = [each.restored() for each in items]


class _Before:
    """One item as it was: the item itself, for whoever asks later whether it went."""

    def __init__(self, item: Item) -> None:
        self._item = item
        self._headers = dict(item.headers)
        payload = self._payload = item.payload
        if payload.json is not None and payload.bytes is None:
            payload.bytes = json.encode(payload.json)
        self._bytes = payload.bytes

    def encode_again(self) -> None:
        """A change of the JSON counts, unless other bytes were put in its place."""
        payload = self._payload
        if payload.json is not None and payload.bytes is self._bytes:
            payload.bytes = json.encode(payload.json)

    def restored(self) -> Item:
        self._item.headers = self._headers
        self._item.payload = self._payload
        self._payload.bytes = self._bytes
        return self._item


def _check(envelope: Envelope) -> None:
    """Raises what is raised when the envelope cannot be written."""
    json.encode(envelope.headers)
    for item in envelope.items:
        payload: Any = item.payload
        if payload.is_file:
            json.encode(item.headers)
            payload.opened()
        else:
            item.serialize()
