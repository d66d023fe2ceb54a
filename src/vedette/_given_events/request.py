"""``user`` and ``request``: who asked for something, and what (EVT-60 to EVT-76)."""

from __future__ import annotations

from vedette._events.remarks import cut_remark, place_remark
from vedette._events.values import render_json
from vedette._given_events.faults import is_array, is_object, keep_counts, keep_texts, keep_type, scalar_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._events.settings import EventSettings
    from vedette._given_events.faults import Faults

AUTO: Final = "{{auto}}"
"""Asks the server to take the address of the connection."""

_HEX: Final = frozenset("0123456789abcdefABCDEF")
_GROUPS, _GROUP_DIGITS = 8, 4  # of IPv6
_PARTS, _LARGEST_PART = 4, 255  # of IPv4


def right_user(given: Any, faults: Faults, settings: EventSettings) -> dict[str, Any] | None:
    """The user, with an ``ip_address`` only if it is one, or may be ``{{auto}}`` (ruling 33)."""
    if not is_object(given):
        if given is not None:
            faults.note(("user",), "expected an object")
        return None
    user: dict[str, Any] = given
    keep_texts(user, ("username", "email", "name"), ("user",), faults)
    if "id" in user and type(user["id"]) not in {str, int}:
        keep_texts(user, ("id",), ("user",), faults)
    keep_type(dict, user, ("geo", "data"), ("user",), faults)
    if "ip_address" in user:
        text = scalar_text(user.pop("ip_address"))
        if text == AUTO:
            if settings.auto_ip_address:
                user["ip_address"] = AUTO
        elif text is not None:
            address = _address_in(text)
            if address is not None:
                user["ip_address"] = address
            else:
                faults.note(("user", "ip_address"), "expected an IP address")
    return user


def _address_in(text: str) -> str | None:
    """The address in ``1.2.3.4``, ``1.2.3.4:80``, ``::1``, ``[::1]:80`` or ``fe80::1%eth0``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    text = text.partition("%")[0]
    return text if _is_ipv4(text) or _is_ipv6(text) else None


def _is_ipv4(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == _PARTS and all(
        part.isdecimal() and part.isascii() and len(part) <= 3 and str(int(part)) == part and int(part) <= _LARGEST_PART  # noqa: PLR2004 - 255 has three digits
        for part in parts
    )


def _is_ipv6(text: str) -> bool:
    if text.count("::") > 1 or ":::" in text:
        return False
    left, shortened, right = text.partition("::")
    groups = [*(left.split(":") if left else ()), *(right.split(":") if right else ())]
    if groups and _is_ipv4(groups[-1]):
        groups[-1:] = ["0", "0"]
    if not all(0 < len(group) <= _GROUP_DIGITS and _HEX.issuperset(group) for group in groups):
        return False
    return len(groups) < _GROUPS if shortened else len(groups) == _GROUPS


MAX_BODY: Final = 8192
"""Bytes that the structure of a body may take (errors.md, limits); a text may have the characters of any text."""

_PAIR: Final = 2  # name and value
_LONGEST_METHOD: Final = 32


def right_request(given: Any, faults: Faults, settings: EventSettings) -> dict[str, Any] | None:
    """The request with its parts in one of the forms that servers know."""
    if not is_object(given):
        if given is not None:
            faults.note(("request",), "expected an object")
        return None
    request: dict[str, Any] = given
    keep_texts(request, ("url", "fragment", "api_target", "protocol"), ("request",), faults)
    keep_counts(request, ("body_size",), ("request",), faults)
    keep_type(dict, request, ("env",), ("request",), faults)
    _put_method_right(request, faults)
    for name in ("query_string", "cookies"):
        if name in request:
            pairs = _pairs(request.pop(name))
            if name == "cookies" and type(pairs) is str:
                pairs = _cookies(pairs, faults)
            if pairs is not None:
                request[name] = pairs
            else:
                faults.note(("request", name), "expected text, an object or pairs")
    if "headers" in request:
        request["headers"] = _merged(_pairs(request["headers"]))
    body: Any = request.get("data")
    if type(body) in {dict, list}:
        trimmed = render_json(body, settings, max_bytes=MAX_BODY)
        if trimmed != body:
            request["data"] = trimmed
            place_remark(faults.meta, ("request", "data"), cut_remark(len(body)))
    return request


def _put_method_right(request: dict[str, Any], faults: Faults) -> None:
    if "method" not in request:
        return
    method = request.pop("method")
    if type(method) is str and 0 < len(method) <= _LONGEST_METHOD and method.replace("-", "").isalpha():
        request["method"] = method.upper()
    elif method is not None:
        faults.note(("request", "method"), "expected the name of a method")


def _pairs(given: Any) -> Any:
    """Text as it is, an object of texts, or pairs where names repeat (EVT-64, EVT-65); None for anything else."""
    if type(given) is str:
        return given
    if is_object(given):
        if not any(is_array(value) for value in given.values()):
            return {name: _text(value) for name, value in given.items()}
        given = [[name, each] for name, value in given.items() for each in (value if is_array(value) else [value])]
    if is_array(given):
        return [[_text(pair[0]), _text(pair[1])] for pair in given if is_array(pair) and len(pair) == _PAIR]
    return None


def _cookies(text: str, faults: Faults) -> str:
    """Those with a name and a ``=``: servers refuse all of them for one that has none."""
    given = [each.strip() for each in text.split(";") if each.strip()]
    kept = [each for each in given if each.find("=") > 0]
    if len(kept) < len(given):
        faults.note(("request", "cookies"), "expected name=value; name=value")
    return "; ".join(kept)


def _text(value: Any) -> str:
    text = scalar_text(value)
    return text if text is not None else "" if value is None else str(value)  # exact built-ins, whose str is theirs


def _merged(headers: Any) -> dict[str, str]:
    """Headers that occur more than once are one (EVT-67)."""
    pairs: Any = headers.items() if is_object(headers) else headers if is_array(headers) else ()
    spelled: dict[str, str] = {}
    merged: dict[str, str] = {}
    for name, value in pairs:
        folded = name.lower()
        first = spelled.setdefault(folded, name)
        if first in merged:
            merged[first] += ("; " if folded == "cookie" else ", ") + value
        else:
            merged[first] = value
    return merged
