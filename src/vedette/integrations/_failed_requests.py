"""Requests that were answered with an error, captured as events (INT-47 to INT-68): only if the program asks for it.

The client did not raise, so an exception is made up, with the stack of whoever sent the request.
"""

from __future__ import annotations

import os
import re
import sys
from types import TracebackType

from vedette.utils import event_from_exception

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import FrameType
    from typing import Any, Final

    from vedette.integrations._http_client import Outgoing, Targets

    Headers = Iterable[tuple[str, str]]

__all__ = ["FailedRequests", "HttpClientError"]

_MOST_FRAMES: Final = 250
_OURS: Final = os.path.join(os.path.dirname(__file__), "")
_FILTERED: Final = "[Filtered]"
_COOKIES: Final = frozenset({"cookie", "set-cookie"})


class HttpClientError(Exception):
    """Stands in an event for an answer that was an error. Nobody raises it."""


class FailedRequests:
    """Which answers are captured, and how.

    Args:
        status_codes: The codes of failures.
        targets: Regular expressions; one must be found in the URL.

    Raises: ValueError or TypeError for what is no regular expression.
    """

    def __init__(self, status_codes: frozenset[int], targets: Targets) -> None:
        self._statuses = status_codes
        self._targets = [_pattern(each) for each in _listed(targets)]

    def capture(
        self,
        client: Any,
        request: Outgoing,
        status: int,
        mechanism_type: str,
        *,
        request_headers: Headers,
        response_headers: Headers,
        response_size: int | None,
        hint: Mapping[str, Any],
    ) -> None:
        """Capture this answer if it is one of those that were asked for.

        ``mechanism_type`` names the client that was used; ``hint`` holds its ``request`` and ``response``, for
        ``before_send`` (INT-67).
        """
        if status not in self._statuses:
            return
        url = f"{request.url}?{request.query}" if request.query else request.url
        if not any(target.search(url) for target in self._targets):
            return
        error = HttpClientError(f"HTTP Client Error with status code: {status}")
        error.__traceback__ = _stack()
        try:
            event: Any
            event, found = event_from_exception(error, mechanism={"type": mechanism_type, "handled": True})
            for value in event["exception"]["values"]:
                if "stacktrace" in value:
                    value["stacktrace"]["snapshot"] = True
            event["request"] = _request(client.policy, request, request_headers)
            event["contexts"] = {"response": _response(client.policy, status, response_headers, response_size)}
            client.capture_event(event, {**found, **hint})
        finally:
            error.__traceback__ = None  # it holds the frames, and these hold it


def _listed(targets: Any) -> list[Any]:
    if isinstance(targets, (str, bytes)) or not hasattr(targets, "__iter__"):
        raise TypeError(f"failed_request_targets: a list is needed, such as [{targets!r}], got {targets!r}")
    return list(targets)


def _pattern(target: Any) -> re.Pattern[str]:
    if not isinstance(getattr(target, "pattern", target), str):  # of bytes, it finds nothing in a URL
        raise TypeError(
            f"failed_request_targets: a target is a regular expression as str or re.Pattern, got {target!r}"
        )
    try:
        pattern: re.Pattern[str] = re.compile(target)  # of a pattern, the pattern itself
    except re.error as error:
        message = f"failed_request_targets: {target!r} is no regular expression ({error}); use re.escape for a text"
        raise ValueError(message) from None
    return pattern


def _stack() -> TracebackType | None:
    """The stack of here, without vedette's own frames, as if something had been raised through it."""
    stack: TracebackType | None = None
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as `inspect` does
    left = _MOST_FRAMES
    while frame is not None and left:
        if not frame.f_code.co_filename.startswith(_OURS):
            stack = TracebackType(stack, frame, frame.f_lasti, frame.f_lineno or frame.f_code.co_firstlineno)
            left -= 1
        frame = frame.f_back
    return stack


def _request(policy: Any, request: Outgoing, headers: Headers) -> dict[str, Any]:
    pairs = list(headers)
    made: dict[str, Any] = {"method": request.method, "url": request.url}
    query = policy.query(request.query) if request.query else None
    if query is not None:
        made["query_string"] = query
    _add_headers(made, policy, pairs, response=False)
    cookies = "; ".join(value for name, value in pairs if name.lower() == "cookie")
    _add_cookies(made, policy, cookies)
    return made


def _response(policy: Any, status: int, headers: Headers, size: int | None) -> dict[str, Any]:
    pairs = list(headers)
    made: dict[str, Any] = {"type": "response", "status_code": status}
    if size is not None:
        made["body_size"] = size
    _add_headers(made, policy, pairs, response=True)
    cookies = "; ".join(value.partition(";")[0] for name, value in pairs if name.lower() == "set-cookie")
    _add_cookies(made, policy, cookies)
    return made


def _add_headers(made: dict[str, Any], policy: Any, pairs: list[tuple[str, str]], *, response: bool) -> None:
    """A cookie's header is named even where cookies are not collected (INT-59)."""
    kept: dict[str, str] | None = policy.headers(pairs, response=response)
    if kept is None:
        return
    for name, _ in pairs:
        if name.lower() in _COOKIES and name not in kept:
            kept[name] = _FILTERED
    made["headers"] = kept


def _add_cookies(made: dict[str, Any], policy: Any, cookies: str) -> None:
    kept = policy.cookies(cookies) if cookies else None
    if kept is not None:
        made["cookies"] = kept
