"""Names and values in the middle of a text: which names are deny-listed, and where their values end."""

from __future__ import annotations

from vedette._privacy.credentials import joined
from vedette._privacy.denylist import FILTERED
from vedette._privacy.patterns import PEM, expressions
from vedette._privacy.texts import unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final

    from vedette._privacy.denylist import DenyList

_CLOSERS: Final = ")]}>,;.'\"`"
_EXCEPTIONS: Final = ("Error", "Exception", "Warning")
_LINE_OF_ITS_OWN: Final = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization", "cookie2"})
_SECOND_WORDS: Final = frozenset({"key", "keys", "session", "id"})
_LONGEST_WORD: Final = 32
_LONGEST_PARAMETER: Final = 512
_CLOSING: Final = {"[": "]", "(": ")", "{": "}"}

# The words that messages about credentials are made of; the first ones say what is wrong. No grammar tells a sentence
# from a passphrase of words, so the list is closed.
_VERDICTS: Final = frozenset(
    {"required", "expired", "invalid", "missing", "locked", "denied", "failed", "wrong", "incorrect"}
    | {"unknown", "found", "revoked", "disabled", "malformed", "rejected", "refused", "unsupported", "blank"}
    | {"empty", "null", "short", "mismatch", "mismatched", "unauthorized", "forbidden"}
    | {"allowed", "permitted", "provided", "supplied", "set", "valid", "available", "blocked"}
    | {"suspended", "deactivated", "inactive", "unverified", "verified", "exist", "exists", "insufficient"}
    | {"weak", "common", "numeric", "similar", "supported", "accepted", "recognized", "unrecognized"}
    | {"unreadable", "corrupt", "corrupted", "truncated", "cannot", "can't", "must", "should", "enough"}
    | {"unexpected", "failure", "exceeded", "closed", "undefined", "configured", "rotated", "decoded"}
    | {"parsed"}
)
_OTHER_WORDS: Final = frozenset(
    {"a", "an", "the", "this", "that", "these", "your", "our", "its", "it", "you", "we", "is", "are", "was"}
    | {"were", "be", "been", "has", "have", "had", "do", "does", "did", "may", "might", "will", "could"}
    | {"would", "not", "no", "neither", "nor", "isn't", "wasn't", "aren't", "doesn't", "don't", "didn't"}
    | {"hasn't", "couldn't", "won't", "mustn't", "never", "and", "or", "but", "if", "of", "for", "in", "on"}
    | {"at", "to", "by", "with", "without", "from", "as", "than", "too", "yet", "already", "any", "more"}
    | {"least", "one", "only", "entirely", "longer", "because", "due", "while", "field", "value", "values"}
    | {"data", "input", "string", "type", "format", "length", "characters", "letters", "digits", "signature"}
    | {"token", "tokens", "password", "passwords", "key", "keys", "session", "credentials", "cookie", "header"}
    | {"authentication", "authorization", "login", "user", "users", "username", "account", "client", "server"}
    | {"issuer", "audience", "algorithm", "segments", "padding", "claim", "claims", "scope", "permission"}
    | {"permissions", "access", "refresh", "request", "response", "environment", "variable", "setting"}
    | {"settings", "option", "parameter", "argument", "api", "jwt", "csrf", "url", "verification", "verify"}
    | {"decode", "decoding", "parse", "parsing", "validation", "read", "contain", "contains", "use", "check"}
    | {"please", "try", "again", "log", "sign", "error", "expiry", "long", "match", "used", "given"}
)
_ERROR_WORDS: Final = _VERDICTS | _OTHER_WORDS
_LONGEST_ERROR: Final = 256
_FEWEST_WORDS: Final = 2


def without_values(text: str, names: DenyList) -> str:
    """Without the values of deny-listed names."""
    parts: list[str] = []
    done = 0
    pair = next_pair(text, 0, names)
    while pair is not None:
        end, shown = _value(text, pair)
        parts += (text[done : pair.end()], shown)
        done = end
        pair = next_pair(text, done, names)
    return joined(parts, text, done)


def next_pair(text: str, at: int, names: DenyList) -> re.Match[str] | None:
    """The next deny-listed name that has a value."""
    find = expressions().pair.search
    pair = find(text, at)
    while pair is not None and (pair.end() == len(text) or not _is_hidden(pair, text, names)):
        pair = find(text, pair.end())
    return pair


def _is_hidden(pair: re.Match[str], text: str, names: DenyList) -> bool:
    name, quote, separator = pair.groups()
    name = unquoted(name)
    if text[pair.start() - 1 : pair.start()] == "\\" and names.matches_variable(name[1:]):
        return True  # behind an escaped line end: `\ntoken=...`
    if quote and quote != "`":
        return names.matches(name)
    if separator[0] == ":" and name.endswith(_EXCEPTIONS):
        return False  # `AuthError: no such user`
    if names.matches_variable(name) or (name.lower() in _SECOND_WORDS and _is_phrase(pair, text, names)):
        return True
    if separator != "=" or not names.matches_query(name):
        return False
    # A parameter of a query string or a form: there, `key` is one.
    if text[pair.start() - 1 : pair.start()] in {"?", "&"}:
        return True
    after = expressions().word_end.search(text, pair.end(), pair.end() + _LONGEST_PARAMETER)
    return after is not None and after[0] == "&"


