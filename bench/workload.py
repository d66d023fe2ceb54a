"""What the benchmark captures: exceptions as programs raise them, with their tracebacks still warm."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

SHALLOW_FRAMES = 4
DEEP_FRAMES = 60


@dataclass
class Customer:
    """A value of the program's own, as half of all frames have one."""

    id: int
    name: str
    email: str
    tags: list[str] = field(default_factory=list)


CATALOGUE = list(range(10_000))
CUSTOMER = Customer(7, "Ada Lovelace", "ada@example.com", ["gold", "newsletter"])


def shallow_error() -> ValueError:
    """An exception that has passed through 4 frames of a few locals each."""
    try:
        read_order({"id": 17, "quantity": "three", "sku": "B-205"})
    except ValueError as error:
        return error
    raise AssertionError


def read_order(fields: dict[str, object]) -> dict[str, int]:
    """The second frame."""
    number = fields["id"]
    order = {"quantity": quantity_of(fields, default=1)}
    return {**order, "id": to_int(number)}


def quantity_of(fields: dict[str, object], default: int) -> int:
    """The third."""
    value = fields.get("quantity")
    return to_int(value) if value else default


def to_int(value: object) -> int:
    """Where it is raised."""
    base = 10
    return int(str(value), base)


def deep_error(frames: int = DEEP_FRAMES) -> LookupError:
    """An exception that has passed through 60 frames, all but the first with 20 locals each."""
    try:
        handle_order(frames - 1)
    except LookupError as error:
        return error
    raise AssertionError


def handle_order(frames: int) -> int:
    """One frame of 20 locals; `price_order` is the next."""
    order_id = 48151623
    status = "pending"
    currency = "EUR"
    coupon = None
    is_gift = False
    weight = 12.75
    total = Decimal("1234.50")
    customer = CUSTOMER
    address = {"street": "12 St James's Square", "city": "London", "zip": "SW1Y 4LB"}
    lines = [("A-100", 2), ("B-205", 1), ("C-337", 12)]
    tags = ["priority", "fragile", "b2b"]
    limits = {"max": 100, "min": 1}
    catalogue = CATALOGUE
    path = "/api/v2/orders/48151623/price"
    retries = 3
    token = "t0p-s3cr3t"
    region = "eu-west-1"
    previous = None
    note = "Please ring the bell twice; the dog is friendly, the cat is not."
    if frames == 1:
        raise LookupError(f"no price for order {order_id}")
    price_order(frames - 1)
    return len((status, currency, coupon, is_gift, weight, total, customer, address, lines, tags, limits)) + len(
        (catalogue, path, retries, token, region, previous, note)
    )


def price_order(frames: int) -> int:
    """The other frame of 20 locals, so that neighbours differ as they do in a program."""
    sku = "B-205"
    quantity = 2
    unit_price = Decimal("617.25")
    discount = 0.05
    rounding = "half-even"
    customer = CUSTOMER
    options = {"gift_wrap": True, "express": False, "insurance": None}
    history = [12, 15, 11, 19, 12]
    stock = {"london": 4, "paris": 0, "rome": 17}
    warehouse = "london"
    cache_key = "price:B-205:2:EUR"
    is_cached = False
    attempt = 1
    deadline = 1794.25
    parent = None
    labels = ("summer", "outlet")
    catalogue = CATALOGUE
    query = "SELECT price FROM prices WHERE sku = %s AND valid_from <= %s"
    params = ["B-205", 20261124]
    if frames == 1:
        raise LookupError(f"no price for {sku}")
    handle_order(frames - 1)
    return len(
        (quantity, unit_price, discount, rounding, customer, options, history, stock, warehouse, cache_key)
    ) + len((is_cached, attempt, deadline, parent, labels, catalogue, query, params))
