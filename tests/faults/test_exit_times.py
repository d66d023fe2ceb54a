"""How long the end of a program may take: ``shutdown_timeout`` and no more, whatever the server does, and in silence.

Measured from the program's last statement to the end of its process, beside a program that does the same but
captures nothing: what the interpreter and the machine take for themselves is not vedette's.
"""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.programs import side_by_side, start_program
from tests.servers import Answer, RecordingServer, slowly, unused_port

if TYPE_CHECKING:
    from collections.abc import Iterator

SLACK = 0.3
"""Seconds that the end may take beside the drain."""

PROGRAM = """
import sys, time
{before}
import vedette
client = vedette.init({dsn!r}, {options})
{capture}
print(time.monotonic(), flush=True)
"""
CAPTURE = "for number in range(10): vedette.capture_message(str(number))"

HANGING_RESOLVER = """
import socket, threading
def getaddrinfo(*_, **__): threading.Event().wait(60)
socket.getaddrinfo = getaddrinfo
"""


def seconds_to_end(dsn: str, capture: str, *, before: str = "", options: str = "") -> float:
    """Of a program that must end well and say nothing."""
    source = PROGRAM.format(dsn=dsn, capture=capture, before=before, options=options)
    with start_program(source) as running:
        ended = running.end(30)
        assert (ended.code, ended.stderr) == (0, ""), ended.stderr
        return ended.at - float(ended.stdout)


@contextmanager
def a_full_backlog() -> Iterator[int]:
    """A port whose queue of new connections is full: whoever connects hears nothing."""
    with ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        for _ in range(8):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


@contextmanager
def a_black_hole() -> Iterator[int]:
    """A port that takes connections and bytes, and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield listener.getsockname()[1]


@contextmanager
def all_servers() -> Iterator[dict[str, str]]:
    """DSNs of servers that fail, each in its own way."""
    with ExitStack() as held:
        full, silent = held.enter_context(a_full_backlog()), held.enter_context(a_black_hole())
        slow, loris, endless = (held.enter_context(RecordingServer()) for _ in range(3))
        slow.default = slowly(0.7)
        loris.default = Answer(drip=0.2)
        endless.default = Answer(announced_length=1 << 30)
        yield {
            "connects to nowhere": f"http://key@127.0.0.1:{full}/1",
            "never answers": f"http://key@127.0.0.1:{silent}/1",
            "never shakes hands": f"https://key@127.0.0.1:{silent}/1",
            "slow": slow.dsn(),
            "slow-loris": loris.dsn(),
            "a body without end": endless.dsn(),
        }


@pytest.mark.spec("PAIN-16", "PAIN-04", "TRN-18")
def test_the_end_takes_no_longer_than_shutdown_timeout_whatever_the_server_does() -> None:
    with all_servers() as servers:
        control = max(side_by_side(lambda name: seconds_to_end(servers[name], ""), servers).values())
        seconds = side_by_side(lambda name: seconds_to_end(servers[name], CAPTURE), servers)
    assert {name: taken for name, taken in seconds.items() if taken > control + 2.0 + SLACK} == {}
    assert seconds["never answers"] > 1.9, "it was not given the time"


@pytest.mark.long
@pytest.mark.spec("PAIN-16", "PAIN-04")
def test_the_end_takes_no_longer_where_the_caller_drains_alone() -> None:
    """Connecting, shaking hands and reading end by the deadline, too, where there is no thread to wait for.

    Only the system's resolver cannot be told a time: with a hanging DNS, and no thread, its own time-out holds.
    """
    alone = """
import _thread
def refuse(*_): raise RuntimeError("can't start new thread")
_thread.start_new_thread = refuse
"""
    with all_servers() as servers:
        seconds = side_by_side(
            lambda name: seconds_to_end(servers[name], CAPTURE, before=alone, options="shutdown_timeout=1.0"), servers
        )
    imports = 0.7  # of what sending needs, on this thread as well
    assert {name: taken for name, taken in seconds.items() if taken > 1.0 + imports + SLACK} == {}


@pytest.mark.spec("PAIN-16", "PAIN-04")
def test_a_server_that_refuses_does_not_hold_up_the_end() -> None:
    dsn = f"http://key@127.0.0.1:{unused_port()}/1"
    imported = "import urllib3, msgspec, certifi, http.client"
    control = seconds_to_end(dsn, "", before=imported)
    assert seconds_to_end(dsn, CAPTURE, before=imported) < control + 0.5


@pytest.mark.long
@pytest.mark.spec("PAIN-16", "PAIN-04")
@pytest.mark.parametrize("timeout", [2.0, 0.5, 0.0])
def test_a_resolver_that_hangs_does_not_hold_up_the_end(timeout: float) -> None:
    """A function in the place of ``socket.getaddrinfo`` that never returns: loopback has no resolver to break."""
    dsn, options = "http://key@server.invalid/1", f"shutdown_timeout={timeout}"
    control = seconds_to_end(dsn, "", before=HANGING_RESOLVER, options=options)
    assert seconds_to_end(dsn, CAPTURE, before=HANGING_RESOLVER, options=options) < control + timeout + SLACK


@pytest.mark.spec("PAIN-04")
def test_a_slow_server_gets_what_it_can_take_in_time() -> None:
    with RecordingServer() as server:
        server.default = slowly(0.3)
        seconds_to_end(server.dsn(), CAPTURE)
        assert len(server.events) >= 5


@pytest.mark.long
@pytest.mark.spec("PAIN-04")
@pytest.mark.skipif(sys.version_info[:2] == (3, 12), reason="Python 3.12 starts no threads while it ends")
def test_a_server_that_takes_longer_than_the_end_may_last_gets_all_that_can_be_sent_at_once() -> None:
    with RecordingServer() as server:
        server.default = slowly(3.0)
        seconds_to_end(server.dsn(), CAPTURE)
        assert len(server.events) == 4


@pytest.mark.spec("PAIN-16")
def test_several_clients_end_within_their_time_each() -> None:
    """One after the other: whoever makes several knows how many."""
    with a_black_hole() as port:
        dsn = f"http://key@127.0.0.1:{port}/1"
        capture = f"vedette.Client({dsn!r}, shutdown_timeout=0.5).capture_message('hello')\n{CAPTURE}"
        control = seconds_to_end(dsn, "")
        assert seconds_to_end(dsn, capture, options="shutdown_timeout=0.5") < control + 2 * 0.5 + SLACK
