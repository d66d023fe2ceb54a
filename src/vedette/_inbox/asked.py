"""What a request to a reading or deleting route asks for: a page of a list, a number, a change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vedette._inbox.access import check_change
from vedette._inbox.limits import MAX_PAGE, Refused

if TYPE_CHECKING:
    from starlette.requests import Request

PER_PAGE: Final = 50
_MAX_DIGITS: Final = 18  # of a number in a URL: fits SQLite


def page_of(request: Request) -> tuple[int, int | None]:
    """``limit`` and ``before`` of a list. Raises ``Refused`` (400) for what is no number."""
    limit = number_in_query(request, "limit")
    return min(PER_PAGE if limit is None else limit, MAX_PAGE), number_in_query(request, "before")


def number_in_query(request: Request, name: str) -> int | None:
    """A number of 1 or more, or None if it is not given. Raises ``Refused`` (400) for anything else."""
    given = request.query_params.get(name)
    if given is None:
        return None
    number = number_in(given)
    if not number:
        raise Refused(400, "bad_parameter", f"{name} must be a number of 1 or more, got {given[:40]!a}")
    return number


def number_in_path(request: Request, name: str) -> int:
    """The number in that place of the path; 0, which nothing has, for what is none."""
    return number_in(request.path_params[name])


def check_own_change(request: Request) -> None:
    """Raises ``Refused`` (403) if another site's page asks for a change."""
    url = request.url
    check_change(request.headers, f"{url.scheme}://{url.netloc}")


def number_in(text: str) -> int:
    """The number that this is; 0, which nothing has, for what is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else 0


def not_there(what: str) -> Refused:
    """For a number or an id that nothing has: a 404."""
    return Refused(404, "not_found", f"there is no such {what}: never arrived, removed by retention, or deleted")
