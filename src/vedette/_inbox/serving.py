"""``vedette inbox``: the server, with each event printed as it arrives."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

from vedette._console import OutputError, drop, talk, write
from vedette._inbox.browser import open_page
from vedette._inbox.server import ServeOptions, serve
from vedette._inbox.terminal.screen import Screen
from vedette._inbox.terminal.tail import event_lines
from vedette._inbox.web.editors import guessed

if TYPE_CHECKING:
    import argparse

    from vedette._inbox.models import Issue, StoredEvent
    from vedette._inbox.server import Ready


def run(args: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; the exit code is the server's."""
    options = ServeOptions(
        host=args.host,
        port=args.port,
        database=args.db,
        keep=args.keep,
        keep_days=args.keep_days,
        key=args.key,
        allow_hosts=tuple(args.allow_host),
        editor=guessed(os.environ) if args.editor is None else args.editor,
        path_map=tuple(args.path_map),
        quiet=args.quiet,
        json=args.json,
    )
    printer = _Printer()

    def on_ready(ready: Ready) -> None:
        printer.ready(ready)
        if args.open:
            open_page(ready.page, partial(talk, "inbox"))

    return serve(options, None if args.quiet or args.json else printer.event, on_ready)


class _Printer:
    """Prints events to stdout. When its reader goes, the server is asked to end; when a disk is full, it goes on."""

    def __init__(self) -> None:
        self._url = ""
        self._is_broken = False

    def ready(self, ready: Ready) -> None:
        self._url = ready.url

    def event(self, event: StoredEvent, issue: Issue, _new: bool) -> None:  # noqa: FBT001 - the hook's signature
        if self._is_broken:
            return
        screen = Screen.of(sys.stdout)
        url = f"{self._url}/events/{event.event_id}"
        try:
            write(screen.render(event_lines(event, issue, screen, url)))
        except BrokenPipeError:
            self._give_up()
            signal.raise_signal(signal.SIGINT)
        except OutputError as error:
            self._give_up()
            talk("inbox", f"{error}: events are stored, but no longer shown here")

    def _give_up(self) -> None:
        self._is_broken = True
        drop(sys.stdout)
