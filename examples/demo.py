"""The main job, end to end: an inbox, a program that fails against it, and what the inbox shows.

Ends with 0 only if the inbox's own database holds everything that the program captured. With ``--stay`` the inbox
goes on until Ctrl-C, so that its page can be looked at.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SECONDS = 30


def inbox(*arguments: str | Path) -> list[str | Path]:
    """The command line of ``vedette inbox``."""
    return [sys.executable, "-m", "vedette", "inbox", *arguments]


def stored_ids(database: Path) -> set[str]:
    """The events that the database holds, asked of SQLite itself."""
    connection = sqlite3.connect(database)
    try:
        return {event_id for (event_id,) in connection.execute("SELECT event_id FROM events")}
    finally:
        connection.close()


def run(folder: Path, *, stay: bool) -> int:
    """Start the inbox, let the shop fail, look, and compare."""
    database, report = folder / "inbox.db", folder / "captured.json"
    server = subprocess.Popen(inbox("--port", "0", "--json", "--db", database), stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(server.stdout.readline()) if server.stdout else {}
        dsn, page = ready["dsn"], ready["url"]
        print(f"The inbox is listening, its page is {page}\n\n$ python examples/shop.py {dsn}\n", flush=True)
        subprocess.run([sys.executable, HERE / "shop.py", dsn, "--ids", report], check=True, timeout=SECONDS)
        captured = json.loads(report.read_text())
        expected = captured["captured"]["error"]
        print("\n$ vedette inbox tail --all\n", flush=True)
        tail = inbox("tail", "--all", "--until", str(expected), "--timeout", str(SECONDS), "--db", database)
        shown = subprocess.run(tail, check=False, timeout=2 * SECONDS).returncode
        print("\n$ vedette inbox list\n", flush=True)
        subprocess.run(inbox("list", "--db", database), check=False, timeout=SECONDS)
        if stay:
            print(f"\nLook at {page} (Ctrl-C ends it)", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                server.wait()
        else:
            print("\nThe page goes with the inbox; this keeps it there: make demo ARGS=--stay", flush=True)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(SECONDS)
    stored = stored_ids(database)
    print(f"\nvedette.get_client().stats()\n  {captured['stats']}")
    missing = [event_id for event_id in captured["ids"] if event_id not in stored]
    complete = shown == 0 and not missing and len(stored) == expected
    print(
        f"\n{expected} captured, {len(stored)} in the inbox's database: {'all there' if complete else 'NOT COMPLETE'}"
    )
    return 0 if complete else 1


def main() -> int:
    """Run the demo in a folder of its own."""
    os.environ.pop("SENTRY_DSN", None)
    with tempfile.TemporaryDirectory(prefix="vedette-demo-") as folder:
        return run(Path(folder), stay="--stay" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
