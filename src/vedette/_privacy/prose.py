"""Secrets that stand in the middle of a text: a message, the value of an exception, a rendered variable.

What is found
- the value of a deny-listed name in ``name=value``, ``name: value`` and ``"name": "value"``, in quotes escaped by
  some other text around them, too, and in the query string of a URL;
- user and password of a URL, ``postgres://[Filtered]@host/db``; a DSN's key is one;
- what follows the name of an authentication scheme: ``Bearer [Filtered]``;
- the value that a validation error of pydantic shows for a deny-listed field.

In doubt it filters too much: a quotation that does not end is filtered to the end of the text. Names in quotes are
names of data, bare ones are judged as names of variables, for ``for key: value`` is what people write.

Guarantees: linear in the length of the text; the expressions start at borders of words and have bounded repetitions.
They are compiled at the first use, on the worker, where ``re`` is there already: ``msgspec`` brings it along.
"""

from __future__ import annotations

from vedette._privacy.denylist import FILTERED
from vedette._privacy.texts import unquoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable

    from vedette._privacy.denylist import DenyList


# A name, in quotes or not, and what stands between it and its value.
_PAIR = (
    r"(?<![\w.%-])([\w.%-]{1,128}(?:\[[\w.-]{0,64}\]){0,4})"
    r"""(\\{0,7}["'`])?\]?\s{0,8}(={1,3}>?|:=|:(?!:|//))(?(2)\s{0,8}|[ \t]{0,8})"""
)
_OPENING = r"""[bBrRuUfF]{0,2}(\\{0,7}(?:'''|\"\"\"|["']))"""
# What a value may begin with that holds blanks: a call, something between angles, a key in PEM form.
_CALL = r"[A-Za-z_][\w.]{0,128}(?=\()"
_ANGLES = r"<[^<>\r\n]{1,2048}>"
_PEM = "-----BEGIN "
_PEM_END = r"-----END [A-Z0-9 ]{1,64}-----"
_GOES_ON = r"\}?\w"
_BRACKETS = r"""[\[\](){}]|\\.|["']"""
# What stands for a value that is filled in elsewhere, and what no secret can be.
_HARMLESS = r"""(?:%(?:\(\w{1,64}\))?[srd]|\{\d?\}|\?|None|null|True|False|true|false|YES|NO)(?![^\s,;&)\]}'"])"""
_WORD_END = r"[\s&]"
_CLAUSE_END = r"[\r\n&]|[,;](?=\s)"
_DATA_END = r"[\r\n&]|[,;)\]}](?=\s)"
_LINE_END = r"[\r\n]"
_NAMES_OF_SCHEMES = ("bearer ", "basic ", "digest ", "negotiate ", "token ", "apikey ", "aws4-hmac-sha256 ")
_SCHEMES = r"\b(bearer|basic|digest|negotiate|token|apikey|aws4-hmac-sha256)[ ]{1,8}([\w.~+/=:-]+)"
_AUTHORITY_END = r"[\s\"'<>\\`]"
# `user:pass'word@host`, but not `'http://host:80','ann@host'`
_ODD_AUTHORITY = r"""[\w.%+~-]{0,128}:(?!\d{1,5}["'<>\\`])[^\s/?#@"'<>\\`]{0,256}["'<>\\`][^\s,]{0,512}(?=@)"""
# What a URL's classes call it once they took it apart: urllib's `Request.host`, yarl's `_netloc`.
_NETLOC = r"""(?<![A-Za-z])((?:host|netloc|authority)["']?\s?[=:]\s?b?["'])[^\s"'@/:]{0,128}:[^\s"'@]{0,256}(?=@)"""
# Pydantic tells the field on one line and its value on the next.
_FIELD_INPUT = r"^([\w.-]{1,256})\n  [^\n]{0,2048}\[type=\w{1,64}, input_value=([^\n]*), input_type=\w{1,128}\]$"

# After `Bearer`, these go on a sentence.
_WORDS_OF_PROSE = frozenset(
    {"token", "tokens", "auth", "authentication", "authorization", "scheme", "realm", "credentials", "header", "is"}
    | {"was", "not", "required", "missing", "failed", "error", "format", "method", "type", "and", "or", "of", "for"}
    | {"in", "to", "key", "keys", "expired", "invalid", "with", "from", "has", "must"}
)
_SHORTEST_CREDENTIALS = 6
_SCHEMES_WITH_FIELDS = frozenset({"digest", "aws4-hmac-sha256"})
_CLOSERS = ")]}>,;.'\"`"
_EXCEPTIONS = ("Error", "Exception", "Warning")
_LINE_OF_ITS_OWN = frozenset({"cookie", "set-cookie", "authorization", "proxy-authorization", "cookie2"})
_SHORTEST_TEXT = 3
_MOST_TEXTS = 20
_SECOND_WORDS = frozenset({"key", "keys", "session", "id"})
_LONGEST_WORD = 32
_LONGEST_AUTHORITY = 2048
_LONGEST_PARAMETER = 512
_CLOSING = {"[": "]", "(": ")", "{": "}"}


