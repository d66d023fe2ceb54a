"""Jobs that RQ's workers import."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import vedette


class Shop:
    def restock(self, amount: int) -> None:
        raise ValueError(f"no room for {amount}")


def fail(number: int = 0) -> None:
    vedette.set_tag("number", number)
    vedette.add_breadcrumb(message=f"job {number}")
    raise ValueError(f"failure {number}")


def say(word: str) -> None:
    vedette.set_tag(word, "yes")
    vedette.add_breadcrumb(message=word)
    vedette.capture_message(word)


def log_in(user: str, password: str, *rest: Any, api_key: str = "") -> None:
    vedette.capture_message("m")


def named() -> None:
    vedette.set_transaction_name("nightly")
    vedette.capture_message("m")


def handled() -> int:
    try:
        raise ValueError("handled")
    except ValueError:
        return 1


def leave() -> None:
    sys.exit(3)


def wait() -> None:
    time.sleep(30)  # noqa: TID251 - a job that takes too long


def vanish() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


async def fail_later() -> None:
    raise ValueError("later")
