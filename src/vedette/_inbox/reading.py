"""Bytes to envelope, for a receiver that would rather show a broken envelope than lose it.

More tolerant than ``vedette._protocol.envelope``, which tells a sender's developer what is wrong: here each
departure becomes a remark on the event's page. Refused is only what cannot be cut into items: a header line
that is no JSON object, a payload cut short, bytes after a payload that belong to nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from vedette._inbox import lenient_json
from vedette._inbox.lenient_json import is_dict
from vedette._inbox.limits import MAX_HEADER, MAX_ITEMS, Refused

_NEWLINE = 0x0A
_SAYS_SOMETHING = re.compile(rb"\S")
_SHOWN = 80  # bytes of a broken line shown in a refusal


@dataclass(frozen=True, slots=True)
class ReadItem:
    """An item of an envelope: its header, and where in the body its payload lies."""

    type: str
    headers: dict[str, Any]
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class ReadEnvelope:
    """An envelope's header, its items in order, and what was put up with."""

    headers: dict[str, Any]
    items: list[ReadItem]
    remarks: list[str]


def read_envelope(body: bytes | bytearray) -> ReadEnvelope:
    """Cut an envelope into its items.

    Raises ``Refused``: 400 ``malformed`` with the place of the fault, 413 ``too_many_items``, ``header_too_large``.
    """
    return _Reader(body).read()


class _Reader:
    def __init__(self, body: bytes | bytearray) -> None:
        self._body = body
        self._position = 0
        self._remarks: list[str] = []

    def read(self) -> ReadEnvelope:
        self._skip_blank_lines()
        headers = self._header("envelope header")
        items: list[ReadItem] = []
        while self._skip_blank_lines():
            if len(items) == MAX_ITEMS:
                raise Refused(413, "too_many_items", f"more than {MAX_ITEMS} items in one envelope")
            items.append(self._item(len(items) + 1))
        return ReadEnvelope(headers, items, self._remarks)

    def _remark(self, text: str) -> None:
        if text not in self._remarks:
            self._remarks.append(text)

    def _skip_blank_lines(self) -> bool:
        """Go to the next line that says something; False at the end."""
        said = _SAYS_SOMETHING.search(self._body, self._position)  # in one go: a body may be blank lines only
        if said is None:
            if self._position < len(self._body):
                self._remark("blank lines between or after the items")
                self._position = len(self._body)
            return False
        start = self._body.rfind(b"\n", self._position, said.start()) + 1
        if start > self._position:
            self._remark("blank lines between or after the items")
            self._position = start
        return True

    def _line_end(self) -> int:
        end = self._body.find(b"\n", self._position)
        return len(self._body) if end < 0 else end

    def _header(self, what: str) -> dict[str, Any]:
        start, end = self._position, self._line_end()
        if end - start > MAX_HEADER:
            raise Refused(413, "header_too_large", f"{what} has {end - start} bytes: the limit is {MAX_HEADER}")
        line = bytes(self._body[start:end])
        if line.endswith(b"\r"):
            self._remark("CRLF line ends")
        try:
            value, remarks = lenient_json.decode(line)
        except lenient_json.NotJsonError as error:
            shown = ascii(line[:_SHOWN])[1:]
            raise self._malformed(f"{what} is no JSON: {shown}", start, str(error)) from None
        if not is_dict(value):
            raise self._malformed(f"{what} is no JSON object: {ascii(line[:_SHOWN])[1:]}", start)
        for remark in remarks:
            self._remark(f"{what}: {remark}")
        self._position = min(end + 1, len(self._body))
        return value

    def _item(self, number: int) -> ReadItem:
        what = f"header of item {number}"
        headers = self._header(what)
        kind = headers.get("type")
        if not isinstance(kind, str):
            self._remark(f"{what} has no type")
            kind = ""
        length = self._length(headers, what)
        start = self._position
        if length is None:
            end = self._line_end()
            size = end - start
            if self._body[end - 1 : end] == b"\r" and size:
                self._remark("CRLF line ends")
            self._position = min(end + 1, len(self._body))
        else:
            size = length
            self._position = self._after_payload(start, length, number)
        return ReadItem(kind[:100], headers, start, size)

    def _length(self, headers: dict[str, Any], what: str) -> int | None:
        length: object = headers.get("length")
        if length is None:
            return None
        if isinstance(length, str) and length.isascii() and length.isdigit() and len(length) < 20:  # noqa: PLR2004 - digits of a 64-bit number
            self._remark(f"{what}: length is a text")
            return int(length)
        if isinstance(length, float) and length.is_integer() and length >= 0:
            self._remark(f"{what}: length is no integer")
            return int(length)
        if type(length) is int and length >= 0:
            return length
        self._remark(f"{what}: length is no size: {ascii(length)[:_SHOWN]}, the payload was read up to the line's end")
        return None

    def _after_payload(self, start: int, length: int, number: int) -> int:
        """Where the next item begins; the bytes there must be a newline or the end."""
        body, end = self._body, start + length
        if end > len(body):
            due = f"length {length}, but only {len(body) - start} bytes are left"
            raise self._malformed(f"payload of item {number} is cut short: {due}", start)
        if end == len(body):
            return end
        if body[end] == _NEWLINE:
            return end + 1
        if body[end : end + 2] == b"\r\n":
            self._remark("CRLF line ends")
            return end + 2
        found = ascii(bytes(body[end : end + 20]))[1:]
        raise self._malformed(f"after the {length} bytes of item {number} a newline is due, found {found}", end)

    def _malformed(self, detail: str, position: int, *causes: str) -> Refused:
        return Refused(400, "malformed", f"malformed envelope at byte {position}: {detail}", causes)
