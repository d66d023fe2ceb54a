"""What axe-core finds, in both colour schemes: missing names, labels and headings, text of too little contrast.

Everything that folds is opened first, for axe sees only what is shown.
"""

from __future__ import annotations

import pytest

from tests.inboxes import envelope, exception, frame, item, order_failed

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the group `browser` is not installed")

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
EVENT_ID = "a" * 32
GROUP_ID = "b" * 32


@pytest.fixture
def filled(inbox):
    """An inbox with something in every place."""
    library = frame("call", "return self._run(job)", own=False, module="pool.threads", filename="pool/threads.py")
    leaves = [
        exception(
            "ValueError",
            f"no {name}",
            library,
            library,
            exception_id=number,
            parent_id=0,
            source=f"exceptions[{number}]",
        )
        for number, name in enumerate(("price", "stock", "name"), 1)
    ]
    group = exception(
        "ExceptionGroup", "3 failed", frame("all", "group.run()"), exception_id=0, is_exception_group=True
    )
    crumbs = [
        {"category": "query", "message": "SELECT 1", "level": "info", "timestamp": 1764079331},
        {
            "type": "http",
            "category": "httplib",
            "data": {"method": "GET", "url": "http://stock.local/items", "status_code": 200},
        },
    ]
    request = {
        "method": "POST",
        "url": "http://shop.local/orders?id=1",
        "headers": {"Accept": "*/*"},
        "data": {"id": 1},
    }
    surroundings = {
        "breadcrumbs": {"values": crumbs},
        "request": request,
        "contexts": {"runtime": {"name": "CPython", "version": "3.13.0"}},
        "extra": {"attempt": 3},
        "modules": {"vedette": "0.1.0"},
        "release": "shop@1.4.0",
    }
    variables = {"country": "'AT'", "net": "Decimal('29.97')", "order": "x" * 10_000}
    failed = order_failed(**surroundings)
    failed["exception"]["values"][0]["stacktrace"]["frames"][-1].update(
        vars=variables, pre_context=["def vat(net, country):"], post_context=["    return net * rate  # rounded"]
    )
    inbox.send(envelope(failed, event_id=EVENT_ID))
    inbox.send(envelope({"exception": {"values": [group, *leaves]}}, event_id=GROUP_ID))
    inbox.send(envelope({"message": "a message of 2 000 characters " * 67}))
    inbox.send(b'{"dsn": "http://key@127.0.0.1/1"}\n' + item(b'{"sid": "1", "status": "ok"}', "session"))
    inbox.send(b"no envelope at all")
    return inbox


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path",
    ["/", "/?q=nothing+like+it", f"/events/{EVENT_ID}", f"/events/{GROUP_ID}", "/issues/3", "/other", "/nowhere"],
)
def test_axe_finds_nothing(filled, visitor, path, scheme):
    page = visitor.open(path, color_scheme=scheme)
    assert violations_in(page) == []
    if path == "/nowhere":
        page.close()
        visitor.faults.clear()  # the console says that it is a 404, and again when the script looks for news


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_empty_page(inbox, visitor, scheme):
    assert violations_in(visitor.open("/", color_scheme=scheme)) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_the_help_and_the_status_line(filled, visitor, scheme):
    page = visitor.open("/issues/1", color_scheme=scheme)
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    assert violations_in(page) == []
    page.keyboard.press("Escape")
    filled.send(envelope(order_failed()))
    filled.send(envelope(order_failed(), event_id=EVENT_ID))  # a duplicate: counted once
    page.get_by_role("link", name="1 newer").wait_for()
    assert violations_in(page) == []


def violations_in(page):
    page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    found = axe.Axe().run(page, options={"runOnly": list(RULES), "resultTypes": ["violations"]})
    return [
        f"{violation['id']}: {node['failureSummary']} {node['html'][:200]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
