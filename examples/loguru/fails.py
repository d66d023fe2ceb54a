"""A nightly job that fails on purpose and says so by loguru: each failure arrives once, with the messages before it.

SENTRY_DSN=http://key@127.0.0.1:8969/1 python examples/loguru/fails.py
"""

from __future__ import annotations

from loguru import logger

import vedette

# What arrives. An exception that is logged is named by itself, a message by its text.
FAILURES = {"KeyError: 'AT'": None, "order 9 was never paid": None, "ZeroDivisionError: division by zero": None}
BREADCRUMBS = {"KeyError: 'AT'": "__main__", "order 9 was never paid": "__main__"}

VAT = {"DE": 0.19, "FR": 0.20}

vedette.init(release="shop@1.0")


def total(order: int, country: str, price: float) -> float:
    try:
        return price * (1 + VAT[country])
    except KeyError:
        logger.exception("order {} cannot be priced", order)
        raise


@logger.catch
def average(prices: list[float]) -> float:
    return sum(prices) / len(prices)


def main() -> None:
    for order, country in ((7, "DE"), (8, "AT")):
        with logger.contextualize(order=order):
            logger.info("it goes to {}", country)
            try:
                print(total(order, country, 10.0))
            except KeyError as error:
                vedette.capture_exception(error)  # the same failure: no second event
    logger.error("order {} was never paid", 9)
    average([])


if __name__ == "__main__":
    main()
