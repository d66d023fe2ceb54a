# ruff: noqa: RUF001 - the signs on the page are meant
from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit._inbox.event.events import (
    AT,
    chained,
    event,
    frame,
    group,
    mechanism,
    message,
    paths,
    recursion,
    replaced,
)
from tests.unit._inbox.event.everything import hostile, whole
from tests.unit._inbox.web.pages import site

MARKUP = "</details><script>alert(1)</script><img src=x onerror=alert(1)><a href='javascript:1'>\"'>{{7*7}}{% x %}"
HOSTILE = MARKUP + "\x00\x1b[31m\u202e\ud800\n</table>"
ELEMENTS = {
    *(
        "article",
        "nav",
        "h1",
        "h2",
        "h3",
        "p",
        "ul",
        "ol",
        "li",
        "div",
        "section",
        "footer",
        "span",
        "strong",
        "b",
        "u",
    ),
    *("a", "code", "time", "button", "form", "details", "summary", "table", "caption", "tr", "th", "td"),
}


@pytest.fixture(scope="module")
def inbox(tmp_path_factory):
    with site(tmp_path_factory.mktemp("inbox"), editor="vscode://file{path}:{line}") as found:
        yield found


def test_hostile_text_in_every_field_makes_no_element_and_no_address(inbox):
    data = hostile(whole(), HOSTILE)
    page = inbox.page_of(data)
    assert {element["tag"] for element in page.main} <= ELEMENTS
    assert [script["attrs"].get("src") for script in page.all("script")] == [page.all("script")[0]["attrs"]["src"]]
    for element in page.elements:
        assert not [name for name in element["attrs"] if name.startswith("on") or name == "style"]
        for name in ("href", "src", "action"):
            address = element["attrs"].get(name)
            assert address is None or re.match(r"(/(?!/)|#e\d|#main$|vscode://file/)", address), address
    assert page.html.count("{{7*7}}") > 30  # shown as sent, nowhere computed
    assert "\x00" not in page.html
    assert "\x1b" not in page.html
    assert "\u202e" not in page.html


def test_the_summary_of_a_section_is_one_line_however_its_values_are_laid_out(inbox):
    lines = [{"sku": number, "price": "9.99"} for number in range(4)]
    page = inbox.page_of(event(message="m", extra={"basket": {"lines": lines}}))
    assert page.texts("span", class_="sum")[-2].startswith('basket={ "lines": [ { "sku": 0, "price": "9.99" }, {')


def test_hostile_text_makes_as_many_elements_as_harmless_text(inbox):
    harmless = re.sub(r"\W", "x", MARKUP)

    def tags(text):
        values = [
            {"type": text, "value": text, "stacktrace": {"frames": [frame("a.py:1", text, text, vars={text: text})]}}
        ]
        data = event(
            exception={"values": values}, tags={text: text}, extra={text: text}, breadcrumbs=[{"message": text}]
        )
        return [element["tag"] for element in inbox.page_of(data).main if element["tag"] != "span"]

    assert tags(MARKUP) == tags(harmless)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(MARKUP),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text("ab", max_size=2), children, max_size=3),
    max_leaves=6,
)


PLACES = [(data, path) for data in (whole(), group()) for path in paths(data) if path]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(st.sampled_from(PLACES), json_values, st.dictionaries(st.sampled_from([*whole()]), json_values, max_size=2))
def test_an_event_with_anything_anywhere_gets_a_page(inbox, place, new, more):
    data, path = place
    page = inbox.page_of({**replaced(data, path, new), **more})
    assert "cannot be shown" not in page.texts("h1")[0]
    assert {element["tag"] for element in page.main} <= ELEMENTS


def test_an_event_without_anything_says_what_is_wrong_with_it(inbox):
    page = inbox.page_of({"exception": 3, "logentry": []})
    assert page.texts("h1") == ["(an event without exception and message)"]
    assert "exception: should be an object, is a number" in page.texts("li")


