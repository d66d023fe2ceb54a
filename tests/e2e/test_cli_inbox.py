"""The command ``vedette inbox`` as a user runs it: real processes, a real database, a real server, a real terminal."""

# ruff: noqa: RUF001 - the signs on the screen are meant
from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import closing, contextmanager
from urllib.error import HTTPError

import pytest

from tests.unit._inbox.event.events import HOSTILE, chained, group, message, recursion
from vedette._inbox.store import Store

COMMAND = [sys.executable, "-W", "error", "-m", "vedette"]
FAILING_LINE = "❱ shop/pricing.py:7 vat"


def envelope(number, data):
    event_id = f"{number:08x}" + "0" * 24
    payload = json.dumps({**data, "event_id": event_id}).encode()
    header = json.dumps({"type": "event", "length": len(payload)}).encode()
    return b"\n".join([json.dumps({"event_id": event_id}).encode(), header, payload, b""])


@pytest.fixture
def database(tmp_path):
    return tmp_path / "inbox.db"


@pytest.fixture
def filled(database):
    with Store(database) as store:
        for number, data in enumerate([chained(), group(), recursion(), chained(), message()]):
            store.add_envelope("1", envelope(number, data))
    return database


def environment(**more):
    inherited = {
        key: value
        for key, value in os.environ.items()
        if key not in {"COLUMNS", "NO_COLOR", "FORCE_COLOR", "PYTHONWARNINGS"} and not key.startswith("VEDETTE_")
    }
    return {**inherited, "PYTHONUTF8": "1", "TERM": "xterm", **more}


def inbox(database, *arguments, **env):
    command = [*COMMAND, "inbox", *arguments, "--db", str(database)]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment(**env), timeout=30, check=False
    )


