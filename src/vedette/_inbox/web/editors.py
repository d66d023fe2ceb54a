"""Links that open a place in the reader's editor.

Scheme and shape of a link come from the option alone, a path from an event is no more than percent-encoded
text in it: absolute, on this machine, without a way up. Anything else gets no link.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EDITORS: Final = {
    "vscode": "vscode://file{path}:{line}",
    "pycharm": "pycharm://open?file={path}&line={line}",
    "zed": "zed://file{path}:{line}",
    "sublime": "subl://open?url=file://{path}&line={line}",
    "none": "",
}
_COMMANDS: Final = {"code": "vscode", "charm": "pycharm", "pycharm": "pycharm", "zed": "zed", "subl": "sublime"}
_TEMPLATE: Final = re.compile(r"(?!(?:javascript|data|vbscript):)[a-z][a-z0-9+.-]*://[!-~]*")
_PLACEHOLDER: Final = re.compile(r"\{path\}|\{line\}")


def template_of(option: str) -> str:
    """The URL for ``--editor``: a known editor's, or the one given. Raises ValueError with the way to mend it."""
    if option in EDITORS:
        return EDITORS[option]
    if _TEMPLATE.fullmatch(option) and "{path}" in option:
        return option
    message = f'should be {", ".join(EDITORS)} or like "scheme://…{{path}}:{{line}}", got {option!r}'
    raise ValueError(message)


def guessed(environ: Mapping[str, str]) -> str:
    """The template of the editor in whose terminal we run, else of the one that the user has set; or none."""
    program = environ.get("TERM_PROGRAM", "").lower()
    if program in EDITORS:
        return EDITORS[program]
    if environ.get("TERMINAL_EMULATOR") == "JetBrains-JediTerm":
        return EDITORS["pycharm"]
    for name in ("VISUAL", "EDITOR"):
        command = environ.get(name, "").split(" ", 1)[0]
        known = _COMMANDS.get(PurePath(command).name)
        if known:
            return EDITORS[known]
    return ""


class Editor:
    """Makes the links of one inbox."""

    def __init__(self, template: str, path_map: Sequence[tuple[str, str]] = ()) -> None:
        self._template = template
        self._path_map = [(there.rstrip("/"), here.rstrip("/")) for there, here in path_map]

    def link(self, path: str, line: int | None) -> str:
        """To a line of a file; empty without an editor or a path (``Frame.path``, which is absolute and local)."""
        if not self._template or not path:
            return ""
        encoded = quote(self._mapped(path), safe="/:", errors="replace")
        parts = {"{path}": encoded, "{line}": str(max(1, line or 1))}
        return _PLACEHOLDER.sub(lambda match: parts[match.group()], self._template)

    def _mapped(self, path: str) -> str:
        for there, here in self._path_map:
            if path.startswith(there + "/"):
                path = here + path[len(there) :]
                break
        path = path.replace("\\", "/") if path[1:2] == ":" else path
        return path if path.startswith("/") else "/" + path
