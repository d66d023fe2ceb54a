"""What integrations cost a program while nothing fails, beside the published peer.

    make bench-integrations

Each case is a call without an SDK, with vedette and with the peer, in processes of their own, interleaved; what is
printed is the median of what each adds, and the ratio of the two. It measures, it is no test.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.integrations import clients, frameworks, jobs, records

ROOT = Path(__file__).parents[2]
DSN = "http://key@127.0.0.1:9/1"
ROUNDS = 7
SECONDS = 0.25


def start(sdk: str) -> Any:
    """The SDK, initialized as programs do, but for tracing and sending."""
    if sdk == "vedette":
        import vedette

        vedette.init(DSN, transport=lambda event: None)
        return vedette
    if sdk == "peer":
        import sentry_sdk

        sentry_sdk.init(DSN, transport=lambda event: None)
        return sentry_sdk
    return None


CASES = {
    "flask": frameworks.flask_app,
    "django": frameworks.django_app,
    "fastapi": frameworks.fastapi_app,
    "celery": jobs.celery,
    "sqlalchemy": clients.sqlalchemy,
    "redis": clients.redis,
    "redis pipeline": clients.redis_pipeline,
    "http.client": clients.http_client,
    "http.client, no client": clients.http_client_idle,
    "httpx": clients.httpx_client,
    "httpx, no client": clients.httpx_idle,
    "aiohttp server": frameworks.aiohttp_server,
    "aiohttp server, no client": frameworks.aiohttp_server_idle,
    "aiohttp client": clients.aiohttp_client,
    "task": jobs.task,
    "executor": jobs.executor,
    "loguru, breadcrumb": records.loguru_record,
    "structlog, breadcrumb": records.structlog_event,
    "logging, debug": lambda _: records.log_record(logging.DEBUG),
    "logging, breadcrumb": lambda _: records.log_record(logging.INFO),
}


def measure(case: str, sdk: str) -> float:
    """Seconds of CPU time a call takes, at best."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    call = CASES[case](start(sdk))
    count, best = 1, float("inf")
    while True:
        begun = time.thread_time()
        for _ in range(count):
            call()
        taken = time.thread_time() - begun
        best = min(best, taken / count)
        if taken > SECONDS:
            return best
        count *= 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--one", nargs=2, metavar=("CASE", "SDK"), help="measure in this process, and print a number")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one)))
        return
    print(f"{'':24}{'vedette':>12}{'sentry-sdk':>12}{'ratio':>8}")
    for case in arguments.cases:
        taken: dict[str, list[float]] = {"none": [], "vedette": [], "peer": []}
        for _ in range(arguments.rounds):
            for sdk, rounds in taken.items():
                command = [sys.executable, "-m", "bench.integrations", "--one", case, sdk]
                rounds.append(
                    float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
                )
        bare, vedette, peer = (statistics.median(rounds) for rounds in taken.values())
        added = vedette - bare, peer - bare
        print(f"{case:24}{added[0] * 1e6:>9.2f} µs{added[1] * 1e6:>9.2f} µs{added[0] / added[1]:>8.3f}")


if __name__ == "__main__":
    main()
