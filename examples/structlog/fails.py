"""A nightly job that fails on purpose and says so by structlog: each failure arrives once, with the messages before it.

SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/structlog/fails.py
"""

from __future__ import annotations

import structlog

import vedette
from vedette.integrations.structlog import StructlogProcessor

# What arrives. An exception that is logged is named by itself, a message by its text.
FAILURES = {"KeyError: 'AT'": None, "order is not paid": None}
BREADCRUMBS = {"KeyError: 'AT'": "shop", "order is not paid": "shop"}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        StructlogProcessor(),  # behind what adds values, before what makes a text of them
        structlog.processors.format_exc_info,
        structlog.dev.ConsoleRenderer(colors=False),
    ]
)
log = structlog.get_logger().bind(logger="shop")


def total(order: int, country: str, price: float) -> float:
    try:
        return price * (1 + VAT[country])
    except KeyError:
        log.exception("order has no price", order=order, country=country)
        raise


def main() -> None:
    for order, country in ((7, "DE"), (8, "AT")):
        log.info("order is looked at", order=order)
        try:
            print(total(order, country, 10.0))
        except KeyError as error:
            vedette.capture_exception(error)  # the same failure: no second event
    log.error("order is not paid", order=9)


if __name__ == "__main__":
    main()
