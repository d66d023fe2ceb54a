"""What stands behind ``token:`` and is no token: ``Invalid token: signature has expired``.

No grammar tells a sentence from a passphrase of words, so there is a closed list of the words that messages about
credentials are made of. A text is one of them if it has two words or more, all from the list, and one of these says
what is wrong. A single word, a digit or a sign inside, a word that is not listed: it may be the secret, and is hidden.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# They say what is wrong.
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
_OTHERS: Final = frozenset(
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
_WORDS: Final = _VERDICTS | _OTHERS
_LONGEST: Final = 256
_FEWEST_WORDS: Final = 2
_STOPS: Final = ".!,"


def is_complaint(text: str) -> bool:
    """Whether this is an error message, and can be no secret."""
    if len(text) > _LONGEST:
        return False
    words = [word.rstrip(_STOPS) for word in text.lower().split()]
    return len(words) >= _FEWEST_WORDS and _WORDS.issuperset(words) and not _VERDICTS.isdisjoint(words)
