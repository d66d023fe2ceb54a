"""Every place of the inbox, as somebody sees it who opens it."""

from __future__ import annotations

from tests.inboxes import envelope, order_failed


def test_the_list_names_what_failed_and_how_often(inbox, visitor):
    for order in ("A-17", "A-18"):
        inbox.send(envelope(order_failed(order=order)))
    row = visitor.open("/").locator("tbody tr")
    assert "CheckoutError: cannot price order A-18 for ann" in row.inner_text()
    assert "2" in row.locator("td").nth(2).inner_text()
