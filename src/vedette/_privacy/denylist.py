"""Names whose values never leave the process (data-collection.md, A3; ruling 34).

There are three questions, since names of headers are chosen by protocols and names of variables by people:

- headers, cookies and query parameters: a term anywhere in the name counts, as the page demands: ``X-Author`` holds
  ``auth`` (DAT-24, DAT-27 to DAT-29);
- names of data (keys, fields): terms that occur in everyday words count as whole words only, so that ``author``,
  ``monkey``, ``inside`` and ``lesson`` stay readable while ``auth``, ``api_key``, ``apiKey`` and ``sid`` do not.
  The same holds for short terms of the program's own: ``ip`` is not meant to filter ``description``;
- names of variables: there, ``key`` and ``session`` alone say nothing (``for key in rates``); with a word such as
  ``api``, ``secret`` or ``id`` beside them they do.

A name such as ``X-Api-Key`` and its form ``HTTP_X_API_KEY`` are the same to the list, and so are ``tax_id``, ``tax.id``
and ``taxId``; case never counts (DAT-25), nor do full-width letters and invisible characters. Letters of other
alphabets that only look alike are other letters.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

FILTERED: Final = "[Filtered]"

SENSITIVE_TERMS: Final = (
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

EXTENDED_TERMS: Final = ("forwarded", "-ip", "remote-", "via", "-user")
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
    | {"account"}
)

# Up to this many letters, a term of the program's own is a word in names of data: `ip`, `ssn`, `iban`.
_SHORT_TERM: Final = 4

_SEPARATORS: Final = str.maketrans("-. ", "___")

MAX_REMEMBERED: Final = 4096
LONGEST_REMEMBERED: Final = 128  # characters; bounds the memory of what is remembered


class DenyList:
    """Which names are deny-listed.

    Args:
        names: Terms that are filtered wherever they are part of a name.
        pii_names: More terms, unless ``send_default_pii`` is true: the extended terms count in the names of headers
            and server variables, others in every name.
        send_default_pii: The option of this name.
        header_names: Terms that count in the names of headers alone.
        cookie_names: The same for cookies.
        query_names: The same for query parameters.
        hides_address: Whether the extended terms count in the names of server variables (``REMOTE_ADDR``); None: as
            ``send_default_pii`` says.

    Safe to share between threads: what it remembers is only ever added to or emptied.
    """

    __slots__ = (
        "_root_terms",
        "_roots",
        "clean",
        "clean_texts",
        "matches",
        "matches_cookie",
        "matches_header",
        "matches_part",
        "matches_query",
        "matches_server_variable",
        "matches_variable",
        "ordinary",
    )

    matches: Callable[[str], bool]
    """Whether the value under this name of data (an exact ``str``) must not leave."""

    matches_variable: Callable[[str], bool]
    """The same for the name of a variable."""

    matches_part: Callable[[str], bool]
    """The same where a term counts anywhere in a name (DAT-22, DAT-24, DAT-25)."""

    matches_cookie: Callable[[str], bool]
    """The same for the name of a cookie."""

    matches_query: Callable[[str], bool]
    """The same for the name of a query parameter."""

    matches_header: Callable[[str], bool]
    """The same for the name of a header, where the extended terms may count as well."""

    matches_server_variable: Callable[[str], bool]
    """The same for the name of a server variable, such as those of WSGI."""

    ordinary: dict[Callable[[str], bool], set[str]]
    """Names that the last look has found nothing to do for, by which of the above it asked; bounded, as these are."""

    clean_texts: set[str]
    """Names of files, modules and functions in which the last look has found nothing to hide; bounded, as above."""

    clean: dict[str, Any]
    """Facts of the process in which the last look has found nothing to hide, by the name under which they stand."""

    def __init__(
        self,
        names: Iterable[str] = SENSITIVE_TERMS,
        pii_names: Iterable[str] = EXTENDED_TERMS,
        send_default_pii: bool = False,  # noqa: FBT001, FBT002 - the option's own name says what it is
        *,
        header_names: Iterable[str] = (),
        cookie_names: Iterable[str] = (),
        query_names: Iterable[str] = (),
        hides_address: bool | None = None,
    ) -> None:
        pii_names = tuple(pii_names)
        extended = tuple(folded(name) for name in pii_names if name in EXTENDED_TERMS)
        own_pii = () if send_default_pii else tuple(name for name in pii_names if name not in EXTENDED_TERMS)
        terms = tuple(folded(name) for name in (*names, *own_pii) if name)
        words = frozenset(term for term in terms if _is_word(term))
        anywhere = tuple(term for term in terms if term not in words) + (_GLUED if words & _WORDS_ONLY else ())
        in_headers = terms + _folded_all(header_names) + (() if send_default_pii else extended)
        in_variables = terms + (extended if (hides_address is None and not send_default_pii) or hides_address else ())
        # The look-up itself is the method: a capture asks hundreds of times.
        self.matches = _Verdicts(anywhere, words).__getitem__
        self.matches_variable = _Verdicts(anywhere, words, vague=_VAGUE & words).__getitem__
        self.matches_part = _Verdicts(terms).__getitem__
        self.matches_cookie = _Verdicts(terms + _folded_all(cookie_names)).__getitem__
        self.matches_query = _Verdicts(terms + _folded_all(query_names)).__getitem__
        self.matches_header = _Verdicts(in_headers).__getitem__
        self.matches_server_variable = _Verdicts(in_variables).__getitem__
        self.ordinary = {}
        self.clean = {}
        self.clean_texts = set()
        self._root_terms = (*anywhere, *words, *_folded_all(query_names), "cookie")
        self._roots: tuple[str, ...] | None = None

    @property
    def roots(self) -> tuple[str, ...]:
        """One of these stands in lower case in each name of ASCII letters that matches as data, variable or query."""
        roots = self._roots
        if roots is None:
            roots = self._roots = _roots(self._root_terms)
        return roots


def _roots(terms: Iterable[str]) -> tuple[str, ...]:
    """The longest word of each term, without those that hold another one. It takes 20 us: at the first look only."""
    longest = {max(term.split("_"), key=len) for term in terms}
    return tuple(word for word in longest if not any(other in word for other in longest if other != word))


def _folded_all(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(folded(name) for name in names if name)


def _is_word(term: str) -> bool:
    """Whether a term counts as a whole word in names of data."""
    if term in _WORDS_ONLY:
        return True
    return len(term) <= _SHORT_TERM and term.isalpha() and term not in SENSITIVE_TERMS


class _Verdicts(dict[str, bool]):
    """Names and whether they match, found out when asked for the first time."""

    __slots__ = ("_anywhere", "_roots", "_vague", "_words")

    def __init__(
        self, anywhere: tuple[str, ...], words: frozenset[str] = frozenset(), *, vague: frozenset[str] = frozenset()
    ) -> None:
        super().__init__()
        self._anywhere = anywhere
        self._words = words
        self._vague = vague
        self._roots: tuple[str, ...] | None = None

    def __missing__(self, name: str) -> bool:
        verdict = self._judge(name)
        if len(name) <= LONGEST_REMEMBERED:
            if len(self) >= MAX_REMEMBERED:
                self.clear()
            self[name] = verdict
        return verdict

    def _judge(self, name: str) -> bool:
        if name.isascii():
            roots = self._roots
            if roots is None:
                roots = self._roots = _roots((*self._anywhere, *self._words, *_COOKIE_HEADERS))
            lower = name.lower()
            return any(root in lower for root in roots) and self._judge_plain(name)
        name = _plain(name)  # what was one letter may be a capital now, where no word starts
        return self._judge_plain(name) or self._judge_plain(name.casefold())

    def _judge_plain(self, name: str) -> bool:
        whole = _separated(name)
        if whole in _COOKIE_HEADERS or any(term in whole for term in self._anywhere):
            return True
        words, snake = _words_of(name)
        if any(term in snake for term in self._anywhere):
            return True
        if not self._words:
            return False
        found = words & self._words
        if not found <= self._vague:
            return True
        return bool(found) and bool((words - found) & _TELLING or len(found) > 1)


def _words_of(name: str) -> tuple[frozenset[str], str]:
    """The words of a name in snake, kebab or camel case, in lower case, also without a plural's s; the name in snake.

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
    plain = text.casefold().split()
    words = {*plain, *acronyms.casefold().split()}
    return frozenset(words) | {word[:-1] for word in words if word.endswith("s") and word != "tokens"}, "_".join(plain)


def folded(name: str) -> str:
    """The form in which names are compared: case, separators and compatible forms of letters do not count."""
    return _separated(_plain(name))


def _separated(name: str) -> str:
    return name.casefold().translate(_SEPARATORS)


def _plain(name: str) -> str:
    """Without full-width and other forms of the same letters, and without characters that nobody sees."""
    if name.isascii():
        return name
    import unicodedata  # noqa: PLC0415 - such names are rare

    plain = unicodedata.normalize("NFKC", name[: 2 * LONGEST_REMEMBERED])
    return "".join(letter for letter in plain if unicodedata.category(letter) != "Cf") + name[2 * LONGEST_REMEMBERED :]


DEFAULT: Final = DenyList()
"""The default list: one for all who ask for no other."""
