"""What the inbox does on one machine: ingest, pages, memory, rest, start; and Bugsink beside it in the same run.

    make bench-inbox
    python -m bench.inbox [--events 10000] [--without-bugsink] [--json]

It measures, it is no test: nothing fails when a goal is missed. README.md says how to read it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.bugsinks import running_bugsink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONNECTIONS = 4
ROUND = 2_000  # events of a sample
BUGSINK_EVENTS = 300  # about ten seconds
VIEWS = 40  # of each page
STARTS = 5
IDLE_SECONDS = 5.0
LOAD = [sys.executable, "-m", "bench.inbox_load"]


@dataclass(frozen=True)
class Row:
    """A line of the table. ``cpu`` is what one of it takes, in ms, of all threads of the inbox together.

    ``theirs`` is Bugsink's figure, where there is one.
    """

    what: str
    ours: float
    unit: str
    goal: str = ""
    p95: float | None = None
    cpu: float | None = None
    theirs: float | None = None


# --- an inbox ---------------------------------------------------------------------------------------------------------


class Inbox:
    """``vedette inbox`` in a process of its own."""

    def __init__(self, database: Path, keep: int) -> None:
        # Byte code is kept where an installed program has it, whatever the environment says.
        env = {**os.environ, "PYTHONPYCACHEPREFIX": str(database.parent / "pycache")}
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "vedette", "inbox", "--json", "--port", "0"]
        begun = perf_counter()
        self.process = subprocess.Popen(
            [*command, "--db", str(database), "--keep", str(keep)], stdout=subprocess.PIPE, text=True, env=env
        )
        assert self.process.stdout is not None
        ready = json.loads(self.process.stdout.readline())
        self.connection = HTTPConnection(urlsplit(ready["url"]).netloc)
        self.get("/api/health")
        self.seconds_to_start = perf_counter() - begun
        self.dsn = ready["dsn"]

    def get(self, path: str) -> bytes:
        """The body of an answer, which must be a 200."""
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.status != HTTPStatus.OK:
            raise SystemExit(f"{path} answered {answer.status}: {body[:200]!r}")
        return body

    def cpu_seconds(self) -> float:
        """What it has taken so far."""
        return _cpu_seconds([self.process.pid])

    def end(self) -> None:
        """As Ctrl-C does."""
        self.connection.close()
        self.process.terminate()
        self.process.wait()


@contextmanager
def running_inbox(database: Path, keep: int) -> Iterator[Inbox]:
    inbox = Inbox(database, keep)
    try:
        yield inbox
    finally:
        inbox.end()


# --- measuring --------------------------------------------------------------------------------------------------------


def send(dsn: str, events: int, seed: int) -> float:
    """Events a second, each answered before the next on its connection; by a load generator in another process."""
    command = [*LOAD, dsn, str(events), str(CONNECTIONS), str(seed)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return events / float(done.stdout)


def times_of(call: Callable[[], object], number: int = VIEWS) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds, of calls one after the other."""
    taken = []
    for _ in range(number):
        begun = perf_counter()
        call()
        taken.append((perf_counter() - begun) * 1000)
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def resident_mb(pids: list[int]) -> float:
    """What processes have in memory now, in MB of 10^6 bytes. Linux only."""
    pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def cpu_percent(pids: list[int]) -> float:
    """Of one core, over some seconds in which nobody asks for anything."""
    before = _cpu_seconds(pids)
    sleep(IDLE_SECONDS)
    return (_cpu_seconds(pids) - before) / IDLE_SECONDS * 100


def _cpu_seconds(pids: list[int]) -> float:
    """From the scheduler, in nanoseconds: the clock ticks of /proc/PID/stat are too coarse for a process at rest."""
    threads = [thread for pid in pids for thread in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(one for child in children for one in family(child))]


# --- the table --------------------------------------------------------------------------------------------------------


