"""Programs that log what fails: each failure arrives once, and their output stays what it was."""

from __future__ import annotations

from textwrap import dedent

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer, unused_port

INIT = """
import sys, vedette
vedette.init(sys.argv[1])
assert "logging" not in sys.modules
"""

FAILURES = {
    "logger.exception and raised again": """
        try:
            load(7)
        except ValueError:
            logger.exception("could not load")
            raise
    """,
    "a text of the exception and raised again": """
        try:
            load(7)
        except ValueError as error:
            logger.error("could not load: %s", error)
            raise
    """,
    "a text of its own and raised again": """
        try:
            load(7)
        except ValueError:
            logger.error("could not load")
            raise
    """,
    "logged by an excepthook of the program": """
        sys.excepthook = lambda *exc_info: logger.critical("uncaught", exc_info=exc_info)
        load(7)
    """,
    "logged by an excepthook that calls the one before": """
        before = sys.excepthook
        def log_and_go_on(*exc_info):
            logger.critical("uncaught", exc_info=exc_info)
            before(*exc_info)
        sys.excepthook = log_and_go_on
        load(7)
    """,
}

DEFINITIONS = """
import logging
logger = logging.getLogger("shop")
def load(order):
    raise ValueError(f"no such order: {order}")
"""


@pytest.mark.spec("PAIN-17", "FW-excepthook-02", "FW-logging-07")
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_that_is_logged_and_ends_the_program_is_one_event(failure: str) -> None:
    with RecordingServer() as server:
        ended = run_program(INIT + DEFINITIONS + dedent(FAILURES[failure]), server.dsn())
        assert ended.code == 1
        (event,) = server.events
        (value,) = event["exception"]["values"]
        assert (value["type"], value["value"]) == ("ValueError", "no such order: 7")
        assert value["stacktrace"]["frames"][-1]["function"] == "load"


@pytest.mark.spec("PAIN-17", "ERR-01")
def test_a_failure_that_is_logged_and_ends_a_thread_is_one_event() -> None:
    source = """
    import threading
    def work():
        try:
            load(7)
        except ValueError:
            logger.exception("could not load")
            raise
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    """
    with RecordingServer() as server:
        run_program(INIT + DEFINITIONS + dedent(source), server.dsn())
        (event,) = server.events
        assert event["logentry"]["formatted"] == "could not load"
        assert event["exception"]["values"][0]["type"] == "ValueError"


@pytest.mark.parametrize(
    "source",
    [
        "logging.warning('by the root logger, which configures itself')",
        "logger.warning('by the handler of last resort')",
        "logging.basicConfig(format='%(name)s %(funcName)s %(lineno)d %(message)s'); logger.error('x %s', 5)",
    ],
)
def test_what_a_program_prints_by_logging_is_what_it_prints_without(source: str) -> None:
    with RecordingServer() as server:
        plain = run_program("import sys\n\n\n\n" + DEFINITIONS + source)
        ended = run_program(INIT + DEFINITIONS + source, server.dsn())
        assert plain.stderr
        assert ended.stderr == plain.stderr


@pytest.mark.spec("PAIN-25")
@pytest.mark.parametrize("is_there", [True, False])
def test_a_program_that_logs_all_there_is_does_not_loop(is_there: bool) -> None:
    source = """
    import logging, sys, vedette
    from vedette.integrations.logging import LoggingIntegration
    logging.basicConfig(level=logging.DEBUG)
    integration = LoggingIntegration(level=logging.DEBUG, event_level=logging.DEBUG)
    vedette.init(sys.argv[1], debug=True, integrations=[integration])
    logging.getLogger("shop").error("once")
    vedette.flush(5)
    vedette.flush(5)
    print(vedette.get_client().stats().captured)
    """
    with RecordingServer() as server:
        dsn = server.dsn() if is_there else f"http://key@127.0.0.1:{unused_port()}/1"
        ended = run_program(source, dsn)
        assert ended.code == 0
        assert "{'error': 1}" in ended.stdout
        assert [event["logger"] for event in server.events] == (["shop"] if is_there else [])


@pytest.mark.spec("PAIN-04")
def test_what_exit_handlers_log_arrives() -> None:
    source = """
    import atexit
    atexit.register(logger.error, "going down")
    """
    with RecordingServer() as server:
        run_program(INIT + DEFINITIONS + dedent(source), server.dsn())
        assert [event["logentry"]["formatted"] for event in server.events] == ["going down"]


@pytest.mark.spec("PAIN-18")
def test_finalizers_and_signal_handlers_that_log_hold_up_nothing() -> None:
    source = """
    import gc, signal
    logger.addHandler(logging.StreamHandler(sys.stdout))
    class Late:
        def __init__(self):
            self.me = self
        def __del__(self):
            logger.error("in a finalizer")
    def handler(*_):
        logger.error("in a signal handler")
        if number < 299:
            signal.setitimer(signal.ITIMER_REAL, 0.001)  # not by itself: on a slow machine they would pile up
    number = 0
    signal.signal(signal.SIGALRM, handler)
    gc.set_threshold(5)
    signal.setitimer(signal.ITIMER_REAL, 0.001)
    for number in range(300):
        Late()
        logger.error("order %s", number)
    signal.setitimer(signal.ITIMER_REAL, 0)
    vedette.flush(10)
    stats = vedette.get_client().stats()
    print("all accounted for", stats.captured["error"] == stats.delivered["error"] + sum(
        sum(reasons.values()) for reasons in stats.dropped.values()), flush=True)
    """
    with RecordingServer() as server:
        ended = run_program(INIT + DEFINITIONS + dedent(source), server.dsn(), timeout=30)
        assert ended.code == 0
        assert "all accounted for True" in ended.stdout
        orders = [event for event in server.events if event["logentry"]["message"] == "order %s"]
        assert len(orders) == 300


@pytest.mark.spec("INT-17", "PAIN-34")
def test_init_imports_neither_logging_nor_what_reports_it() -> None:
    source = INIT + "assert not [name for name in sys.modules if name in {'loguru', 'structlog', 'argparse'}]\n"
    source += "assert 'vedette.integrations.logging' not in sys.modules"
    with RecordingServer() as server:
        assert run_program(source, server.dsn()).code == 0
