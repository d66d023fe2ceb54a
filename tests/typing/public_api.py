"""Read by mypy and basedpyright in `make test`, never run: the public names keep their types.

A `type: ignore` marks what must be refused: mypy reports it as unused as soon as it is accepted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import assert_type

import vedette
from vedette import values
from vedette.attachments import Attachment
from vedette.envelope import Item
from vedette.integrations.excepthook import ExcepthookIntegration
from vedette.scrubber import (
    DEFAULT_DENYLIST,
    DEFAULT_PII_DENYLIST,
    EventScrubber,
    HeaderConfig,
    KeyValueCollectionBehavior,
)
from vedette.testing import MemoryTransport
from vedette.types import Stats

if TYPE_CHECKING:
    from vedette.types import Breadcrumb, BreadcrumbHint, DataCollection, Event, Hint, Options


def initializing() -> None:
    assert_type(vedette.init("https://key@localhost/1", release="shop@1.2"), vedette.Client)
    assert_type(vedette.init(), vedette.Client)
    vedette.init(dsn=42)  # type: ignore[arg-type]
    assert_type(vedette.is_initialized(), bool)


def before_send(event: Event, hint: Hint) -> Event | None:
    return event if hint else None


def before_breadcrumb(crumb: Breadcrumb, hint: BreadcrumbHint) -> Breadcrumb | None:
    return crumb if hint else None


async def asynchronous(event: Event, _hint: Hint) -> Event | None:
    return event


def using_options(from_a_file: dict[str, Any]) -> None:
    vedette.init(
        "https://key@localhost/1",
        sample_rate=1,
        release=None,
        ignore_errors=[ValueError, "shop.OrderError", re.compile("timeout")],
        in_app_include=("shop",),
        before_send=before_send,
        before_breadcrumb=before_breadcrumb,
        transport=MemoryTransport(),
        integrations=[ExcepthookIntegration()],
        disabled_integrations=[ExcepthookIntegration],
        max_request_body_size="small",
        failed_request_status_codes=[404, range(500, 600)],
        data_collection={"cookies": {"mode": "off"}, "http_headers": {"request": {"terms": ["via"]}}},
        functions_to_trace=[{"qualified_name": "shop.cart.checkout"}],
        diagnostic_level="warning",
    )
    collected: DataCollection = {"user_info": True, "http_bodies": ["incomingRequest"]}
    options: Options = {"sample_rate": 0.5, "data_collection": collected, "transport": MemoryTransport}
    assert_type(vedette.init(**options), vedette.Client)
    assert_type(vedette.Client("https://key@localhost/1", **options), vedette.Client)
    vedette.init(**from_a_file)
    vedette.Client({"dsn": None, "debug": True})
    vedette.Client.from_config(options)


def using_wrong_options() -> None:
    vedette.init(sample_rates=0.5)  # type: ignore[call-arg]
    vedette.init(sample_rate=None)  # type: ignore[arg-type]
    vedette.init(debug="yes")  # type: ignore[arg-type]
    vedette.init(before_send=asynchronous)  # type: ignore[arg-type]
    vedette.init(before_send=before_breadcrumb)  # type: ignore[arg-type]
    vedette.init(transport=ExcepthookIntegration())  # type: ignore[arg-type]
    vedette.init(max_request_body_size="huge")  # type: ignore[arg-type]
    vedette.init(data_collection={"cookies": {"mode": "on"}})  # type: ignore[arg-type]
    vedette.init(data_collection={"cookie": True})  # type: ignore[arg-type]
    vedette.init(diagnostic_level="trace")  # type: ignore[arg-type]
    vedette.Client(max_breadcrumbs="many")  # type: ignore[arg-type]
    vedette.Client("https://key@localhost/1", releases="shop@1")  # type: ignore[call-arg]


def capturing() -> None:
    try:
        raise ValueError
    except ValueError as error:
        assert_type(vedette.capture_exception(error), str | None)
    assert_type(vedette.capture_exception(), str | None)
    assert_type(vedette.capture_message("disk full", level="warning", tags={"disk": "a"}), str | None)
    assert_type(vedette.capture_event({"message": "built by hand", "level": "info"}), str | None)
    assert_type(vedette.last_event_id(), str | None)
    assert_type(vedette.flush(timeout=2.0), None)
    assert_type(vedette.capture_exception(level="fatal", user={"id": 7}, attributes={"a": 1}), str | None)
    assert_type(vedette.capture_message("m", scope=lambda scope: scope.set_tag("key", "value")), str | None)
    assert_type(vedette.capture_message("m", scope=vedette.Scope()), str | None)
    vedette.capture_exception(tag={"a": 1})  # type: ignore[call-arg]
    vedette.capture_message("m", fingerprint=7)  # type: ignore[arg-type]
    vedette.capture_message("loud", level="loud")  # type: ignore[arg-type]
    vedette.capture_exception("no exception")  # type: ignore[arg-type]


def attaching_and_feedback() -> None:
    vedette.add_attachment(b"x", "a.txt", content_type="text/plain")
    vedette.add_attachment(lambda: b"x", "a.txt", add_to_transactions=True)
    vedette.add_attachment(path="app.log")
    attachment = Attachment(path="app.log")
    assert_type(attachment.to_envelope_item(), Item)
    assert_type(attachment.filename, str)
    vedette.capture_event({"message": "m"}, hint={"attachments": [attachment]})
    assert_type(vedette.capture_feedback({"message": "m"}, hint={"attachments": [attachment]}), str | None)
    assert_type(vedette.capture_feedback(message="m", tags={"page": "cart"}), str | None)
    assert_type(vedette.get_current_scope().capture_feedback({"message": "m"}), str | None)
    assert_type(vedette.get_client().capture_feedback({"message": "m"}), str | None)
    vedette.add_attachment("text", "a.txt")  # type: ignore[arg-type]
    vedette.capture_feedback("text")  # type: ignore[arg-type]


async def ending() -> None:
    assert_type(await vedette.flush_async(timeout=2.0), None)
    async with vedette.Client() as client:
        assert_type(client, vedette.Client)
        assert_type(client.on("before_envelope", print), Callable[[], None])
        await client.close_async(timeout=1.0)
    with vedette.init() as client:
        assert_type(client.should_send_default_pii(), bool)
        client.on("before_envelope", "no function")  # type: ignore[arg-type]


def reading_stats() -> None:
    client = vedette.Client("https://key@localhost/1", cache_dir="/var/cache/shop")
    stats: Stats = client.stats()
    assert_type(vedette.get_client().stats(), Stats)
    assert_type(stats.captured, Mapping[str, int])
    assert_type(stats.adopted.get("error", 0), int)
    assert_type(stats.delivered, Mapping[str, int])
    assert_type(stats.refused, Mapping[str, int])
    assert_type(stats.dropped["error"]["before_send"], int)
    assert_type(stats.waiting, Mapping[str, int])
    assert_type(stats.kept, Mapping[str, int])
    stats.captured["error"] = 1  # type: ignore[index]
    stats.sent  # type: ignore[attr-defined]  # noqa: B018 - it is called delivered
    stats.captured = {}  # type: ignore[misc]


def using_scopes() -> None:
    with vedette.new_scope() as scope:
        assert_type(scope, vedette.Scope)
        scope.set_tag("key", "value")
        scope.level = "fatal"
    with vedette.isolation_scope() as isolated:
        assert_type(isolated, vedette.Scope)
    assert_type(vedette.get_current_scope(), vedette.Scope)
    assert_type(vedette.get_current_scope().fork(), vedette.Scope)
    assert_type(vedette.get_traceparent(), str | None)
    assert_type(dict(vedette.get_current_scope().iter_headers()), dict[str, str])
    vedette.set_user({"id": "7"})
    vedette.set_user(None)
    vedette.set_context("order", {"items": 3})
    vedette.add_breadcrumb(category="cart", message="added", level="info", data={"sku": 1})
    vedette.add_breadcrumb({"message": "added"})
    vedette.set_level("loud")  # type: ignore[arg-type]


class Money:
    amount = 5


def showing_values() -> None:
    values.register(Money, lambda money: f"{assert_type(money, Money).amount} EUR")
    values.register("shop.money.Money", str)
    values.register(Money, lambda money: None)
    values.register(Money, lambda money: money.amount)  # type: ignore[arg-type, return-value]
    values.unregister(Money)
    assert_type(values.render(Money(), budget=200), str)
    values.to_json([Money()])


def scrubbing() -> None:
    scrubber = EventScrubber(denylist=DEFAULT_DENYLIST + ["tax_id"], pii_denylist=DEFAULT_PII_DENYLIST)  # noqa: RUF005
    assert_type(scrubber.scrub_event({"extra": {"tax_id": "1"}}), None)
    EventScrubber(denylist=3)  # type: ignore[arg-type]
    HeaderConfig(request=KeyValueCollectionBehavior("allowList", ["accept"]))
    vedette.init(event_scrubber=scrubber, data_collection={"user_info": True, "cookies": False})
    assert_type(vedette.get_client().should_send_default_pii(), bool)
