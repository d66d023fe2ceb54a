"""Who may talk to the inbox: names it answers to, origins of pages, keys of senders, the readers' token."""

from __future__ import annotations

import ipaddress
import re
import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from vedette._inbox.limits import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_AUTH_KEY: Final = re.compile(r"(?:^|[\s,])sentry_key=([^\s,]+)")
TOKEN_COOKIE: Final = "vedette_inbox_token"  # noqa: S105 - a name, no password


class Hosts:
    """The names under which the inbox may be called: loopback ones, and those that were allowed.

    A page of another site whose name was made to resolve to 127.0.0.1 (DNS rebinding) calls by its own name.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(name.lower().strip("[]") for name in allowed)

    def check_host(self, header: str) -> None:
        """Raises ``Refused`` (400) unless the Host header names us."""
        name = _host_name(header)
        if name is None or not self._is_ours(name):
            fix = f": start the inbox with --allow-host {name}" if name and name.isascii() else ""
            raise Refused(400, "foreign_host", f"the Host {header[:100]!a} is not allowed{fix}")

    def check_origin(self, headers: Mapping[str, str]) -> str:
        """The Origin of the page that sends, or empty. Raises ``Refused`` (403) for a foreign one."""
        origin = headers.get("origin", "")
        if origin and not self._is_ours(_origin_name(origin) or ""):
            raise Refused(403, "foreign_origin", f"web pages of {origin[:100]!a} may not send here")
        return origin

    def _is_ours(self, name: str) -> bool:
        return name in self._allowed or is_loopback(name)


def is_loopback(name: str) -> bool:
    """Whether a host name or address means this machine, whatever a name server says."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def check_change(headers: Mapping[str, str], own_origin: str) -> None:
    """Raises ``Refused`` (403) if another site's page asks for a change. Callers without a page pass."""
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site == "same-origin" or origin == own_origin or (site is None and origin is None):
        return
    raise Refused(403, "foreign_origin", "only the inbox's own pages may change something")


def key_in_request(headers: Mapping[str, str], query: Mapping[str, str]) -> str:
    """The public key in ``X-Sentry-Auth`` (or ``Authorization``) or ``?sentry_key=``; empty without one."""
    for name in ("x-sentry-auth", "authorization"):
        found = _AUTH_KEY.search(headers.get(name, ""))
        if found:
            return found.group(1)
    return query.get("sentry_key", "")


def key_and_project(dsn: object) -> tuple[str, str]:
    """The public key and the project of an envelope's ``dsn`` header, empty where there is none."""
    if not isinstance(dsn, str) or len(dsn) > 2048:  # noqa: PLR2004 - no DSN is that long
        return "", ""
    try:
        parts = urlsplit(dsn)
    except ValueError:
        return "", ""
    project = parts.path.rpartition("/")[2]
    return parts.username or "", project if is_project(project) else ""


def is_project(text: str) -> bool:
    """Whether that may be a project's number."""
    return text.isascii() and text.isdigit() and len(text) <= 20  # noqa: PLR2004 - digits of a 64-bit number


def check_project(text: str) -> None:
    """Raises ``Refused`` (404) for what is no project; ``/stream`` has none, which is fine."""
    if text and not is_project(text):
        raise Refused(404, "bad_project", f"a project is a number, not {text[:40]!a}")


def check_key(found: str, wanted: str | None, *, required: bool = True) -> None:
    """Raises ``Refused`` (403) without a key, or with another one than ``--key`` asks for."""
    if wanted is not None and not secrets.compare_digest(found.encode(), wanted.encode()):
        raise Refused(403, "wrong_key", "this inbox takes one key only (--key), and it was another one or missing")
    if required and not found:
        raise Refused(403, "no_key", "no key: send X-Sentry-Auth, ?sentry_key= or the envelope header dsn")


def has_token(headers: Mapping[str, str], query: Mapping[str, str], cookies: Mapping[str, str], token: str) -> bool:
    """Whether a reader brings the token: ``?token=``, as bearer, or as the cookie that ``/?token=`` sets."""
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    given = (query.get("token", ""), bearer, cookies.get(TOKEN_COOKIE, ""))
    return any(secrets.compare_digest(one.encode(), token.encode()) for one in given)


def _host_name(header: str) -> str | None:
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]/@\s]+)(?::\d*)?", header)
    return found.group(1).strip("[]").lower() if found else None


def _origin_name(origin: str) -> str | None:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return None
    return parts.hostname if parts.scheme in {"http", "https"} else None
