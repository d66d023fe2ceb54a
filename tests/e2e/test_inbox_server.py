"""The life of ``vedette inbox``: starting, saying where it is, surviving, ending."""

from __future__ import annotations

import html
import json
import os
import re
import shlex
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.inboxes import AUTH, RunningInbox, envelope, new_event_id, order_failed
from tests.waiting import wait_until
from vedette._inbox import schema
from vedette._inbox.server import Ready, ServeOptions, serve
from vedette._inbox.store import Store


def run_inbox(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """An inbox that is expected to end by itself."""
    command = [sys.executable, "-W", "error", "-m", "vedette", "inbox", *options]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=20, check=False, env={**os.environ, **environment}
    )


class Talk:
    """Runs an inbox that talks, ends it at the first line with a word, and keeps what it said."""

    def __init__(self, *options: str, until: str = "Ctrl-C", **environment: str) -> None:
        command = [sys.executable, "-W", "error", "-m", "vedette", "inbox", "--port", "0", *options]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        assert process.stderr is not None
        self.lines: list[str] = []
        for line in process.stderr:
            self.lines.append(line.rstrip("\n"))
            if until in line:
                break
        process.send_signal(signal.SIGINT)
        self.stdout, rest = process.communicate(timeout=10)
        self.lines += rest.splitlines()
        self.code = process.returncode


def test_the_first_run_says_in_five_lines_where_it_is_and_what_to_try(tmp_path):
    talk = Talk("--db", str(tmp_path / "inbox.db"))
    assert talk.code == 0
    where, kept, dsn, attempt, waiting = talk.lines
    url = re.fullmatch(r"vedette inbox +(http://127\.0\.0\.1:\d+)", where)[1]
    sent_to = f"{url.replace('//', '//inbox@')}/1"
    assert kept.split() == ["kept", "in", str(tmp_path / "inbox.db")]
    assert dsn.split() == ["DSN", sent_to]
    assert attempt.endswith(f"python -c \"import vedette; vedette.init('{sent_to}'); a, b = 1, 0; a / b\"")
    assert waiting == "waiting for the first event (Ctrl-C ends, events stay)"


def test_the_line_to_try_shows_its_code_and_its_values(tmp_path):
    """The stranger's test: pasted as it stands on the page, it fails for all to see."""
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        page = inbox.http.get("/", headers={"Accept": "text/html"}).text
        (line,) = re.findall(r'<code id="try">python (.*?)</code>', page)
        program = [sys.executable, *shlex.split(html.unescape(line))]
        assert b"ZeroDivisionError" in subprocess.run(program, capture_output=True, check=False).stderr
        wait_until(lambda: inbox.get("/api/stats")["events"] == 1)
        shown = inbox.http.get("/issues/1.txt").text
    assert re.search(r"❱ <string>:1 <module> +import vedette; vedette.init", shown)
    assert re.search(r"^ +a = 1\n +b = 0$", shown, re.MULTILINE)


def test_a_restart_says_what_is_there_from_before(tmp_path):
    with Store(tmp_path / "inbox.db") as store:
        store.add_envelope("1", envelope(order_failed()))
        store.add_envelope("1", envelope({"message": "m"}))
    talk = Talk("--db", str(tmp_path / "inbox.db"))
    assert len(talk.lines) == 4
    assert re.fullmatch(r"2 issues from before, last \d+ s ago \(Ctrl-C ends, events stay\)", talk.lines[-1])


def test_a_restart_after_two_hours_says_two_hours(tmp_path):
    with Store(tmp_path / "inbox.db") as store:
        for number in range(7):
            store.add_envelope("1", envelope({"message": "m", "fingerprint": [str(number)]}))
    with closing(sqlite3.connect(tmp_path / "inbox.db")) as connection, connection:
        connection.execute("UPDATE events SET received_at = received_at - 7300")
    talk = Talk("--db", str(tmp_path / "inbox.db"))
    assert talk.lines[-1] == "7 issues from before, last 2 h ago (Ctrl-C ends, events stay)"


