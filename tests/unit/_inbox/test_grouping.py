from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.inboxes import exception, frame, order_failed
from vedette._inbox.grouping import issue_key, normalized

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=5), children, max_size=4),
    max_leaves=10,
)
KNOWN_NAMES = st.sampled_from(
    ["exception", "values", "stacktrace", "frames", "mechanism", "exception_id", "parent_id", "logentry", "message"]
)


def key(event: dict[str, Any]) -> str:
    return issue_key(event)[0]


def chain(*values: dict[str, Any]) -> dict[str, Any]:
    return {"exception": {"values": list(values)}}


def group(*members: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A group with its members, as RFC 0079 orders them: root last."""
    for number, member in enumerate(members, 1):
        member["mechanism"] = {"exception_id": number, "parent_id": 0, "source": f"exceptions[{number - 1}]"}
    root = exception("ExceptionGroup", "several", frame("collect"), exception_id=0, is_exception_group=True)
    return {**chain(*reversed(members), root), **more}


def message(text: str, **more: Any) -> dict[str, Any]:
    return {"logentry": {"message": text, **more}}


def test_three_orders_by_three_users_are_one_issue():
    orders = [order_failed(user=user, order=f"A-{number}") for number, user in enumerate(["ann", "bob", "cid"])]
    assert len({key(order) for order in orders}) == 1


def test_two_raises_in_one_function_are_two_issues():
    first = chain(exception("ValueError", "x", frame("pay", "raise ValueError(a)")))
    second = chain(exception("ValueError", "x", frame("pay", "raise ValueError(b)")))
    assert key(first) != key(second)


def test_line_numbers_columns_and_indentation_do_not_matter():
    first = chain(exception("ValueError", "x", frame("pay", "raise ValueError(a)", lineno=1, colno=5)))
    second = chain(exception("ValueError", "x", frame("pay", "      raise  ValueError(a)", lineno=9)))
    assert key(first) == key(second)


@pytest.mark.parametrize("change", ["type", "function", "module"])
def test_type_function_and_module_matter(change):
    raised = exception("KeyError", "x", frame("pay"))
    other = exception("KeyError", "x", frame("pay"))
    if change == "type":
        other["type"] = "IndexError"
    else:
        other["stacktrace"]["frames"][0][change] = "another"
    assert key(chain(raised)) != key(chain(other))


def test_release_level_thread_user_and_tags_do_not_matter():
    more = {"release": "2", "level": "fatal", "threads": {"values": [{"id": 1}]}, "tags": {}, "timestamp": 1}
    assert key(order_failed()) == key({**order_failed(), **more})


def test_library_frames_do_not_matter_beside_own_ones():
    library = frame("run", own=False)
    assert key(chain(exception("E", "x", library, frame("pay"), library))) == key(
        chain(exception("E", "x", frame("pay")))
    )


def test_library_frames_count_where_there_are_no_own_ones():
    first = chain(exception("E", "x", frame("run", own=False)))
    second = chain(exception("E", "x", frame("walk", own=False)))
    assert key(first) != key(second)


def test_recursion_of_any_depth_is_one_issue():
    deep, deeper = (
        chain(exception("RecursionError", "x", frame("main"), *[frame("rec") for _ in range(depth)]))
        for depth in (3, 61)
    )
    assert key(deep) == key(deeper)


def test_the_cause_matters():
    outermost = exception("CheckoutError", "x", frame("checkout"))
    assert key(chain(exception("KeyError", "x", frame("vat")), outermost)) != key(chain(outermost))


def test_a_chain_is_the_same_with_and_without_mechanism_ids():
    plain = chain(exception("KeyError", "k", frame("vat")), exception("CheckoutError", "c", frame("checkout")))
    linked = chain(
        exception("KeyError", "k", frame("vat"), exception_id=1, parent_id=0, source="__cause__"),
        exception("CheckoutError", "c", frame("checkout"), exception_id=0),
    )
    assert key(plain) == key(linked)


def test_without_frames_the_normalized_value_counts():
    assert key(chain(exception("OSError", "port 80"))) == key(chain(exception("OSError", "port 8080")))
    assert key(chain(exception("OSError", "port 80"))) != key(chain(exception("OSError", "no route")))


def test_groups_of_3_and_of_300_failures_of_one_kind_are_one_issue():
    small, large = (
        group(*[exception("TimeoutError", f"{number} s", frame("fetch")) for number in range(size)])
        for size in (3, 300)
    )
    assert key(small) == key(large)


def test_the_301st_member_matters_if_it_is_of_another_kind():
    same = [exception("TimeoutError", f"{number} s", frame("fetch")) for number in range(300)]
    assert key(group(*same)) != key(group(*same, exception("ValueError", "x", frame("parse"))))


def test_the_order_of_a_groups_members_does_not_matter_but_their_kinds_do():
    slow, wrong = exception("TimeoutError", "1 s", frame("fetch")), exception("ValueError", "x", frame("parse"))
    assert key(group(dict(slow), dict(wrong))) == key(group(dict(wrong), dict(slow)))
    assert key(group(dict(slow))) != key(group(dict(slow), dict(wrong)))


def test_a_members_cause_matters():
    def with_cause(kind: str) -> dict[str, Any]:
        return chain(
            exception(kind, "c", exception_id=2, parent_id=1, source="__cause__"),
            exception("ValueError", "x", frame("parse"), exception_id=1, parent_id=0, source="exceptions[0]"),
            exception("ExceptionGroup", "several", exception_id=0, is_exception_group=True),
        )

    assert key(with_cause("KeyError")) != key(with_cause("IndexError"))


def test_the_fingerprint_wins():
    fingerprint = {"fingerprint": ["checkout", 7]}
    assert key(order_failed(**fingerprint)) == key({**message("something else"), **fingerprint})
    assert key(order_failed(**fingerprint)) != key(order_failed())


@pytest.mark.parametrize("fingerprint", [["{{ default }}"], ["{{default}}"], [], None, "text", {"a": 1}])
def test_a_fingerprint_that_says_nothing_leaves_the_default(fingerprint):
    assert key(order_failed(fingerprint=fingerprint)) == key(order_failed())


def test_default_in_a_fingerprint_stands_for_the_other_rules():
    def tenant(name: str, event: dict[str, Any]) -> str:
        return key({**event, "fingerprint": ["{{ default }}", name]})

    assert tenant("a", order_failed()) == tenant("a", order_failed(user="bob"))
    assert tenant("a", order_failed()) != tenant("b", order_failed())
    assert tenant("a", order_failed()) != tenant("a", message("m"))


def test_a_template_with_parameters_is_taken_as_it_is():
    first = message("order %s of 3", params=["1"], formatted="order 1 of 3")
    second = message("order %s of 3", params=["2"], formatted="order 2 of 3")
    other = message("order %s of 4", params=["1"], formatted="order 1 of 4")
    assert key(first) == key(second)
    assert key(first) != key(other)


def test_a_message_without_parameters_is_normalized():
    assert key(message("order 1 of ann@shop.local")) == key({"message": "order 27 of bob@shop.local"})


def test_the_logger_matters_for_messages():
    assert key({**message("m"), "logger": "a"}) != key({**message("m"), "logger": "b"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("took 3.5 s, 1,000 rows", "took <number> s, <number> rows"),
        ("id 5d0c6b7e-9f1a-4c3d-8e2b-7a6f5c4d3e2f", "id <uuid>"),
        ("at 0x7f3a2b1c and deadbeef01", "at <hex> and <hex>"),
        ("mail to ann.b+c@shop.example.org!", "mail to <email>!"),
        ("""no 'AT' in "rates", don't""", "no <text> in <text>, don't"),
        ("since 2026-11-24T11:08:18.123Z and 2026-11-24", "since <date> and <date>"),
        ("accede to facade", "accede to facade"),
        ("  a \n b ", "a b"),
    ],
)
def test_what_varies_in_a_text_becomes_a_placeholder(value, expected):
    assert normalized(value) == expected


