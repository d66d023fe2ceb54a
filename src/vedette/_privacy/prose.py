"""Secrets that stand in the middle of a text: a message, the value of an exception, a rendered variable.

What is found
- the value of a deny-listed name in ``name=value``, ``name: value`` and ``"name": "value"``, in quotes escaped by
  some other text around them, too, and in the query string of a URL (`pairs`);
- the value beside one: ``["name", "value"]``, ``{"name": "password", "value": "x"}`` (`records`);
- user and password of a URL, ``postgres://[Filtered]@host/db``; a DSN's key is one (`credentials`);
- what follows the name of an authentication scheme, ``Bearer [Filtered]``, and private keys in PEM form;
- the value that a validation error of pydantic shows for a deny-listed field.

In doubt it filters too much: a quotation that does not end is filtered to the end of the text. Names in quotes are
names of data, bare ones are judged as names of variables, for ``for key: value`` is what people write.

Guarantees: linear in the length of the text.
"""

from __future__ import annotations

from vedette._privacy.credentials import TELLING_WORDS, without_schemes_and_keys, without_users
from vedette._privacy.denylist import FILTERED
from vedette._privacy.pairs import next_pair, without_inputs, without_values
from vedette._privacy.records import without_listed, without_records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from vedette._privacy.denylist import DenyList

_SHORTEST_TEXT = 3
_MOST_TEXTS = 20


def scrub_text(text: str, names: DenyList) -> str:
    """The text without the secrets that can be found in it."""
    if "@" in text:
        text = without_users(text)
    has_words = " " in text
    has_names = "=" in text or ":" in text or ("," in text and ("[" in text or "(" in text))
    if not has_words and not has_names:
        return text
    # Most texts hold none of the words that it takes: look for these before anything that costs more.
    folded = text.lower()
    if has_words and _holds_any(TELLING_WORDS, folded):
        text = without_schemes_and_keys(text)
    if has_names and (_holds_any(names.roots, folded) or _has_odd_letters(folded)):
        text = _without_named(text, names)
    return text


def may_hold_secret(texts: str, names: DenyList) -> bool:
    """Whether there may be one in any of these texts, each on lines of its own; one look at all of them."""
    if "@" in texts:
        return True
    folded = texts.lower()
    return _holds_any(TELLING_WORDS, folded) or _holds_any(names.roots, folded) or _has_odd_letters(folded)


def _holds_any(words: tuple[str, ...], text: str) -> bool:
    for word in words:  # noqa: SIM110 - any() takes three times as long
        if word in text:
            return True
    return False


def _has_odd_letters(text: str) -> bool:
    """Whether some may be other forms of the letters of a root. The sign of a cut is none."""
    return not text.isascii() and not text.replace("…", "").isascii()


def _without_named(text: str, names: DenyList) -> str:
    if "input_value=" in text:
        text = without_inputs(text, names)
    if "," in text:
        text = without_listed(text, names)
    if "alue" in text or "VALUE" in text:
        text = without_records(text, names)
    return without_values(text, names)


def has_hidden_pair(text: str, names: DenyList) -> bool:
    """Whether a deny-listed name with a value, or a place for one, stands in the text."""
    return next_pair(text, 0, names) is not None


def without_texts(text: str, secrets: Iterable[object]) -> str:
    """The text without these others in it, if they are no mere syllables; in one pass."""
    import re  # noqa: PLC0415 - not at import; on the worker it is there

    found = {secret for secret in secrets if type(secret) is str and len(secret) >= _SHORTEST_TEXT}
    longest = sorted(found, key=len, reverse=True)[:_MOST_TEXTS]
    return re.sub("|".join(map(re.escape, longest)), FILTERED, text) if longest else text
