"""The parameters of a logged message, put into its template: by replacing text, never by formatting.

A template of a client may not reach what ``%`` and ``str.format`` reach (attributes, widths of a gigabyte). So a
placeholder is replaced by its parameter as text, whatever conversion it asks for; where placeholders and
parameters don't match one to one, nothing is replaced.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vedette._inbox.event.fields import as_text
from vedette._inbox.lenient_json import is_dict, is_list

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAX_LENGTH = 64 * 1024
_PERCENT = re.compile(r"%(?:\((?P<name>\w+)\))?[-+ #0]*\d*(?:\.\d+)?[hlL]?(?P<kind>[sdrifxXeEgGcoua%])")
_BRACES = re.compile(r"\{(?P<name>\w*)(?:![rsa])?(?::[^{}]*)?\}|\{\{|\}\}")


def filled(template: str, params: object) -> str | None:
    """The text, or None if the parameters do not fit the template."""
    if not params or not (is_list(params) or is_dict(params)) or len(template) > _MAX_LENGTH:
        return None if params else template
    named = params if is_dict(params) else {str(index): value for index, value in enumerate(params)}
    for pattern in (_PERCENT, _BRACES):
        text = _replaced(template, pattern, named)
        if text is not None:
            return text
    return None


def _replaced(template: str, pattern: re.Pattern[str], params: Mapping[str, object]) -> str | None:
    used: list[str] = []
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        whole = match.group()
        if whole in {"%%", "{{", "}}"}:
            return whole[0]
        name = match["name"] or str(len(used))
        used.append(name)
        if name not in params:
            missing.append(name)
            return whole
        return as_text(params[name])

    text = pattern.sub(value, template)
    return None if missing or set(used) != set(params) else text