@contextmanager
def running(*arguments, **env):
    process = subprocess.Popen(
        [*COMMAND, "inbox", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(PYTHONUNBUFFERED="", **env),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(process, text):
    """What the process prints up to the line with this text."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return "".join(lines)
    pytest.fail(f"{text!r} did not come: {''.join(lines)}{process.stderr.read()}")


def post(url, body):
    request = urllib.request.Request(url, body, {"X-Sentry-Auth": "Sentry sentry_key=k"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        assert response.status == 200


# list


def test_list_shows_an_issue_a_line_the_newest_first(filled):
    done = inbox(filled, "list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["#4", "#1", "#3", "#2"]
    assert re.fullmatch(
        r"#1  ×2  \d\d:\d\d:\d\d  CheckoutError: cannot price order A-17 for ann +shop/pricing.py:7 in vat", lines[1]
    )


def test_list_finds_by_text_and_by_time_and_says_when_nothing_matches(filled):
    assert inbox(filled, "list", "-q", "ZeroDivision").stdout.startswith("#3")
    assert inbox(filled, "list", "--since", "1h").stdout.count("\n") == 4
    done = inbox(filled, "list", "-q", "nowhere")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "vedette inbox: no issue matches\n")


def test_list_as_json_is_an_object_a_line(filled):
    issues = [json.loads(line) for line in inbox(filled, "list", "--json").stdout.splitlines()]
    assert [issue["id"] for issue in issues] == [4, 1, 3, 2]
    assert issues[1]["count"] == 2
    assert issues[1]["last_seen"].endswith("Z")


def test_list_shows_more_issues_than_fit_a_page(database):
    with Store(database) as store:
        for number in range(205):
            store.add_envelope("1", envelope(number, {"fingerprint": [str(number)], "message": "m"}))
    assert inbox(database, "list").stdout.count("\n") == 205


# show


def test_show_takes_the_newest_event_an_issue_or_the_beginning_of_an_id(filled):
    assert "WARNING stock low for sku 4711" in inbox(filled, "show").stdout
    assert "#3 new · unhandled" in inbox(filled, "show", "3").stdout
    assert "#1 event 2 of 2" in inbox(filled, "show", "1").stdout
    assert "#1 new" in inbox(filled, "show", "00000000").stdout
    assert FAILING_LINE in inbox(filled, "show", "00000003-0000").stdout


def test_show_says_what_is_not_there(filled):
    assert [inbox(filled, "show", which).returncode for which in ("99", "deadbeef")] == [1, 1]
    assert inbox(filled, "show", "99").stderr == "vedette inbox: no issue #99\n"
    assert inbox(filled, "show", "deadbeef").stderr == "vedette inbox: no event deadbeef\n"


def test_show_lists_the_events_that_a_short_id_could_mean(database):
    with Store(database) as store:
        for letter in "ab":
            data = {**message(), "event_id": "c" * 8 + letter * 24}
            payload = json.dumps(data).encode()
            store.add_envelope("1", b'{}\n{"type":"event"}\n' + payload)
    done = inbox(database, "show", "cccccccc")
    assert (done.returncode, done.stdout) == (1, "")
    assert set(re.findall("c{8}[ab]{24}", done.stderr)) == {"c" * 8 + "a" * 24, "c" * 8 + "b" * 24}


def test_show_has_four_formats(filled):
    document = inbox(filled, "show", "1", "--format", "md").stdout
    assert document.startswith("# CheckoutError: cannot price order A-17 for ann\n\n```text\n")
    data = json.loads(inbox(filled, "show", "1", "--format", "json").stdout)
    assert data["exception"] == chained()["exception"]
    assert (data["issue"], data["number_in_issue"]) == (1, 2)
    raw = inbox(filled, "show", "1", "--format", "raw").stdout
    assert raw.encode() == envelope(3, chained())
    assert FAILING_LINE in inbox(filled, "show", "1", "--format", "text").stdout


def test_show_opens_variables_and_frames_when_asked(filled):
    assert "attempts = 1" in inbox(filled, "show", "1", "--locals").stdout
    assert inbox(filled, "show", "3", "--all-frames").stdout.count("return rec(n - 1)") == 60


def test_without_a_terminal_the_width_is_120_or_columns(filled):
    assert "def vat(net: Decimal, country: str)" in inbox(filled, "show", "1").stdout
    assert max(map(len, inbox(filled, "show", "1", COLUMNS="80").stdout.splitlines())) <= 80


def test_an_output_that_is_not_utf8_gets_plain_signs(filled):
    done = inbox(filled, "show", "1", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert done.returncode == 0
    assert "  > shop/pricing.py:7 vat" in done.stdout


def test_a_terminal_that_is_not_utf8_gets_plain_signs(filled):
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    written = on_a_terminal("inbox", "show", "1", "--db", str(filled), **plain)
    assert "\x1b[1;31m> \x1b[0m" in written
    assert "... was the direct cause of" in written
    assert written.isascii()


@pytest.fixture
def hostile(database):
    data = chained(tags={HOSTILE: HOSTILE}, release=HOSTILE, transaction=HOSTILE, logger=HOSTILE)
    for failure in data["exception"]["values"]:
        failure["value"] = f"\x7f{HOSTILE}"
        failure["stacktrace"]["frames"][-1].update(
            filename=HOSTILE, function=HOSTILE, context_line=HOSTILE, vars={HOSTILE: HOSTILE}
        )
    with Store(database) as store:
        store.add_envelope("1", envelope(1, data))
        store.add_envelope("1", envelope(2, data))
    return database


OURS = re.compile(r"\x1b\[[\d;]*m|\x1b]8;[^\x1b\x07]*\x1b\\\\")
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028]")


@pytest.mark.parametrize(
    "command",
    [
        ("list",),
        ("list", "--json"),
        ("show",),
        ("show", "--locals", "--all-frames"),
        ("show", "--format", "md"),
        ("show", "--format", "json"),
        ("tail", "--all", "--until", "2"),
    ],
    ids=" ".join,
)
def test_nothing_received_steers_the_terminal(hostile, command):
    done = inbox(hostile, *command, FORCE_COLOR="1", COLUMNS="80")
    assert (done.returncode, done.stderr) == (0, "")
    assert "evil" in done.stdout or command == ("list",)
    assert not STEERING.search(OURS.sub("", done.stdout))


def on_a_terminal(*command, **env):
    """The bytes that a command writes to a terminal of 80 columns and 24 lines."""
    controller, terminal = pty.openpty()
    subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=terminal, check=True)
    process = subprocess.Popen(
        [*COMMAND, *command], stdin=terminal, stdout=terminal, stderr=terminal, env=environment(**env)
    )
    os.close(terminal)
    written = b""
    try:
        while chunk := os.read(controller, 65_536):
            written += chunk
    except OSError:  # how Linux says that the other end was closed
        pass
    os.close(controller)
    assert process.wait(10) == 0
    return written.decode()


def test_a_terminal_shows_a_chain_of_two_on_its_24_lines_with_colours_and_links(filled):
    written = on_a_terminal("inbox", "show", "1", "--db", str(filled))
    assert "\x1b[1;31m❱" in written
    assert "\x1b]8;id=" in written
    plain = re.sub(r"\x1b\[[\d;]*m|\x1b]8;[^\x1b]*\x1b\\", "", written)
    lines = plain.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines if "RATES" in line or "country =" in line] == [
        f"{FAILING_LINE}          rate = RATES[country]",
        "country = 'AT'",
    ]


def test_no_color_counts_on_a_terminal(filled):
    assert "\x1b[1;31m" not in on_a_terminal("inbox", "show", "1", "--db", str(filled), NO_COLOR="1")


def test_raw_bytes_cannot_steer_a_terminal(database):
    with Store(database) as store:
        store.add_envelope("1", b'{}\n{"type":"event","length":2}\n{}\n{"type":"attachment","length":5}\n\x1b[31m\n')
    assert "\\x1b[31m" in on_a_terminal("inbox", "show", "--format", "raw", "--db", str(database))


# tail


def test_tail_prints_new_issues_whole_and_repeats_as_a_line(filled):
    done = inbox(filled, "tail", "--all", "--until", "5")
    assert done.returncode == 0
    assert done.stdout.count("amount = total(order)") == 2  # in the first of issue 1: as a frame, and around another
    assert re.search(r"^\S+ \S+ ERROR ×2 #1 CheckoutError: cannot price order A-17 for ann$", done.stdout, re.MULTILINE)
    assert done.stdout.rstrip().endswith("request: POST http://shop.example/add?a=1&b=2")


@pytest.mark.long
def test_tail_begins_with_the_last_few_and_ends_with_1_when_time_is_over(filled):
    done = inbox(filled, "tail", "-n", "1", "--timeout", "0.1")
    assert (done.returncode, done.stderr) == (1, "vedette inbox: time is over after 1 events\n")
    assert "stock low" in done.stdout
    assert inbox(filled, "tail", "-n", "0", "--timeout", "0.1").stdout == ""


def test_tail_waits_for_a_database_and_follows_it(database):
    with running("tail", "--until", "2", "--db", database) as process, Store(database) as store:
        store.add_envelope("1", envelope(1, chained()))
        assert FAILING_LINE in until(process, "before:")
        store.add_envelope("1", envelope(2, chained()))
        assert "×2 #1" in until(process, "×2")
        assert process.wait(10) == 0


def test_tail_gives_up_waiting_for_a_database(database):
    assert inbox(database, "tail", "--timeout", "0.1").returncode == 1


def test_tail_ends_with_0_after_ctrl_c(filled):
    with running("tail", "-n", "1", "--db", filled) as process:
        until(process, "request:")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("command", [("tail", "--all"), ("list",), ("show",)])
def test_a_closed_pipe_ends_quietly(filled, command):
    with running(*command, "--db", filled) as process:
        process.stdout.close()
        if command[0] == "tail":  # notices when it writes
            with Store(filled) as store:
                store.add_envelope("1", envelope(99, message()))
        assert process.wait(10) == 0
        assert process.stderr.read() == ""
        process.stdout = None


# clear


def test_clear_deletes_an_issue_or_everything_but_asks_first(filled):
    refused = inbox(filled, "clear")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--yes" in refused.stderr
    assert inbox(filled, "clear", "2", "--yes").returncode == 0
    assert inbox(filled, "clear", "2", "--yes").returncode == 1
    assert inbox(filled, "list").stdout.count("\n") == 3
    assert inbox(filled, "clear", "--yes").returncode == 0
    assert inbox(filled, "list").returncode == 1


# the server


def test_the_server_prints_what_arrives_and_ends_with_0(database):
    with running("--port", "0", "--db", database) as process:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())[0]
        post(f"{url}/api/1/envelope/", envelope(1, chained()))
        shown = until(process, f"{url}/events/")
        assert FAILING_LINE in shown
        address = shown.split()[-1]
        post(f"{url}/api/1/envelope/", envelope(2, chained()))
        assert "ERROR ×2 #1 CheckoutError" in until(process, "×2")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=10) as response:
            assert FAILING_LINE.split()[1] in response.read().decode()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.long
def test_a_server_prints_nothing_that_steers_the_terminal(database):
    with running("--port", "0", "--db", database, FORCE_COLOR="1") as process:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())[0]
        with pytest.raises(HTTPError):
            post(f"{url}/api/1/envelope/", f'{{"\x1b[31m":"{HOSTILE[:-3]}'.encode())
        post(f"{url}/api/1/envelope/", envelope(1, chained(tags={HOSTILE: HOSTILE}, level=HOSTILE)))
        shown = until(process, f"{url}/events/")
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=10)
        assert "refused (400)" in said
        assert "evil" in shown
        assert not STEERING.search(OURS.sub("", shown + rest))
        assert not STEERING.search(said)


def test_the_server_as_json_prints_one_line_and_no_events(database):
    with running("--port", "0", "--json", "--db", database) as process:
        ready = json.loads(process.stdout.readline())
        post(f"{ready['url']}/api/1/envelope/", envelope(1, chained()))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


@pytest.mark.long
def test_the_server_ends_when_nobody_reads_it_any_more(database):
    with running("--port", "0", "--db", database) as process:
        url = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())[0]
        process.stdout.close()
        post(f"{url}/api/1/envelope/", envelope(1, chained()))
        assert process.wait(10) == 0
        assert "could not show" not in process.stderr.read()
        process.stdout = None


# usage


def test_the_database_may_stand_in_the_environment(filled):
    command = [*COMMAND, "inbox", "list"]
    done = subprocess.run(command, capture_output=True, env=environment(VEDETTE_INBOX_DB=str(filled)), check=False)
    assert done.returncode == 0


def test_the_port_may_stand_in_the_environment_and_a_wrong_one_is_named(database):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running("--db", database, VEDETTE_INBOX_PORT=str(port)) as process:
            assert process.wait(10) == 3
            assert f"cannot listen on 127.0.0.1:{port}" in process.stderr.read()
    with running("--db", database, VEDETTE_INBOX_PORT="80x") as process:
        said = "VEDETTE_INBOX_PORT should be a port from 0 to 65535, got '80x'; it is ignored"
        assert said in process.stderr.readline()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "usage: vedette"),
        (["inbox", "--keep-days", "0"], "more than 0"),
        (["inbox", "--key", ""], "letters, digits"),
        (["inbox", "--key", "a b/@"], "letters, digits"),
        (["inbox", "show", "zz"], "8 characters or more of an event id, got 'zz'"),
        (["inbox", "list", "--since", "soon"], "should be like 30s, 15m, 1h, 2d or 1w, got 'soon'"),
        (["inbox", "tail", "--until", "0"], "a number of at least 1, got '0'"),
        (["inbox", "--port", "99999"], "a port from 0 to 65535, got '99999'"),
        (["inbox", "--allow-host", "http://shop.lan/"], "without scheme and port, got 'http://shop.lan/'"),
        (["inbox", "--allow-host", "shop.lan:8969"], "without scheme and port, got 'shop.lan:8969'"),
        (["inbox", "--allow-host", "*"], "without scheme and port, got '*'"),
        (["outbox"], "invalid choice: 'outbox'"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_right(arguments, said):
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, env=environment(), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_file_that_is_no_inbox_database_ends_with_3(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, but long enough to look like something " * 20)
    done = inbox(path, "list")
    assert (done.returncode, done.stdout) == (3, "")
    assert str(path) in done.stderr


@pytest.mark.parametrize(
    "command", [("list",), ("show",), ("tail", "--until", "1"), ("clear", "--yes"), ("--port", "0")], ids=" ".join
)
def test_a_database_of_a_newer_version_ends_with_3_and_is_left_alone(filled, command):
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute("UPDATE meta SET value = '99' WHERE name = 'schema_version'")
    done = inbox(filled, *command)
    assert (done.returncode, done.stdout) == (3, "")
    assert "written by another version of vedette (its schema is 99" in done.stderr
    with closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (5,)


@pytest.mark.long  # SQLite waits for five seconds
@pytest.mark.parametrize("command", [("clear", "--yes"), ("--port", "0")], ids=" ".join)
def test_a_database_that_is_locked_ends_with_3(filled, command):
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        done = inbox(filled, *command)
    assert (done.returncode, done.stdout) == (3, "")
    assert "inbox.db: database is locked" in done.stderr


def without(modules, *arguments):
    """Run the command as if these libraries were not installed."""
    blocked = ", ".join(f"{name!r}: None" for name in modules)
    source = (
        f"import sys; sys.modules.update({{{blocked}}}); from vedette._cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", source, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        check=False,
    )


EXTRAS = ("rich", "starlette", "uvicorn", "brotli", "zstandard", "jinja2")


def test_version_and_help_work_with_the_core_alone():
    assert re.fullmatch(r"vedette \d+\.\d+\.\d+\n", without(EXTRAS, "--version").stdout)
    assert "list" in without(EXTRAS, "inbox", "--help").stdout


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [(EXTRAS, ["list"], "cli"), (EXTRAS, [], "inbox"), (["uvicorn"], ["--port", "0"], "inbox")],
)
def test_a_missing_extra_ends_with_3_and_the_line_to_run(missing, arguments, extra):
    done = without(missing, "inbox", *arguments)
    assert (done.returncode, done.stdout) == (3, "")
    assert f"pip install 'vedette[{extra}]'" in done.stderr


def test_reading_needs_no_server_libraries(filled):
    assert without(("starlette", "uvicorn"), "inbox", "list", "--db", str(filled)).returncode == 0
