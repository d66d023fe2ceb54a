"""A program that fails in the ways an inbox is judged by: ``python bad_day.py SDK DSN WHAT...``.

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


def order(number, user):
    return checkout({"id": f"A-{number}", "country": "AT", "net": Decimal("29.97")}, user, "correct horse")


def order_of_ann():
    order(17, "ann")


def order_of_bob():
    order(18, "bob")


def order_of_cid():
    order(19, "cid")


def quantity(raw, most=5):
    number = int(raw)
    if number < 1:
        raise ValueError(f"too few: {raw}")
    if number > most:
        raise ValueError(f"too many: {raw}")
    return number


def too_few():
    quantity("0")


def too_many():
    quantity("6")


def recursion():
    rec(59)


def rec(n):
    if not n:
        return 1 / n
    return rec(n - 1)


def price(number):
    raise CheckoutError(f"no price for {number}")


def price_all(count):
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(price, number) for number in range(count)]
    raise ExceptionGroup("pricing failed", [future.exception() for future in futures])


def group_of_3():
    price_all(3)


def group_of_300():
    price_all(300)


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
        name, _, fingerprint = what.partition("=")
        with sdk.new_scope() as scope:
            scope.set_user({"id": name.rpartition("_")[2]})
            scope.add_breadcrumb(category="shop", message=f"about to {name}")
            if fingerprint:
                scope.fingerprint = [fingerprint]
            try:
                globals()[name]()
            except Exception as error:
                sdk.capture_exception(error)
    sdk.flush()


if __name__ == "__main__":
    main()