@pytest.mark.parametrize("unit", ["a", "'", '"', "1-", "a@", "0x", "2026-11-24T", "abcdef0"])
def test_long_hostile_texts_are_normalized_at_once(unit):
    start = time.process_time()
    normalized(unit * 1_000_000)
    assert time.process_time() - start < 0.5


def test_the_explanation_names_the_parts():
    assert issue_key(order_failed())[1] == (
        "CheckoutError through the own functions checkout at the line "
        '`raise CheckoutError(f"cannot price order {order}")`'
        "\nfrom KeyError through the own functions total → vat at the line `rate = RATES[country]`"
    )
    assert issue_key(message("order 7"))[1] == "the message: order <number>"
    assert issue_key({**message("m"), "fingerprint": ["a", "{{ default }}"]})[1] == (
        "the fingerprint set by the program: a, {{ default }}\nwhere {{ default }} stands for the message: m"
    )
    assert "its kinds of members, however many: ValueError" in issue_key(group(exception("ValueError", "x")))[1]


@given(st.dictionaries(KNOWN_NAMES | st.text(max_size=5), st.dictionaries(KNOWN_NAMES, json_values) | json_values))
def test_any_object_has_a_key(event):
    assert len(key(event)) == 64


def test_links_that_lead_nowhere_or_in_circles_end():
    circle = chain(exception("A", "x", exception_id=1, parent_id=2), exception("B", "x", exception_id=2, parent_id=1))
    nowhere = chain(exception("A", "x", exception_id=1, parent_id=9), exception("B", "x", exception_id=1, parent_id=1))
    deep = chain(*[exception("E", "x", exception_id=i, parent_id=i - 1) for i in range(2000)])
    groups = [exception("E", "x", exception_id=i, parent_id=i - 1, source="exceptions[0]") for i in range(2000)]
    assert len({key(circle), key(nowhere), key(deep), key(chain(*groups))}) == 4
