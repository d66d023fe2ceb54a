"""The end of the program."""

from __future__ import annotations

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer


@pytest.mark.spec("PAIN-16")
def test_ctrl_c_while_the_rest_is_sent_ends_the_program_at_once_and_silently() -> None:
    with RecordingServer() as server:
        server.answer(drip=0.05)  # for many seconds
        ended = run_program(
            """
            import os, signal, sys, threading, time
            import vedette
            vedette.init(sys.argv[1], shutdown_timeout=20)
            vedette.capture_message("in vain")
            main = threading.main_thread()
            def interrupt():
                while main.is_alive():  # until it has ended, and `atexit` runs
                    time.sleep(0.01)
                time.sleep(0.3)
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=interrupt, daemon=True).start()
            """,
            server.dsn(),
        )
        assert ended.stderr == ""
        assert ended.seconds < 5