def test_a_fault_of_ours_still_gets_a_page_with_the_way_to_the_data(inbox, monkeypatch):
    def fail(*_):
        raise ZeroDivisionError(MARKUP)

    monkeypatch.setattr("vedette._inbox.web.event_page.view_of", fail)
    page = inbox.page_of(message())
    assert page.texts("h1") == ["This event cannot be shown"]
    assert "ZeroDivisionError" in " ".join(page.texts("code"))
    assert [a["text"] for a in page.main if a["tag"] == "a"][-2:] == ["JSON", "raw envelope"]


def test_the_page_names_what_failed_in_the_order_of_the_chain(inbox):
    page = inbox.page_of(chained())
    assert page.texts("h1") == ["CheckoutError"]
    assert page.texts("p", class_="value") == ["cannot price order A-17 for ann"]
    assert page.texts("p", class_="raised") == ["KeyError: 'AT'", "CheckoutError: cannot price order A-17 for ann"]
    assert page.texts("p", class_="join") == ["was the direct cause of"]
    assert page.all("p", class_="cause") == []


def test_the_innermost_own_frame_of_each_exception_is_open_with_its_line_and_values(inbox):
    page = inbox.page_of(chained())
    open_ = [element for element in page.all("details") if "open" in element["attrs"]]
    assert len(open_) == 2
    assert page.texts("li", class_="mark")[2] == "❱ rate = RATES[country]"
    names = [element["text"] for element in page.all("th") if element["path"][-4:-1] == ["details", "div", "table"]]
    assert names[:2] == ["country", "net"]


def test_folded_frames_say_where_and_which_line(inbox):
    page = inbox.page_of(chained())
    assert page.texts("summary")[:2] == [
        "shop/checkout.py:22 checkout amount = total(order)",
        'shop/pricing.py:15 total tax = vat(net, order["country"])',
    ]


def test_a_frames_head_has_the_beginning_of_its_line_and_the_open_frame_all_of_it(inbox):
    code = "    x = [" + "1, " * 20_000 + "]"
    values = [{"type": "E", "value": "v", "stacktrace": {"frames": [frame("a.py:1", "f", code)]}}]
    page = inbox.page_of(event(exception={"values": values}))
    assert [len(element["text"]) for element in page.all("code") if element["path"][-1] == "summary"] == [201]
    assert page.texts("li", class_="mark") == ["❱" + code.strip()]


def test_source_lines_are_numbered_from_the_first_one_sent(inbox):
    page = inbox.page_of(chained())
    assert [element["attrs"].get("start") for element in page.all("ol", class_="source")] == [
        "22",
        "15",
        "5",
        "12",
        "21",
    ]


def test_columns_are_underlined(inbox):
    frames = [frame("a.py:1", "f", "    rate = RATES[country] + 1", colno=12, end_colno=26)]
    page = inbox.page_of(event(exception={"values": [{"type": "E", "value": "v", "stacktrace": {"frames": frames}}]}))
    assert page.texts("u") == ["RATES[country]"]
    frames = [frame("a.py:1", "f", "    rate = RATES[country] + 1", colno=12)]
    page = inbox.page_of(event(exception={"values": [{"type": "E", "value": "v", "stacktrace": {"frames": frames}}]}))
    assert page.texts("u") == ["RATES"]


def test_a_recursion_of_61_is_at_most_6_rows_and_opens_to_all_of_them(inbox):
    page = inbox.page_of(recursion())
    top = [element for element in page.all("summary") if element["path"].count("ol") == 1]
    assert [" ".join(summary["text"].split()) for summary in top] == [
        "send.py:40 <module> rec(60)",
        "send.py:22 rec return rec(n - 1)",
        "59 more times `rec` send.py:22",
        "send.py:21 rec return 1 / n",
    ]
    assert len(page.all("li", class_="frame")) == 62


def test_frames_have_ids_in_order_inside_their_details(inbox):
    page = inbox.page_of(chained())
    ids = [element for element in page.all("div", class_="opened") if "id" in element["attrs"]]
    assert [element["attrs"]["id"] for element in ids] == ["e0-f0", "e0-f1", "e0-f2", "e1-f0", "e1-f1"]
    assert {element["path"][-1] for element in ids} == {"details"}
    folded = inbox.page_of(recursion())
    assert [element["attrs"]["id"] for element in folded.all("div") if "id" in element["attrs"]] == [
        f"e0-f{number}" for number in range(62)
    ]


