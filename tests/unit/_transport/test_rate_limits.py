from __future__ import annotations

import email.utils
import gc
import os
import sys
import threading
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._protocol.categories import DataCategory, category_of_item_type
from vedette._transport.rate_limits import RateLimits

NOW = 1_790_000_000.0  # of the wall clock; whole seconds, as HTTP dates have


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limits(clock):
    return RateLimits(clock=clock, wall_clock=lambda: NOW)


def told(limits: RateLimits) -> dict[str | None, float]:
    return {None if category is None else category.value: left for category, left in limits.active().items()}


@pytest.mark.spec("RATE-05", "RATE-06", "RATE-07", "RATE-08", "RATE-09", "RATE-14", "RATE-15", "RATE-25")
@pytest.mark.parametrize(
    ("header", "active"),
    [
        (
            "90:error:key, 1200:transaction;span:organization",
            {"error": 90, "transaction": 1200, "span": 1200},
        ),
        ("45::organization", {None: 45}),
        ("30::project, 600::organization", {None: 600}),
        ("12.5:log_item", {"log_item": 12.5}),
        ("60:martian;error:key:why:x:y:z", {"error": 60}),
        ("300:metric_bucket:organization:quota", {"metric_bucket": 300}),
        ("300:metric_bucket:organization:quota:", {"metric_bucket": 300}),
        ("86400:transaction;span:organization, 60::key", {"transaction": 86400, "span": 86400, None: 60}),
        ("  9 0 : err or ; span : key , 1 : session", {"error": 90, "span": 90, "session": 1}),
        ("60", {None: 60}),
        (".5:error", {"error": 0.5}),
        ("5:internal", {"internal": 5}),
    ],
)
def test_the_header_says_how_long_which_categories_wait(limits, header, active):
    limits.update(200, {"X-Sentry-Rate-Limits": header})
    assert told(limits) == active


@pytest.mark.spec("RATE-26", "RATE-27", "RATE-29", "RATE-30", "RATE-19")
@pytest.mark.parametrize(
    "header",
    [
        *("60:martian:key", "60:;:key", "60:martian;venusian", "", ",", ":", "::", "x:error", "-5:error"),
        *(
            "nan:error",
            "inf:error",
            "1e400:error",
            "1_0:error",
            "٣:error",
            "9" * 400 + ":error",
            "1.2.3:error",
        ),
        *("0:error", "60:ERROR"),
    ],
)
@pytest.mark.parametrize("status", [200, 429])
def test_entries_that_say_nothing_are_ignored(limits, header, status):
    limits.update(status, {"x-sentry-rate-limits": header})
    assert told(limits) == {}


@pytest.mark.spec("RATE-03", "RATE-33")
@pytest.mark.parametrize("status", [200, 202, 302, 400, 413, 429, 500, 503])
def test_limits_are_read_from_every_answer(limits, status):
    limits.update(status, {"X-SENTRY-RATE-LIMITS": "60:error:key"})
    assert told(limits) == {"error": 60}


@pytest.mark.spec("RATE-10", "RATE-11", "RATE-25", "PAIN-44")
@pytest.mark.parametrize("scope", ["", "organization", "project", "key", "galaxy", "\x00"])
@pytest.mark.parametrize("reason", ["", ":", ":quota", ":over_quota:", ":a reason:namespace:and more"])
def test_scopes_and_reasons_say_nothing(limits, scope, reason):
    limits.update(200, {"X-Sentry-Rate-Limits": f"60:error;session:{scope}{reason}"})
    assert told(limits) == {"error": 60, "session": 60}


