"""Credentials that show by their form, in the middle of a text: URLs, authentication schemes, private keys."""

from __future__ import annotations

from vedette._privacy.denylist import FILTERED
from vedette._privacy.patterns import expressions

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final

TELLING_WORDS: Final = (
    *("bearer ", "basic ", "digest ", "negotiate ", "token ", "apikey ", "aws4-hmac-sha256 "),
    "private key",
)
"""One of these stands, in lower case, in each text that `without_schemes_and_keys` would change."""

# After `Bearer`, these go on a sentence.
_WORDS_OF_PROSE: Final = frozenset(
    {"token", "tokens", "auth", "authentication", "authorization", "scheme", "realm", "credentials", "header", "is"}
    | {"was", "not", "required", "missing", "failed", "error", "format", "method", "type", "and", "or", "of", "for"}
    | {"in", "to", "key", "keys", "expired", "invalid", "with", "from", "has", "must"}
)
_SHORTEST_CREDENTIALS: Final = 6
_SCHEMES_WITH_FIELDS: Final = frozenset({"digest", "aws4-hmac-sha256"})
_LONGEST_AUTHORITY: Final = 2048
_LONGEST_ODD_AUTHORITY: Final = 1024


# --- URLs ---


def without_users(text: str) -> str:
    """Without user and password of the URLs in a text that holds an ``@``."""
    if "://" in text:
        text = _without_url_users(text)
    if "host" in text or "netloc" in text or "authority" in text:
        text = expressions().netloc.sub(rf"\g<1>{FILTERED}", text)
    return text


def _without_url_users(text: str) -> str:
    """Without what stands before the ``@`` of a URL."""
    find_end = expressions().authority_end.search
    last = text.rfind("@")
    parts: list[str] = []
    done = 0
    at = text.find("://")
    while 0 <= at < last:
        start = at + 3
        end = find_end(text, start, start + _LONGEST_AUTHORITY)
        url = text[start : start + _LONGEST_AUTHORITY if end is None else end.start()]
        length = _user_length(url)
        if length == 0 or url.endswith("@"):
            length = _odd_user_length(text, start) or length
        if length:
            parts += (text[done:start], FILTERED)
            done = start + length
        at = text.find("://", start + length)
    return joined(parts, text, done)


def _user_length(url: str) -> int:
    """How many characters of what follows ``://`` name a user and a password."""
    if "@" not in url:
        return 0
    authority = url
    for sign in "/?#":
        authority = authority.partition(sign)[0]
    if "@" in authority:
        length = authority.rfind("@")
        return 0 if authority[:length] == FILTERED else length
    _, colon, port = authority.rpartition(":")
    # `user:pass/word@host`: a password that nobody encoded
    return url.rfind("@") if colon and port and not port.isdigit() and not port.endswith("]") else 0


def _odd_user_length(text: str, start: int) -> int:
    """The same where the password holds what would end a URL: a quotation mark, a blank."""
    if text.find("@", start, start + _LONGEST_ODD_AUTHORITY) < 0:
        return 0
    odd = expressions().odd_authority.match(text, start) or expressions().blank_authority.match(text, start)
    return 0 if odd is None else odd.end() - start


def joined(parts: list[str], text: str, done: int) -> str:
    """What was taken apart, with the rest behind it."""
    return "".join((*parts, text[done:])) if parts else text


# --- authentication schemes and keys ---


def without_schemes_and_keys(text: str) -> str:
    """Without what follows the name of an authentication scheme, and without private keys."""
    if "PRIVATE KEY" in text:
        text = _without_private_keys(text)
    find = expressions().scheme.search
    parts: list[str] = []
    done = 0
    found = find(text)
    while found is not None:
        at = _end_of_credentials(text, found)
        if at is not None:
            parts += (text[done : found.start(2)], FILTERED)
            done = at
        found = find(text, found.end() if at is None else at)
    return joined(parts, text, done)


def _without_private_keys(text: str) -> str:
    """Without keys in PEM form, from their first line to their last one; to the end of a text that was cut."""
    parts: list[str] = []
    done = 0
    found = expressions().private_key.search(text)
    while found is not None:
        parts += (text[done : found.start()], FILTERED)
        end = expressions().private_key_end.search(text, found.end())
        done = len(text) if end is None else end.end()
        found = expressions().private_key.search(text, done)
    return joined(parts, text, done)


def _end_of_credentials(text: str, found: re.Match[str]) -> int | None:
    """Where the secret behind the name of a scheme ends; None if what stands there is none."""
    scheme, word, end = found[1].lower(), found[2], found.end()
    if scheme in _SCHEMES_WITH_FIELDS:
        if "=" not in word:
            return None
        line_end = expressions().line_end.search(text, end)
        return len(text) if line_end is None else line_end.start()
    if word[-1] == "=" and text[end : end + 1] in {"'", '"'}:
        return None  # `Token token="..."` is a pair of name and value
    if scheme == "bearer" or (scheme != "token" and end - found.start() == len(text)):
        return end if word.rstrip(".:").lower() not in _WORDS_OF_PROSE else None
    is_word = (word.isalpha() and word[1:].islower()) or word[-1] in ":."
    return end if len(word) >= _SHORTEST_CREDENTIALS and not is_word else None
