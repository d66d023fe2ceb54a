from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit._inbox.event.events import (
    AT,
    HOSTILE,
    chained,
    event,
    frame,
    group,
    issue,
    mechanism,
    message,
    paths,
    recursion,
    replaced,
    stored,
)
from vedette._inbox.event.received import read
from vedette._inbox.terminal.markdown import render_markdown
from vedette._inbox.terminal.screen import Screen
from vedette._inbox.terminal.view import render_event, render_repeat

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8) | st.just(HOSTILE),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3),
    max_leaves=8,
)


META = {"exception": {"values": {"0": {"value": {"": {"len": 90_000, "rem": [["!limit", "s", 1021, 1024]]}}}}}}
WHOLE = [
    chained(_meta=META, request={"url": "http://e/", "method": "GET", "query_string": [["a", "1"]]}),
    group(),
    message(),
    event(threads={"values": [{"id": 1, "current": True, "stacktrace": {"frames": [frame("a.py:1", "f", "x")]}}]}),
]
PLACES = [(index, path) for index, data in enumerate(WHOLE) for path in paths(data)]


def render(data, width):
    one = stored(data)
    screen = Screen(width=width)
    text = screen.render([*render_event(one, issue(), screen), render_repeat(one, issue(), screen)])
    text += screen.render(render_event(one, issue(), screen, locals_=True, all_frames=True))
    return text + render_markdown(one, issue())


@given(
    st.lists(st.tuples(st.sampled_from(PLACES), json_values), min_size=1, max_size=3), st.sampled_from([40, 80, 120])
)
def test_an_event_with_anything_anywhere_is_shown(damages, width):
    data = WHOLE[damages[0][0][0]]
    for (index, path), new in damages:
        if data is WHOLE[index] or not path:
            data = replaced(WHOLE[index], path, new)
    text = render(data, width)
    text.encode()  # no lone surrogate
    assert not set(text) & set(map(chr, [*range(10), *range(11, 32), *range(127, 160), *range(0x202A, 0x202F)]))


@given(
    st.dictionaries(st.sampled_from([*chained(), "logentry", "message", "threads", "request", "_meta"]), json_values)
)
def test_arbitrary_json_is_shown(data):
    assert render(data, 80)


def test_a_broken_part_is_named_and_the_rest_is_shown():
    data = event(
        exception={
            "values": [{"type": "E", "value": 5, "stacktrace": {"frames": ["x", frame("a.py:3", "f", "code()")]}}]
        },
        tags=[["a", "b"], 3],
        user="ann",
    )
    data["exception"]["values"][0]["stacktrace"]["frames"][1]["lineno"] = "3"
    reading = read(stored(data, remarks=("two events in one envelope",)))
    assert reading.title == "E: 5"
    assert reading.chain[0].frames[0].code == "code()"
    assert reading.remarks == (
        "two events in one envelope",
        "exception.values.0.value: should be text, is a number",
        "exception.values.0.stacktrace.frames.0: should be an object, is text (x)",
        "exception.values.0.stacktrace.frames.1.lineno: should be a whole number, is text (3)",
        "user: should be an object, is text (ann)",
        "tags.1: should be a pair, is a number",
    )


def test_an_event_that_could_not_be_read_at_all_says_why():
    reading = read(stored({}, remarks=("it is no JSON",)))
    assert reading.title == "(an event without exception and message)"
    assert reading.remarks == ("it is no JSON",)


@pytest.mark.parametrize(
    ("meta", "value", "words"),
    [
        ({"len": 90_000, "rem": [["!limit", "s", 1021, 1024]]}, "x" * 1024, "cut at 1 024 of 90 000 characters"),
        ({"rem": [["!limit", "x", 8191, 8192]]}, "x" * 8192, "cut at 8 192 characters"),
        ({"len": 90_000}, "x" * 10, "cut at 10 of 90 000 characters"),
        ({"rem": [["@password", "s", 0, 10]]}, None, "replaced (@password)"),
        ({"rem": [["!limit", "x"]]}, None, "removed (too large)"),
        ({"err": ["invalid_data", ["missing", {}]]}, None, "invalid: invalid_data, invalid: missing"),
    ],
)
def test_what_was_cut_from_a_value_is_said_with_it(meta, value, words):
    data = event(
        exception=[{"type": "E", "value": value}],
        _meta={"exception": {"0": {"value": {"": meta}}}},
    )
    assert read(stored(data)).chain[0].notes == (words,)


def test_what_was_cut_elsewhere_is_said_at_the_end():
    meta = {"extra": {"payload": {"": {"len": 2_000_000, "rem": [["!limit", "x"]]}}}, "": {"rem": [["!limit", "x"]]}}
    assert read(stored(event(_meta=meta))).remarks == (
        "event: shortened (too large)",
        "extra.payload: removed (too large)",
    )


