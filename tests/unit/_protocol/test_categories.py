from __future__ import annotations

import json

import pytest

from vedette._protocol.categories import (
    KNOWN_CATEGORIES,
    LIMITED_WITH,
    DataCategory,
    DiscardReason,
    category_of_item_type,
)


@pytest.mark.spec("RATE-36", "CR-04")
@pytest.mark.parametrize(
    ("item_type", "category"),
    [
        ("event", "error"),
        ("transaction", "transaction"),
        ("feedback", "feedback"),
        ("user_report", "feedback"),
        ("attachment", "attachment"),
        ("session", "session"),
        ("sessions", "session"),
        ("check_in", "monitor"),
        ("log", "log_item"),
        ("trace_metric", "trace_metric"),
        ("span", "span"),
        ("client_report", "internal"),
        ("profile", "profile"),
        ("profile_chunk", "profile_chunk"),
        ("replay_event", "replay"),
        ("replay_recording", "replay"),
        ("statsd", "metric_bucket"),
        ("error", "default"),
        ("something new", "default"),
        ("", "default"),
    ],
)
def test_each_item_type_counts_as_a_category(item_type, category):
    assert category_of_item_type(item_type) is DataCategory(category)


def test_every_category_is_known_by_its_name():
    assert {KNOWN_CATEGORIES[name].value for name in KNOWN_CATEGORIES} == {c.value for c in DataCategory}
    assert "martian" not in KNOWN_CATEGORIES
    assert all(related is not category for category, others in LIMITED_WITH.items() for related in others)


@pytest.mark.spec("CR-68")
def test_the_reasons_are_those_that_servers_know():
    assert {reason.value for reason in DiscardReason} == {
        *(
            "queue_overflow",
            "cache_overflow",
            "ratelimit_backoff",
            "network_error",
            "sample_rate",
            "before_send",
        ),
        *("event_processor", "send_error", "internal_sdk_error", "insufficient_data", "backpressure"),
        *("buffer_overflow", "ignored", "invalid", "no_parent_span", "callback_error"),
    }


def test_a_member_is_its_text():
    assert DataCategory.ERROR == "error"
    assert {"error": 1}[DataCategory.ERROR] == 1
    assert f"{DataCategory.ERROR} {DiscardReason.BEFORE_SEND!s}" == "error before_send"
    assert json.dumps([DataCategory.ERROR]) == '["error"]'
