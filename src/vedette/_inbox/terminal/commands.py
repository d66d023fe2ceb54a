"""``vedette inbox list | show | tail | clear``: they read the database, whether or not a server runs.

Data goes to stdout, talk to stderr. What each returns is the process's exit code.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

from vedette._console import CANNOT, DONE, NOT_CONFIRMED, NOTHING, is_confirmed, not_confirmed, talk, write
from vedette._inbox.event import safe
from vedette._inbox.rows_as_json import event_as_json, issue_as_json
from vedette._inbox.store import NoDatabaseError, Store, StoreError, default_path
from vedette._inbox.terminal.markdown import render_markdown
from vedette._inbox.terminal.screen import Screen
from vedette._inbox.terminal.tail import tail
from vedette._inbox.terminal.view import render_event, render_list

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from vedette._inbox.models import Issue, StoredEvent

_PAGE = 200
_MAX_DIGITS_OF_ISSUE = 7


def run(args: argparse.Namespace) -> int:
    """Run the command that was parsed (``_cli.py``) and return the exit code."""
    path = args.db or default_path()
    try:
        if args.action == "tail":
            return tail(path, args)
        with Store(path, create=False) as store:
            return _ACTIONS[args.action](store, args)
    except NoDatabaseError as error:
        talk("inbox", f"nothing was received yet: {error}")
        return NOTHING
    except StoreError as error:
        talk("inbox", str(error))
        return CANNOT


def _list(store: Store, args: argparse.Namespace) -> int:
    since = None if args.since is None else time.time() - args.since
    found = list(_issues(store, args.query, since))
    if not found:
        talk("inbox", "no issue matches" if args.query or since else "no issue yet")
        return NOTHING
    if args.json:
        write("".join(_as_json(issue_as_json(issue)) + "\n" for issue in found))
    else:
        screen = Screen.of(sys.stdout)
        write(screen.render(render_list(found, screen)))
    return DONE


def _issues(store: Store, query: str | None, since: float | None) -> Iterator[Issue]:
    before = None
    while page := store.issues(q=query, since=since, limit=_PAGE, before=before):
        yield from page
        before = page[-1].newest_row


def _show(store: Store, args: argparse.Namespace) -> int:
    found = _find(store, args.which)
    if len(found) != 1:
        talk("inbox", f"{args.which} is the beginning of several:" if found else _nothing_at(args.which))
        for event in found:
            talk("inbox", f"  {event.event_id}  #{event.issue_id}")
        return NOTHING
    event = found[0]
    if args.format == "raw":
        return _show_raw(store.envelope(event.event_id))
    issue = store.issue(event.issue_id)
    if issue is None:  # by another process, just now
        talk("inbox", f"issue #{event.issue_id} was deleted")
        return NOTHING
    write(_formatted(event, issue, args))
    return DONE


def _find(store: Store, which: str | None) -> list[StoredEvent]:
    """The newest event; for up to 7 digits, an issue's newest; else those whose id begins so."""
    if which is None:
        newest = store.newest_event()
        return [] if newest is None else [newest]
    if _is_issue(which):
        return store.events_of_issue(int(which), limit=1)
    return store.find_event(which)


def _nothing_at(which: str | None) -> str:
    if which is None:
        return "no event yet"
    return f"no issue #{which}" if _is_issue(which) else f"no event {which}"


def _is_issue(which: str) -> bool:
    return which.isdecimal() and len(which) <= _MAX_DIGITS_OF_ISSUE


def _formatted(event: StoredEvent, issue: Issue, args: argparse.Namespace) -> str:
    if args.format == "json":
        return _as_json(event_as_json(event), indent=2) + "\n"
    if args.format == "md":
        return render_markdown(event, issue)
    screen = Screen.of(sys.stdout)
    return screen.render(render_event(event, issue, screen, locals_=args.locals, all_frames=args.all_frames))


def _as_json(value: object, indent: int | None = None) -> str:
    """JSON of printable ASCII: fit for a terminal, too."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")


def _show_raw(envelope: bytes | None) -> int:
    """The envelope's bytes as they came; to a terminal as text that cannot steer it."""
    if envelope is None:
        talk("inbox", "the envelope is not kept any more")
        return NOTHING
    if sys.stdout is not None and sys.stdout.isatty():
        text = envelope.decode(errors="backslashreplace")
        write("".join(line + "\n" for line in safe.lines(text, len(text))))
    else:
        write(envelope)
    return DONE


def _clear(store: Store, args: argparse.Namespace) -> int:
    if args.issue is not None and store.issue(args.issue) is None:
        talk("inbox", f"no issue #{args.issue}")
        return NOTHING
    what = "everything" if args.issue is None else f"issue #{args.issue}"
    if not (args.yes or is_confirmed(f"Delete {what} in {store.path}? [y/N] ")):
        talk("inbox", not_confirmed())
        return NOT_CONFIRMED
    if args.issue is None:
        store.clear()
    else:
        store.delete_issue(args.issue)
    talk("inbox", f"{what} was deleted")
    return DONE


_ACTIONS: dict[str, Callable[[Store, argparse.Namespace], int]] = {
    "list": _list,
    "show": _show,
    "clear": _clear,
}
