"""The envelope: a header line, then items of one header line and a payload each, a newline behind each part.

Written exactly (always with ``length``, one newline at the end, nothing behind it), because real servers lose
events over a blank line. Read tolerantly where the format leaves room (no ``length``, no last newline, items
and headers of unknown kinds), strictly where it does not.
"""

from __future__ import annotations

import io
import os

from vedette._protocol import json
from vedette._protocol.categories import DataCategory, category_of_item_type
from vedette._protocol.files import FilePart, content_type_of
from vedette._protocol.ids import read_uuid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, BinaryIO, Final, TypeAlias

    from vedette._protocol.types import Event

    Headers: TypeAlias = dict[str, Any]
    _Bytes: TypeAlias = bytes  # in PayloadRef, the name is the attribute's

EVENT_LIKE: Final = frozenset({"event", "transaction", "feedback"})
"""Item types of which an envelope holds at most one (ENV-61)."""
_RESERVED: Final = frozenset({"security", "unreal_report", "form_data"})
_LONGEST_NAME: Final = 255  # characters of a file's name; the end has the extension
_BYTES_TOO: Final[dict[DataCategory, DataCategory]] = {
    DataCategory.LOG_ITEM: DataCategory.LOG_BYTE,
    DataCategory.TRACE_METRIC: DataCategory.TRACE_METRIC_BYTE,
}


class EnvelopeError(ValueError):
    """Bytes that are no envelope, or an envelope that must not be written; the message says where and why."""

    __module__ = "vedette.envelope"  # where programs catch it from (ruling 53)


class UnreadableItemError(EnvelopeError):
    """The file of an item cannot be read, or not in full; the others may go without it (ENV-97)."""

    def __init__(self, item: Item, error: OSError) -> None:
        super().__init__(f"{item.headers.get('filename')!r} cannot be read: {error}")
        self.item = item


class PayloadRef:
    """What an item carries: bytes, a value to be encoded as JSON, or a file that is read when it is sent.

    ``file`` is set where vedette has looked at the file at ``path`` already: as it was then, it is sent.
    """

    __slots__ = ("bytes", "file", "json", "path")

    def __init__(
        self,
        bytes: bytes | None = None,  # noqa: A002 - the unified API's name
        path: bytes | str | None = None,
        json: Any | None = None,
    ) -> None:
        self.bytes: _Bytes | None = bytes
        self.path: _Bytes | str | None = path
        self.json: Any | None = json
        self.file: FilePart | None = None

    @property
    def is_file(self) -> bool:
        """Whether it has yet to be read."""
        return self.bytes is None and (self.file is not None or self.path is not None)

    def get_bytes(self) -> bytes:
        """The payload as it is sent. Raises OSError when the file cannot be read."""
        if self.bytes is not None:
            return self.bytes
        if self.file is not None:
            return b"".join(self.file.pieces())
        if self.path is not None:
            with open(self.path, "rb") as file:
                return file.read()
        return json.encode(self.json) if self.json is not None else b""

    def opened(self) -> tuple[int, Iterable[_bytes]]:
        """How many bytes the payload has, and them in pieces. Raises OSError at once, or with a later piece."""
        if not self.is_file:
            data = self.get_bytes()
            return len(data), (data,)
        part = self.file or FilePart.at(self.path or "")
        return part.size, part.pieces()

    def size(self) -> int:
        """How many bytes the payload has; 0 for a file that cannot be found. No file is read."""
        if not self.is_file:
            return len(self.get_bytes())
        if self.file is not None:
            return self.file.size
        try:
            return os.stat(self.path or "").st_size
        except (OSError, ValueError):
            return 0

    @property
    def inferred_content_type(self) -> str:
        """``application/json``, a guess by the file's name, or ``application/octet-stream``."""
        if self.json is not None:
            return "application/json"
        guess = content_type_of(_text_of(self.path)) if self.path is not None else None
        return guess or "application/octet-stream"

    def __reduce__(self) -> tuple[type[PayloadRef], tuple[Any, ...]]:
        if self.file is not None:
            return PayloadRef, (self.get_bytes(),)  # a descriptor is of this process
        return PayloadRef, (self.bytes, self.path, self.json)

    def __repr__(self) -> str:
        return f"<PayloadRef {self.inferred_content_type}>"


_bytes = bytes  # in the class, the name is the attribute's


