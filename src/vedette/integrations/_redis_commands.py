"""Redis commands as text: which part of what was called is the command, and which of its arguments may be seen."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

__all__ = ["LONGEST", "name_and_arguments", "shown"]

FILTERED: Final = "[Filtered]"
LONGEST: Final = 8192
"""Characters of a command at most, whatever the options say: what a text of a breadcrumb may have."""

_SECRET: Final = frozenset({"ACL", "AUTH", "CONFIG", "HELLO", "MIGRATE", "SENTINEL"})
"""Commands that passwords are arguments of (FW-redis-06)."""
_WITH_SUBCOMMANDS: Final = frozenset(
    {
        *("ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY", "MODULE"),
        *("OBJECT", "PUBSUB", "SCRIPT", "SENTINEL", "SLOWLOG", "XGROUP", "XINFO"),
    }
)
_LONGEST_NAME: Final = 64
_CUT: Final = "..."


def name_and_arguments(command: Sequence[object]) -> tuple[str, Sequence[object]]:
    """The name of a command in capitals, and its arguments.

    redis-py splits the first word at spaces, so that may hold arguments, too: ``execute_command("SET key value")``.
    """
    given = _text(command[0]) if command else ""
    words: list[str] = given.split()
    if not words:
        return "?", command[1:]
    count = 2 if words[0].upper() in _WITH_SUBCOMMANDS else 1
    name = " ".join(words[:count]).upper()[:_LONGEST_NAME]
    return name, command[1:] if len(words) <= count else (*words[count:], *command[1:])


def shown(name: str, arguments: Sequence[object], limit: int, client: Any) -> str:
    """A command as a breadcrumb says it, ``limit`` characters at most: with its arguments where they are allowed."""
    if not arguments:
        return name
    if not client.should_send_default_pii() or name.partition(" ")[0] in _SECRET:
        return f"{name} {FILTERED}"
    is_sensitive = client.policy.denylist.matches
    parts = [name]
    length = len(name)
    hides_next = False
    for argument in arguments:
        part = FILTERED if hides_next else _quoted(argument, limit, client)
        hides_next = not hides_next and is_sensitive(_text(argument)[:_LONGEST_NAME])
        parts.append(part)
        length += 1 + len(part)
        if length > limit:
            return " ".join(parts)[:limit] + _CUT
    return " ".join(parts)


def _text(value: object) -> str:
    kind = type(value)
    if kind is str:
        return value  # type: ignore[return-value]
    if kind is bytes:
        return value.decode("utf-8", "replace")  # type: ignore[attr-defined, no-any-return]
    return ""


def _quoted(value: Any, limit: int, client: Any) -> str:
    """An argument: text quoted, anything else as values of breadcrumbs are rendered, which runs no code of it."""
    if type(value) is str or type(value) is bytes:
        return repr(value[:limit])
    return str(client.render(value))[:limit]
