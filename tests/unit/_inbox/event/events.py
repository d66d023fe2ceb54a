"""Events as a client sends them, built by hand, and the issue they would be in."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from vedette._inbox.models import Issue, StoredEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENT_ID = "95a4478cf43049aaa8071bd99975cadd"
AT = 1_764_079_331.0  # 2025-11-25 14:02:11 UTC
HOSTILE = "\x1b[31m\x1b]8;;http://evil\x07\x9b2J\u202e\x00</details>[bold]{{7*7}}\r\n\x1b[2Jx\u2028y\ud800z"


def frame(place: str, function: str, code: str, *, own: bool = True, **more: Any) -> dict[str, Any]:
    filename, _, lineno = place.rpartition(":")
    return {
        "filename": filename,
        "abs_path": f"/srv/app/{filename}",
        "module": filename.removesuffix(".py").replace("/", "."),
        "function": function,
        "lineno": int(lineno),
        "context_line": code,
        "in_app": own,
        **more,
    }


def mechanism(number: int, parent: int | None = None, source: str | None = None, **more: Any) -> dict[str, Any]:
    links = {} if parent is None else {"parent_id": parent, "source": source}
    kind = {"type": "chained"} if parent is not None else {"type": "generic", "handled": True}
    return {**kind, "exception_id": number, **links, **more}


KEY_ERROR = {
    "type": "KeyError",
    "value": "'AT'",
    "mechanism": mechanism(1, 0, "__cause__"),
    "stacktrace": {
        "frames": [
            frame("shop/checkout.py:22", "checkout", "        amount = total(order)"),
            frame("shop/pricing.py:15", "total", '        tax = vat(net, order["country"])'),
            frame(
                "shop/pricing.py:7",
                "vat",
                "    rate = RATES[country]",
                pre_context=[
                    "",
                    "",
                    "def vat(net: Decimal, country: str) -> Decimal:",
                    '    """The tax on a net amount."""',
                ],
                post_context=['    return (net * rate).quantize(Decimal("0.01"))', "", ""],
                vars={"net": "Decimal('29.97')", "country": "'AT'"},
            ),
        ]
    },
}
CHECKOUT_ERROR = {
    "type": "CheckoutError",
    "value": "cannot price order A-17 for ann",
    "module": "shop.checkout",
    "mechanism": mechanism(0),
    "stacktrace": {
        "frames": [
            frame("send.py:12", "<module>", '    checkout(ORDER % (17 + i, "AT"), user="ann")'),
            frame(
                "shop/checkout.py:24",
                "checkout",
                "        raise CheckoutError(f\"cannot price order {order['id']} for {user}\") from error",
                pre_context=["    try:", "        amount = total(order)", "    except KeyError as error:"],
                post_context=["    return amount"],
                vars={
                    "raw": '\'{"id": "A-17"}\'',
                    "user": "'ann'",
                    "password": "[Filtered]",
                    "order": "{'id': 'A-17', 'country': 'AT', "
                    "'lines': [{'price': Decimal('9.99'), 'quantity': 3}], 'note': ''}",
                    "note": "None",
                    "attempts": "1",
                    "matrix": "[[0, 1], [1, 0]]",
                },
            ),
        ]
    },
}


def event(**more: Any) -> dict[str, Any]:
    return {
        "event_id": EVENT_ID,
        "timestamp": AT,
        "platform": "python",
        "level": "error",
        "release": "shop@1.4.0",
        "environment": "dev",
        "user": {"id": 42},
        "tags": {"tenant": "acme"},
        **more,
    }


def chained(**more: Any) -> dict[str, Any]:
    crumbs = [
        {"timestamp": AT - 9, "category": "shop", "message": "started"},
        {"timestamp": AT - 0.11, "category": "query", "message": "SELECT * FROM baskets WHERE user = %s"},
        {"timestamp": AT - 0.08, "category": "shop", "message": "stock low for sku 4711", "level": "info"},
    ]
    values = copy.deepcopy([KEY_ERROR, CHECKOUT_ERROR])
    return event(exception={"values": values}, breadcrumbs={"values": crumbs}, **more)


def _leaf(index: int, value: str, country: str) -> list[dict[str, Any]]:
    """A member of the group and its cause, ids counting from the group's 0."""
    outer = 2 * index + 1
    library = [
        frame(
            "/usr/lib/python3/concurrent/futures/thread.py:58",
            "run",
            "    self.fn()",
            own=False,
            module="concurrent.futures.thread",
        ),
        frame(
            "/usr/lib/python3/concurrent/futures/_base.py:401",
            "result",
            "    raise",
            own=False,
            module="concurrent.futures._base",
        ),
    ]
    return [
        {
            "type": "KeyError",
            "value": repr(country),
            "mechanism": mechanism(outer + 1, outer, "__cause__"),
            "stacktrace": {
                "frames": [
                    frame(
                        "shop/pricing.py:7",
                        "vat",
                        "    rate = RATES[country]",
                        vars={"country": repr(country)},
                    )
                ]
            },
        },
        {
            "type": "CheckoutError",
            "value": value,
            "mechanism": mechanism(outer, 0, f"exceptions[{index}]"),
            "stacktrace": {
                "frames": [
                    *library,
                    frame("shop/checkout.py:24", "checkout", "    raise CheckoutError(order)"),
                ]
            },
        },
    ]


