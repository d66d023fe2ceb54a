"""A small shop with a bad day: what vedette shows of it.

    python -m vedette inbox          # in one terminal: it prints the DSN
    python examples/shop.py DSN      # in another

With ``--ids FILE`` it writes what was captured, and what ``stats()`` says of it, to a file as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import vedette

if sys.version_info < (3, 11):
    from exceptiongroup import ExceptionGroup

VAT = {"DE": Decimal("0.19"), "FR": Decimal("0.20"), "IT": Decimal("0.22")}


class CheckoutError(Exception):
    """An order cannot be taken."""


class OutOfStockError(Exception):
    """Nothing left of an article."""


@dataclass
class Line:
    """So many of an article, at a price."""

    article: str
    price: Decimal
    quantity: int = 1


@dataclass
class Order:
    """What a customer wants, and where it goes."""

    number: str
    country: str
    lines: list[Line] = field(default_factory=list)


def vat(net: Decimal, country: str) -> Decimal:
    """The tax on a net price."""
    rate = VAT[country]
    return (net * rate).quantize(Decimal("0.01"))


def total(order: Order) -> Decimal:
    """What the customer pays."""
    net = sum((line.price * line.quantity for line in order.lines), Decimal(0))
    return net + vat(net, order.country)


def checkout(order: Order, user: str, password: str) -> Decimal:
    """Take an order. Raises CheckoutError."""
    vedette.add_breadcrumb(category="query", message="SELECT * FROM baskets WHERE owner = %s", level="info")
    vedette.add_breadcrumb(
        type="http",
        category="http",
        data={"method": "GET", "url": "http://stock.local/items?id=7", "status_code": 200},
    )
    try:
        amount = total(order)
    except KeyError as error:
        message = f"cannot price order {order.number} for {user}"
        raise CheckoutError(message) from error
    print(f"order {order.number}: {amount} for {user} ({len(password)} characters of password)")
    return amount


def reserve(article: str) -> str:
    """Ask the stock. Raises OutOfStockError."""
    in_stock = {"lamp": 3, "table": 0, "chair": 0}
    if not in_stock[article]:
        message = f"no {article} left"
        raise OutOfStockError(message)
    return article


def reserve_all(articles: list[str]) -> None:
    """Ask the stock for several articles at once. Raises ExceptionGroup."""
    with ThreadPoolExecutor() as pool:
        answers = [pool.submit(reserve, article) for article in articles]
    failures = [failure for failure in (answer.exception() for answer in answers) if isinstance(failure, Exception)]
    if failures:
        message = "cannot reserve all articles"
        raise ExceptionGroup(message, failures)


def nightly_report(orders: list[Order]) -> None:
    """Runs in a thread of its own, in which nobody catches what goes wrong."""
    best = max(orders, key=total)
    print("best order:", best)


def quiet_threads() -> None:
    """Keep Python's own report of the thread's error off the screen; vedette passes on to this hook."""
    threading.excepthook = lambda _args: None


def run(options: dict[str, str]) -> list[str | None]:
    """Live through the day; the ids of what was captured by hand."""
    quiet_threads()
    vedette.init(release="shop@1.4.0", environment="dev", **options)
    vedette.set_user({"id": "42", "username": "ann"})
    vedette.set_tag("tenant", "acme")
    ids: list[str | None] = []

    good = Order("A-16", "DE", [Line("lamp", Decimal("9.99"), 3)])
    checkout(good, user="ann", password="correct horse")

    order = Order("A-17", "AT", [Line("lamp", Decimal("9.99"), 3)])
    try:
        checkout(order, user="ann", password="correct horse")
    except CheckoutError as error:
        ids.append(vedette.capture_exception(error))

    with vedette.new_scope() as scope:
        scope.set_tag("sku", "47")
        scope.set_context("stock", {"sku": 47, "left": 2, "reordered": False})
        ids.append(vedette.capture_message("stock low for sku 47", level="warning"))

    try:
        reserve_all(["lamp", "table", "chair"])
    except ExceptionGroup as error:
        ids.append(vedette.capture_exception(error, tags={"job": "reserve"}))

    thread = threading.Thread(target=nightly_report, args=([good, order],), name="nightly")
    thread.start()
    thread.join()
    return ids


def main() -> None:
    """Run the shop against a DSN."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("dsn", nargs="?", help="where to send to (default: the variable SENTRY_DSN)")
    parser.add_argument("--ids", type=Path, help="write what was captured to this file, as JSON")
    arguments = parser.parse_args()
    ids = run({"dsn": arguments.dsn} if arguments.dsn else {})
    if arguments.ids:
        vedette.flush()
        stats = vedette.get_client().stats()
        captured = {"ids": ids, "captured": dict(stats.captured), "stats": repr(stats)}
        arguments.ids.write_text(json.dumps(captured))


if __name__ == "__main__":
    main()
