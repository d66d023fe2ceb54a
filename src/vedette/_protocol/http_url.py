"""Whether a text is a URL that one can connect to: for proxies and other servers than the DSN's."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_MAX_PORT = 65535


def is_http_url(text: str, schemes: Collection[str] = ("http", "https")) -> bool:
    """Whether this has the form ``http://user:password@host:port/...``, user, port and all behind being optional.

    ``schemes``, in lower case, may name others that have the same form.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in schemes or not text.isprintable() or " " in text:
        return False
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    netloc = rest.rpartition("@")[2]
    if netloc.startswith("["):
        host, bracket, after = netloc[1:].partition("]")
        if not bracket or not set(host) <= set("0123456789abcdefABCDEF:.%") or after[:1] not in ("", ":"):
            return False
        port = after[1:]
    else:
        host, _, port = netloc.partition(":")
        if not host.isascii() or not all(letter.isalnum() or letter in "-._" for letter in host):
            return False
    return bool(host) and (not port or _is_port(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT)) and 1 <= int(text) <= _MAX_PORT
