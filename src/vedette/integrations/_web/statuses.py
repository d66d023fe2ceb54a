"""Which answers of an application count as failures (``failed_request_status_codes``)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["SERVER_ERRORS", "status_codes"]

SERVER_ERRORS: Final = frozenset(range(500, 600))


def status_codes(given: Any, integration: str) -> frozenset[int]:
    """A set of status codes from one, or from a list of codes and ranges; None: those of server errors.

    Raises: ValueError, naming the option, for anything else.
    """
    if given is None:
        return SERVER_ERRORS
    found: set[int] = set()
    try:
        for each in given:
            found.update([each] if type(each) is int else each)
    except TypeError:
        found = {0}
    if not all(type(each) is int and 100 <= each < 600 for each in found):  # noqa: PLR2004 - what HTTP has
        message = "is a set of status codes, such as {500, 503} or {*range(500, 600)}"
        raise ValueError(f"{integration}: failed_request_status_codes {message}, not {given!r}")
    return frozenset(found)