def test_frames_and_variables_say_how_many_were_kept():
    frames = [frame("a.py:1", "f", "x", vars={"a": "1"})]
    meta = {"": {"len": 1_000}, "0": {"vars": {"": {"len": 12}}}}
    data = event(
        exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]},
        _meta={"exception": {"values": {"0": {"stacktrace": {"frames": meta}}}}},
    )
    (failure,) = read(stored(data)).chain
    assert failure.notes == ("1 of 1 000 kept",)
    assert failure.frames[0].note == "1 of 12 kept"


def test_of_a_huge_stack_the_oldest_20_and_the_newest_80_frames_are_shown():
    frames = [frame(f"a.py:{line}", "f", "x") for line in range(1, 1001)]
    (failure,) = read(stored(event(exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]}))).chain
    assert [found.lineno for found in failure.frames] == [*range(1, 21), *range(921, 1001)]
    assert failure.notes == ("100 of 1000 frames shown",)


def test_a_chain_without_ids_is_read_in_its_order():
    data = event(exception=[{"type": "A"}, {"type": "B"}, {"type": "C"}])
    assert [(failure.type, failure.join) for failure in read(stored(data)).chain] == [
        ("A", "led to"),
        ("B", "led to"),
        ("C", "led to"),
    ]


def test_each_link_of_a_chain_says_what_it_was():
    values = [
        {"type": "A", "mechanism": mechanism(2, 1, "__context__")},
        {"type": "B", "mechanism": mechanism(1, 0, "__cause__")},
        {"type": "C", "mechanism": mechanism(0)},
    ]
    chain = read(stored(event(exception={"values": values}))).chain
    assert [failure.join for failure in chain[:2]] == ["while handling it, this occurred", "was the direct cause of"]


def test_nested_groups_are_a_tree():
    values = [
        {"type": "OSError", "mechanism": mechanism(3, 1, "exceptions[1]")},
        {"type": "ValueError", "mechanism": mechanism(2, 1, "exceptions[0]")},
        {"type": "Inner", "mechanism": mechanism(1, 0, "exceptions[0]")},
        {"type": "Outer", "mechanism": mechanism(0)},
    ]
    (outer,) = read(stored(event(exception={"values": values}))).chain
    ((inner,),) = outer.members
    assert (outer.type, inner.type) == ("Outer", "Inner")
    assert [member[0].type for member in inner.members] == ["ValueError", "OSError"]


def test_groups_in_more_than_16_others_are_counted_where_they_would_stand():
    depth = 30
    nested = [{"type": f"G{n}", "mechanism": mechanism(n, n - 1, "exceptions[0]")} for n in range(depth, 0, -1)]
    (failure,) = read(stored(event(exception={"values": [*nested, {"type": "G0", "mechanism": mechanism(0)}]}))).chain
    for number in range(17):
        assert failure.type == f"G{number}"
        if failure.members:
            ((failure,),) = failure.members
    assert failure.type == "G16"
    assert failure.notes == ("14 exceptions inside it, nested deeper, left out",)


def a_group_of(size, frames):
    members = [
        {"type": "E", "mechanism": mechanism(n, 0, f"exceptions[{n - 1}]"), "stacktrace": {"frames": frames}}
        for n in range(1, size + 1)
    ]
    root = {"type": "Group", "mechanism": mechanism(0), "stacktrace": {"frames": frames}}
    return event(exception={"values": [*reversed(members), root]})


def test_a_group_of_300_has_300_members():
    reading = read(stored(a_group_of(300, [frame("a.py:1", "f", "x")])))
    assert len(reading.chain[-1].members) == 300
    assert reading.remarks == ()


def test_what_is_left_out_of_a_group_of_1500_is_said():
    reading = read(stored(a_group_of(1500, [])))
    assert len(reading.chain[-1].members) == 999
    assert reading.remarks == ("exception: the last 1000 of 1501 are shown",)


def test_if_frames_are_too_many_it_is_the_last_members_that_lose_them():
    frames = [frame(f"a.py:{line}", "f", "x") for line in range(1, 51)]
    (failure,) = read(stored(a_group_of(100, frames))).chain
    assert len(failure.frames) == 50
    assert [len(member[0].frames) for member in (failure.members[0], failure.members[-1])] == [50, 0]


def test_exceptions_whose_links_lead_nowhere_are_shown_too():
    values = [{"type": "Lost", "mechanism": mechanism(7, 7, "x")}, {"type": "Last", "mechanism": mechanism(0)}]
    assert [failure.type for failure in read(stored(event(exception={"values": values}))).chain] == ["Lost", "Last"]