def _is_phrase(pair: re.Match[str], text: str, names: DenyList) -> bool:
    """Whether the word before makes a secret of it: `API key: ...`, `session ID = ...`."""
    before = text[max(0, pair.start() - _LONGEST_WORD) : pair.start()]
    words = before.split()
    # A word, not the end of some other pair: `token=None id=7`
    is_word = before[-1:] == " " and bool(words) and words[-1].replace("-", "a").isalpha()
    return is_word and names.matches_variable(f"{words[-1]} {pair[1]}")


def _value(text: str, pair: re.Match[str]) -> tuple[int, str]:
    """Where the value of a name ends, and what takes its place."""
    end, shown = value_at(text, pair.end(), _ending(text, pair))
    if shown == FILTERED and _is_bare(text, pair) and is_error(text[pair.end() : end]):
        return end, text[pair.end() : end]
    return end, shown


def _is_bare(text: str, pair: re.Match[str]) -> bool:
    """Whether it is written as in a sentence: ``name: value``."""
    return not pair[2] and pair[3] == ":" and text[pair.end() - 1] in " \t"


def value_at(text: str, start: int, ending: re.Pattern[str]) -> tuple[int, str]:
    """Where the value that begins here ends, and what takes its place; ``ending``: what a bare one ends at."""
    harmless = expressions().harmless.match(text, start)
    if harmless is not None:
        return harmless.end(), harmless[0]
    if text.startswith(FILTERED, start):
        return start + len(FILTERED), FILTERED
    opening = expressions().opening.match(text, start)
    if opening is not None:
        return _quoted(text, opening)
    inner = _structure_end(text, start)
    if inner > start and expressions().goes_on.match(text, inner) is None:
        return inner, FILTERED
    found = ending.search(text, inner)
    end = len(text) if found is None else found.start()
    while end > inner and text[end - 1] in _CLOSERS and not text.endswith(FILTERED, start, end):
        end -= 1  # they close what was opened before
    return end, FILTERED if end > start else ""


def _ending(text: str, pair: re.Match[str]) -> re.Pattern[str]:
    """What a bare value ends at."""
    if pair[1].lower() in _LINE_OF_ITS_OWN:
        return expressions().line_end
    if pair[3] != ":" or text[pair.end() - 1] not in " \t":
        return expressions().word_end
    return expressions().data_end if pair[2] else expressions().clause_end


def _structure_end(text: str, start: int) -> int:
    """Behind the brackets, call, angles or PEM key that a value begins with, or ``start``."""
    if text.startswith(PEM, start):
        found = expressions().pem_end.search(text, start)
        return len(text) if found is None else found.end()
    angles = expressions().angles.match(text, start)
    if angles is not None:
        return angles.end()
    call = expressions().call.match(text, start)
    at = start if call is None else call.end()
    return _bracketed_end(text, at) if text[at] in _CLOSING else start


def _quoted(text: str, opening: re.Match[str]) -> tuple[int, str]:
    """A value in quotes: to the same quotes again, or to the end of the text."""
    start, quote = opening.end(), opening[1]
    end = text.find(quote, start)
    while end > 0 and text[end - 1] == "\\":
        end = text.find(quote, end + 1)
    if end < 0:
        return len(text), opening[0] + FILTERED
    behind = end + len(quote)
    harmless = expressions().harmless.match(text, start)
    if end == start or (harmless is not None and harmless.end() == end):
        return behind, text[opening.start() : behind]
    return behind, f"{opening[0]}{FILTERED}{quote}"


def _bracketed_end(text: str, start: int) -> int:
    """Behind the bracket that closes the one at ``start``, or the end of the text."""
    find = expressions().bracket.search
    waiting: list[str] = []  # for these, in order
    quote = ""
    found = find(text, start)
    while found is not None:
        sign = found[0]
        if quote:
            quote = "" if sign == quote else quote
        elif sign in {"'", '"'}:
            quote = sign
        elif sign in _CLOSING:
            waiting.append(_CLOSING[sign])
        elif sign[0] != "\\":
            if sign != waiting.pop():
                return len(text)
            if not waiting:
                return found.end()
        found = find(text, found.end())
    return len(text)


def without_inputs(text: str, names: DenyList) -> str:
    """Without what a validation error of pydantic shows as the value of a deny-listed field."""
    parts: list[str] = []
    done = 0
    for found in expressions().field_input.finditer(text):
        if names.matches(found[1]):
            parts += (text[done : found.start(2)], FILTERED)
            done = found.end(2)
    return joined(parts, text, done)


# --- what is no value ---


def is_error(text: str) -> bool:
    """Whether this says what is wrong with a secret and can be none: ``token: signature has expired``.

    It has two words or more, all of them from the list, and one says what is wrong. A single word, a digit or a sign, a
    word that is not listed: it may be the secret.
    """
    if len(text) > _LONGEST_ERROR:
        return False
    words = [word.rstrip(".!,") for word in text.lower().split()]
    return len(words) >= _FEWEST_WORDS and _ERROR_WORDS.issuperset(words) and not _VERDICTS.isdisjoint(words)
