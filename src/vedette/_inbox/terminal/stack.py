"""The rows of one stack: place and code aligned, the failing frame marked, its variables by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from vedette._inbox.event.folding import Repeat, Single, failing_part, rows_of, source_of, variables_of
from vedette._inbox.terminal.screen import row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.text import Text

    from vedette._inbox.event.exceptions import Frame
    from vedette._inbox.event.fields import Entry
    from vedette._inbox.event.folding import LibraryRun
    from vedette._inbox.terminal.screen import Screen

NARROW = 60
"""Below this the place stands above the code."""
WIDE = 120
"""From here on the failing line has its neighbours, and its variables beside it if they are short."""

_GAP = 3
_BESIDE = 44
_AROUND = 2
_VARIABLES = 2
_VARIABLES_WIDE = 4
_MAX_NAME = 20
_LIBRARY_PLACE = 24
_MAX_ROWS_OF_VALUE = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """How stacks are laid out: one for all stacks of an event, so that their code lines up."""

    screen: Screen
    column: int
    """Cells of the column with the places."""
    locals_: bool
    all_frames: bool
    more: str
    """The command that shows the variables left out."""

    @property
    def narrow(self) -> bool:
        """Whether there is no room for place and code in one row."""
        return self.screen.width < NARROW

    @property
    def wide(self) -> bool:
        """Whether there is room for the lines around the failing one."""
        return self.screen.width >= WIDE

    @classmethod
    def of(
        cls, screen: Screen, stacks: Iterable[Sequence[Frame]], *, locals_: bool, all_frames: bool, more: str
    ) -> Layout:
        """The layout in which the places of all these stacks fit, within two fifths of the width.

        A library's place may be cut earlier: its room would be taken from the program's own code.
        """
        places = [
            min(cell_len(_place(found.frame)), screen.width if found.frame.own or found.marked else _LIBRARY_PLACE)
            for frames in stacks
            for found in rows_of(frames, all_frames=all_frames)
            if isinstance(found, Single)
        ]
        return cls(screen, min(max(places, default=0), screen.width * 2 // 5), locals_, all_frames, more)


def stack_lines(frames: Sequence[Frame], layout: Layout, indent: int, *, closed: bool = False) -> Iterator[Text]:
    """The rows of a stack, oldest first; ``closed``: the marked one alone, with its variables."""
    rows = rows_of(frames, all_frames=layout.all_frames) if frames else []
    if closed and not layout.all_frames:
        rows = [found for found in rows if isinstance(found, Single) and found.marked]
    last = len(rows) - 1
    for index, found in enumerate(rows):
        if isinstance(found, Single):
            yield from _frame_lines(found, layout, indent)
        else:
            yield _folded(found, layout, indent, raised_here=index == last)


def _folded(fold: LibraryRun | Repeat, layout: Layout, indent: int, *, raised_here: bool) -> Text:
    screen = layout.screen
    room = screen.width - indent - 2
    if isinstance(fold, Repeat):
        frames = [f"`{frame.function}` {frame.file}" for frame in fold.frames]
        return row((" " * (indent + 2) + screen.fit(f"{fold.times} more times {', '.join(frames)}", room), "dim"))
    text = f"{len(fold.frames)} frames in {', '.join(fold.names)}"
    code = fold.frames[-1].code.strip() if raised_here and not layout.narrow else ""
    if code:  # where the library raised: the line that says why
        text = _pad(screen.fit(text, layout.column), layout.column + _GAP) + code
    return row((" " * (indent + 2) + screen.fit(text, room), "dim"))


def _frame_lines(found: Single, layout: Layout, indent: int) -> Iterator[Text]:
    frame = found.frame
    if not found.marked:
        yield from _plain_lines(found, layout, indent)
        if layout.locals_ and (frame.own or layout.all_frames):
            yield from _variable_lines(frame, layout, indent)
    elif layout.wide and frame.code:
        yield from _wide_lines(found, layout, indent)
    else:
        yield from _plain_lines(found, layout, indent)
        yield from _variable_lines(frame, layout, indent)


def _plain_lines(found: Single, layout: Layout, indent: int) -> Iterator[Text]:
    start = indent + (4 if layout.narrow else 2 + layout.column + _GAP)
    code, margin = _in_sight(found, layout, layout.screen.width - start)
    if layout.narrow:
        yield _head(found, layout, indent, layout.screen.width - indent - 2)
        if code:
            yield row(" " * start, _code(code, found, layout, layout.screen.width - start, margin))
    else:
        head = _head(found, layout, indent, layout.column)
        if code:
            head.append(" " * (start - head.cell_len))
            head.append_text(_code(code, found, layout, layout.screen.width - start, margin))
        yield head
    carets = _carets(found, layout, layout.screen.width - start, margin)
    if carets:
        yield row(" " * start + carets)


def _in_sight(found: Single, layout: Layout, room: int) -> tuple[str, int]:
    """The code, and how many characters before it are left out.

    That is its margin, and of a long line the beginning, if what failed in it could not be seen otherwise.
    """
    code, ellipsis = found.frame.code, layout.screen.signs.ellipsis
    margin = len(code) - len(code.lstrip())
    part = failing_part(found.frame) if found.marked else None
    if part is None or cell_len(code[margin : part[1]]) < room:
        return code.strip(), margin
    first = max(margin, min(part[0] - room // 2, len(code.rstrip()) - room + len(ellipsis)))
    return ellipsis + code[first:].rstrip(), first - len(ellipsis)


def _wide_lines(found: Single, layout: Layout, indent: int) -> Iterator[Text]:
    """The failing line with its neighbours; its variables beside it if all fit there, else below."""
    frame, screen = found.frame, layout.screen
    start = indent + 2 + layout.column + _GAP
    source = source_of(frame, _AROUND)
    numbered = [(_number(frame, index - len(source.before)), text) for index, text in enumerate(source.before)]
    numbered.append(("", source.code))
    beside = _beside(frame, layout, screen.width - start - cell_len(source.code))
    widest = max((text.cell_len for text in beside), default=-_GAP)
    lines = (*source.before, source.code, *source.after)
    room = min(max(map(cell_len, lines)), screen.width - start - widest - _GAP)
    if carets := _carets(found, layout, room, source.margin):
        numbered.append(("", carets))
    numbered += [(_number(frame, index), text) for index, text in enumerate(source.after, 1)]
    failing = len(source.before)
    numbered += [("", "")] * (failing + len(beside) - len(numbered))
    for index, (number, text) in enumerate(numbered):
        if index == failing:
            line = _head(found, layout, indent, layout.column)
            shown = _code(text, found, layout, room, source.margin)
        else:
            line = row((" " * (indent + 2) + number.rjust(layout.column), "dim"))
            shown = row((screen.fit(text, room), "dim"))
        if text:
            line.append(" " * (start - line.cell_len))
            line.append_text(shown)
        if 0 <= index - failing < len(beside):
            line.append(" " * (start + room + _GAP - line.cell_len))
            line.append_text(beside[index - failing])
        line.rstrip()
        yield line
    if not beside:
        yield from _variable_lines(frame, layout, indent)


def _number(frame: Frame, offset: int) -> str:
    return "" if frame.lineno is None else str(frame.lineno + offset)


def _beside(frame: Frame, layout: Layout, room: int) -> list[Text]:
    """The variables as short lines for the place beside the code, or none if one is too long for it."""
    if layout.locals_ or frame.note:
        return []
    shown, rest = variables_of(frame, _VARIABLES_WIDE)
    texts = list(_assignments(shown, layout, 4 * _BESIDE))
    if rest:
        texts.append(_more(rest, layout, _BESIDE))
    widest = max((text.cell_len for text in texts), default=0)
    return texts if widest <= min(_BESIDE, room - _GAP) else []


def _variable_lines(frame: Frame, layout: Layout, indent: int) -> Iterator[Text]:
    screen = layout.screen
    indent += 6 if layout.narrow else 4
    room = screen.width - indent
    limit = _VARIABLES_WIDE if layout.wide else _VARIABLES
    shown, rest = variables_of(frame, len(frame.variables) if layout.locals_ else limit)
    for text in _assignments(shown, layout, room):
        yield row(" " * indent, text)
    if rest:
        yield row(" " * indent, _more(rest, layout, room))
    if frame.note:
        yield row((" " * indent + screen.fit(f"(variables: {frame.note})", room), "dim"))


def _assignments(variables: Sequence[Entry], layout: Layout, room: int) -> Iterator[Text]:
    screen = layout.screen
    names = min(max((cell_len(variable.name) for variable in variables), default=0), _MAX_NAME, room // 2)
    for variable in variables:
        name = _pad(screen.fit(variable.name, names), names)
        rows = _MAX_ROWS_OF_VALUE if layout.locals_ else 1
        first, *others = screen.wrap(variable.value, room - names - 3, rows)
        yield row((name, "cyan"), (" = ", "dim"), first)
        for other in others:
            yield row(" " * (names + 3), other)
        if layout.locals_ and variable.note:
            yield row((" " * (names + 3) + f"({variable.note})", "dim"))


def _more(rest: Sequence[Entry], layout: Layout, room: int) -> Text:
    """The hint that there is more: the names, as far as they fit, and how to see their values.

    Where there is little room, the option alone, never half a command.
    """
    command = f": {layout.more} --locals"
    names = ", ".join(variable.name for variable in rest)
    left = room - len(command) - len("and ")
    if left >= min(cell_len(names), _MAX_NAME):
        return row((f"and {layout.screen.fit(names, left)}{command}", "dim"))
    hints = (f"and {len(rest)} more{command}", f"and {len(rest)} more: --locals", f"{len(rest)} more")
    return row((next((hint for hint in hints if len(hint) <= room), ""), "dim"))


def _head(found: Single, layout: Layout, indent: int, room: int) -> Text:
    """Mark, place and function."""
    frame, screen = found.frame, layout.screen
    where, function = frame.file, frame.function
    if cell_len(where) + 1 + cell_len(function) > room:
        function = screen.fit(function, max(room - cell_len(where) - 1, room // 3))
        where = screen.fit_end(where, max(1, room - cell_len(function) - 1))
    style = "" if found.marked else "dim"
    link = f"link {frame.link}" if frame.link and screen.links else ""
    mark = (f"{screen.signs.mark} ", "bold red") if found.marked else "  "
    line = row(" " * indent, mark, (where, " ".join(filter(None, (style, link)))))
    if function:
        line.append(f" {function}", style)
    return line


def _code(code: str, found: Single, layout: Layout, room: int, margin: int) -> Text:
    """The line without its margin; what failed in it is underlined where that can be shown."""
    style = "bold" if found.marked else "" if found.frame.own else "dim"
    line = row((layout.screen.fit(code, max(1, room)), style))
    part = failing_part(found.frame) if found.marked else None
    if part is not None and layout.screen.styled:
        line.stylize("underline", part[0] - margin, part[1] - margin)
    return line


def _carets(found: Single, layout: Layout, room: int, margin: int) -> str:
    """The row below the failing line for a screen that cannot underline, or nothing."""
    part = failing_part(found.frame) if found.marked else None
    if part is None or layout.screen.styled:
        return ""
    start = cell_len(found.frame.code[margin : part[0]])
    carets = " " * start + "^" * cell_len(found.frame.code[part[0] : part[1]])
    return carets[:room] if start < room else ""


def _place(frame: Frame) -> str:
    return f"{frame.file} {frame.function}".rstrip()


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