def test_frames_count_as_own_if_nobody_says_which_are():
    frames = [{"filename": "a.js", "function": "f"}, {"filename": "b.js", "function": "g"}]
    (failure,) = read(stored(event(exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]}))).chain
    assert all(found.own for found in failure.frames)


@pytest.mark.parametrize(
    ("timestamp", "at"),
    [
        ("2025-11-25T14:02:11Z", AT),
        ("2025-11-25T14:02:11.500000000", AT + 0.5),
        (True, AT),
        ("2025-11-25T15:02:11+01:00", AT),
        (AT + 1, AT + 1),
        (1e300, AT),
        ("soon", AT),
    ],
)
def test_the_time_is_the_clients_if_it_is_one(timestamp, at):
    assert read(stored(event(timestamp=timestamp))).at == at


def test_structured_variables_of_other_sdks_are_compact_json():
    frames = [frame("a.py:1", "f", "x", vars={"a": {"b": [1, None]}, "c": "'text'", "d": True})]
    data = event(platform="node", exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]})
    (failure,) = read(stored(data)).chain
    assert [v.value for v in failure.frames[0].variables] == ['{"b": [1, null]}', "'text'", "true"]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ({"id": "'A-17'", "net": "10", "lines": ["Decimal('9.99')", None]},
         "{'id': 'A-17', 'net': 10, 'lines': [Decimal('9.99'), None]}"),
        ({"it's": {}, "flag": True}, '{"it\'s": {}, \'flag\': True}'),
        ("'text'", "'text'"),
        (1.5, "1.5"),
    ],
)  # fmt: skip
def test_a_python_sdks_structures_are_shown_as_python_has_them(sent, shown):
    """Their leaves come rendered: as JSON, `order["id"]` had quotes around its quotes."""
    frames = [frame("a.py:1", "f", "x", vars={"a": sent})]
    data = event(platform="python", exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]})
    (failure,) = read(stored(data)).chain
    assert [v.value for v in failure.frames[0].variables] == [shown]


@pytest.mark.parametrize(
    ("crumb", "text"),
    [
        ({"message": "hello"}, "hello"),
        ({"type": "http", "data": {"method": "GET", "url": "http://stock.local/items?id=7", "status_code": 200}},
         "GET stock.local/items?id=7 → 200"),
        ({"category": "x", "data": {"a": 1, "b": "c"}}, "a=1 b=c"),
    ],
)  # fmt: skip
def test_a_breadcrumb_is_one_line_made_of_message_or_data(crumb, text):
    assert read(stored(event(breadcrumbs=[crumb]))).crumbs[0].text == text


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("/srv/a b.py", "file:///srv/a%20b.py"),
        ("/srv/\x1b]8;;.py", "file:///srv/%1B%5D8%3B%3B.py"),
        ("relative.py", ""),
        ("//server/share/a.py", ""),
        ("/srv/../../etc/a.py", ""),
        ("javascript:alert(1)", ""),
    ],
)
def test_only_absolute_local_paths_become_links_and_those_encoded(path, link):
    frames = [frame("a.py:1", "f", "x", abs_path=path)]
    (failure,) = read(stored(event(exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]}))).chain
    assert failure.frames[0].link == link


def test_handled_or_not_is_read_from_the_mechanism():
    assert read(stored(recursion())).chain[0].handled is False


@pytest.mark.parametrize(
    ("entry", "shown"),
    [
        ({"message": "stock low for sku %s", "params": ["4711"]}, "stock low for sku 4711"),
        ({"message": "%(n)d%% of %(what)r", "params": {"n": 90, "what": "disk"}}, "90% of disk"),
        ({"message": "took {:.2f} s for {0}", "params": ["1.25"]}, "took 1.25 s for 1.25"),
        ({"message": "{a} and {b!r}", "params": {"a": "x", "b": "{a}"}}, "x and {a}"),
        ({"message": "%s", "params": [{"a": [1]}]}, '{"a": [1]}'),
        ({"message": "{x.__class__.__mro__} %999999999d", "params": [1]}, "{x.__class__.__mro__} 1"),
        ({"message": "100 % sure", "formatted": "said", "params": ["a"]}, "said"),
    ],
)
def test_parameters_of_a_message_that_was_not_formatted_are_put_in_as_text(entry, shown):
    message = read(stored(event(logentry=entry))).message
    assert (message.lines, message.params) == ((shown,), ())


