"""Names whose values never leave the process (data-collection.md, A3; ruling 34).

Matching is by substring, whatever the case, as the page demands: ``author`` matches ``auth``. A name such as
``X-Api-Key`` and its form ``HTTP_X_API_KEY`` are the same to the list.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

FILTERED: Final = "[Filtered]"

DEFAULT_DENYLIST: Final = (
    "auth",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "key",
    "jwt",
    "bearer",
    "sso",
    "saml",
    "csrf",
    "xsrf",
    "credentials",
    "session",
    "sid",
    "identity",
)
"""The 17 sensitive terms (DAT-26): filtered wherever they are part of a name, whatever the options say."""

DEFAULT_PII_DENYLIST: Final = ("forwarded", "-ip", "remote-", "via", "-user")
"""The extended terms: in names of headers and server variables, filtered unless ``send_default_pii`` is set."""

# A raw cookie header is never sent (DAT-37); who can take it apart does so before asking `matches`.
_COOKIE_HEADERS = frozenset({"cookie", "set_cookie", "http_cookie"})

_MAX_REMEMBERED = 4096
_LONGEST_REMEMBERED = 128  # characters; bounds the memory of what is remembered


class DenyList:
    """Which names are deny-listed.

    Args:
        names: Terms that are filtered wherever they are part of a name.
        pii_names: Terms that are filtered in the names of headers and server variables,
            unless ``send_default_pii`` is true.
        send_default_pii: The option of this name.

    Safe to share between threads: what it remembers is only ever added to or emptied.
    """

    __slots__ = ("_headers", "_header_terms", "_names", "_terms")

    def __init__(
        self,
        names: Iterable[str] = DEFAULT_DENYLIST,
        pii_names: Iterable[str] = DEFAULT_PII_DENYLIST,
        send_default_pii: bool = False,  # noqa: FBT001, FBT002 - the option's own name says what it is
    ) -> None:
        self._terms = tuple(_folded(name) for name in names if name)
        pii_terms = () if send_default_pii else tuple(_folded(name) for name in pii_names if name)
        self._header_terms = self._terms + pii_terms
        self._names: dict[str, bool] = {}
        self._headers: dict[str, bool] = {}

    def matches(self, name: str) -> bool:
        """Whether the value under this name (an exact ``str``) must not leave (DAT-22, DAT-24, DAT-25)."""
        known = self._names.get(name)
        return _decide(name, self._terms, self._names) if known is None else known

    def matches_header(self, name: str) -> bool:
        """The same for the name of a header or a server variable, where the extended terms count as well."""
        known = self._headers.get(name)
        return _decide(name, self._header_terms, self._headers) if known is None else known


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")


def _decide(name: str, terms: tuple[str, ...], known: dict[str, bool]) -> bool:
    folded = _folded(name)
    verdict = folded in _COOKIE_HEADERS or any(term in folded for term in terms)
    if len(name) <= _LONGEST_REMEMBERED:
        if len(known) >= _MAX_REMEMBERED:
            known.clear()
        known[name] = verdict
    return verdict
