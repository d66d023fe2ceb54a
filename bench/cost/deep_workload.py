"""The exceptions of 60 frames: with 20 small locals each, or with heavy ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

FRAMES = 60


@dataclass
class Customer:
    """A value of the program's own, as half of all frames have one."""

    id: int
    name: str
    email: str
    tags: list[str] = field(default_factory=list)


CATALOGUE = list(range(10_000))
CUSTOMER = Customer(7, "Ada Lovelace", "ada@example.com", ["gold", "newsletter"])
DOCUMENT = "Lorem ipsum dolor sit amet. " * 5_000  # 25 000 words
BODY = bytes(range(256)) * 16
REPORT = {
    "id": 48151623,
    "author": {
        "name": "Ada Lovelace",
        "address": {"street": "12 St James's Square", "geo": {"lat": 51.5, "lon": -0.1}},
    },
    "sections": [{"title": f"Section {number}", "pages": [number, number + 1]} for number in range(20)],
}


class Session:
    """An object with attributes, as most are."""

    def __init__(self) -> None:
        self.user = CUSTOMER
        self.started = 1794.25
        self.flags = {"beta": True, "dark": False}


SESSION = Session()


def deep_error() -> LookupError:
    """An exception that has passed through 60 frames, all but the first with 20 small locals each."""
    return raised_by(handle_order)


def heavy_error() -> LookupError:
    """The same, but among the 20 are a text of 25 000 words, nested dicts, bytes and objects."""
    return raised_by(index_report)


def raised_by(function: object) -> LookupError:
    """The first frame."""
    try:
        function(FRAMES - 1)  # type: ignore[operator]
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


def index_report(frames: int) -> int:
    """One frame of 20 heavy locals; `store_report` is the next."""
    document = DOCUMENT
    body = BODY
    report = REPORT
    session = SESSION
    customer = CUSTOMER
    catalogue = CATALOGUE
    sections = REPORT["sections"]
    author = REPORT["author"]
    checksum = b"\x00\x9f\x12" * 8
    language = "la"
    title = "Section 7"
    words = 25_000
    ratio = 0.125
    total = Decimal("1234.50")
    is_public = True
    parent = None
    tags = {"draft", "long"}
    window = (0, 4096)
    path = "/var/lib/shop/reports/48151623.bin"
    if frames == 1:
        raise LookupError(f"no index for report {title}")
    store_report(frames - 1)
    return len((document, body, report, session, customer, catalogue, sections, author, checksum, language)) + len(
        (words, ratio, total, is_public, parent, tags, window, path)
    )


def store_report(frames: int) -> int:
    """The other frame of 20 heavy locals."""
    text = DOCUMENT
    payload = BODY
    fields = REPORT
    owner = SESSION
    reader = CUSTOMER
    pages = [{"number": number, "words": {"first": "Lorem", "last": "amet"}} for number in range(3)]
    index = {"lorem": {"pages": [1, 2, 3], "weights": {"title": 2.5, "body": 1.0}}}
    key = b"report:48151623"
    bucket = "reports"
    attempt = 2
    is_new = False
    limit = 4096
    deadline = 1794.25
    parent = None
    encoding = "utf-8"
    chunks = (4096, 4096, 512)
    seen = {48151623, 48151624}
    url = "https://store.example.com/reports/48151623"
    retry = None
    if frames == 1:
        raise LookupError(f"no room in {bucket}")
    index_report(frames - 1)
    return len((text, payload, fields, owner, reader, pages, index, key, attempt, is_new, limit, deadline)) + len(
        (parent, encoding, chunks, seen, url, retry)
    )
