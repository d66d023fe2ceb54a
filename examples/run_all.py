"""Runs every `examples/NAME/fails.py` against an inbox, and looks in the inbox's own database for what arrived.

    make examples              # all
    python examples/run_all.py flask django

Each example is a program of its own with a project of its own, and says in constants what is to arrive from it:

    FAILURES     what failed ("KeyError: 'AT'", or the text of a message), and the transaction's name, None for none
    REQUESTS     method and path of the request in it, for those that have one
    BREADCRUMBS  a category that must be among its breadcrumbs

Each failure must have arrived exactly once, and nothing else, and no secret with it. Ends with 0 only if that is so.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

HERE = Path(__file__).parent
SECONDS = 90
SECRET = "s3cret"  # what the examples send as passwords and tokens


@dataclass(frozen=True)
class Example:
    """A program that fails, and what it says of that."""

    name: str
    failures: dict[str, str | None]
    requests: dict[str, str]
    breadcrumbs: dict[str, str]
    missing: str
    """A library that it needs and that is not installed."""

    @property
    def program(self) -> Path:
        """The file."""
        return HERE / self.name / "fails.py"


def read(name: str) -> Example:
    """An example, read without being run."""
    tree = ast.parse((HERE / name / "fails.py").read_text(encoding="utf-8"))
    said: dict[str, Any] = {}
    libraries: list[str] = []
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id in {"FAILURES", "REQUESTS", "BREADCRUMBS"}:
                said[node.targets[0].id] = ast.literal_eval(node.value)
        elif isinstance(node, ast.Import):
            libraries += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            libraries.append(node.module or "")
    missing = [library for library in libraries if not is_installed(library.partition(".")[0])]
    return Example(name, said["FAILURES"], said.get("REQUESTS", {}), said.get("BREADCRUMBS", {}), "".join(missing[:1]))


def is_installed(library: str) -> bool:
    """Whether it can be imported. The folders beside this file have the names of libraries, and count as packages."""
    spec = importlib.util.find_spec(library)
    return spec is not None and spec.origin is not None


def run(example: Example, dsn: str) -> str:
    """Run it; what is wrong with how it ended."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("SENTRY_", "VEDETTE_"))}
    try:
        done = subprocess.run(
            [sys.executable, example.program],
            env={**env, "SENTRY_DSN": dsn},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"did not end in {SECONDS} s"
    if done.returncode != 0:
        print(done.stdout + done.stderr)
    return f"ended with {done.returncode}" if done.returncode != 0 else ""


def events_of(project: str, database: Path) -> list[dict[str, Any]]:
    """What has arrived in a project, asked of SQLite itself."""
    connection = sqlite3.connect(database)
    try:
        query = """SELECT substr(v.body, e.start + 1, e.size) FROM events e JOIN envelopes v ON v.id = e.envelope_id
                   WHERE v.project = ? ORDER BY e.id"""
        return [json.loads(body) for (body,) in connection.execute(query, [project])]
    finally:
        connection.close()


def title_of(event: dict[str, Any]) -> str:
    """What failed: the exception, else the text of the message."""
    exceptions = event.get("exception", {}).get("values")
    if exceptions:
        return f"{exceptions[-1]['type']}: {exceptions[-1].get('value', '')}"
    entry = event.get("logentry") or {}
    return str(entry.get("formatted") or entry.get("message") or event.get("message"))


def request_of(event: dict[str, Any]) -> str | None:
    """Method and path."""
    request = event.get("request")
    return f"{request['method']} {urlsplit(request['url']).path}" if request else None


def faults_of(example: Example, events: list[dict[str, Any]]) -> list[str]:
    """How what has arrived differs from what was to."""
    faults: list[str] = []
    for failure, transaction in example.failures.items():
        arrived = [event for event in events if title_of(event) == failure]
        if len(arrived) != 1:
            faults.append(f"{failure!r} arrived {len(arrived)} times")
        for event in arrived[:1]:
            expected = (transaction, example.requests.get(failure))
            found = (event.get("transaction") or None, request_of(event))
            if found != expected:
                faults.append(f"{failure!r} has transaction and request {found}, not {expected}")
            crumb = example.breadcrumbs.get(failure)
            crumbs = [each.get("category") for each in event.get("breadcrumbs", {}).get("values", [])]
            if crumb is not None and crumb not in crumbs:
                faults.append(f"{failure!r} has breadcrumbs {crumbs}, and none of {crumb!r}")
    for event in events:
        if title_of(event) not in example.failures:
            faults.append(f"{title_of(event)!r} arrived, and was no failure")
        elif SECRET in json.dumps(event):
            faults.append(f"{title_of(event)!r} came with a secret")
    return faults


def run_all(names: list[str], folder: Path) -> int:
    """Start the inbox, run the examples one by one, look, and print a table; the exit status."""
    database = folder / "inbox.db"
    command = [sys.executable, "-m", "vedette", "inbox", "--port", "0", "--json", "--db", str(database)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    failed = 0
    try:
        dsn = json.loads(server.stdout.readline())["dsn"] if server.stdout else ""
        print(f"{'example':12} {'failures':>8} {'arrived':>8} {'seconds':>8}")
        for number, name in enumerate(names, 1):
            example = read(name)
            if example.missing:
                print(f"{name:12} skipped: {example.missing} is not installed", flush=True)
                continue
            begun = time.monotonic()
            ending = run(example, f"{dsn.rpartition('/')[0]}/{number}")
            taken = time.monotonic() - begun
            events = events_of(str(number), database)
            faults = [ending] * bool(ending) + faults_of(example, events)
            failed += bool(faults)
            verdict = "  ".join(faults) or "each once"
            print(f"{name:12} {len(example.failures):>8} {len(events):>8} {taken:>8.1f}  {verdict}", flush=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(SECONDS)
    return 1 if failed else 0


def main() -> int:
    """Run those that are named, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    every = sorted(each.parent.name for each in HERE.glob("*/fails.py"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; default: all")
    names = parser.parse_args().names or every
    if not set(names) <= set(every):
        parser.error(f"there are {', '.join(every)}")
    with tempfile.TemporaryDirectory(prefix="vedette-examples-") as folder:
        return run_all(names, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
