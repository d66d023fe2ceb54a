"""JSON on the wire: always valid, strict, UTF-8.

Servers choke on NaN, Infinity and lone surrogates (measured: one answered 500 when asked for the
event later), so they never leave: ``null`` and U+FFFD stand in their place.

``msgspec`` does the work; it is imported at the first use or by ``ensure_imported``. The standard library's
``json`` steps in where msgspec cannot be imported (subinterpreters), and for texts that others wrote loosely.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

# The str() of longer integers is refused by CPython from 3.11 on (4 300 digits); they become hex text.
_MAX_INT_BITS = 14_000

_imported = False


def _import_and_encode(value: Any) -> bytes:
    ensure_imported()
    return _encode(value)


def _import_and_decode(data: bytes) -> Any:
    ensure_imported()
    return _decode(data)


_encode: Callable[[Any], bytes] = _import_and_encode
_decode: Callable[[bytes], Any] = _import_and_decode


def ensure_imported() -> None:
    """Import what encoding and decoding need, now. Idempotent; any thread may call it."""
    global _encode, _decode, _imported  # noqa: PLW0603 - decided once a process
    if _imported:
        return
    try:
        import msgspec  # noqa: PLC0415 - 13 ms that only the sender pays
    except ImportError:
        _encode, _decode = _encode_with_json, _decode_loosely
    else:
        _encode, _decode = msgspec.json.Encoder().encode, msgspec.json.Decoder().decode
    _imported = True


def encode(value: Any) -> bytes:
    """Compact JSON of built-in values.

    NaN and infinities become ``null``, lone surrogates U+FFFD, integers of more than 4 000 digits hex text,
    and keys that are no strings the text that JSON has for them. Raises TypeError for what has no JSON form,
    RecursionError for what is nested too deeply.
    """
    try:
        return _encode(value)
    except (TypeError, ValueError):  # a UnicodeEncodeError is a ValueError
        return _encode(_cleaned(value))


def decode(data: bytes) -> Any:
    """The value of a JSON text. Raises ValueError.

    Reads what others send, too: escaped lone surrogates (JavaScript writes them) come out as U+FFFD, and NaN
    or a number out of a float's range as None.
    """
    try:
        try:
            return _decode(data)
        except ValueError:
            return _decode_loosely(data)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def _encode_with_json(value: Any) -> bytes:
    import json  # noqa: PLC0415 - only where msgspec is missing

    # Not tried as it is first: json.dumps neither maps NaN to null nor refuses lone surrogates.
    text = json.dumps(_cleaned(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _decode_loosely(data: bytes) -> Any:
    import json  # noqa: PLC0415 - rare

    return _cleaned(json.loads(data.decode(), parse_constant=lambda _: None))


def _cleaned(value: Any) -> Any:
    """A copy that any strict encoder takes. What is of no JSON type is left for the encoder to judge."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _cleaned_text(value)
    if isinstance(value, int):
        return int.__int__(value) if value.bit_length() <= _MAX_INT_BITS else hex(value)
    if isinstance(value, float):
        return float.__float__(value) if value - value == 0 else None
    container = value
    if isinstance(value, dict):
        return {_key(key): _cleaned(item) for key, item in container.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in container]
    return value


def _cleaned_text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        # By way of UTF-16 two surrogates that belong together become the one character they stand for.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return str.__str__(text)


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _cleaned_text(key)
    if key is None or key is True or key is False:
        return {None: "null", True: "true", False: "false"}[key]
    if isinstance(key, (int, float)):
        return str(_cleaned(key))
    raise TypeError(f"{type(key).__name__} cannot be the key of a JSON object")