def measure_inbox(folder: Path, events: int) -> list[Row]:
    """All rows, without Bugsink's side."""
    database = folder / "inbox.db"
    rows: list[Row] = []
    with running_inbox(database, events) as inbox:
        before = inbox.cpu_seconds()
        rates = [send(inbox.dsn, ROUND, seed) for seed in range(events // ROUND)]
        cpu = (inbox.cpu_seconds() - before) * 1000 / (len(rates) * ROUND)
        what = "ingest, 22 kB, 4 connections, gzip"
        rows.append(Row(what, statistics.median(rates), "events/s", ">= 500", cpu=cpu))
        send(inbox.dsn, events // 50, 98)  # from now on each one drives out another
        before = inbox.cpu_seconds()
        rate = send(inbox.dsn, ROUND, 99)
        cpu = (inbox.cpu_seconds() - before) * 1000 / ROUND
        rows.append(Row(f"the same, {events} stored already", rate, "events/s", ">= 500", cpu=cpu))
    starts, cpus = [], []
    for _ in range(STARTS):
        with running_inbox(database, events) as inbox:
            starts.append(inbox.seconds_to_start)
            cpus.append(inbox.cpu_seconds() * 1000)
    median, cpu = statistics.median(starts), statistics.median(cpus)
    rows.append(Row(f"start to ready, {events} stored", median, "s", "< 1.5", max(starts), cpu))
    with running_inbox(database, events) as inbox:
        pids = [inbox.process.pid]
        rows.append(Row("memory when started", resident_mb(pids), "MB", "< 100"))
        stats = json.loads(inbox.get("/api/stats"))
        if stats["events"] != events:
            raise SystemExit(f"{events} events should be there, but not {stats['events']}")
        newest = json.loads(inbox.get("/api/issues?limit=1"))["results"][0]["id"]
        pages = {
            "issue list": "/",
            "event page": f"/issues/{newest}",
            "search that finds": "/?q=CheckoutError",
            "search that finds one": f"/?q={newest_event_id(inbox, newest)}",
            "search that finds nothing": "/?q=no+event+says+this",
            "search with terms": "/?q=release:shop@1.4.0+tag.tenant:acme+vat",
            "issue list as JSON": "/api/issues",
        }
        for what, path in pages.items():
            before = inbox.cpu_seconds()
            median, p95 = times_of(lambda path=path: inbox.get(path))  # type: ignore[misc]
            cpu = (inbox.cpu_seconds() - before) * 1000 / VIEWS
            rows.append(Row(what, median, "ms", "< 50", p95, cpu))
        rows.append(Row("memory after that", resident_mb(pids), "MB", "< 100"))
        rows.append(Row("CPU at rest", cpu_percent(pids), "% of a core", "0"))
    rows.append(Row("disk", sum(file.stat().st_size for file in folder.glob("inbox.db*")) / 1e6, "MB"))
    return rows


def newest_event_id(inbox: Inbox, issue: int) -> str:
    event = json.loads(inbox.get(f"/api/issues/{issue}/events?limit=1"))["results"][0]
    return str(event["event_id"])


def measure_bugsink(folder: Path) -> dict[str, float]:
    """What there is to compare, by the name of the row."""
    with running_bugsink(folder) as bugsink:
        rate = send(bugsink.dsn, BUGSINK_EVENTS, 0)
        pids = [pid for child in family(os.getpid()) if child != os.getpid() for pid in family(child)]
        pids = sorted(set(pids))
        issues, _ = times_of(bugsink.first_issues, 10)
        return {
            "ingest, 22 kB, 4 connections, gzip": rate,
            "issue list as JSON": issues,
            "memory after that": resident_mb(pids),
            "CPU at rest": cpu_percent(pids),
        }


def shown(rows: list[Row]) -> Iterator[str]:
    yield f"{'':36}{'vedette':>10}{'p95':>8}  {'':12}{'goal':>7}{'CPU ms':>9}{'Bugsink':>10}"
    for row in rows:
        p95 = "" if row.p95 is None else _number(row.p95)
        cpu = "" if row.cpu is None else _number(row.cpu)
        theirs = "" if row.theirs is None else _number(row.theirs)
        yield f"{row.what:36}{_number(row.ours):>10}{p95:>8}  {row.unit:12}{row.goal:>7}{cpu:>9}{theirs:>10}"


def _number(value: float) -> str:
    """With three digits that count."""
    return f"{value:,.{max(0, 2 - int(math.log10(max(value, 1))))}f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument(
        "--events", type=int, default=10_000, help="stored when pages are asked for (default %(default)s)"
    )
    parser.add_argument("--without-bugsink", action="store_true", help="the inbox alone")
    parser.add_argument("--json", action="store_true", help="the rows for a script")
    options = parser.parse_args()
    theirs: dict[str, float] = {}
    with TemporaryDirectory(prefix="bench-inbox-") as temporary:
        if not options.without_bugsink:
            (Path(temporary) / "bugsink").mkdir()
            theirs = measure_bugsink(Path(temporary) / "bugsink")
        (Path(temporary) / "inbox").mkdir()
        found = measure_inbox(Path(temporary) / "inbox", options.events)
    rows = [Row(**{**asdict(row), "theirs": theirs.get(row.what)}) for row in found]
    if options.json:
        result: dict[str, Any] = {"rows": [asdict(row) for row in rows]}
        print(json.dumps(result))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {options.events} events\n")
    print("\n".join(shown(rows)))


if __name__ == "__main__":
    main()
