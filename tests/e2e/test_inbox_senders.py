"""The inbox with other senders in front of it: what they sent is one issue, at the right place, with its values."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests import senders
from tests.inboxes import EVENT_ID, RunningInbox, envelope, item, order_failed

pytestmark = pytest.mark.long  # the first time, they come from PyPI

SHOP = """
import sys
import sentry_sdk

RATES = {"DE": 19}


class CheckoutError(Exception):
    pass


def vat(net, country):
    rate = RATES[country]
    return net * rate


def checkout(order, user):
    try:
        return vat(29.97, order["country"])
    except KeyError as error:
        raise CheckoutError(f"cannot price order {order['id']} for {user}") from error


sentry_sdk.init(release="shop@1.4.0", environment="dev")
sentry_sdk.set_tag("tenant", "acme")
for user in ("ann", "bob"):
    sentry_sdk.set_user({"id": user})
    sentry_sdk.add_breadcrumb(category="shop", message=f"{user} pays")
    try:
        checkout({"id": "A-17", "country": "AT"}, user)
    except CheckoutError:
        sentry_sdk.capture_exception()
sentry_sdk.capture_message("all done", level="info")
checkout({"id": "A-18", "country": "AT"}, "cid")
"""
GROUP = """
import sentry_sdk
from concurrent.futures import ThreadPoolExecutor

sentry_sdk.init()


def price(number):
    raise ValueError(f"no price for {number}")


def price_all(numbers):
    errors = []
    with ThreadPoolExecutor() as pool:
        for future in [pool.submit(price, number) for number in numbers]:
            errors.append(future.exception())
    raise ExceptionGroup("pricing failed", errors)


for count in (3, 5):
    try:
        price_all(range(count))
    except ExceptionGroup:
        sentry_sdk.capture_exception()
"""


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    senders.install()


@pytest.fixture
def inbox(tmp_path):
    with RunningInbox(tmp_path / "inbox.db") as running:
        yield running


def page_text(inbox: RunningInbox, path: str) -> str:
    """What a page says, blanks squeezed."""
    page = inbox.http.get(path)
    assert page.status_code == 200
    without_source = re.sub(r"<(script|style|head)\b.*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", without_source)).split())


@pytest.mark.parametrize("elsewhere", [False, True])
def test_errors_of_the_published_sdk_are_one_issue_at_the_failing_line_with_its_values(tmp_path, inbox, elsewhere):
    """Also where the program is run from another directory: the SDK then doesn't mark the program's own frames."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    ended = senders.run(["python", str(folder / "shop.py")], tmp_path if elsewhere else folder, inbox.dsn)
    assert (
        "CheckoutError: cannot price order A-18 for cid" in ended.stderr
    )  # its own traceback, and nothing else failed

    message, issue = sorted(inbox.get("/api/issues")["results"], key=lambda one: one["count"])
    assert (message["title"], message["level"]) == ("all done", "info")
    number = SHOP.splitlines().index("    rate = RATES[country]") + 1
    assert {name: issue[name] for name in ("title", "count", "place", "code_line", "root_type", "root_value")} == {
        "title": "CheckoutError: cannot price order A-18 for cid",
        "count": 3,
        "place": f"shop.py:{number} in vat",
        "code_line": "rate = RATES[country]",
        "root_type": "KeyError",
        "root_value": "'AT'",
    }
    assert (issue["release"], issue["environment"], issue["level"]) == ("shop@1.4.0", "dev", "error")
    events = inbox.get(f"/api/issues/{issue['id']}/events")["results"]
    assert [event["user"]["id"] for event in events] == ["bob", "bob", "ann"]
    assert [event["remarks"] for event in events] == [[], [], []]

    text = page_text(inbox, f"/issues/{issue['id']}")
    for said in ("country 'AT'", "net 29.97", "rate = RATES[country]", "tenant", "acme", "bob pays"):
        assert said in text
    assert re.search(r"not handled|unhandled", text)


@pytest.mark.skipif("sys.version_info < (3, 11)", reason="groups came with Python 3.11")
def test_groups_of_the_published_sdk_are_one_issue_however_many_are_in_them(tmp_path, inbox):
    (tmp_path / "price.py").write_text(GROUP)
    assert senders.run(["python", "price.py"], tmp_path, inbox.dsn).returncode == 0
    (issue,) = inbox.get("/api/issues")["results"]
    assert (issue["count"], issue["root_type"]) == (2, "ValueError")
    assert issue["title"].startswith("ExceptionGroup: pricing failed")
    assert issue["place"].endswith("in price")
    assert "no price for" in page_text(inbox, f"/issues/{issue['id']}")


def test_events_of_the_command_line_are_one_issue_with_what_was_given(tmp_path, inbox):
    for order in ("A-17", "A-18"):
        options = ["-m", "order %s failed", "-a", order, "-t", "tenant:acme", "-e", "basket:3", "-u", "id:42"]
        options += ["-r", "shop@1.4.0", "-E", "dev", "-l", "warning", "-f", "orders", "--no-environ"]
        ended = senders.run(["sentry-cli", "send-event", *options], tmp_path, inbox.dsn)
        assert ended.returncode == 0, ended.stderr
    (issue,) = inbox.get("/api/issues")["results"]
    assert {name: issue[name] for name in ("title", "count", "level", "release", "environment")} == {
        "title": "order A-18 failed",
        "count": 2,
        "level": "warning",
        "release": "shop@1.4.0",
        "environment": "dev",
    }
    assert inbox.get("/api/issues", q="tag.tenant:acme")["results"] == [issue]
    text = page_text(inbox, f"/issues/{issue['id']}")
    for said in ("order A-18 failed", "tenant", "acme", "basket", "42"):
        assert said in text


@pytest.mark.parametrize("options", [[], ["--raw"]])
def test_an_envelope_sent_by_the_command_line_arrives_as_it_was(tmp_path, inbox, options):
    event = order_failed(event_id=EVENT_ID)
    body = envelope(event, event_id=EVENT_ID) + item(b"what was in the basket", "attachment", filename="basket.txt")
    (tmp_path / "order.envelope").write_bytes(body)
    ended = senders.run(["sentry-cli", "send-envelope", *options, "order.envelope"], tmp_path, inbox.dsn)
    assert ended.returncode == 0, ended.stderr
    assert inbox.get(f"/api/events/{EVENT_ID}")["exception"] == event["exception"]
    (issue,) = inbox.get("/api/issues")["results"]
    assert (issue["title"], issue["place"]) == (
        "CheckoutError: cannot price order A-17 for ann",
        "shop/vat.py:7 in vat",
    )
    (attachment,) = inbox.get("/api/items")["results"]
    assert (attachment["type"], attachment["excerpt"]) == ("attachment", "what was in the basket")


def test_check_ins_of_the_command_line_are_listed(tmp_path, inbox):
    assert senders.run(["sentry-cli", "monitors", "run", "nightly", "--", "false"], tmp_path, inbox.dsn).returncode == 1
    found = inbox.get("/api/items")["results"]
    assert [one["type"] for one in found] == ["check_in", "check_in"]
    assert '"monitor_slug":"nightly"' in found[0]["excerpt"]
    assert '"status":"error"' in found[0]["excerpt"]
    assert "nightly" in page_text(inbox, "/other")