class Item:
    """One item: headers and a payload. ``type`` may be any text; unknown ones are carried along (ENV-58).

    ``filename`` loses its folders (ENV-88).
    """

    __slots__ = ("headers", "payload")

    def __init__(
        self,
        payload: bytes | str | PayloadRef,
        headers: Headers | None = None,
        type: str | None = None,  # noqa: A002
        content_type: str | None = None,
        filename: str | None = None,
    ) -> None:
        if isinstance(payload, str):
            payload = payload.encode("utf-8", "replace")
        self.payload: PayloadRef = PayloadRef(bytes=payload) if isinstance(payload, bytes) else payload
        self.headers: Headers = dict(headers or {})
        if type is not None:
            self.headers["type"] = type
        if content_type is not None:
            self.headers["content_type"] = content_type
        if filename is not None:
            self.headers["filename"] = bare_name(filename)

    @property
    def type(self) -> str | None:
        """The item's type, as in its headers."""
        return self.headers.get("type")

    @property
    def data_category(self) -> DataCategory:
        """What the item counts as for rate limits and client reports."""
        return category_of_item_type(self.type or "")

    def quantities(self) -> list[tuple[DataCategory, int]]:
        """What client reports count when this item is lost (CR-29, CR-34 to CR-40); nothing for a report."""
        category = self.data_category
        if category is DataCategory.INTERNAL:
            return []
        if category is DataCategory.ATTACHMENT:
            return [(category, max(1, self.payload.size())), (DataCategory.ATTACHMENT_ITEM, 1)]
        if category is DataCategory.TRANSACTION:
            transaction = self.get_transaction_event()
            spans = transaction.get("spans") if transaction else None
            return [(category, 1), (DataCategory.SPAN, 1 + len(spans or ()))]
        count = self.headers.get("item_count", 1)
        lost: list[tuple[DataCategory, int]] = [(category, count if isinstance(count, int) else 1)]
        if category in _BYTES_TOO:
            lost.append((_BYTES_TOO[category], self.payload.size()))
        return lost

    def get_bytes(self) -> bytes:
        """The payload as it is sent."""
        return self.payload.get_bytes()

    def get_event(self) -> Event | None:
        """The event, if this is one of type ``event``."""
        return self._json() if self.type == "event" else None

    def get_transaction_event(self) -> Event | None:
        """The transaction, if this is one."""
        return self._json() if self.type == "transaction" else None

    def pieces(self) -> Iterator[bytes]:
        """The item with its ``length`` and a newline behind it, in pieces. Raises EnvelopeError, OSError."""
        if not isinstance(self.type, str) or not self.type:
            raise EnvelopeError("an envelope item needs a type")
        if self.type in _RESERVED:
            raise EnvelopeError(f"items of type {self.type!r} are reserved and never written")
        length, payload = self.payload.opened()
        yield json.encode({**self.headers, "length": length}) + b"\n"
        yield from payload
        yield b"\n"

    def serialize_into(self, f: BinaryIO) -> None:
        """Write the item with its ``length`` and a newline behind it. Raises EnvelopeError, OSError."""
        f.writelines(self.pieces())

    def serialize(self) -> bytes:
        """The item as bytes, as ``serialize_into`` writes it."""
        buffer = io.BytesIO()
        self.serialize_into(buffer)
        return buffer.getvalue()

    @classmethod
    def deserialize_from(cls, f: BinaryIO) -> Item | None:
        """Read the next item; None at the end of the data. Raises EnvelopeError."""
        line = f.readline()
        if not line:
            return None
        headers = _read_headers(line, "item")
        if not isinstance(headers.get("type"), str) or not headers["type"]:
            raise EnvelopeError("an item header has no 'type' that is a text")
        if "length" not in headers:
            if not line.endswith(b"\n"):
                raise EnvelopeError(f"the data ends behind an item header of type {headers['type']!r}")
            return cls(f.readline().removesuffix(b"\n"), headers=headers)
        return cls(_read_exactly(f, headers["length"], headers["type"]), headers=headers)

    @classmethod
    def deserialize(cls, bytes: bytes) -> Item | None:  # noqa: A002
        """Read one item from the beginning of these bytes; None if there are none. Raises EnvelopeError."""
        return cls.deserialize_from(io.BytesIO(bytes))

    def _json(self) -> Any:
        if self.payload.json is not None:
            return self.payload.json
        return json.decode(self.get_bytes())

    def __repr__(self) -> str:
        return f"<Item {self.headers!r}>"


