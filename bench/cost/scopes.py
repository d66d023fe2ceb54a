"""Scenarios: what a program does all the time for an event that may never come, and the message that shows it."""

from __future__ import annotations

from bench.cost.sampling import Calls

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from bench.cost.contenders import Sdk

COUNT = 200
BREADCRUMBS = 100
TAGS = tuple(f"checkout.tag{number}" for number in range(20))
TAGS_OF_A_REQUEST = TAGS[:10]


def add_breadcrumb(contender: Sdk, dsn: str) -> Calls:
    """To 100 that are there, as an HTTP client's integration leaves them."""
    contender.init(dsn)
    leave_breadcrumbs(contender.sdk, BREADCRUMBS)
    return Calls(COUNT, lambda _: leave_breadcrumbs(contender.sdk, COUNT))


def leave_breadcrumbs(sdk: Any, count: int) -> None:
    """Requests to another service."""
    add = sdk.add_breadcrumb
    for number in range(count):
        data = {"url": "https://example.com/api/v2/orders", "method": "GET", "status_code": 200, "number": number}
        add(type="http", category="httplib", message="GET /api/v2/orders", data=data)


def set_tag(contender: Sdk, dsn: str) -> Calls:
    """The same tag again and again."""
    contender.init(dsn)
    set_one = contender.sdk.set_tag

    def run(_: object) -> None:
        for _ in range(COUNT):
            set_one("checkout.step", "payment")

    return Calls(COUNT, run)


def set_changing_tags(contender: Sdk, dsn: str) -> Calls:
    """Twenty tags in turn, each with another value than before."""
    contender.init(dsn)
    set_one = contender.sdk.set_tag

    def run(_: object) -> None:
        for number in range(COUNT):
            set_one(TAGS[number % len(TAGS)], str(number))

    return Calls(COUNT, run)


def new_scope(contender: Sdk, dsn: str) -> Calls:
    """Enter and leave."""
    contender.init(dsn)
    return entered(contender.sdk.new_scope)


def isolation_scope(contender: Sdk, dsn: str) -> Calls:
    """Enter and leave, as each request does."""
    contender.init(dsn)
    return entered(contender.sdk.isolation_scope)


def entered(scope: Any) -> Calls:
    """Again and again, with nothing done inside."""

    def run(_: object) -> None:
        for _ in range(COUNT):
            with scope():
                pass

    return Calls(COUNT, run)


def tagged_request(contender: Sdk, dsn: str) -> Calls:
    """An isolation scope in which ten tags are set: it is new each time."""
    contender.init(dsn)
    sdk = contender.sdk

    def run(_: object) -> None:
        for _ in range(COUNT // 4):
            with sdk.isolation_scope():
                for tag in TAGS_OF_A_REQUEST:
                    sdk.set_tag(tag, "value")

    return Calls(COUNT // 4, run)


def message_with_breadcrumbs(contender: Sdk, dsn: str) -> Calls:
    """A message, with 100 breadcrumbs and 20 tags."""
    contender.init(dsn)
    for number, tag in enumerate(TAGS):
        contender.sdk.set_tag(tag, f"value {number}")
    leave_breadcrumbs(contender.sdk, BREADCRUMBS)
    capture, count = contender.sdk.capture_message, 5

    def run(_: object) -> None:
        for _ in range(count):
            capture("The payment provider did not answer")

    return Calls(count, run, sent=True)