def test_json_is_one_line_and_nothing_else(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        ready = {"url": inbox.url, "dsn": inbox.dsn}
        assert inbox.send(envelope(order_failed())).status_code == 200
        assert inbox.send(b"garbage").status_code == 400
        assert inbox.get("/api/health") == {"name": "vedette-inbox", "version": "0.1.0", "dsn": ready["dsn"]}
        inbox.process.send_signal(signal.SIGTERM)
        stdout, stderr = inbox.process.communicate(timeout=10)
        assert (stdout, stderr, inbox.process.returncode) == ("", "", 0)


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_within_two_seconds_with_connections_open(tmp_path, signal_number):
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        assert inbox.send(envelope(order_failed())).status_code == 200  # its connection stays open
        address = httpx.URL(inbox.url)
        with closing(socket.create_connection((address.host, address.port))) as half_sent:
            half_sent.sendall(b"POST /api/1/envelope/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            start = time.monotonic()
            code, _ = inbox.end(signal_number)
        assert code == 0
        assert time.monotonic() - start < 2


@pytest.mark.long
def test_what_was_answered_survives_kill_9(tmp_path):
    answered: list[str] = []
    with RunningInbox(tmp_path / "inbox.db") as inbox:

        def send_until_it_dies() -> None:
            with httpx.Client(trust_env=False) as client:
                while True:
                    event_id = new_event_id()
                    try:
                        answer = client.post(
                            f"{inbox.url}/api/1/envelope/",
                            content=envelope(order_failed(), event_id=event_id),
                            headers=AUTH,
                        )
                    except httpx.TransportError:
                        return
                    if answer.status_code == 200:
                        answered.append(event_id)

        threads = [threading.Thread(target=send_until_it_dies) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answered) > 100)
        inbox.end(signal.SIGKILL)
        for thread in threads:
            thread.join()
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        assert inbox.get("/api/stats")["events"] >= len(answered)
        assert all(inbox.get(f"/api/events/{event_id}")["event_id"] == event_id for event_id in answered)


def test_ten_events_are_kept_after_twelve_and_the_two_counted(tmp_path):
    with RunningInbox(tmp_path / "inbox.db", "--keep", "10") as inbox:
        for _ in range(12):
            inbox.send(envelope(order_failed()))
        wait_until(lambda: inbox.get("/api/stats")["removed_events"] == 2)
        stats = inbox.get("/api/stats")
        assert (stats["stored"], stats["events"]) == (12, 10)
        assert inbox.get("/api/issues/1")["count"] == 12


# --- the person's browser ---


def open_with(browser: str, tmp_path: Path, *options: str) -> Talk:
    """An inbox with ``--open``, ended at the first line that speaks of a browser. No real one is found."""
    environment = {"BROWSER": browser, "PATH": "", "DISPLAY": "", "WAYLAND_DISPLAY": ""}
    return Talk("--open", "--db", str(tmp_path / "inbox.db"), *options, until=" browser ", **environment)


@pytest.mark.parametrize("options", [(), ("--host", "0.0.0.0")], ids=["loopback", "with a token"])
def test_the_page_is_opened_in_the_browser(tmp_path, options):
    (tmp_path / "stand_in.py").write_text("import sys; print('The browser shows', sys.argv[1], file=sys.stderr)")
    talk = open_with(f"{sys.executable} {tmp_path / 'stand_in.py'} %s", tmp_path, *options)
    assert talk.code == 0
    (opened,) = (line.split()[-1] for line in talk.lines if line.startswith("The browser"))
    assert opened in " ".join(line for line in talk.lines if not line.startswith("The browser")).split()
    assert ("/?token=" in opened) is bool(options)


def test_without_a_browser_the_page_is_named(tmp_path):
    talk = open_with(str(tmp_path / "missing %s"), tmp_path)
    url = talk.lines[0].split()[-1]
    assert f"vedette inbox: no browser could be opened; the page is {url}" in talk.lines


# --- what keeps it from starting ---


def test_a_port_taken_by_another_inbox_is_named(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as inbox:
        port = str(httpx.URL(inbox.url).port)
        ended = run_inbox("--port", port, "--db", str(tmp_path / "other.db"))
    assert ended.returncode == 3
    assert f"another inbox is running there, use it ({inbox.url})" in ended.stderr
    assert not (tmp_path / "other.db").exists()


def test_a_port_taken_by_another_program_is_said_to_be_so(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        ended = run_inbox("--port", str(other.getsockname()[1]), "--db", str(tmp_path / "inbox.db"))
    assert ended.returncode == 3
    assert "the port is taken by another program; --port 0 takes a free one" in ended.stderr


def test_the_port_and_the_database_come_from_the_environment(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        ended = run_inbox(VEDETTE_INBOX_PORT=port, VEDETTE_INBOX_DB=str(tmp_path / "inbox.db"))
    assert ended.returncode == 3
    assert f"127.0.0.1:{port}" in ended.stderr


def test_an_address_that_is_not_ours_is_said_to_be_so(tmp_path):
    ended = run_inbox("--host", "192.0.2.1", "--db", str(tmp_path / "inbox.db"))
    assert ended.returncode == 3
    assert "cannot listen on 192.0.2.1:8969" in ended.stderr


def test_a_database_that_is_none_keeps_it_from_starting(tmp_path):
    (tmp_path / "inbox.db").write_bytes(b"no database" * 1000)
    ended = run_inbox("--port", "0", "--db", str(tmp_path / "inbox.db"))
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert "file is not a database" in ended.stderr


def test_a_database_that_another_program_has_locked_keeps_it_from_starting(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(schema, "BUSY_SECONDS", 0.05)
    Store(tmp_path / "inbox.db").close()
    with closing(sqlite3.connect(tmp_path / "inbox.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert serve(ServeOptions(port=0, database=tmp_path / "inbox.db")) == 3
    assert "inbox.db: database is locked" in capsys.readouterr().err


# --- reachable from elsewhere ---


def test_another_host_needs_a_token_for_reading_but_not_for_sending(tmp_path):
    """0.0.0.0 is reached over loopback here; the host that other machines would name is allowed by option."""
    options = ["--host", "0.0.0.0", "--port", "0", "--db", str(tmp_path / "inbox.db"), "--allow-host", "shop.lan"]
    command = [sys.executable, "-W", "error", "-m", "vedette", "inbox", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(7)]
        (url, token) = next(
            found.groups() for line in lines if (found := re.search(r"(http://\S+)/\?token=(\S+)", line))
        )
        with httpx.Client(base_url=url, trust_env=False, headers={"Host": "shop.lan"}) as client:
            assert client.post("/api/1/envelope/", content=envelope(order_failed()), headers=AUTH).status_code == 200
            assert client.get("/api/health").json() == {"name": "vedette-inbox", "version": "0.1.0"}  # no key
            for path in ("/", "/api/issues", "/api/items", "/api/events/x", "/api/stream"):
                assert client.get(path).status_code == 401
            assert client.delete("/api/events").status_code == 401
            assert client.get("/api/issues", headers={"Authorization": f"Bearer {token}"}).status_code == 200
            page = client.get("/", params={"token": token})
            cookie = page.headers["set-cookie"]
            assert "HttpOnly" in cookie
            assert "SameSite=Strict" in cookie
            assert client.get("/api/issues", headers={"Cookie": cookie.partition(";")[0]}).status_code == 200
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=10) is not None
    assert process.returncode == 0


def test_one_line_of_json_holds_the_token_too(tmp_path):
    """Nothing else is printed then: without it nobody could read."""
    with RunningInbox(tmp_path / "inbox.db", "--host", "0.0.0.0") as inbox:
        assert httpx.get(f"{inbox.url}/api/issues", trust_env=False).status_code == 401
        given = {"Authorization": f"Bearer {inbox.ready['token']}"}
        assert httpx.get(f"{inbox.url}/api/issues", headers=given, trust_env=False).status_code == 200


# --- in this process, as the command line calls it ---


def test_serve_calls_its_hooks_in_order_of_arrival(tmp_path, capsys):
    """From a thread that isn't the main one, where no signal handler can be set."""
    ready: list[Ready] = []
    seen: list[tuple[str, int, bool]] = []
    options = ServeOptions(port=0, database=tmp_path / "inbox.db")

    def talk() -> None:
        wait_until(lambda: ready, timeout=10)
        for user in ("ann", "bob"):
            answer = httpx.post(
                f"{ready[0].url}/api/1/envelope/",
                content=envelope(order_failed(user=user)),
                headers={**AUTH, "Connection": "close"},
                trust_env=False,
            )
            assert answer.status_code == 200
        httpx.post(f"{ready[0].url}/api/1/envelope/", content=b"garbage", headers=AUTH, trust_env=False)
        wait_until(lambda: len(seen) == 2)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    sender = threading.Thread(target=talk)
    sender.start()
    code = serve(
        options,
        on_event=lambda event, issue, is_new: seen.append((event.data["user"]["id"], issue.count, is_new)),
        on_ready=ready.append,
    )
    sender.join()
    assert code == 0
    assert seen == [("ann", 1, True), ("bob", 2, False)]
    assert ready == [Ready(ready[0].url, ready[0].dsn, os.getpid(), tmp_path / "inbox.db", ready[0].url)]
    assert signal.getsignal(signal.SIGINT) is before
    assert "refused (400): malformed envelope at byte 0" in capsys.readouterr().err


def test_quiet_says_nothing(tmp_path, capsys):
    options = ServeOptions(port=0, database=tmp_path / "inbox.db", quiet=True)
    assert serve(options, on_ready=lambda ready: os.kill(ready.pid, signal.SIGINT)) == 0
    assert capsys.readouterr() == ("", "")
    assert stat.S_IMODE(Path(tmp_path / "inbox.db").stat().st_mode) == 0o600


def test_ready_is_one_line_of_json(tmp_path, capsys):
    options = ServeOptions(port=0, database=tmp_path / "inbox.db", json=True)
    serve(options, on_ready=lambda ready: os.kill(ready.pid, signal.SIGTERM))
    said = capsys.readouterr()
    line = json.loads(said.out)
    assert line == {"url": line["url"], "dsn": f"{line['url'].replace('//', '//inbox@')}/1", "pid": os.getpid()}
    assert (said.out.count("\n"), said.err) == (1, "")
