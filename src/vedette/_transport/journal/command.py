"""``vedette journal ls|purge DIR``: what is in a cache directory, and how to be rid of it.

Exit codes: 0 done; 1 nothing there; 2 not confirmed; 3 the directory cannot be read.
"""

from __future__ import annotations

import json
import os
import time

from vedette._console import CANNOT, DONE, NOT_CONFIRMED, NOTHING, is_confirmed, not_confirmed, talk, write
from vedette._protocol.categories import KNOWN_CATEGORIES
from vedette._transport.journal import folder as places
from vedette._transport.journal.files import unlink
from vedette._transport.journal.ownership import own_dead
from vedette._transport.journal.record import live_records, salt_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any, Final

    from vedette._transport.journal.ownership import Ownership
    from vedette._transport.journal.record import Record

_ID_DIGITS: Final = 32


def add(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.description = "Shows, or deletes, what programs keep in a cache_dir until it is delivered."
    actions = parser.add_subparsers(dest="action", metavar="ls|purge", required=True)
    listing = actions.add_parser("ls", help="what waits, oldest segment first")
    purge = actions.add_parser("purge", help="delete what no running program owns")
    for each in (listing, purge):
        each.add_argument("directory", metavar="DIR", help="the cache_dir")
    purge.add_argument("--yes", action="store_true", help="do not ask")


def run(args: argparse.Namespace) -> int:
    """Do it; the exit code."""
    try:
        return _list(args.directory) if args.action == "ls" else _purge(args)
    except BrokenPipeError:
        raise
    except OSError as error:
        talk("journal", str(error))
        return CANNOT


def _segments(directory: str) -> Iterator[_Segment]:
    """All of them, one at a time: each is held, if nobody else holds it, until the next one is asked for."""
    for each in sorted(os.scandir(directory), key=lambda each: each.name):
        if not (each.name.startswith(places.FOLDER_PREFIX) and each.is_dir()):
            continue
        for stem in places.stems(os.listdir(each.path)):
            segment = _Segment(each.path, stem)
            try:
                yield segment
            finally:
                segment.release()


class _Segment:
    """One of them; no program takes it meanwhile."""

    def __init__(self, folder: str, stem: str) -> None:
        self.folder = folder
        self.stem = stem
        self._ownership: Ownership | None = own_dead(folder, stem)
        self.is_in_use = self._ownership is None

    def waiting(self) -> Iterator[tuple[Record, bytes]]:
        """Its live records, with their bodies. Raises OSError."""
        try:
            with open(os.path.join(self.folder, self.stem + places.DATA), "rb") as file:
                data = file.read()
        except FileNotFoundError:  # its program has just ended, or somebody deleted it
            return
        for record in live_records(data, salt_of(self.stem)):
            yield record, data[record.body_start : record.end]

    def delete(self) -> int:
        """Its files; how many envelopes were in it."""
        number = sum(1 for _ in self.waiting())
        ownership, self._ownership = self._ownership, None
        if ownership is not None:
            unlink(ownership.path(places.DATA))
            unlink(ownership.path(places.SCRATCH))
            ownership.remove()
        return number

    def release(self) -> None:
        """Let programs have it again."""
        if self._ownership is not None:
            self._ownership.release()


def _list(directory: str) -> int:
    number = 0
    for segment in _segments(directory):
        where = os.path.basename(segment.folder)
        state = "of a running program" if segment.is_in_use else "left behind"
        for record, body in segment.waiting():
            number += 1
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.time))
            category = record.category if record.category in KNOWN_CATEGORIES else "unknown"
            write(f"{when}  {where}  {category}  {_event_id(body)}  {len(body)} bytes, {state}\n")
    if not number:
        talk("journal", "nothing waits")
        return NOTHING
    return DONE


def _event_id(body: bytes) -> str:
    """The id in the envelope's header."""
    try:
        header: Any = json.loads(body.partition(b"\n")[0])
        found: Any = header["event_id"]
    except (ValueError, LookupError, TypeError):
        return "-"
    is_id = isinstance(found, str) and len(found) == _ID_DIGITS and found.isascii() and found.isalnum()
    return found if is_id else "-"


def _purge(args: argparse.Namespace) -> int:
    waiting = left_behind = in_use = 0
    for segment in _segments(args.directory):
        if segment.is_in_use:
            in_use += 1
        else:
            left_behind += 1
            waiting += sum(1 for _ in segment.waiting())
    if in_use:
        talk("journal", f"{in_use} of running programs: left alone")
    if not left_behind:
        talk("journal", "nothing to delete")
        return NOTHING
    if not (args.yes or is_confirmed(f"Delete {waiting} waiting envelopes in {args.directory}? [y/N] ")):
        talk("journal", not_confirmed())
        return NOT_CONFIRMED
    deleted = sum(segment.delete() for segment in _segments(args.directory) if not segment.is_in_use)
    talk("journal", f"{deleted} deleted")
    return DONE
