"""How a URL pattern of Django reads as the name of a transaction: ``/shop/<item>`` (FW-django-04)."""

from __future__ import annotations

import re

__all__ = ["readable"]

_ANCHORS = re.compile(r"\\[AZz]|\^|(?<!\\)\$")
_ESCAPED = re.compile(r"\\([^\w])")


def readable(route: str) -> str:
    r"""A route as ``path`` or ``re_path`` has it, behind those that include it: ``shop/^pay/(?P<item>\d+)$``."""
    kept: list[str] = []
    depth = start = 0
    position = 0
    while position < len(route):
        char = route[position]
        if char == "\\":
            if not depth:
                kept.append(route[position : position + 2])
            position += 2
            continue
        if char == "(":
            depth += 1
            if depth == 1:
                start = position
        elif char == ")" and depth:
            depth -= 1
            if not depth:
                kept.append(_name_of(route[start : position + 1]))
        elif not depth:
            kept.append(char)
        position += 1
    text = _ESCAPED.sub(r"\1", _ANCHORS.sub("", "".join(kept)))
    return "/" + text.lstrip("/")


def _name_of(group: str) -> str:
    """``<item>`` for a group with a name, ``<var>`` for one without, nothing for one that is not kept."""
    if group.startswith("(?P<"):
        return f"<{group[4:].partition('>')[0]}>"
    return "" if group.startswith("(?") else "<var>"
