"""Two wide events: one given by hand with every field, and one of a program that has set everything."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import vedette

TRACE_ID = "0123456789abcdef0123456789abcdef"
SPAN_ID = "0123456789abcdef"


def event_with_every_field() -> dict[str, Any]:
    """As `capture_event` may get it: each field of `Event` that an error event may have (EVT rows)."""
    now = time.time()
    frame = {
        "filename": "shop/orders.py",
        "abs_path": "/srv/shop/orders.py",
        "function": "Orders.price",
        "module": "shop.orders",
        "lineno": 17,
        "colno": 4,
        "pre_context": ["def price(self):", "    total = 0"],
        "context_line": "    return total / self.count",
        "post_context": ["", "def ship(self):"],
        "in_app": True,
        "vars": {"total": "0", "self": "<shop.orders.Orders>"},
        "platform": "python",
    }
    return {
        "event_id": "9ec79c33ec9942ab8353589fcb2e04dc",
        "timestamp": now,
        "platform": "python",
        "level": "fatal",
        "logger": "shop.orders",
        "transaction": "/orders/{id}",
        "transaction_info": {"source": "route"},
        "server_name": "web-1",
        "release": "shop@1.4.0",
        "dist": "arm64",
        "environment": "staging",
        "tags": {"tenant": "acme", "plan.name": "pro"},
        "modules": {"django": "5.2", "vedette": "0.1.0"},
        "extra": {"basket": [1, 2, {"sku": "A-17"}], "note": None, "ratio": 0.25},
        "fingerprint": ["{{ default }}", "orders"],
        "errors": [{"type": "unknown_error", "name": "source", "value": "gone"}],
        "exception": {
            "values": [
                {
                    "type": "KeyError",
                    "value": "'count'",
                    "module": "builtins",
                    "thread_id": 1,
                    "mechanism": {
                        "type": "chained",
                        "handled": True,
                        "source": "__cause__",
                        "exception_id": 1,
                        "parent_id": 0,
                    },
                    "stacktrace": {"frames": [frame]},
                },
                {
                    "type": "OrderError",
                    "value": "cannot price order A-17",
                    "module": "shop.orders",
                    "thread_id": 1,
                    "mechanism": {
                        "type": "django",
                        "handled": False,
                        "synthetic": False,
                        "description": "in a view",
                        "help_link": "https://example.org/help",
                        "exception_id": 0,
                        "is_exception_group": False,
                        "data": {"route": "orders"},
                        "meta": {"errno": {"number": 2, "name": "ENOENT"}},
                    },
                    "stacktrace": {"frames": [frame, {**frame, "lineno": 21}]},
                },
            ]
        },
        "threads": {
            "values": [
                {"id": 1, "name": "MainThread", "crashed": True, "current": True, "main": True},
                {"id": 2, "name": "worker", "crashed": False, "current": False, "stacktrace": {"frames": [frame]}},
            ]
        },
        "logentry": {"message": "order %s failed", "params": ["A-17"], "formatted": "order A-17 failed"},
        "request": {
            "method": "POST",
            "url": "https://shop.example.org/orders",
            "query_string": "page=2&sort=date",
            "cookies": {"theme": "dark"},
            "headers": {"Accept": "text/html", "Content-Type": "application/json"},
            "data": {"order": {"id": "A-17", "count": 0}},
            "env": {"SERVER_NAME": "shop.example.org"},
        },
        "user": {
            "id": "42",
            "username": "ann",
            "email": "ann@example.org",
            "ip_address": "192.0.2.7",
            "name": "Ann",
            "geo": {"city": "Vienna", "country_code": "AT", "region": "Austria"},
            "data": {"plan": "pro"},
        },
        "contexts": {
            "trace": {"trace_id": TRACE_ID, "span_id": SPAN_ID, "parent_span_id": SPAN_ID[::-1], "op": "http.server"},
            "runtime": {"name": "CPython", "version": "3.13.0", "build": "main"},
            "shop": {"country": "AT", "open": True, "shelves": [1, 2, 3]},
        },
        "breadcrumbs": {
            "values": [
                {
                    "type": "http",
                    "category": "httplib",
                    "message": "GET",
                    "level": "warning",
                    "timestamp": now - 1,
                    "data": {"url": "https://example.org/", "status_code": 200, "method": "GET"},
                }
            ]
        },
        "sdk": {
            "name": "vedette.python",
            "version": "0.1.0",
            "integrations": ["atexit"],
            "packages": [{"name": "pypi:vedette", "version": "0.1.0"}],
        },
    }


class OrderError(Exception):
    """What the program raises."""


@dataclass
class Order:
    """What stands in the variables."""

    id: str
    total: Decimal = Decimal("19.90")
    lines: list[str] = field(default_factory=lambda: ["A-17", "B-2"])


def price(order: Order) -> None:
    """Fail with values of many types at hand."""
    rates = {"DE": Decimal("0.19"), "FR": None}
    seen, text, big = {1, 2}, "naïve — ünïcödé " * 20, 10**400
    try:
        rates["AT"]
    except KeyError as error:
        raise OrderError(f"cannot price {order.id}: {len(seen)} {text[:5]} {big % 7}") from error


def options_of_a_wide_program() -> dict[str, Any]:
    """For `init`: every option that an event shows."""
    return {"release": "shop@1.4.0", "dist": "arm64", "environment": "staging", "server_name": "web-1"}


def capture_with_everything_set() -> str | None:
    """Set all that scopes can hold, then capture a failure; its event id."""
    with vedette.isolation_scope() as isolation:
        vedette.set_user({"id": "42", "username": "ann", "email": "ann@example.org", "ip_address": "192.0.2.7"})
        vedette.set_tags({"tenant": "acme", "plan.name": "pro"})
        vedette.set_context("shop", {"country": "AT", "open": True, "shelves": [1, 2, {"deep": ["er"]}]})
        vedette.set_extra("basket", [1, 2.5, None, {"sku": "A-17"}])
        vedette.set_transaction_name("/orders/{id}", source="route")
        isolation.set_fingerprint(["{{ default }}", "orders"])
        for level in ("debug", "info", "warning", "error", "fatal", "critical"):
            vedette.add_breadcrumb(category="shop", message=f"at {level}", level=level, data={"n": 1, "list": [1]})
        vedette.add_breadcrumb(type="http", category="httplib", data={"url": "https://example.org/?page=2"})
        try:
            price(Order("A-17"))
        except OrderError as error:
            return vedette.capture_exception(error, level="fatal")
    return None