class _Expressions:
    """The compiled expressions."""

    __slots__ = (
        "angles", "authority_end", "bracket", "call", "clause_end", "data_end", "field_input", "goes_on", "harmless",
        "line_end", "netloc", "odd_authority", "opening", "pair", "pem_end", "scheme", "word_end",
    )  # fmt: skip

    def __init__(self) -> None:
        import re  # noqa: PLC0415 - see above

        self.pair = re.compile(_PAIR)
        self.call = re.compile(_CALL)
        self.angles = re.compile(_ANGLES)
        self.netloc = re.compile(_NETLOC)
        self.pem_end = re.compile(_PEM_END)
        self.goes_on = re.compile(_GOES_ON)
        self.data_end = re.compile(_DATA_END)
        self.odd_authority = re.compile(_ODD_AUTHORITY)
        self.field_input = re.compile(_FIELD_INPUT, re.MULTILINE)
        self.opening = re.compile(_OPENING)
        self.bracket = re.compile(_BRACKETS)
        self.harmless = re.compile(_HARMLESS)
        self.word_end = re.compile(_WORD_END)
        self.clause_end = re.compile(_CLAUSE_END)
        self.line_end = re.compile(_LINE_END)
        self.scheme = re.compile(_SCHEMES, re.IGNORECASE)
        self.authority_end = re.compile(_AUTHORITY_END)


_compiled: _Expressions | None = None


def _expressions() -> _Expressions:
    global _compiled  # noqa: PLW0603 - compiled once a process
    if _compiled is None:
        _compiled = _Expressions()
    return _compiled


def scrub_text(text: str, names: DenyList) -> str:
    """The text without the secrets that can be found in it."""
    if "@" in text:
        if "://" in text:
            text = _without_credentials(text)
        if "host" in text or "netloc" in text or "authority" in text:
            text = _expressions().netloc.sub(rf"\g<1>{FILTERED}", text)
    has_words, has_pairs = " " in text, "=" in text or ":" in text
    if not has_words and not has_pairs:
        return text
    # Most texts hold none of the words that it takes: look for these before anything that costs more.
    folded = text.lower()
    if has_words and _holds_any(_NAMES_OF_SCHEMES, folded):
        text = _without_schemes(text)
    if has_pairs and (not folded.isascii() or _holds_any(names.roots, folded)):
        if "input_value=" in text:
            text = _without_inputs(text, names)
        text = _without_values(text, names)
    return text


