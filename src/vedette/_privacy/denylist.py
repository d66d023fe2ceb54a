"""Names whose values never leave the process (data-collection.md, A3; ruling 34).

Matching is by substring, whatever the case, as the page demands: ``author`` matches ``auth``. A name such as
``X-Api-Key`` and its form ``HTTP_X_API_KEY`` are the same to the list.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
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

MAX_REMEMBERED: Final = 4096
LONGEST_REMEMBERED: Final = 128  # characters; bounds the memory of what is remembered


class DenyList:
    """Which names are deny-listed.

    Args:
        names: Terms that are filtered wherever they are part of a name.
        pii_names: Terms that are filtered in the names of headers and server variables,
            unless ``send_default_pii`` is true.
        send_default_pii: The option of this name.

    Safe to share between threads: what it remembers is only ever added to or emptied.
    """

    __slots__ = ("matches", "matches_header")

    matches: Callable[[str], bool]
    """Whether the value under this name (an exact ``str``) must not leave (DAT-22, DAT-24, DAT-25)."""

    matches_header: Callable[[str], bool]
    """The same for the name of a header or a server variable, where the extended terms count as well."""

    def __init__(
        self,
        names: Iterable[str] = DEFAULT_DENYLIST,
        pii_names: Iterable[str] = DEFAULT_PII_DENYLIST,
        send_default_pii: bool = False,  # noqa: FBT001, FBT002 - the option's own name says what it is
    ) -> None:
        terms = tuple(_folded(name) for name in names if name)
        pii_terms = () if send_default_pii else tuple(_folded(name) for name in pii_names if name)
        # The look-up itself is the method: a capture asks hundreds of times.
        self.matches = _Verdicts(terms).__getitem__
        self.matches_header = _Verdicts(terms + pii_terms).__getitem__


class _Verdicts(dict[str, bool]):
    """Names and whether they match, found out when asked for the first time."""

    __slots__ = ("_terms",)

    def __init__(self, terms: tuple[str, ...]) -> None:
        super().__init__()
        self._terms = terms

    def __missing__(self, name: str) -> bool:
        folded = _folded(name)
        verdict = folded in _COOKIE_HEADERS or any(term in folded for term in self._terms)
        if len(name) <= LONGEST_REMEMBERED:
            if len(self) >= MAX_REMEMBERED:
                self.clear()
            self[name] = verdict
        return verdict


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
