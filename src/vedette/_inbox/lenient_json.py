r"""JSON from senders that get it wrong: everything Python's own encoder can be made to write is read.

What comes out can be stored, searched and encoded again: no NaN, no infinity, no lone surrogates. They are
written out as text (``"NaN"``, ``"\ud800"``), and the remarks say so.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeGuard

import msgspec

from vedette._inbox.limits import MAX_DEPTH, Refused

_MAX_DIGITS: Final = 1000  # of an integer; Python refuses to convert some thousands

_decoder = msgspec.json.Decoder()


class NotJsonError(ValueError):
    """The bytes are no JSON, not even with an eye closed."""


def decode(data: bytes | bytearray | memoryview) -> tuple[Any, list[str]]:
    """The value and remarks on what was put up with.

    Raises NotJsonError, and ``Refused`` (400) for containers more than 200 deep.
    """
    try:
        value, remarks = _decoder.decode(data), list[str]()
    except (msgspec.DecodeError, UnicodeDecodeError):
        value, remarks = _decode_leniently(bytes(data))
    except RecursionError:
        raise _too_deep() from None
    if depth_exceeds(value, MAX_DEPTH):
        raise _too_deep()
    return value, remarks


def is_dict(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether a decoded value is a JSON object."""
    return type(value) is dict


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether a decoded value is a JSON array."""
    return type(value) is list


def depth_exceeds(value: object, limit: int) -> bool:
    """Whether containers stand more than ``limit`` deep inside each other. Without recursion."""
    level: list[object] = [value] if is_dict(value) or is_list(value) else []
    depth = 0
    while level:
        depth += 1
        if depth > limit:
            return True
        deeper: list[object] = []
        for container in level:
            children = container.values() if is_dict(container) else container
            deeper += [child for child in children if type(child) is dict or type(child) is list]  # type: ignore[attr-defined]
        level = deeper
    return False


def _too_deep() -> Refused:
    return Refused(400, "too_deep", f"JSON more than {MAX_DEPTH} levels deep")


def _decode_leniently(data: bytes) -> tuple[Any, list[str]]:
    remarks: list[str] = []

    def remark(text: str) -> None:
        if text not in remarks:
            remarks.append(text)

    def constant(name: str) -> str:
        remark(f"{name} isn't JSON: read as text")
        return name

    def real(digits: str) -> float | str:
        number = float(digits)
        if number - number == 0:
            return number
        remark("a number too large for JSON readers: read as text")
        return digits[:100]

    def integer(digits: str) -> int | str:
        if len(digits) <= _MAX_DIGITS:
            return int(digits)
        remark(f"an integer of more than {_MAX_DIGITS} digits: cut and read as text")
        return digits[:100] + "…"

    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("utf-8-sig", "replace")
        remark("invalid UTF-8: the bytes concerned were replaced by U+FFFD")
    try:
        value = json.loads(text, parse_constant=constant, parse_float=real, parse_int=integer, strict=False)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise NotJsonError(str(error)) from None
    if depth_exceeds(value, MAX_DEPTH):
        raise _too_deep()
    return _without_surrogates(value, remark), remarks


def _without_surrogates(value: Any, remark: Any) -> Any:
    """The value with lone surrogates written out. Recursive: the depth was checked before."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            remark("lone surrogates: written out")
            return value.encode("utf-8", "backslashreplace").decode()
        return value
    if is_dict(value):
        return {_without_surrogates(k, remark): _without_surrogates(v, remark) for k, v in value.items()}
    if is_list(value):
        return [_without_surrogates(child, remark) for child in value]
    return value
