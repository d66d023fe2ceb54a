"""A program that fails in the ways an inbox is judged by: ``python bad_day.py SDK DSN WHAT...``.

``WHAT`` is a function below that fails, ``order``, with an argument for some, ``order:ann``, and with a fingerprint for
others, ``order:ann=shop``.
``SDK`` is the module of the unified API that reports: vedette, or the published sentry_sdk.
"""

from __future__ import annotations

import importlib
import sys
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

RATES = {"DE": Decimal("0.19")}
MARKUP = "</pre></details><script>alert(1)</script><img src=x onerror=alert(2)> {{7*7}} "


class CheckoutError(Exception):
    pass


def vat(net, country):
    rate = RATES[country]
    return (net * rate).quantize(Decimal("0.01"))


def total(order):
    net = order["net"]
    tax = vat(net, order["country"])
    return net + tax


def checkout(order, user, password):
    try:
        return total(order)
    except KeyError as error:
        raise CheckoutError(f"cannot price order {order['id']} for {user}") from error


def order(user):
    return checkout({"id": f"A-{user}", "country": "AT", "net": Decimal("29.97")}, user, "correct " + "horse")


def quantity(raw, most=5):
    number = int(raw)
    if number < 1:
        raise ValueError(f"too few: {raw}")
    if number > most:
        raise ValueError(f"too many: {raw}")
    return number


def recursion():
    rec(60)


def rec(n):
    if not n:
        return 1 / n
    return rec(n - 1)


def price(number):
    raise CheckoutError(f"no price for {number}")


def group(count):
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(price, number) for number in range(int(count))]
    raise ExceptionGroup("pricing failed", [future.exception() for future in futures])  # noqa: F821 - of Python 3.11; only called there


def in_a_pool():
    with ThreadPoolExecutor(1) as pool:
        pool.submit(price, 7).result()


def markup():
    raise CheckoutError((MARKUP * 30)[:2_000])


def long_value():
    word = "v" * 10_000
    raise CheckoutError(word)


def main():
    sdk = importlib.import_module(sys.argv[1])
    sdk.init(sys.argv[2], release="shop@1.4.0", environment="dev")
    sdk.set_tag("tenant", "acme")
    for what in sys.argv[3:]:
        call, _, fingerprint = what.partition("=")
        name, *arguments = call.split(":")
        with sdk.new_scope() as scope:
            scope.set_user({"id": "".join(arguments)})
            scope.add_breadcrumb(category="shop", message=f"about to {name}")
            if fingerprint:
                scope.fingerprint = [fingerprint]
            try:
                globals()[name](*arguments)
            except Exception as error:
                sdk.capture_exception(error)
    sdk.flush()


if __name__ == "__main__":
    main()