def _holds_any(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 - any() takes three times as long
        if word in text:
            return True
    return False


def has_hidden_pair(text: str, names: DenyList) -> bool:
    """Whether a deny-listed name with a value, or a place for one, stands in the text."""
    return _next_pair(text, 0, names) is not None


def without_texts(text: str, secrets: Iterable[object]) -> str:
    """The text without these others in it, if they are no mere syllables; in one pass."""
    import re  # noqa: PLC0415 - see above

    found = {secret for secret in secrets if type(secret) is str and len(secret) >= _SHORTEST_TEXT}
    longest = sorted(found, key=len, reverse=True)[:_MOST_TEXTS]
    return re.sub("|".join(map(re.escape, longest)), FILTERED, text) if longest else text


# --- name and value ---


def _without_values(text: str, names: DenyList) -> str:
    parts: list[str] = []
    done = 0
    pair = _next_pair(text, 0, names)
    while pair is not None:
        end, shown = _value(text, pair)
        parts += (text[done : pair.end()], shown)
        done = end
        pair = _next_pair(text, done, names)
    return _joined(parts, text, done)


def _joined(parts: list[str], text: str, done: int) -> str:
    """What was taken apart, with the rest behind it."""
    return "".join((*parts, text[done:])) if parts else text


def _next_pair(text: str, at: int, names: DenyList) -> re.Match[str] | None:
    """The next deny-listed name that has a value."""
    find = _expressions().pair.search
    pair = find(text, at)
    while pair is not None and (pair.end() == len(text) or not _is_hidden(pair, text, names)):
        pair = find(text, pair.end())
    return pair


def _is_hidden(pair: re.Match[str], text: str, names: DenyList) -> bool:
    name, quote, separator = pair.groups()
    name = unquoted(name)
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
    after = _expressions().word_end.search(text, pair.end(), pair.end() + _LONGEST_PARAMETER)
    return after is not None and after[0] == "&"


def _is_phrase(pair: re.Match[str], text: str, names: DenyList) -> bool:
    """Whether the word before makes a secret of it: `API key: ...`, `session ID = ...`."""
    before = text[max(0, pair.start() - _LONGEST_WORD) : pair.start()]
    words = before.split()
    # A word, not the end of some other pair: `token=None id=7`
    is_word = before[-1:] == " " and bool(words) and words[-1].replace("-", "a").isalpha()
    return is_word and names.matches_variable(f"{words[-1]} {pair[1]}")


def _value(text: str, pair: re.Match[str]) -> tuple[int, str]:
    """Where the value ends, and what takes its place."""
    start = pair.end()
    expressions = _expressions()
    harmless = expressions.harmless.match(text, start)
    if harmless is not None:
        return harmless.end(), harmless[0]
    if text.startswith(FILTERED, start):
        return start + len(FILTERED), FILTERED
    opening = expressions.opening.match(text, start)
    if opening is not None:
        return _quoted(text, opening)
    inner = _structure_end(text, start)
    if inner > start and expressions.goes_on.match(text, inner) is None:
        return inner, FILTERED
    found = _ending(text, pair).search(text, inner)
    end = len(text) if found is None else found.start()
    while end > inner and text[end - 1] in _CLOSERS and not text.endswith(FILTERED, start, end):
        end -= 1  # they close what was opened before
    return end, FILTERED if end > start else ""


def _ending(text: str, pair: re.Match[str]) -> re.Pattern[str]:
    """What a bare value ends at."""
    expressions = _expressions()
    if pair[1].lower() in _LINE_OF_ITS_OWN:
        return expressions.line_end
    if pair[3] != ":" or text[pair.end() - 1] not in " \t":
        return expressions.word_end
    return expressions.data_end if pair[2] else expressions.clause_end


def _structure_end(text: str, start: int) -> int:
    """Behind the brackets, call, angles or PEM key that a value begins with, or ``start``."""
    expressions = _expressions()
    if text.startswith(_PEM, start):
        found = expressions.pem_end.search(text, start)
        return len(text) if found is None else found.end()
    angles = expressions.angles.match(text, start)
    if angles is not None:
        return angles.end()
    call = expressions.call.match(text, start)
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
    harmless = _expressions().harmless.match(text, start)
    if end == start or (harmless is not None and harmless.end() == end):
        return behind, text[opening.start() : behind]
    return behind, f"{opening[0]}{FILTERED}{quote}"


def _bracketed_end(text: str, start: int) -> int:
    """Behind the bracket that closes the one at ``start``, or the end of the text."""
    find = _expressions().bracket.search
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


def _without_inputs(text: str, names: DenyList) -> str:
    """Without what a validation error of pydantic shows as the value of a deny-listed field."""
    parts: list[str] = []
    done = 0
    for found in _expressions().field_input.finditer(text):
        if names.matches(found[1]):
            parts += (text[done : found.start(2)], FILTERED)
            done = found.end(2)
    return _joined(parts, text, done)


# --- URLs ---


def _without_credentials(text: str) -> str:
    """Without what stands before the ``@`` of a URL."""
    find_end = _expressions().authority_end.search
    last = text.rfind("@")
    parts: list[str] = []
    done = 0
    at = text.find("://")
    while 0 <= at < last:
        start = at + 3
        end = find_end(text, start, start + _LONGEST_AUTHORITY)
        length = _user_length(text[start : start + _LONGEST_AUTHORITY if end is None else end.start()])
        odd = None if length else _expressions().odd_authority.match(text, start)
        if odd is not None:
            length = odd.end() - start
        if length:
            parts += (text[done:start], FILTERED)
            done = start + length
        at = text.find("://", start + length)
    return _joined(parts, text, done)


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


# --- authentication schemes ---


def _without_schemes(text: str) -> str:
    find = _expressions().scheme.search
    parts: list[str] = []
    done = 0
    found = find(text)
    while found is not None:
        at = _end_of_credentials(text, found)
        if at is not None:
            parts += (text[done : found.start(2)], FILTERED)
            done = at
        found = find(text, found.end() if at is None else at)
    return _joined(parts, text, done)


def _end_of_credentials(text: str, found: re.Match[str]) -> int | None:
    """Where the secret behind the name of a scheme ends; None if what stands there is none."""
    scheme, word, end = found[1].lower(), found[2], found.end()
    if scheme in _SCHEMES_WITH_FIELDS:
        if "=" not in word:
            return None
        line_end = _expressions().line_end.search(text, end)
        return len(text) if line_end is None else line_end.start()
    if word[-1] == "=" and text[end : end + 1] in {"'", '"'}:
        return None  # `Token token="..."` is a pair of name and value
    if scheme == "bearer" or (scheme != "token" and end - found.start() == len(text)):
        return end if word.rstrip(".:").lower() not in _WORDS_OF_PROSE else None
    is_word = (word.isalpha() and word[1:].islower()) or word[-1] in ":."
    return end if len(word) >= _SHORTEST_CREDENTIALS and not is_word else None