def test_a_group_is_a_nested_list_with_equal_leaves_once(inbox):
    page = inbox.page_of(group())
    leaves = [
        element for element in page.all("summary") if "members" in str(element["attrs"]) or "/3 " in element["text"]
    ]
    assert [" ".join(leaf["text"].split()) for leaf in leaves] == [
        "1/3 CheckoutError: cannot price order A-17 for ann ×2",
        "3/3 ValueError: bad quantity: 'x'",
    ]
    assert page.texts("ul", class_="others") == ["2/3 CheckoutError: cannot price order A-18 for bob"]
    assert page.texts("p", class_="cause") == ["KeyError: 'AT' shop/pricing.py:7 in vat rate = RATES[country]"]
    target = page.all("p", class_="cause")[0]
    link = next(a for a in page.all("a") if a["path"][-1:] == ["p"] and a["text"].startswith("shop/pricing.py:7"))
    assert target["text"]
    assert [e["attrs"]["id"] for e in page.all("div") if e["attrs"].get("id") == link["attrs"]["href"][1:]] == ["e1-f0"]


def test_values_that_are_cut_say_so_where_they_stand(inbox):
    data = chained()
    data["_meta"] = {
        "exception": {"values": {"0": {"stacktrace": {"frames": {"2": {"vars": {"net": {"": {"len": 90_000}}}}}}}}}
    }
    page = inbox.page_of(data)
    assert "Decimal('29.97') (cut at 16 of 90 000 characters)" in " ".join(
        page.html.replace("&#39;", "'").replace('<span class="note">', "").split()
    )


def test_a_long_value_is_cut_and_comes_whole_on_demand(inbox):
    page = inbox.page_of(event(exception={"values": [{"type": "E", "value": "x" * 3_000}]}))
    assert page.texts("p", class_="cut") == ["x" * 540 + "…"]
    assert page.texts("p", class_="long") == ["x" * 3_000]
    short = inbox.page_of(event(exception={"values": [{"type": "E", "value": "x" * 200}]}))
    assert short.all("details", class_="whole") == []


def test_breadcrumbs_are_a_table_the_last_20_open_with_their_distance(inbox):
    crumbs = [{"timestamp": AT - 30 + number, "category": "q", "message": f"step {number}"} for number in range(30)]
    page = inbox.page_of(event(exception=[{"type": "E"}], breadcrumbs=crumbs))
    rows = [text for text in page.texts("tr") if "step" in text]
    assert (rows[0], rows[-1]) == ("−30.0 sqstep 0", "−1.0 sqstep 29")
    assert "10 earlier" in page.texts("summary")
    assert sum("details" in e["path"] for e in page.all("tr") if "step" in e["text"]) == 10


def test_what_stands_around_is_folded_under_a_line_that_says_what_is_in_it(inbox):
    page = inbox.page_of(whole())
    sections = [
        e
        for e in page.all("summary")
        if e["path"][-1] == "details" and "section" in e["path"] and e["text"][:1].isupper()
    ]
    assert [" ".join(e["text"].split())[:40] for e in sections] == [
        "Request POST http://shop.example/add?a=1",
        "Tags tenant=acme",
        "User id=42",
        "Contexts stock",
        'Extra note={"deep": ["x"]}',
        "Also sent logger=shop, server_name=box, ",
        "Modules rich=13",
        "Threads nightly",
    ]


def test_an_address_of_an_event_is_text(inbox):
    page = inbox.page_of(event(message="m", request={"url": "http://evil.example/", "method": "GET"}))
    assert "GET http://evil.example/" in page.texts("span", class_="sum")
    assert not [a for a in page.all("a") if "evil" in (a["attrs"].get("href") or "")]


def test_places_open_the_editor_from_absolute_paths_only(inbox):
    frames = [
        frame(f"a.py:{n}", "f", "x", abs_path=path) for n, path in enumerate(["/srv/a.py", "a.py", "//nas/a.py"], 1)
    ]
    page = inbox.page_of(event(exception={"values": [{"type": "E", "stacktrace": {"frames": frames}}]}))
    assert [a["attrs"]["href"] for a in page.all("a", class_="edit")] == ["vscode://file/srv/a.py:1"]


