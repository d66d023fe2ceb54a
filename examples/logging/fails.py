"""A nightly job that fails on purpose and says so in its log: each failure arrives once, with the records before it.

SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/logging/fails.py
"""

from __future__ import annotations

import logging

import vedette
from vedette.integrations.logging import ignore_logger

# What arrives. An exception that is logged is named by itself, a message by its text.
FAILURES = {"KeyError: 'AT'": None, "order 9 was never paid": None}
BREADCRUMBS = {"KeyError: 'AT'": "shop.orders", "order 9 was never paid": "shop.orders"}

VAT = {"DE": 0.19, "FR": 0.20}

logging.basicConfig(level=logging.INFO)
vedette.init(release="shop@1.0")
ignore_logger("shop.noise")  # neither events nor breadcrumbs

log = logging.getLogger("shop.orders")


def total(order: int, country: str, price: float) -> float:
    try:
        return price * (1 + VAT[country])
    except KeyError:
        log.exception("order %s cannot be priced", order, extra={"country": country})
        raise


def main() -> None:
    for order, country in ((7, "DE"), (8, "AT")):
        log.info("order %s goes to %s", order, country)
        try:
            print(total(order, country, 10.0))
        except KeyError:
            log.warning("order %s waits for tomorrow", order)  # a breadcrumb
            log.exception("the same once more")  # the same failure: no second event
    log.error("order %s was never paid", 9)
    logging.getLogger("shop.noise").error("as every night")


if __name__ == "__main__":
    main()
