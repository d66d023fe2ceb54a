"""A worker, prefork, whose tasks fail on purpose: each failure arrives once, linked to the program that queued it.

    SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/celery/fails.py

It needs no broker: messages are files.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from celery import Celery

import vedette

# What arrives, by the name of the transaction: the task.
FAILURES = {
    "LookupError: no order 0": "fails.bill",
    "LookupError: no order 1": "fails.bill",
    "LookupError: no order 2": "fails.bill",
}

FOLDER = Path(os.environ.get("SHOP_FOLDER") or tempfile.mkdtemp(prefix="shop-"))
os.environ["SHOP_FOLDER"] = str(FOLDER)  # the worker's as well
QUEUE = FOLDER / "queue"
QUEUE.mkdir(exist_ok=True)

vedette.init(release="shop@1.0")

app = Celery("fails", broker="filesystem://")
app.conf.broker_transport_options = {
    "data_folder_in": str(QUEUE),
    "data_folder_out": str(QUEUE),
    "control_folder": str(FOLDER / "control"),
}
app.conf.worker_enable_remote_control = False


@app.task(name="fails.bill")
def bill(order: int, password: str) -> None:
    vedette.set_tag("order", order)
    vedette.add_breadcrumb(message=f"looking for order {order}")
    raise LookupError(f"no order {order}")


def main() -> int:
    command = [sys.executable, "-m", "celery", "-A", "fails", "worker", "--concurrency", "1", "--loglevel", "WARNING"]
    worker = subprocess.Popen(command, cwd=Path(__file__).parent)
    for order in range(3):
        bill.delay(order, password="s3cret")
    deadline = time.monotonic() + 30
    while any(QUEUE.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.1)
    worker.terminate()  # a warm shutdown: tasks that run are finished
    status = worker.wait(30)
    shutil.rmtree(FOLDER)
    return status


if __name__ == "__main__":
    sys.exit(main())
