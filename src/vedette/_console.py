"""The manners of a command: where data and talk go, what happens when nobody reads them, what exit codes say.

A stream may be closed from the start (``>&-``: Python then has None for it), full, or lose its reader on the way.
None of that is a fault of the command's: it ends quietly, or says what it could not do, and never shows a
traceback.
"""

from __future__ import annotations

import contextlib
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import TextIO

DONE, NOTHING, NOT_CONFIRMED, CANNOT = 0, 1, 2, 3
"""Exit codes: done; nothing there, or time is over; not confirmed; cannot start, read, or write."""


class OutputError(Exception):
    """Data could not be written, but not because its reader has gone; the message says why."""


def write(data: str | bytes) -> None:
    """Data to stdout, at once; to nowhere, if that was closed from the start.

    Raises BrokenPipeError if its reader has gone, as ``head`` does, and OutputError, if a disk is full: see ``drop``.
    """
    if sys.stdout is None:
        return
    with _named_failures():
        if isinstance(data, str):
            encoding = sys.stdout.encoding or "ascii"
            sys.stdout.write(data.encode(encoding, "backslashreplace").decode(encoding))
        else:
            sys.stdout.buffer.write(data)
    flush()


def flush() -> None:
    """What was printed to stdout leaves now, rather than when the interpreter ends. Raises as ``write`` does."""
    if sys.stdout is not None:
        with _named_failures():
            sys.stdout.flush()


def say(text: str) -> None:
    """A line to the person, on stderr; if that is closed or full, nobody is told."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        drop(sys.stderr)


def talk(command: str, text: str) -> None:
    """A line to the person that says who speaks: ``vedette COMMAND: ...``."""
    say(f"vedette {command}: {text}")


def drop(stream: TextIO | None) -> None:
    """What is still written to the stream, by the interpreter's end too, goes nowhere, quietly."""
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # it is no file
        number = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, number)
        os.close(nowhere)


def is_confirmed(question: str) -> bool:
    """Whether the person at the terminal answers with yes; without a terminal nobody does."""
    if sys.stdin is None or not sys.stdin.isatty() or sys.stderr is None:
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def not_confirmed() -> str:
    """What to say then."""
    has_terminal = sys.stdin is not None and sys.stdin.isatty()
    return "nothing was deleted" + ("" if has_terminal else ": without a terminal it takes --yes")


@contextlib.contextmanager
def _named_failures() -> Generator[None, None, None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        message = f"cannot write to stdout: {error.strerror}"
        raise OutputError(message) from error