@pytest.mark.spec("RATE-22", "RATE-36")
@pytest.mark.parametrize(
    ("limited", "items"),
    [
        ("error", ["event"]),
        ("transaction", ["transaction"]),
        ("session", ["session", "sessions"]),
        ("monitor", ["check_in"]),
        ("feedback", ["feedback"]),
        ("attachment", ["attachment"]),
        ("log_item", ["log"]),
        ("trace_metric", ["trace_metric"]),
        ("span", ["span"]),
        ("profile", ["profile"]),
        ("profile_chunk", ["profile_chunk"]),
        ("internal", ["client_report"]),
    ],
)
def test_each_category_stops_its_own_items_and_no_others(limits, limited, items):
    limits.update(200, {"X-Sentry-Rate-Limits": f"60:{limited}"})
    every = [
        *("event", "transaction", "session", "sessions", "check_in", "feedback", "attachment", "log", "trace_metric"),
        *("span", "profile", "profile_chunk", "client_report"),
    ]
    assert [each for each in every if limits.is_limited(category_of_item_type(each))] == items


@pytest.mark.spec("RATE-34")
def test_a_limit_by_the_name_internal_is_one_like_any_other(limits, clock):
    limits.update(200, {"X-Sentry-Rate-Limits": "5:internal"})
    assert told(limits) == {"internal": 5}
    assert not limits.is_limited(DataCategory.ERROR)
    clock.now += 5
    assert not limits.is_limited(DataCategory.INTERNAL)


@pytest.mark.spec("RATE-26", "RATE-27", "RATE-28", "PAIN-44")
def test_categories_that_are_yet_to_come_are_passed_over(limits):
    limits.update(200, {"X-Sentry-Rate-Limits": "60:quantum_item;error;trace_hologram, 90:hologram, 30:session;dream"})
    assert told(limits) == {"error": 60, "session": 30}


@pytest.mark.spec("PAIN-44")
@pytest.mark.parametrize("jump", [-400 * 86_400, 400 * 86_400])
def test_a_jump_of_the_systems_clock_changes_no_limit(monkeypatch, jump):
    limits = RateLimits()
    date = email.utils.formatdate(time.time() + 300, usegmt=True)
    limits.update(200, {"X-Sentry-Rate-Limits": "60:session"})
    limits.update(429, {"Retry-After": date})
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + jump)
    assert 55 < limits.active()[DataCategory.SESSION] <= 60
    assert 290 < limits.seconds_left(DataCategory.ERROR) <= 301
    limits.update(200, {"X-Sentry-Rate-Limits": "400:error"})
    assert 395 < limits.seconds_left(DataCategory.ERROR) <= 400


def test_a_header_of_megabytes_costs_little(limits):
    header = "60:error," + "1::,2:span:x:y:z," * 400_000
    gc.collect()
    tracemalloc.start()
    try:
        limits.update(200, {"X-Sentry-Rate-Limits": header})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told(limits) == {"error": 60, None: 1, "span": 2}
    assert peak < 3_000_000


def test_an_entry_that_stands_where_a_long_header_is_cut_says_nothing(limits):
    header = "60:error," * 8000
    cut = 65_536
    for start in range(10):
        limits.update(200, {"X-Sentry-Rate-Limits": "x" * start + "," + header[: cut + 50]})
    assert told(limits) == {"error": 60}  # and not, by "60:" alone, all categories


def test_a_server_that_names_ever_new_namespaces_is_not_remembered_for_ever(limits, clock):
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(200):
            names = ";".join(f"name{number}-{each}" for each in range(500))
            limits.update(200, {"X-Sentry-Rate-Limits": f"86400:metric_bucket:::{names}"})
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 200_000
    assert limits.is_limited(DataCategory.METRIC_BUCKET, namespace="name0-0")
    limits.update(200, {"X-Sentry-Rate-Limits": "90000:metric_bucket:::name0-0"})
    assert limits.seconds_left(DataCategory.METRIC_BUCKET, namespace="name0-0") == 90_000


@pytest.mark.spec("RATE-04")
def test_rate_limits_header_wins_over_retry_after(limits):
    limits.update(429, {"Retry-After": "500", "X-Sentry-Rate-Limits": "60:error:key"})
    assert told(limits) == {"error": 60}


