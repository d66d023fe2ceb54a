"""``vedette inbox``: binds, opens the database, serves until Ctrl-C or SIGTERM, says what one needs to know.

Everything said goes to stderr; stdout is for data: the line of ``--json``, and what ``on_event`` prints.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import secrets
import signal
import socket
import threading
import time
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vedette._console import CANNOT, DONE, say, talk, write
from vedette._inbox.access import is_loopback
from vedette._inbox.announcing import Announcer, EventHook
from vedette._inbox.http_server import HttpServer
from vedette._inbox.json_api import HEALTH_NAME
from vedette._inbox.limits import DEFAULT_KEEP_BYTES, DEFAULT_KEEP_EVENTS, DEFAULT_PORT
from vedette._inbox.receiver import build_app
from vedette._inbox.retention import Retention
from vedette._inbox.settings import Settings
from vedette._inbox.store import Store, StoreError, default_path
from vedette._inbox.streaming import Streams
from vedette._inbox.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


__all__ = ["EventHook", "Ready", "ServeOptions", "serve"]

_DEFAULT_KEY: Final = "inbox"
_ANY_ADDRESS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - recognized, never bound


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """The options of ``vedette inbox``."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT  # 0: a free one
    database: Path | None = None  # None: ``store.default_path()``
    keep: int = DEFAULT_KEEP_EVENTS
    keep_bytes: int = DEFAULT_KEEP_BYTES
    keep_days: float | None = None
    key: str | None = None  # take this key only; None: any
    allow_hosts: tuple[str, ...] = ()
    editor: str = ""  # see Settings
    path_map: tuple[tuple[str, str], ...] = ()
    quiet: bool = False  # say nothing but why it could not start
    json: bool = False  # one JSON line on stdout when ready, instead of the talk


@dataclass(frozen=True, slots=True)
class Ready:
    """A running inbox: where it is, and where programs send to."""

    url: str
    dsn: str
    pid: int
    database: Path
    page: str  # to open in a browser: the URL, with the token if reading needs one


def serve(
    options: ServeOptions, on_event: EventHook | None = None, on_ready: Callable[[Ready], None] | None = None
) -> int:
    """Run the inbox until SIGINT or SIGTERM; the exit code: 0, or 3 if it could not start (said on stderr).

    ``on_ready`` is called once it answers, before any event. ``on_event(event, issue, is_new)`` is called for
    each event stored, in order, on a thread of its own (not with ``quiet``).
    """
    try:
        with (
            _sigterm_as_ctrl_c(),
            contextlib.closing(_bind(options)) as listener,
            Store(options.database or default_path()) as store,
        ):
            return _run(options, listener, store, on_event, on_ready)
    except (StoreError, _CannotStartError) as error:
        talk("inbox", str(error))
        return CANNOT
    except KeyboardInterrupt:  # before the server has come to hear signals, or after
        return DONE


