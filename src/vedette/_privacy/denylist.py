"""Names whose values never leave the process (data-collection.md, A3; ruling 34).

There are three questions, since names of headers are chosen by protocols and names of variables by people:

- headers, cookies and query parameters: a term anywhere in the name counts, as the page demands: ``X-Author`` holds
  ``auth`` (DAT-24, DAT-27 to DAT-29);
- names of data (keys, fields): terms that occur in everyday words count as whole words only, so that ``author``,
  ``monkey``, ``inside`` and ``lesson`` stay readable while ``auth``, ``api_key``, ``apiKey`` and ``sid`` do not;
- names of variables: there, ``key`` and ``session`` alone say nothing (``for key in rates``); with a word such as
  ``api``, ``secret`` or ``id`` beside them they do.

A name such as ``X-Api-Key`` and its form ``HTTP_X_API_KEY`` are the same to the list; case never counts (DAT-25).
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

# Terms that everyday words contain: in names of data they count as words. What they are glued to in secrets' names
# counts anywhere.
_WORDS_ONLY = frozenset({"auth", "token", "key", "sso", "session", "sid", "identity"})
_GLUED_KEYS = ("apikey", "accesskey", "secretkey", "privatekey")
_GLUED = (*_GLUED_KEYS, "sessionid", "sessid", "authtoken", "accesstoken", "refreshtoken", "authoriz", "authent")

# In names of variables these two count only beside a word that makes a secret of them.
_VAGUE = frozenset({"key", "session"})
_TELLING = frozenset(
    {"api", "access", "secret", "private", "auth", "sign", "signing", "encryption", "master", "ssh", "aws", "license"}
    | {"client", "shared", "hmac", "service", "app", "session", "id", "token", "cookie", "data"}
)

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

    __slots__ = ("matches", "matches_header", "matches_part", "matches_variable")

    matches: Callable[[str], bool]
    """Whether the value under this name of data (an exact ``str``) must not leave."""

    matches_variable: Callable[[str], bool]
    """The same for the name of a variable."""

    matches_part: Callable[[str], bool]
    """The same for the name of a cookie or a query parameter: terms count anywhere in it (DAT-22, DAT-24, DAT-25)."""

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
        words = frozenset(terms) & _WORDS_ONLY
        anywhere = tuple(term for term in terms if term not in words) + (_GLUED if words else ())
        # The look-up itself is the method: a capture asks hundreds of times.
        self.matches = _Verdicts(anywhere, words).__getitem__
        self.matches_variable = _Verdicts(anywhere, words, vague=_VAGUE & words).__getitem__
        self.matches_part = _Verdicts(terms).__getitem__
        self.matches_header = _Verdicts(terms + pii_terms).__getitem__


class _Verdicts(dict[str, bool]):
    """Names and whether they match, found out when asked for the first time."""

    __slots__ = ("_anywhere", "_vague", "_words")

    def __init__(
        self, anywhere: tuple[str, ...], words: frozenset[str] = frozenset(), *, vague: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        self._anywhere = anywhere
        self._words = words
        self._vague = vague

    def __missing__(self, name: str) -> bool:
        verdict = self._judge(name)
        if len(name) <= LONGEST_REMEMBERED:
            if len(self) >= MAX_REMEMBERED:
                self.clear()
            self[name] = verdict
        return verdict

    def _judge(self, name: str) -> bool:
        folded = _folded(name)
        if folded in _COOKIE_HEADERS or any(term in folded for term in self._anywhere):
            return True
        if not self._words:
            return False
        words = _words_of(name)
        found = words & self._words
        if not found <= self._vague:
            return True
        return bool(found) and bool((words - found) & _TELLING or len(found) > 1)


def _words_of(name: str) -> frozenset[str]:
    """The words of a name in snake, kebab or camel case, in lower case, also without a plural's s.

    An acronym ends where a capital is followed by a small letter, ``DBToken``, or does not, ``KEYs``: both count.
    """
    text = acronyms = ""
    before = ""
    letters = name[:LONGEST_REMEMBERED]
    for index, letter in enumerate(letters):
        shown = letter if letter.isalpha() else " "
        starts = letter.isupper() and before.islower()
        ends_acronym = letter.isupper() and before.isupper() and letters[index + 1 : index + 2].islower()
        text += f" {shown}" if starts else shown
        acronyms += f" {shown}" if starts or ends_acronym else shown
        before = letter
    words = {*text.lower().split(), *acronyms.lower().split()}
    return frozenset(words) | {word[:-1] for word in words if word.endswith("s") and word != "tokens"}


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