@pytest.mark.spec("RATE-16", "RATE-18", "RATE-24", "TRN-10", "OFF-14")
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "120"}, 120),
        ({"Retry-After": " 7 "}, 7),
        ({"Retry-After": "1.5"}, 1.5),
        ({"Retry-After": email.utils.formatdate(NOW + 300, usegmt=True)}, 300),
        ({"Retry-After": "Sun, 06 Nov 2094 08:49:37 GMT"}, 3_939_871_777.0 - NOW),
        ({}, 60),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": "-5"}, 60),
        ({"Retry-After": ""}, 60),
        ({"Retry-After": "Sun, 99 Nov 9999999 08:49:37 GMT"}, 60),
    ],
)
def test_a_429_without_the_header_stops_everything_for_a_while(limits, headers, seconds):
    limits.update(429, headers)
    assert told(limits) == {None: seconds}


def test_a_date_in_the_past_stops_nothing(limits):
    limits.update(429, {"Retry-After": email.utils.formatdate(NOW - 300, usegmt=True)})
    assert told(limits) == {}


@pytest.mark.spec("RATE-19")
@pytest.mark.parametrize("status", [200, 400, 413, 500, 503])
def test_retry_after_says_nothing_on_other_answers(limits, status):
    limits.update(status, {"Retry-After": "120"})
    assert told(limits) == {}


@pytest.mark.spec("RATE-01", "RATE-23")
def test_a_limit_ends_when_its_time_is_over(limits, clock):
    limits.update(200, {"X-Sentry-Rate-Limits": "60:error, 90:span"})
    clock.now += 59.9
    assert limits.is_limited(DataCategory.ERROR)
    clock.now += 0.1
    assert not limits.is_limited(DataCategory.ERROR)
    assert limits.is_limited(DataCategory.SPAN)
    clock.now += 30
    assert told(limits) == {}


@pytest.mark.spec("RATE-09", "RATE-24", "RATE-35")
def test_a_limit_for_all_stops_every_category_client_reports_included(limits):
    limits.update(200, {"X-Sentry-Rate-Limits": "60::key"})
    assert all(limits.is_limited(category) for category in DataCategory)


@pytest.mark.spec("RATE-31", "RATE-32")
@pytest.mark.parametrize(
    "headers",
    [["600:error", "60:error"], ["60:error", "600:error"], ["600:error,60:error"], ["60:error,600:error"]],
)
def test_the_longest_limit_wins(limits, headers):
    for header in [*headers, "0:error"]:
        limits.update(200, {"X-Sentry-Rate-Limits": header})
    assert told(limits) == {"error": 600}


def test_a_default_limit_stops_no_errors(limits):
    limits.update(200, {"X-Sentry-Rate-Limits": "60:default;security"})
    assert not limits.is_limited(DataCategory.ERROR)


@pytest.mark.parametrize(
    ("limited", "stops"),
    [
        ("log_byte", "log_item"),
        ("trace_metric_byte", "trace_metric"),
        ("attachment_item", "attachment"),
        ("profile_duration", "profile_chunk"),
    ],
)
def test_a_limit_on_bytes_stops_what_the_bytes_are_of(limits, limited, stops):
    limits.update(200, {"X-Sentry-Rate-Limits": f"60:{limited}"})
    assert limits.is_limited(DataCategory(stops))
    assert not limits.is_limited(DataCategory.ERROR)


@pytest.mark.spec("RATE-12", "RATE-13")
def test_a_metric_bucket_limit_may_be_for_some_namespaces_only(limits):
    limits.update(200, {"X-Sentry-Rate-Limits": "300:metric_bucket;error:organization:quota:custom;spans"})
    bucket = DataCategory.METRIC_BUCKET
    assert limits.is_limited(bucket, namespace="custom")
    assert limits.is_limited(bucket, namespace="spans")
    assert not limits.is_limited(bucket, namespace="other")
    assert not limits.is_limited(bucket)
    assert limits.is_limited(DataCategory.ERROR)
    limits.update(200, {"X-Sentry-Rate-Limits": "300:metric_bucket:organization:quota"})
    assert limits.is_limited(bucket, namespace="other")


