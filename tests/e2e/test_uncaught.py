"""Programs that fail and end: what nobody caught arrives, and the end of the program stays quiet and quick."""

from __future__ import annotations

import sys
import threading

import pytest

from tests.programs import run_program
from tests.servers import RecordingServer, unused_port

INIT = "import sys, vedette; vedette.init(sys.argv[1]); "


@pytest.mark.spec("ERR-01", "ERR-03", "ERR-36", "ERR-37", "ERR-39", "ERR-41", "PAIN-04", "TRN-17")
def test_an_uncaught_error_arrives_and_python_reports_it_as_ever() -> None:
    with RecordingServer() as server:
        ended = run_program(INIT + "x = 7; 1 / 0", server.dsn())
        assert ended.code == 1
        assert ended.stderr.endswith("ZeroDivisionError: division by zero\n")
        assert ended.stderr.count('File "') == 1
        (event,) = server.events
        (value,) = event["exception"]["values"]
        assert value["type"] == "ZeroDivisionError"
        assert value["mechanism"]["type"] == "auto.python.excepthook"
        assert value["mechanism"]["handled"] is False
        assert event["threads"]["values"][0]["crashed"] is True


@pytest.mark.spec("ERR-01", "ERR-33", "ERR-39", "ERR-41", "EVT-56", "PAIN-04")
def test_an_uncaught_error_of_a_thread_arrives() -> None:
    source = """
    import sys, threading, vedette
    vedette.init(sys.argv[1])
    thread = threading.Thread(target=lambda: 1 / 0, name="nightly")
    thread.start()
    thread.join()
    """
    with RecordingServer() as server:
        ended = run_program(source, server.dsn())
        assert ended.code == 0
        assert "ZeroDivisionError" in ended.stderr
        (event,) = server.events
        assert event["exception"]["values"][0]["mechanism"]["type"] == "auto.python.threading"
        assert event["threads"]["values"][0]["name"] == "nightly"


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "SystemExit(3)", "GeneratorExit"])
def test_the_ways_in_which_a_program_ends_itself_are_no_errors(error: str) -> None:
    with RecordingServer() as server:
        run_program(INIT + f"raise {error}", server.dsn())
        assert server.events == []


@pytest.mark.spec("ERR-04", "INT-15", "INT-16")
@pytest.mark.parametrize(
    "option",
    [
        "default_integrations=False",
        "disabled_integrations=[vedette.integrations.excepthook.ExcepthookIntegration]",
        "disabled_integrations=[vedette.integrations.excepthook.ExcepthookIntegration()]",
    ],
)
def test_the_hook_can_be_left_out(option: str) -> None:
    source = f"import sys, vedette.integrations.excepthook; vedette.init(sys.argv[1], {option}); 1 / 0"
    with RecordingServer() as server:
        assert run_program(source, server.dsn()).code == 1
        assert server.events == []


@pytest.mark.spec("PAIN-04", "PAIN-16", "TP-30")
@pytest.mark.parametrize(
    "end",
    [
        "vedette.capture_message('hello')",
        "vedette.capture_message('hello'); sys.exit(0)",
        "import atexit; atexit.register(vedette.capture_message, 'hello')",
        "import threading; threading.Thread(target=vedette.capture_message, args=('hello',)).start()",
        "import threading; t = threading.Timer(0.2, vedette.capture_message, ('hello',)); t.start()",
    ],
)
def test_the_last_event_of_a_program_arrives_and_nothing_is_printed(end: str) -> None:
    with RecordingServer() as server:
        ended = run_program(INIT + end, server.dsn())
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")
        assert [event["logentry"]["formatted"] for event in server.events] == ["hello"]


@pytest.mark.spec("PAIN-16", "TRN-18")
def test_a_server_that_never_answers_holds_the_end_up_no_longer_than_shutdown_timeout() -> None:
    gate = threading.Event()
    with RecordingServer() as server:
        server.answer(gate=gate, times=10)
        source = (
            "import sys, time, vedette; vedette.init(sys.argv[1], shutdown_timeout=0.5);"
            "vedette.capture_message('hello'); vedette.capture_message('hello');"
            "import atexit; start = time.monotonic();"
            "vedette.get_client().close(); print(time.monotonic() - start)"
        )
        ended = run_program(source, server.dsn())
        gate.set()
    assert (ended.code, ended.stderr) == (0, "")
    assert float(ended.stdout) < 0.5 + 0.3