def group() -> dict[str, Any]:
    other = {
        "type": "ValueError",
        "value": "bad quantity: 'x'",
        "mechanism": mechanism(5, 0, "exceptions[2]"),
        "stacktrace": {
            "frames": [
                frame("send.py:30", "main", "    parse(raw)"),
                frame("shop/orders.py:9", "parse", "    return int(quantity)", vars={"quantity": "'x'"}),
            ]
        },
    }
    root = {
        "type": "ExceptionGroup",
        "value": "3 orders failed",
        "mechanism": mechanism(0, is_exception_group=True),
        "stacktrace": {"frames": [frame("send.py:31", "main", '    raise ExceptionGroup("3 orders failed", errors)')]},
    }
    leaves = [
        *_leaf(1, "cannot price order A-18 for bob", "CH"),
        *_leaf(0, "cannot price order A-17 for ann", "AT"),
    ]
    return event(exception={"values": [other, *leaves, root]})


def recursion(depth: int = 61) -> dict[str, Any]:
    frames = [
        frame("send.py:40", "<module>", "rec(60)"),
        *(frame("send.py:22", "rec", "    return rec(n - 1)") for _ in range(depth - 1)),
        frame("send.py:21", "rec", "    return 1 / n", vars={"n": "0"}),
    ]
    failure = {
        "type": "ZeroDivisionError",
        "value": "division by zero",
        "mechanism": mechanism(0, handled=False),
    }
    return event(exception={"values": [{**failure, "stacktrace": {"frames": frames}}]})


def message() -> dict[str, Any]:
    return event(
        level="warning",
        logentry={
            "formatted": "stock low for sku 4711",
            "message": "stock low for sku %s",
            "params": ["4711"],
        },
        request={"method": "POST", "url": "http://shop.example/add", "query_string": "a=1&b=2"},
    )


def stored(data: Any, *, number: int = 1, remarks: tuple[str, ...] = (), row_id: int = 1) -> StoredEvent:
    return StoredEvent(row_id, EVENT_ID, 1, number, AT, data, list(remarks))


def issue(**more: Any) -> Issue:
    fields: dict[str, Any] = {
        "id": 1,
        "key": "0" * 64,
        "type": "CheckoutError",
        "value": "cannot price order A-17 for ann",
        "title": "CheckoutError: cannot price order A-17 for ann",
        "level": "error",
        "place": "shop/pricing.py:7 in vat",
        "code_line": "rate = RATES[country]",
        "root_type": "KeyError",
        "root_value": "'AT'",
        "count": 1,
        "first_seen": AT,
        "last_seen": AT,
        "release": "shop@1.4.0",
        "environment": "dev",
    }
    return Issue(**{**fields, **more})


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value."""
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from paths(child, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a JSON value, with something else in that place."""
    if not path:
        return new
    value = copy.deepcopy(value)
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = new
    return value
