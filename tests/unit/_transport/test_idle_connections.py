"""Connections that wait for the next request, and what a forked child does with them."""

from __future__ import annotations

import os
import queue
import socket
import sys

import pytest
from urllib3.connection import HTTPConnection

from vedette._transport.idle_connections import IdleConnections, leave_to_parent


def connected() -> HTTPConnection:
    connection = HTTPConnection("127.0.0.1")
    connection.sock, connection.other_end = socket.socketpair()  # type: ignore[attr-defined]
    return connection


def test_the_one_that_was_used_last_comes_first_and_no_more_are_kept_than_were_asked_for() -> None:
    idle = IdleConnections(2)
    idle.put(None)
    idle.put("newest", block=False)
    with pytest.raises(queue.Full):
        idle.put("one too many")
    assert idle.qsize() == 2
    assert [idle.get(), idle.get(block=False, timeout=1)] == ["newest", None]
    with pytest.raises(queue.Empty):
        idle.get(block=True)  # it never waits


def test_what_this_process_made_itself_is_its_own() -> None:
    idle = IdleConnections(1)
    idle.put("mine")
    leave_to_parent(close=True)
    assert idle.get() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.spec("PAIN-02")
def test_a_forked_child_closes_its_copies_before_it_goes_on_and_the_parent_keeps_its_own() -> None:
    idle = IdleConnections(3)
    connection = connected()
    idle.put(None)
    idle.put(connection)
    number = connection.sock.fileno()
    child = os.fork()
    if not child:
        try:
            os.fstat(number)
        except OSError:
            os._exit(idle.qsize())
        os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert idle.get() is connection
    connection.sock.sendall(b"still open")
    assert connection.other_end.recv(10) == b"still open"  # type: ignore[attr-defined]
    connection.close()
    connection.other_end.close()  # type: ignore[attr-defined]