@pytest.mark.spec("PAIN-16")
def test_a_dead_server_is_no_reason_to_say_a_word() -> None:
    ended = run_program(INIT + "vedette.capture_message('hello')", f"http://key@127.0.0.1:{unused_port()}/1")
    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.spec("CFG-40", "CFG-42", "CFG-43")
def test_debug_mode_says_what_goes_wrong_on_stderr() -> None:
    source = "import sys, vedette; vedette.init(sys.argv[1], debug=True); vedette.capture_message('hello')"
    ended = run_program(source, f"http://key@127.0.0.1:{unused_port()}/1")
    assert ended.stdout == ""
    assert "[vedette] DEBUG: an envelope was lost" in ended.stderr


def test_hooks_of_others_are_called_after_ours_and_put_back_on_close() -> None:
    source = """
    import sys, threading, vedette
    def mine(*args): print("mine", args[0].__name__)
    sys.excepthook = mine
    thread_hook = threading.excepthook
    vedette.init(sys.argv[1])
    vedette.init(sys.argv[1])
    assert sys.excepthook is not mine
    sys.excepthook(ValueError, ValueError("boom"), None)
    vedette.get_client().close()
    vedette.flush()
    import time
    deadline = time.monotonic() + 5
    while sys.excepthook is not mine and time.monotonic() < deadline: pass
    assert sys.excepthook is mine and threading.excepthook is thread_hook
    """
    with RecordingServer() as server:
        ended = run_program(source, server.dsn())
        assert (ended.code, ended.stdout, ended.stderr) == (0, "mine ValueError\n", "")
        assert len(server.events) == 1


@pytest.mark.spec("PAIN-34")
def test_import_and_init_load_nothing_that_the_program_does_not_need() -> None:
    source = """
    import sys
    before = set(sys.modules)
    import vedette
    vedette.init("https://key@errors.example.org/1")
    new = set(sys.modules) - before
    heavy = {"typing", "re", "logging", "uuid", "dataclasses", "inspect", "json", "urllib", "urllib3", "msgspec",
             "certifi", "ssl", "socket", "http", "email", "asyncio", "importlib.metadata", "linecache", "tokenize"}
    print(sorted(new & heavy))
    print(sorted(name for name in new if name.partition(".")[0] not in sys.stdlib_module_names | {"vedette"}))
    print(len([name for name in new if not name.startswith("vedette")]))
    """
    heavy, foreign, others = run_program(source).stdout.splitlines()
    assert heavy == "[]"
    assert foreign == "[]"
    assert int(others) < 40


ODD_GROUPS = {
    "no group": "class BulkExceptionGroup(Exception): exceptions = 3\nerror = BulkExceptionGroup()",
    "a property": """
class ExceptionGroupError(Exception):
    @property
    def exceptions(self): raise AssertionError
error = ExceptionGroupError()""",
    "a class": """
class Odd(Exception):
    @property
    def __class__(self): raise AssertionError
error = Odd()""",
}


@pytest.mark.parametrize("name", ODD_GROUPS)
def test_an_uncaught_error_is_asked_nothing_by_the_hook(name: str) -> None:
    with RecordingServer() as server:
        ended = run_program(
            "import sys, vedette\nvedette.init(sys.argv[1])\n" + ODD_GROUPS[name] + "\nraise error", server.dsn()
        )
        assert "Error in sys.excepthook" not in ended.stderr
        assert len(server.events) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="groups are built in from 3.11 on")
def test_a_group_of_cancellations_is_no_error_and_a_deep_one_is_judged_without_recursion() -> None:
    deep = "e = KeyboardInterrupt()\nfor i in range(5000): e = BaseExceptionGroup(str(i), [e])"
    source = INIT + "vedette.get_client().capture_uncaught(e, 'test')"
    with RecordingServer() as server:
        ended = run_program(f"{deep}\n{source}", server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert server.events == []


def test_the_worker_survives_a_program_that_is_out_of_file_descriptors() -> None:
    source = """
    import sys, vedette, resource, socket, time
    vedette.init(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    try:
        while True: held.append(socket.socket())
    except OSError: vedette.capture_exception()
    vedette.flush(5)
    while held: held.pop().close()
    vedette.capture_message("after")
    vedette.flush(10)
    """
    with RecordingServer() as server:
        ended = run_program(source, server.dsn())
        assert (ended.code, ended.stderr) == (0, "")
        assert "after" in [event.get("logentry", {}).get("formatted") for event in server.events]
