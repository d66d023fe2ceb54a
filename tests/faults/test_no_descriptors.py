"""No file descriptor is left: nothing can be imported or sent, and the program goes on, and ends, as it would have."""

from __future__ import annotations

import sys

import pytest

from tests.programs import run_program

EXHAUSTED = """
import os, resource, sys, time
import vedette
client = vedette.init("http://key@127.0.0.1:9/1", shutdown_timeout=10)
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
try:
    while True:
        os.dup(0)
except OSError:
    pass
vedette.capture_message("hello")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource")
@pytest.mark.spec("OFF-16", "PAIN-16")
def test_the_program_ends_by_itself_and_is_not_aborted() -> None:
    """A thread that Python must end during its own end is ended by means of libgcc, which cannot be loaded then."""
    ended = run_program(f"{EXHAUSTED}\nsys.exit(3)")
    assert (ended.code, ended.stdout, ended.stderr) == (3, "", "")
    assert ended.seconds < 5


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource")
@pytest.mark.spec("OFF-16", "TP-26")
def test_a_flush_ends_when_nothing_can_be_sent_and_the_loss_is_counted() -> None:
    then = """
start = time.monotonic()
vedette.flush(8)
print(time.monotonic() - start < 4, dict(client.stats().dropped["error"]))
"""
    ended = run_program(EXHAUSTED + then)
    assert (ended.code, ended.stdout, ended.stderr) == (0, "True {'internal_sdk_error': 1}\n", "")
