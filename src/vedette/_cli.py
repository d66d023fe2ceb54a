"""The command ``vedette``: what it understands. What the commands do stands in the rooms they belong to.

Exit codes: 0 done; 1 nothing there, or time is over; 2 wrong usage, or not confirmed; 3 cannot start, or an
extra is missing. Runs with the core package alone; the libraries of an extra are imported by the command that
needs them.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vedette import _console as console
from vedette._inbox.limits import DEFAULT_KEEP_EVENTS, DEFAULT_PORT
from vedette._inbox.web import editors
from vedette._protocol.version import VERSION
from vedette._transport.journal import command as journal

if TYPE_CHECKING:
    from collections.abc import Sequence

USAGE = 2

_MAX_PORT = 65_535
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code; wrong usage ends with SystemExit(2) as argparse does.

    Without ``argv`` this is the whole program: Ctrl-C while the interpreter ends is ignored.
    """
    deletes = not {"clear", "purge"}.isdisjoint(sys.argv[1:] if argv is None else argv)
    try:
        try:
            return _run(_parser().parse_args(argv))
        finally:
            console.flush()  # what argparse or print has written leaves here, where a failure is no traceback
    except KeyboardInterrupt:
        return console.NOT_CONFIRMED if deletes else console.DONE
    except BrokenPipeError:
        console.drop(sys.stdout)
        return console.DONE
    except console.OutputError as error:
        console.drop(sys.stdout)
        console.say(f"vedette: {error}")
        return console.CANNOT
    finally:
        if argv is None:
            signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(args: argparse.Namespace) -> int:
    if args.command is None:
        console.say(_parser().format_help().rstrip())
        return USAGE
    if args.command == "journal":
        return journal.run(args)
    if args.action is None and args.port is None:
        args.port = _port_of_environment()
    extra = "inbox" if args.action is None else "cli"
    try:
        # Imported here: --version and --help work without the extras, and at once.
        if args.action is None:
            from vedette._inbox.serving import run  # noqa: PLC0415
        else:
            from vedette._inbox.terminal.commands import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "vedette":
            raise
        console.say(f"vedette {args.command} needs {error.name}, which is not installed. Run:")
        console.say(f"  {sys.executable} -m pip install 'vedette[{extra}]'")
        return console.CANNOT
    return run(args)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vedette", description="A Python SDK with an inbox of its own.")
    parser.add_argument("--version", action="version", version=f"vedette {VERSION}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_inbox(commands.add_parser("inbox", help="receive and show events on this machine"))
    journal.add(commands.add_parser("journal", help="what programs keep in a cache_dir"))
    return parser


def _add_inbox(inbox: argparse.ArgumentParser) -> None:
    inbox.description = "Receives events on this machine and prints them; without an ACTION it serves until Ctrl-C."
    inbox.add_argument("--port", type=_port, help=f"0: a free one (default: VEDETTE_INBOX_PORT, else {DEFAULT_PORT})")
    inbox.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    inbox.add_argument("--db", type=Path, metavar="FILE", help="where events are kept (default: VEDETTE_INBOX_DB)")
    inbox.add_argument(
        "--keep", type=_positive, default=DEFAULT_KEEP_EVENTS, metavar="N", help="events to keep (default %(default)s)"
    )
    inbox.add_argument("--keep-days", type=_days, metavar="DAYS", help="and for how long")
    inbox.add_argument("--key", type=_key, help="take envelopes with this key only")
    inbox.add_argument(
        "--allow-host",
        type=_host_name,
        action="append",
        default=[],
        metavar="NAME",
        help="a name this machine goes by",
    )
    inbox.add_argument(
        "--editor",
        type=_editor,
        metavar="E",
        help="what links to code open: vscode, pycharm, zed, sublime, none, or a URL with {path} and {line} "
        "(default: guessed from the terminal)",
    )
    inbox.add_argument(
        "--path-map",
        type=_path_map,
        action="append",
        default=[],
        metavar="THERE=HERE",
        help="where the files of a container are on this machine: /app=.",
    )
    inbox.add_argument("--open", action="store_true", help="open the page in the browser")
    inbox.add_argument("--quiet", action="store_true", help="print no events")
    inbox.add_argument("--json", action="store_true", help="print one line of JSON when ready, and no events")
    actions = inbox.add_subparsers(dest="action", metavar="[ACTION]")

    # An option that the parent has too must not overwrite with its default what stood before the action.
    database = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    database.add_argument("--db", type=Path, metavar="FILE", help="the inbox's database (default: VEDETTE_INBOX_DB)")

    listing = actions.add_parser("list", parents=[database], help="the issues, newest activity first")
    listing.add_argument("-q", "--query", metavar="TEXT", help="in type, value, file, function, tags, user, release")
    listing.add_argument("--since", type=_duration, metavar="1h", help="seen in the last 30s, 15m, 1h, 2d or 1w")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")

    show = actions.add_parser("show", parents=[database], help="one event, whole")
    show.add_argument(
        "which", nargs="?", type=_issue_or_event, metavar="ISSUE|EVENT-ID", help="default: the newest event"
    )
    show.add_argument("--locals", action="store_true", help="all variables of the program's own frames")
    show.add_argument("--all-frames", action="store_true", help="fold nothing")
    show.add_argument("--format", choices=("text", "md", "json", "raw"), default="text", help="default %(default)s")

    tail = actions.add_parser("tail", parents=[database], help="print events as they arrive")
    tail.add_argument(
        "-n",
        dest="number",
        type=_not_negative,
        default=10,
        help="begin with the last N (default %(default)s)",
    )
    tail.add_argument("--all", action="store_true", help="begin with the first")
    tail.add_argument("--until", type=_positive, metavar="N", help="end after N events")
    tail.add_argument("--timeout", type=_seconds_or_number, metavar="S", help="end after S seconds, with exit code 1")

    clear = actions.add_parser("clear", parents=[database], help="delete an issue, or everything")
    clear.add_argument("issue", nargs="?", type=_positive, metavar="ISSUE", help="default: everything")
    clear.add_argument("--yes", action="store_true", help="do not ask")


def _port_of_environment() -> int:
    """The variable's port. A wrong one is an operator's slip: it is named, and the default taken."""
    text = os.environ.get("VEDETTE_INBOX_PORT", "")
    try:
        return _port(text) if text else DEFAULT_PORT
    except argparse.ArgumentTypeError as error:
        console.talk("inbox", f"VEDETTE_INBOX_PORT {error}; it is ignored")
        return DEFAULT_PORT


def _port(text: str) -> int:
    return _number(text, 0, _MAX_PORT, "a port from 0 to 65535")


def _positive(text: str) -> int:
    return _number(text, 1, sys.maxsize, "a number of at least 1")


def _not_negative(text: str) -> int:
    return _number(text, 0, sys.maxsize, "a number of at least 0")


def _number(text: str, least: int, most: int, wanted: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 19 and least <= int(text) <= most):  # noqa: PLR2004 - fits 64 bits
        raise argparse.ArgumentTypeError(f"should be {wanted}, got {text!r}")
    return int(text)


def _seconds_or_number(text: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", text):
        raise argparse.ArgumentTypeError(f"should be a number such as 10 or 0.5, got {text!r}")
    return float(text)


def _days(text: str) -> float:
    days = _seconds_or_number(text)
    if days == 0:
        raise argparse.ArgumentTypeError("should be more than 0: it would delete everything")
    return days


def _key(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.~-]+", text):
        raise argparse.ArgumentTypeError(f"should be of letters, digits and -_.~ to fit into a DSN, got {text!r}")
    return text


def _host_name(text: str) -> str:
    name = text.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(name)
    except ValueError:
        if not re.fullmatch(r"\w[\w.-]*", name, re.ASCII):
            wanted = "a name or an address as it stands in the URL, without scheme and port"
            raise argparse.ArgumentTypeError(f"should be {wanted}, got {text!r}") from None
    return name


def _editor(text: str) -> str:
    try:
        return editors.template_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _path_map(text: str) -> tuple[str, str]:
    there, equals, here = text.partition("=")
    if not (there and equals and here):
        raise argparse.ArgumentTypeError(f"should be like /app=. or /app=/home/me/shop, got {text!r}")
    return there, str(Path(here).resolve())


def _duration(text: str) -> int:
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"should be like 30s, 15m, 1h, 2d or 1w, got {text!r}")
    return int(match[1]) * _SECONDS[match[2]]


def _issue_or_event(text: str) -> str:
    if re.fullmatch(r"\d{1,7}|[0-9a-fA-F-]{8,36}", text) is None:
        raise argparse.ArgumentTypeError(
            f"should be the number of an issue, or 8 characters or more of an event id, got {text!r}"
        )
    return text
