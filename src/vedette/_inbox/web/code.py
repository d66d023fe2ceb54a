"""Source lines as coloured pieces: keyword, string, number, comment. By Pygments, which comes with rich."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_COLOURED_LINE: Final = 400
MAX_COLOURED: Final = 6_000
"""Characters of one page that are coloured: it takes about 10 ms, when they are seen for the first time."""
_KEPT_BACK: Final = 2_500

_LANGUAGES: Final = {
    "py": "python",
    "pyi": "python",
    "pyx": "cython",
    "js": "javascript",
    "mjs": "javascript",
    "cjs": "javascript",
    "jsx": "javascript",
    "ts": "typescript",
    "tsx": "typescript",
    "rb": "ruby",
    "go": "go",
    "java": "java",
    "kt": "kotlin",
    "rs": "rust",
}
_KINDS: Final = (
    ("Keyword", "k"),
    ("Operator.Word", "k"),
    ("Literal.String", "s"),
    ("Literal.Number", "n"),
    ("Comment", "c"),
)


class Piece(NamedTuple):
    """A part of a line: its kind (k, s, n, c or none), and whether it is what failed."""

    kind: str
    text: str
    failing: bool = False


Pieces = tuple[Piece, ...]


class Colours:
    """Colours the code of one page, as long as there is not too much of it."""

    def __init__(self) -> None:
        self._left = MAX_COLOURED

    def lines(self, lines: tuple[str, ...], filename: str, *, first: bool) -> tuple[Pieces, ...]:
        """Lines that follow each other, in pieces. A part is kept back for what is seen first."""
        language = _LANGUAGES.get(filename.rpartition(".")[2].lower(), "")
        short = tuple(line[:MAX_COLOURED_LINE] for line in lines)
        size = sum(map(len, short))
        if not language or size > self._left - (0 if first else _KEPT_BACK):
            return plain(lines)
        self._left -= size
        coloured = _coloured(short, language)
        return tuple(
            (*pieces, Piece("", line[MAX_COLOURED_LINE:])) if len(line) > MAX_COLOURED_LINE else pieces
            for line, pieces in zip(lines, coloured, strict=True)
        )


def plain(lines: Iterable[str]) -> tuple[Pieces, ...]:
    """Lines without colours."""
    return tuple((Piece("", line),) if line else () for line in lines)


def underlined(pieces: Pieces, start: int, end: int) -> Pieces:
    """The pieces with what stands between two offsets marked as failing."""
    return tuple(_cut(pieces, start, end))


def _cut(pieces: Pieces, start: int, end: int) -> Iterator[Piece]:
    offset = 0
    for piece in pieces:
        inner = max(0, start - offset), max(0, end - offset)
        parts = piece.text[: inner[0]], piece.text[inner[0] : inner[1]], piece.text[max(inner) :]
        for part, failing in zip(parts, (False, True, False), strict=True):
            if part:
                yield Piece(piece.kind, part, failing)
        offset += len(piece.text)


@lru_cache(maxsize=512)
def _coloured(lines: tuple[str, ...], language: str) -> tuple[Pieces, ...]:
    # 20 ms, and not each inbox shows a page.
    lexer = import_module("pygments.lexers").get_lexer_by_name(language)

    found: list[list[Piece]] = [[]]
    for _, token, text in lexer.get_tokens_unprocessed("\n".join(lines)):
        kind = _kind_of(str(token))
        first, *others = text.split("\n")
        _append(found[-1], kind, first)
        for part in others:
            found.append([])
            _append(found[-1], kind, part)
    return tuple(map(tuple, found))


def _append(pieces: list[Piece], kind: str, text: str) -> None:
    if pieces and pieces[-1].kind == kind:
        pieces[-1] = Piece(kind, pieces[-1].text + text)
    elif text:
        pieces.append(Piece(kind, text))


@lru_cache(maxsize=256)
def _kind_of(token: str) -> str:
    name = token.removeprefix("Token.")
    return next((kind for prefix, kind in _KINDS if name.startswith(prefix)), "")