def test_without_an_editor_there_is_no_link(tmp_path):
    with site(tmp_path) as plain:
        assert plain.page_of(chained()).all("a", class_="edit") == []


def large():
    frames = [
        frame(
            f"shop/module_{number}.py:{100 + number}",
            f"function_{number}",
            f'    result = call_number_{number}(value, option="text")',
            pre_context=[f"    value_{line} = compute(first, second={line})  # step" for line in range(5)],
            post_context=[f"    if value_{line} is not None: return value" for line in range(5)],
            vars={f"variable_{name}": f"<Order number='A-{number}' country='AT'>" for name in range(20)},
        )
        for number in range(100)
    ]
    return event(exception={"values": [{"type": "E", "value": "v", "stacktrace": {"frames": frames}}]})


def test_a_page_of_100_frames_has_at_most_300_kb(inbox):
    page = inbox.page_of(large())
    assert len(page.all("li", class_="frame")) == 100
    assert len(page.all("th")) == 2_000 + 3  # and those of tags, user and platform
    assert len(page.html.encode()) <= 300_000


def test_a_page_shows_500_frames_and_2000_variables_and_says_what_it_left_out(inbox):
    values = []
    for number in range(8):
        stack = large()["exception"]["values"][0]["stacktrace"]
        for place in stack["frames"]:
            place["vars"] = dict(list(place["vars"].items())[:4])
            place.pop("pre_context"), place.pop("post_context")
        values.append({"type": f"E{number}", "value": "v", "stacktrace": stack})
    page = inbox.page_of(event(exception={"values": values}))
    assert len(page.all("li", class_="frame")) == 500
    assert "(100 frames are not shown: the page is full, they are in the JSON)" in page.texts("p", class_="note")
    assert 1_900 < len(page.all("th")) <= 2_003


def test_older_and_newer_events_of_the_issue_are_a_link_away(inbox, tmp_path):
    with site(tmp_path) as pages:
        first, second, third = (pages.add(chained()) for _ in range(3))
        page = pages.open(f"/events/{second}")
        assert "#1 · event 2 of 3" in page.texts("span")
        assert [a["attrs"]["href"] for a in page.all("a", rel="prev")] == [f"/events/{first}"]
        assert [a["attrs"]["href"] for a in page.all("a", rel="next")] == [f"/events/{third}"]
        assert pages.open("/issues/1").all("a", rel="next") == []
        assert "event 3 of 3" in pages.open("/issues/1").html


def test_handled_or_not_and_what_tells_events_apart_stand_under_the_title(inbox):
    page = inbox.page_of(recursion())
    facts = [li["text"] for li in page.all("li") if li["path"][-2:] == ["div", "ul"]]
    assert facts[:2] == ["error", "unhandled"]
    assert facts[3:] == ["shop@1.4.0", "dev", "user 42"]
    assert next(time["attrs"]["datetime"] for time in page.all("time")) == "2025-11-25T14:02:11.000Z"


def test_the_page_has_one_h1_and_names_for_its_sections(inbox):
    for data in (chained(), group(), message(), whole()):
        page = inbox.page_of(data)
        assert len(page.all("h1")) == 1
        assert all(page.texts("h2"))
        assert all(a["text"].strip() for a in page.main if a["tag"] == "a")


def test_mechanism_sources_say_how_exceptions_hang_together(inbox):
    values = [
        {"type": "A", "mechanism": mechanism(2, 1, "__context__")},
        {"type": "B", "mechanism": mechanism(1, 0, "other")},
        {"type": "C", "mechanism": mechanism(0)},
    ]
    page = inbox.page_of(event(exception={"values": values}))
    assert page.texts("p", class_="join") == ["while handling it, this occurred", "led to"]


def test_a_long_chain_shows_its_ends_and_folds_its_middle(inbox):
    stack = {"frames": [frame("shop/a.py:1", "run", "go()")]}
    steps = [{"type": f"Step{number}", "value": "failed", "stacktrace": stack} for number in range(50)]
    page = inbox.page_of(event(exception={"values": steps}))
    assert "44 more exceptions" in page.texts("summary")
    folded = {each["text"] for each in page.all("strong") if each["path"].count("details")}
    assert folded == {f"Step{number}" for number in range(3, 47)}