@pytest.mark.parametrize("params", [["a", "b"], {"other": "a"}, ["a", "b", "c"]])
def test_parameters_that_do_not_fit_the_message_are_shown_beside_it(params):
    message = read(stored(event(logentry={"message": "only %s here", "params": params}))).message
    assert message.lines == ("only %s here",)
    assert [entry.value for entry in message.params] == list(params.values() if isinstance(params, dict) else params)


def one_frame(**fields):
    frames = [frame("a.py:1", "f", fields.pop("code", "x"), **fields)]
    (failure,) = read(stored(event(exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]}))).chain
    return failure.frames[0]


@pytest.mark.parametrize(
    ("code", "sent", "marked"),
    [
        ("rate = RATES[country]", {"colno": 8, "end_colno": 22}, "RATES[country]"),
        ("\trate = RATES[country]", {"colno": 9, "end_colno": 14}, "RATES"),
        ("a\x1b = RATES", {"colno": 6, "end_colno": 11}, "RATES"),
    ],
)
def test_columns_count_characters_of_the_line_as_sent(code, sent, marked):
    found = one_frame(code=code, **sent)
    assert found.columns is not None
    start, end = found.columns
    assert found.code[start:end] == marked


@pytest.mark.parametrize("sent", [{}, {"colno": 0}, {"colno": -3}, {"colno": 999}, {"colno": "7"}, {"end_colno": 3}])
def test_columns_outside_the_line_are_none(sent):
    assert one_frame(code="rate = 1", **sent).columns is None


def test_an_end_that_makes_no_sense_is_left_out():
    assert one_frame(code="rate = 1", colno=8, end_colno=2).columns == (7, None)


def test_values_of_several_lines_keep_them():
    found = one_frame(vars={"text": "one\n  two\x1b"})
    assert found.variables[0].lines == ("one", "  two\\x1b")
    assert found.variables[0].value == "one\\n  two\\x1b"


def test_a_request_is_read_in_all_forms_that_clients_send():
    request = {
        "method": "POST",
        "url": "http://shop.example/add",
        "query_string": "a=1&b=x%20y",
        "headers": [["Accept", "*/*"], ["X-Id", "7"]],
        "cookies": "session=[Filtered]; theme=dark",
        "env": {"REMOTE_ADDR": "127.0.0.1"},
        "data": {"items": ["x" * 60, "y" * 60]},
    }
    meta = {"request": {"data": {"": {"len": 9000}}}}
    found = read(stored(event(request=request, _meta=meta))).request
    pairs = {name: [(e.name, e.value) for e in getattr(found, name)] for name in ("query", "headers", "cookies")}
    assert found.line == "POST http://shop.example/add?a=1&b=x%20y"
    assert pairs == {
        "query": [("a", "1"), ("b", "x y")],
        "headers": [("Accept", "*/*"), ("X-Id", "7")],
        "cookies": [("session", "[Filtered]"), ("theme", "dark")],
    }
    assert found.body[0] == "{"
    assert found.note == "1 of 9 000 kept"


def test_what_stands_around_an_error_is_read_with_its_remarks():
    found = read(
        stored(
            event(
                contexts={"stock": {"left": 2, "skus": ["x" * 60] * 2}, "empty": {}, "odd": 3},
                extra={"note": "cut"},
                modules={"rich": "13.7"},
                sdk={"name": "vedette.python", "version": "0.4"},
                logger="shop",
                server_name="box",
                threads={"values": [{"id": 7, "name": "nightly", "current": True}, {"id": 8, "crashed": True}]},
                exception={"values": [{"type": "E"}]},
                _meta={"extra": {"note": {"": {"len": 70_000}}}},
            )
        )
    )
    assert [(context.name, [e.name for e in context.entries]) for context in found.contexts] == [
        ("stock", ["left", "skus"])
    ]
    assert found.contexts[0].entries[1].lines[0] == "["
    assert found.extra[0].note == "cut at 3 of 70 000 characters"
    assert [(e.name, e.value) for e in found.more] == [
        ("logger", "shop"),
        ("server_name", "box"),
        ("platform", "python"),
    ]
    assert found.sdk == "vedette.python 0.4"
    assert [(thread.name, thread.state) for thread in found.threads] == [("nightly", "current"), ("8", "crashed")]
    assert "contexts.odd: should be an object, is a number" in found.remarks


def test_data_of_a_breadcrumb_that_its_line_leaves_out_is_kept():
    data = {"method": "GET", "url": "http://stock.local/", "status_code": 500, "body": "busy"}
    crumbs = [{"type": "http", "data": data}, {"message": "m", "data": {"a": 1}}, {"data": {"only": "this"}}]
    found = read(stored(event(breadcrumbs=crumbs))).crumbs
    assert [[(e.name, e.value) for e in crumb.data] for crumb in found] == [[("body", "busy")], [("a", "1")], []]
