"""``request``: the HTTP request that was served (EVT-60 to EVT-69)."""

from __future__ import annotations

from vedette._events.remarks import cut_remark, place_remark
from vedette._events.values import render_json
from vedette._given_events.faults import is_array, is_object, keep_counts, keep_texts, keep_type, scalar_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from vedette._events.settings import EventSettings
    from vedette._given_events.faults import Faults

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
