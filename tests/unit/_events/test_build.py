from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
import tracemalloc
from _thread import get_ident

import pytest

from tests.unit._events.raising import caught, event_of, settings_of
from vedette._events.build import event_from_message


def fail():
    raise ValueError("x") from KeyError("y")


def message_of(text, level="info", *, template=None, params=(), stack_frame=None, **options):
    return event_from_message(
        text, level, settings_of(**options), template=template, params=params, stack_frame=stack_frame
    )


@pytest.mark.spec("ERR-51", "ERR-73", "ERR-80", "EVT-11", "EVT-31", "EVT-32")
def test_an_exception_becomes_an_event():
    event = event_of(caught(fail))
    assert event.keys() == {"level", "exception", "threads"}
    assert event["level"] == "error"
    assert [value["type"] for value in event["exception"]["values"]] == ["KeyError", "ValueError"]
    assert event["exception"]["values"][1]["stacktrace"]["frames"][-1]["function"] == "fail"
    json.dumps(event, allow_nan=False)


@pytest.mark.spec("EVT-51", "EVT-52", "EVT-53", "EVT-54", "EVT-55", "EVT-57", "EVT-59")
def test_the_thread_of_an_exception_is_named_and_has_no_stack_of_its_own():
    events = []

    def run():
        events.append(event_of(caught(fail)))
        events.append(get_ident())

    worker = threading.Thread(target=run, name="worker 7")
    worker.start()
    worker.join()
    event, ident = events
    assert event["threads"] == {"values": [{"id": ident, "current": True, "name": "worker 7"}]}
    assert event["exception"]["values"][-1]["thread_id"] == ident


def test_a_threads_name_is_read_without_its_code():
    events = []

    class Named(threading.Thread):
        @property
        def name(self):
            raise AssertionError("asked the program's property")

        def __getattribute__(self, name):
            if name == "_name" and events is None:
                raise AssertionError("asked the program's method")
            return super().__getattribute__(name)

        def run(self):
            events.append(event_of(ValueError("x")))

    worker = Named()
    worker.start()
    worker.join()
    (thread,) = events[0]["threads"]["values"]
    assert thread["name"] == vars(worker)["_name"]


def test_a_thread_that_python_does_not_know_is_not_made_known():
    import _thread  # noqa: PLC0415 - beside what it is for

    events = []
    done = _thread.allocate_lock()
    done.acquire()

    def run():
        events.append(event_of(ValueError("x")))
        events.append(len(threading.enumerate()))
        done.release()

    before = len(threading.enumerate())
    _thread.start_new_thread(run, ())
    assert done.acquire(timeout=5)
    assert "name" not in events[0]["threads"]["values"][0]
    assert events[1] == before


@pytest.mark.spec("EVT-77", "EVT-78", "EVT-79", "ERR-81")
def test_a_message_becomes_an_event():
    assert message_of("paid", "warning") == {
        "level": "warning",
        "logentry": {"message": "paid", "formatted": "paid"},
    }


@pytest.mark.spec("EVT-78", "EVT-79", "EVT-80")
def test_a_template_and_its_parameters_are_sent_beside_the_message():
    entry = message_of("paid 3 of 4", template="paid %s of %s", params=(3, "4", {"password": "x"}))["logentry"]
    assert entry == {
        "message": "paid %s of %s",
        "formatted": "paid 3 of 4",
        "params": ["3", "4", "{'password': [Filtered]}"],
    }


@pytest.mark.spec("PAIN-03")
def test_a_long_message_is_cut_with_a_remark():
    event = message_of("x" * 8193)
    remark = {"": {"rem": [["!limit", "x", 8191, 8192]], "len": 8193}}
    assert event["logentry"]["formatted"] == event["logentry"]["message"] == "x" * 8191 + "…"
    assert event["_meta"] == {"logentry": {"formatted": remark, "message": remark}}
    assert "_meta" not in message_of("x" * 8192)
    assert message_of("x" * 8192)["logentry"]["formatted"] == "x" * 8192
    short = message_of("abcdef", template="abcdefg", max_value_length=4)
    assert short["logentry"] == {"message": "abc…", "formatted": "abc…"}
    assert short["_meta"]["logentry"]["message"][""]["len"] == 7


@pytest.mark.spec("PAIN-03")
def test_a_message_of_50_megabytes_is_cut_before_it_is_copied():
    class Text(str):
        __slots__ = ()

        def __str__(self):
            raise AssertionError("asked the program's class")

        __len__ = __getitem__ = __repr__ = __str__

    for text in ("x" * 50_000_000, Text("x" * 50_000_000)):
        message_of("warm")
        tracemalloc.start()
        event = message_of(text)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert event["logentry"]["formatted"] == "x" * 8191 + "…"
        assert type(event["logentry"]["formatted"]) is str
        assert event["_meta"]["logentry"]["formatted"][""]["len"] == 50_000_000
        assert peak < 1_000_000


def test_a_message_that_is_no_text_is_rendered_without_its_code():
    class Order:
        def __init__(self):
            self.size = 3

        def __str__(self):
            raise AssertionError("asked the program's class")

        __repr__ = __format__ = __str__

    assert "size=3" in message_of(Order())["logentry"]["formatted"]
    assert message_of(None)["logentry"]["formatted"] == "None"
    assert message_of(b"raw")["logentry"]["formatted"] == "b'raw'"
    assert message_of("\udcff")["logentry"]["formatted"] == "\\udcff"


@pytest.mark.spec("EVT-31", "EVT-33", "EVT-34", "EVT-51", "EVT-57")
def test_the_stack_of_a_message_stands_with_the_current_thread():
    def ask():
        return message_of("here", stack_frame=inspect.currentframe())

    event = ask()
    (thread,) = event["threads"]["values"]
    assert thread["id"] == get_ident()
    assert thread["current"] is True
    assert thread["name"] == threading.current_thread().name
    names = [frame["function"].rpartition(".")[2] for frame in thread["stacktrace"]["frames"]]
    assert names[-2:] == ["test_the_stack_of_a_message_stands_with_the_current_thread", "ask"]
    assert "exception" not in event
    assert "stacktrace" not in event


def test_a_deep_stack_of_a_message_is_cut_with_a_remark():
    def deep(depth):
        return deep(depth - 1) if depth else message_of("here", stack_frame=inspect.currentframe())

    event = deep(200)
    assert len(event["threads"]["values"][0]["stacktrace"]["frames"]) == 100
    assert event["_meta"]["threads"]["values"]["0"]["stacktrace"]["frames"][""]["len"] > 200


PROGRAM = """\
import sys
before = set(sys.modules)
from vedette._events.build import event_from_exception
from vedette._events.settings import EventSettings
from vedette._privacy.denylist import DenyList

def fail(value):
    raise ValueError(value)

try:
    fail({"a": [1, 2.5, "x"], "b": (None, b"x")})
except ValueError as exc:
    event = event_from_exception(exc, EventSettings(denylist=DenyList()), {})
    loaded = sorted(set(sys.modules) - before)
    assert event["exception"]["values"][0]["stacktrace"]["frames"][-1]["context_line"]
    print(*loaded)
"""


def test_the_first_capture_of_a_script_imports_nothing_heavy(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(PROGRAM)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    heavy = {"linecache", "tokenize", "re", "traceback", "typing", "inspect", "logging", "dataclasses", "json"}
    assert "vedette._events.frames" in loaded
    assert not loaded & heavy