@pytest.mark.spec("RATE-20")
def test_each_transport_has_limits_of_its_own(limits):
    limits.update(429, {})
    assert told(RateLimits()) == {}


PIECES = st.text(alphabet="0123456789.:;, erospan_metric_bucketZé٣\t-+e\x00", max_size=30) | st.text(max_size=30)


@given(limits_header=st.none() | PIECES, retry_after=st.none() | PIECES, status=st.sampled_from([200, 429, 500]))
def test_no_header_ever_raises(limits_header, retry_after, status):
    limits = RateLimits()
    headers = {"X-Sentry-Rate-Limits": limits_header, "Retry-After": retry_after}
    limits.update(status, {name: value for name, value in headers.items() if value is not None})
    for category, left in limits.active().items():
        assert left > 0
        assert category is None or limits.is_limited(category)


ENTRIES = st.lists(
    st.tuples(
        st.integers(0, 10_000) | st.floats(0, 10_000).map(lambda f: round(f, 3)),
        st.lists(st.sampled_from(["error", "span", "log_item", "martian", "Error"]), max_size=3),
    ),
    max_size=6,
)


@given(st.lists(ENTRIES, max_size=4))
def test_any_sequence_of_headers_gives_the_maximum_of_each_category(answers):
    limits = RateLimits(clock=Clock(0.0))
    expected: dict[str | None, float] = {}
    for entries in answers:
        header = ", ".join(f"{seconds:f}:{';'.join(names)}:key" for seconds, names in entries)
        limits.update(200, {"X-Sentry-Rate-Limits": header})
        for seconds, names in entries:
            for name in names or [None]:
                if name in (None, "error", "span", "log_item"):
                    expected[name] = max(expected.get(name, 0), float(f"{seconds:f}"))
    assert told(limits) == {name: seconds for name, seconds in expected.items() if seconds}


def test_readers_never_see_half_an_update():
    limits = RateLimits(clock=Clock(0.0))
    torn = []
    done = threading.Event()

    def read():
        while not done.is_set():
            seen = limits.active()
            if seen.get(DataCategory.ERROR) != seen.get(DataCategory.SPAN):
                torn.append(seen)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for seconds in range(1, 2000):
            limits.update(200, {"X-Sentry-Rate-Limits": f"{seconds}:error;span"})
    finally:
        done.set()
        reader.join()
        sys.setswitchinterval(interval)
    assert torn == []


def test_no_limit_of_concurrent_answers_is_lost():
    inside, other_is_done = threading.Event(), threading.Event()

    class Now(float):
        """A time that stops whoever compares it: an update, after it has read the limits there are."""

        def __lt__(self, other):
            inside.set()
            other_is_done.wait(0.3)  # in vain if updates wait for each other
            return float(self) < other

    def clock():
        return Now(0) if threading.current_thread() is slow else 0.0

    limits = RateLimits(clock=clock)
    slow = threading.Thread(target=limits.update, args=(200, {"X-Sentry-Rate-Limits": "60:error"}))
    limits.update(200, {"X-Sentry-Rate-Limits": "60:session"})
    slow.start()
    assert inside.wait(10)
    limits.update(200, {"X-Sentry-Rate-Limits": "60:span"})
    other_is_done.set()
    slow.join()
    assert told(limits) == {"error": 60, "session": 60, "span": 60}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_forked_during_an_update_can_update():
    inside, leave = threading.Event(), threading.Event()
    clock = Clock(0.0)

    def slow_clock():
        if threading.current_thread() is not threading.main_thread():
            inside.set()
            leave.wait(10)
        return clock()

    limits = RateLimits(clock=slow_clock)
    thread = threading.Thread(target=limits.update, args=(429, {}))
    thread.start()
    assert inside.wait(10)  # the thread is in the middle of its update, and holds what there is to hold
    child = os.fork()
    if child == 0:
        limits.update(200, {"X-Sentry-Rate-Limits": "60:error"})
        os._exit(0 if told(limits) == {"error": 60} else 1)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
