"""Which events are the same issue.

The rule, in the order in which its parts are tried:

1. The ``fingerprint``, in which ``{{ default }}`` stands for what the rules below give.
2. Exceptions: type and own frames (module or file, and function; equal neighbours once; no line numbers) of
   each exception of the chain, with the code line where it was raised. Without own frames all frames; without
   frames type and value, normalized. A group: its own part and the *set* of its members, however many.
3. The message: its template and logger; normalized if it has no parameters.

Release, level, thread, values and order of arrival don't enter. Change the rule, and ``GROUPING_VERSION``
with it: the server then groups anew what it has stored.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final, TypeAlias

from vedette._inbox.lenient_json import is_list
from vedette._inbox.shape import Raised, exceptions_of, line, message_of, own_frames, text

GROUPING_VERSION: Final = 2

Parts: TypeAlias = "list[str | Parts]"  # what is hashed: texts in nested lists

_DEFAULT: Final = re.compile(r"\{\{\s*default\s*\}\}")
_MAX_NORMALIZED: Final = 2048  # characters of a value that are looked at

# In this order: a UUID holds hex and numbers, a date holds numbers. Each begins where no word goes on: a long
# text is searched in one pass.
_PLACEHOLDERS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    ("<date>", re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")),
    ("<uuid>", re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)),
    ("<email>", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+")),
    ("<text>", re.compile(r"""(?<!\w)(?:'[^'\n]*'|"[^"\n]*")(?!\w)""")),
    ("<hex>", re.compile(r"\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE)),
    ("<number>", re.compile(r"\d+(?:[.,]\d+)*")),
)


def issue_key(event: dict[str, Any]) -> tuple[str, str]:
    """The key of the event's issue (64 hex digits), and the reason in words, a part a line. Never raises."""
    return key_of_chain(event, *exceptions_of(event))


def key_of_chain(event: dict[str, Any], exceptions: list[Raised], outermost: int) -> tuple[str, str]:
    """``issue_key`` for whoever has called ``exceptions_of`` already: most of the work."""
    key, words = _default_key(event, exceptions, outermost)
    fingerprint: object = event.get("fingerprint")
    if not is_list(fingerprint) or not fingerprint:
        return key, words
    given = [item if isinstance(item, str) else json.dumps(item) for item in fingerprint]
    if len(given) == 1 and _DEFAULT.fullmatch(given[0].strip()):
        return key, words
    with_default = any(_DEFAULT.search(item) for item in given)
    explanation = "the fingerprint set by the program: " + ", ".join(line(item, 200) for item in given[:20])
    if with_default:
        explanation += f"\nwhere {{{{ default }}}} stands for {words}"
    return _digest(["fingerprint", *(_DEFAULT.sub(key, item) for item in given)]), explanation


def normalized(value: str) -> str:
    """The text with what tends to vary replaced: dates, UUIDs, addresses, quoted text, hex, numbers."""
    value = value[:_MAX_NORMALIZED]
    for placeholder, pattern in _PLACEHOLDERS:
        value = pattern.sub(placeholder, value)
    return " ".join(value.split())


def _default_key(event: dict[str, Any], exceptions: list[Raised], outermost: int) -> tuple[str, str]:
    if exceptions:
        parts = _parts_of_all(exceptions)[outermost]
        return _digest(["exception", *parts]), _in_words(exceptions, outermost)
    shown, template, has_parameters = message_of(event)
    logger = text(event.get("logger"), 256)
    if not shown:
        where = text(event.get("transaction"), 256)
        return _digest(["nothing", logger, where]), "it has neither exception nor message: the logger and transaction"
    by = template if has_parameters else normalized(template)
    words = f"the message{' template' if has_parameters else ''}: {line(by, 300)}"
    return _digest(["message", by, logger]), words + (f"\nof the logger {line(logger)}" if logger else "")


def _parts_of_all(exceptions: list[Raised]) -> dict[int, Parts]:
    """What enters the key, for each exception: its own part, its members', then its cause's."""
    parts: dict[int, Parts] = {}
    waiting = list(range(len(exceptions)))
    while waiting:  # those whose children are done, until all are: links make no cycle, and recursion could be deep
        later: list[int] = []
        for index in waiting:
            exc = exceptions[index]
            children = [*exc.members, *([] if exc.cause is None else [exc.cause])]
            if any(child not in parts for child in children):
                later.append(index)
                continue
            members: Parts = sorted({_digest(parts[member]) for member in exc.members})
            cause = [] if exc.cause is None else parts[exc.cause]
            parts[index] = [_own_part(exc), *([members] if members else []), *cause]
        waiting = later
    return parts


def _own_part(exc: Raised) -> Parts:
    frames = own_frames(exc.frames)
    if not frames:
        return [exc.type, normalized(exc.value)]
    names: list[str] = []
    for frame in frames:
        name = f"{frame.module or frame.filename} {frame.function}"
        if not names or names[-1] != name:
            names.append(name)
    return [exc.type, *names, frames[-1].code]


def _in_words(exceptions: list[Raised], outermost: int) -> str:
    lines: list[str] = []
    index: int | None = outermost
    while index is not None and len(lines) < 20:  # noqa: PLR2004 - as many lines as are still read
        exc = exceptions[index]
        lines.append(_one_in_words(exc))
        if exc.members:
            kinds = dict.fromkeys(exceptions[member].type for member in exc.members)
            lines.append(f"with its kinds of members, however many: {', '.join(kinds)}"[:500])
        index = exc.cause
    return "\nfrom ".join(lines)


def _one_in_words(exc: Raised) -> str:
    frames = own_frames(exc.frames)
    if not frames:
        return f"{exc.type} without frames, its value: {normalized(exc.value)[:300]}"
    kind = "own functions" if frames[-1].own else "functions"
    steps = list(dict.fromkeys(frame.function for frame in frames))
    shown = " → ".join(steps[:10]) + (" → …" if len(steps) > 10 else "")  # noqa: PLR2004 - enough to recognize it
    at = f" at the line `{frames[-1].code[:200]}`" if frames[-1].code else ""
    return f"{exc.type} through the {kind} {shown}{at}"


def _digest(parts: Parts) -> str:
    encoded = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(encoded.encode()).hexdigest()