class Envelope:
    """Headers and items that travel together. ``headers`` and ``items`` may be read and changed."""

    __slots__ = ("headers", "items")

    def __init__(self, headers: Headers | None = None, items: list[Item] | None = None) -> None:
        self.headers: Headers = dict(headers or {})
        self.items: list[Item] = list(items or ())

    @property
    def description(self) -> str:
        """For messages: what is in it."""
        return f"envelope with {len(self.items)} items ({', '.join(str(item.type) for item in self.items)})"

    @property
    def event_id(self) -> str | None:
        """The id in the headers, as 32 hex digits; None if there is none or it is no UUID."""
        return read_uuid(self.headers.get("event_id"))

    def add_event(self, event: Event) -> None:
        """Add an error or message event; its id goes into the envelope's headers (ENV-37, ENV-40)."""
        self._add_event_like("event", event)

    def add_transaction(self, transaction: Event) -> None:
        """Add a transaction; its id goes into the envelope's headers."""
        self._add_event_like("transaction", transaction)

    def add_profile(self, profile: Any) -> None:
        """Add the profile of this envelope's transaction."""
        self._add_json("profile", profile)

    def add_profile_chunk(self, profile_chunk: Any) -> None:
        """Add a chunk of a continuous profile; its platform is repeated in the item's headers (ENV-98)."""
        self._add_json("profile_chunk", profile_chunk, platform=profile_chunk.get("platform", "python"))

    def add_checkin(self, checkin: Any) -> None:
        """Add a check-in of a monitor."""
        self._add_json("check_in", checkin)

    def add_session(self, session: Any) -> None:
        """Add the update of one session."""
        self._add_json("session", session)

    def add_sessions(self, sessions: Any) -> None:
        """Add aggregated sessions."""
        self._add_json("sessions", sessions)

    def add_item(self, item: Item) -> None:
        """Add an item. Raises EnvelopeError for a second event, transaction or feedback (ENV-61)."""
        if item.type in EVENT_LIKE:
            for other in self.items:
                if other.type in EVENT_LIKE:
                    raise EnvelopeError(f"an envelope that holds a {other.type} cannot take a {item.type}")
        self.items.append(item)

    def get_event(self) -> Event | None:
        """The error or message event in it, if any."""
        return next((item.get_event() for item in self.items if item.type == "event"), None)

    def get_transaction_event(self) -> Event | None:
        """The transaction in it, if any."""
        return next((item.get_transaction_event() for item in self.items if item.type == "transaction"), None)

    def pieces(self) -> Iterator[bytes]:
        """The envelope in pieces, framed exactly (ENV-01 to ENV-08, ENV-49).

        Raises EnvelopeError; and UnreadableItemError for an item whose file cannot be read.
        """
        yield json.encode(self.headers) + b"\n"
        for item in self.items:
            try:
                yield from item.pieces()
            except OSError as error:
                raise UnreadableItemError(item, error) from error

    def serialize_into(self, f: BinaryIO) -> None:
        """Write the envelope, framed exactly. Raises EnvelopeError, and OSError where ``f`` cannot be written."""
        f.writelines(self.pieces())

    def serialize(self) -> bytes:
        """The envelope as bytes. Raises EnvelopeError."""
        buffer = io.BytesIO()
        self.serialize_into(buffer)
        return buffer.getvalue()

    @classmethod
    def deserialize_from(cls, f: BinaryIO) -> Envelope:
        """Read an envelope up to the end of the file. Raises EnvelopeError."""
        envelope = cls(headers=_read_headers(f.readline(), "envelope"))
        while (item := Item.deserialize_from(f)) is not None:
            envelope.items.append(item)
        return envelope

    @classmethod
    def deserialize(cls, bytes: bytes) -> Envelope:  # noqa: A002
        """Read an envelope. Raises EnvelopeError."""
        return cls.deserialize_from(io.BytesIO(bytes))

    def _add_event_like(self, item_type: str, event: Event) -> None:
        self._add_json(item_type, event)
        event_id = event.get("event_id")
        if event_id is not None:
            self.headers["event_id"] = event_id

    def _add_json(self, item_type: str, value: Any, **headers: Any) -> None:
        self.add_item(Item(PayloadRef(json=value), headers=headers, type=item_type))

    def __repr__(self) -> str:
        return f"<Envelope {self.headers!r}: {self.description}>"


def _read_headers(line: bytes, what: str) -> Headers:
    """A header line: one JSON object, no padding (ENV-17 to ENV-21), no key twice (ENV-34)."""
    import json as standard_json  # noqa: PLC0415 - of the JSON readers only this one shows keys that occur twice

    text = line.removesuffix(b"\n")
    if not (text.startswith(b"{") and text.endswith(b"}")):
        raise EnvelopeError(f"the {what} header is no line with a JSON object: {text[:80]!r}")
    try:
        headers: Headers = standard_json.loads(text.decode(), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise EnvelopeError(f"the {what} header is no JSON object: {error}") from None
    return headers


def _unique_keys(pairs: list[tuple[str, Any]]) -> Headers:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _read_exactly(f: BinaryIO, length: Any, item_type: str) -> bytes:
    if type(length) is not int or length < 0:
        raise EnvelopeError(f"the length of an item must be a number of bytes, got {length!r}")
    try:
        payload = f.read(length)
    except (OverflowError, MemoryError):
        payload = b""
    if len(payload) < length:
        raise EnvelopeError(f"an item of type {item_type!r} says it has {length} bytes, {len(payload)} are left")
    behind = f.read(1)
    if behind not in (b"", b"\n"):
        raise EnvelopeError(
            f"{length} bytes of an item of type {item_type!r} are followed by {behind!r}, not by a newline"
        )
    return payload


def bare_name(path: str) -> str:
    """The name of a file without its folders, of either kind of system (ENV-88, ATT-16)."""
    return path.replace("\\", "/").rpartition("/")[2].encode("utf-8", "replace").decode()[-_LONGEST_NAME:]


def _text_of(path: bytes | str) -> str:
    return path.decode("utf-8", "replace") if isinstance(path, bytes) else path
