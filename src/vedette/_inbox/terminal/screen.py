"""The screen that is written to: how wide it is, what it can show, and how lines get there.

Colours, links and width follow the stream: without a terminal there is no colour, no link, and room for 120
columns.
``NO_COLOR``, ``FORCE_COLOR`` and ``COLUMNS`` count, and a stream without UTF-8 gets plain signs.
"""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

WIDTH_WITHOUT_TERMINAL = 120
MIN_WIDTH = 30
MAX_WIDTH = 400
_WITHOUT_LINKS = ("linux", "vt", "cons", "sun", "eterm", "emacs")
"""Terminals that would show a link's address, or worse; what others do not know they leave out."""


@dataclass(frozen=True, slots=True)
class Signs:
    """The few signs that are ours."""

    mark: str = "❱"
    dot: str = "·"
    times: str = "×"  # noqa: RUF001 - this very sign is meant
    ellipsis: str = "…"
    minus: str = "−"  # noqa: RUF001 - this very sign is meant
    arrow: str = "→"


ASCII_SIGNS = Signs(mark=">", dot="-", times="x", ellipsis="...", minus="-", arrow="->")


@dataclass(frozen=True, slots=True)
class Screen:
    """What lines are laid out for."""

    width: int = WIDTH_WITHOUT_TERMINAL
    signs: Signs = Signs()
    links: bool = False
    styled: bool = False
    coloured: bool = False

    @classmethod
    def of(cls, stream: TextIO | None, environ: Mapping[str, str] = os.environ) -> Screen:
        """The screen behind a stream; None is one that was closed."""
        if stream is None:
            return cls()
        name = environ.get("TERM", "")
        terminal = stream.isatty() and name != "dumb"
        styled = terminal or bool(environ.get("FORCE_COLOR"))
        utf8 = (stream.encoding or "").replace("-", "").lower() == "utf8"
        return cls(
            width=_width(stream, environ),
            signs=Signs() if utf8 else ASCII_SIGNS,
            links=terminal and not name.startswith(_WITHOUT_LINKS),
            styled=styled,
            coloured=styled and not environ.get("NO_COLOR"),
        )

    def fit(self, text: str, width: int) -> str:
        """The text, cut to so many cells; a cut shows."""
        if len(text) <= width and text.isascii():
            return text
        text = text[: 4 * width + 4]  # wide enough for combining characters, too short to take long
        if cell_len(text) <= width:
            return text
        ellipsis = self.signs.ellipsis
        return set_cell_size(text, max(0, width - len(ellipsis))).rstrip() + ellipsis[: max(0, width)]

    def fit_end(self, text: str, width: int) -> str:
        """The end of the text, cut to so many cells: what matters of a path."""
        if cell_len(text) <= width:
            return text
        ellipsis = self.signs.ellipsis
        end = text[-max(1, width - len(ellipsis)) :]
        while end and cell_len(end) > width - len(ellipsis):
            end = end[1:]
        return ellipsis + end

    def fit_middle(self, text: str, width: int) -> str:
        """The text's beginning and end, cut to so many cells: what matters of an address."""
        if cell_len(text) <= width:
            return text
        end = self.fit_end(text, width * 2 // 5 + len(self.signs.ellipsis))
        return set_cell_size(text, max(0, width - cell_len(end))).rstrip() + end

    def wrap(self, text: str, width: int, rows: int) -> list[str]:
        """The text on at most so many rows of so many cells; a cut shows. Breaks at blanks where it can."""
        found: list[str] = []
        start = 0
        while True:
            window = text[start : start + 4 * width + 4]  # never the whole rest: it may be long
            if cell_len(window) <= width and start + len(window) == len(text):
                return [*found, window]
            if len(found) == rows - 1:
                return [*found, self.fit(window + " " * width, width)]
            head = window[: max(1, len(set_cell_size(window, width).rstrip()))]
            blank = head.rfind(" ")
            if blank > len(head) // 2 and window[len(head) : len(head) + 1] != " ":
                head = head[:blank]
            found.append(head)
            start += len(head)
            while text[start : start + 1] == " ":
                start += 1

    def render(self, lines: Iterable[Text]) -> str:
        """The lines as characters for the stream, with its escape sequences if it takes any."""
        console = Console(
            file=io.StringIO(),
            width=MAX_WIDTH,
            color_system="standard" if self.styled else None,
            force_terminal=self.styled,
            no_color=not self.coloured,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
            _environ={},
        )
        with console.capture() as captured:
            for line in lines:
                console.print(line, soft_wrap=True)
        return captured.get()


def row(*parts: tuple[str, str] | Text | str) -> Text:
    """One line of styled parts; text is never read as markup."""
    return Text.assemble(*parts, no_wrap=True)


def _width(stream: TextIO, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and len(columns) < 6 and int(columns) > 0:  # noqa: PLR2004 - no screen has 100 000 columns
        width = int(columns)
    elif stream.isatty():
        try:
            width = os.get_terminal_size(stream.fileno()).columns or 80
        except OSError:
            width = 80
    else:
        width = WIDTH_WITHOUT_TERMINAL
    return max(MIN_WIDTH, min(width, MAX_WIDTH))