def _run(
    options: ServeOptions,
    listener: socket.socket,
    store: Store,
    on_event: EventHook | None,
    on_ready: Callable[[Ready], None] | None,
) -> int:
    settings = _settings(options, listener, store)
    announcer = None if on_event is None or options.quiet else Announcer(on_event, say)
    retention = Retention(options.keep, options.keep_bytes, options.keep_days)
    announce = None if announcer is None else announcer.announce
    streams = Streams(store, settings)
    writer = Writer(store, retention, key=options.key, announce=announce, committed=streams.announce)
    regrouped = store.regroup()
    store.retain(retention)
    store.tidy()

    def ready() -> None:
        database = store.path.absolute()
        if options.json:
            line: dict[str, object] = {"url": settings.url, "dsn": settings.dsn, "pid": os.getpid()}
            if settings.token is not None:
                line["token"] = settings.token  # nothing else says it, and nobody could read without it
            write(json.dumps(line) + "\n")
        elif not options.quiet:
            for text in _welcome(settings, store, regrouped, time.time()):
                say(text)
        if on_ready is not None:
            on_ready(Ready(settings.url, settings.dsn, os.getpid(), database, _page(settings)))

    writer.start()
    if announcer is not None:
        announcer.start()
    try:
        app = build_app(store, writer, streams, settings)
        asyncio.run(HttpServer(app, ready, streams.close).serve_on(listener))
    finally:
        writer.stop()
        unseen = 0 if announcer is None else announcer.stop()
    if unseen:
        say(f"{unseen} events were not shown here, as the terminal did not keep up: they are stored")
    return DONE


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Generator[None, None, None]:
    """Either ends it in the same way, from the first line on: grouping anew may take seconds."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _CannotStartError(Exception):
    """Why the address could not be bound."""


def _bind(options: ServeOptions) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        message = f"cannot listen on {options.host}:{options.port}: {error}"
        raise _CannotStartError(message) from error
    try:
        if os.name == "posix":  # else a restart would wait for the old connections' end; on Windows it means stealing
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)  # here, not later: of two that may bind, one would fail to listen
    except (OSError, OverflowError) as error:
        listener.close()
        taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
        reason = _taken_by(options) if taken else str(error)
        message = f"cannot listen on {options.host}:{options.port}: {reason}"
        raise _CannotStartError(message) from error
    return listener


def _taken_by(options: ServeOptions) -> str:
    """Who has the port, in words: another inbox says so itself."""
    host = "127.0.0.1" if options.host in _ANY_ADDRESS else options.host
    url = f"http://{_in_url(host)}:{options.port}"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy knows nothing of this machine
    try:
        with opener.open(f"{url}/api/health", timeout=1) as response:
            answer = json.loads(response.read(10_000))
        is_inbox = answer["name"] == HEALTH_NAME
    except (OSError, ValueError, LookupError, TypeError):
        is_inbox = False
    if is_inbox:
        return f"another inbox is running there, use it ({url}) or take a free port with --port 0"
    return "the port is taken by another program; --port 0 takes a free one"


def _settings(options: ServeOptions, listener: socket.socket, store: Store) -> Settings:
    port = int(listener.getsockname()[1])
    is_open = not _is_private(listener)
    shown = "127.0.0.1" if options.host in _ANY_ADDRESS else options.host
    address = f"{_in_url(shown)}:{port}"
    allowed = options.allow_hosts if options.host in _ANY_ADDRESS else (*options.allow_hosts, options.host)
    return Settings(
        url=f"http://{address}",
        dsn=f"http://{options.key or _DEFAULT_KEY}@{address}/1",
        database=str(store.path),
        allow_hosts=allowed,
        editor=options.editor,
        path_map=options.path_map,
        token=secrets.token_urlsafe(16) if is_open else None,
    )


def _page(settings: Settings) -> str:
    return settings.url + ("" if settings.token is None else f"/?token={settings.token}")


def _is_private(listener: socket.socket) -> bool:
    return is_loopback(str(listener.getsockname()[0]))


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _welcome(settings: Settings, store: Store, regrouped: int, now: float) -> list[str]:
    """Five lines for the first run; a restart says what is there from before."""
    lines = [f"vedette inbox  {settings.url}", f"kept in        {settings.database}", f"DSN            {settings.dsn}"]
    if settings.token is not None:
        lines += [
            f"to read it     {_page(settings)} (it can be reached from elsewhere)",
            "from there     use this machine's name instead, and start the inbox with --allow-host NAME",
        ]
    if regrouped:
        lines.append(f"the rule of grouping has changed: {regrouped} events were grouped anew")
    newest = store.newest_event()
    if newest is None:
        lines.append(f"try            {settings.attempt}")
        lines.append("waiting for the first event (Ctrl-C ends, events stay)")
    else:
        number = store.stats().issues
        issues = "1 issue" if number == 1 else f"{number} issues"
        lines.append(f"{issues} from before, last {_ago(now - newest.received_at)} ago (Ctrl-C ends, events stay)")
    return lines


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(0, int(seconds))} s"
