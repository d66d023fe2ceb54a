"""Where data and talk go, what happens when nobody reads them any more, and what exit codes say."""

from __future__ import annotations

import os
import sys

DONE, NOTHING, NOT_CONFIRMED, CANNOT = 0, 1, 2, 3
"""Exit codes: done; nothing there, or time is over; not confirmed; the database cannot be used."""


def write(text: str) -> None:
    """Data to stdout, at once. Raises BrokenPipeError if its reader has gone: see ``closed``."""
    sys.stdout.write(_encodable(text))
    sys.stdout.flush()


def talk(text: str) -> None:
    """A word to the person, on stderr."""
    print(f"vedette inbox: {text}", file=sys.stderr)


def closed() -> None:
    """The reader of stdout has gone, as ``head`` does: what is still written goes nowhere, quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _encodable(text: str) -> str:
    """The text with what stdout cannot encode written out."""
    encoding = sys.stdout.encoding or "ascii"
    return text.encode(encoding, "backslashreplace").decode(encoding)
