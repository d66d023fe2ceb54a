# ruff: noqa: RUF001 - the signs on the screen are meant
from __future__ import annotations

import re
import textwrap

import pytest
from rich.cells import cell_len

from tests.unit._inbox.event.events import (
    AT,
    EVENT_ID,
    HOSTILE,
    chained,
    event,
    frame,
    group,
    issue,
    mechanism,
    message,
    recursion,
    stored,
)
from vedette._inbox.terminal.markdown import render_markdown
from vedette._inbox.terminal.screen import ASCII_SIGNS, Screen
from vedette._inbox.terminal.view import render_event, render_list, render_repeat

URL = f"http://127.0.0.1:8969/events/{EVENT_ID}"


def show(data, width=80, *, count=1, number=1, **options):
    screen = options.pop("screen", None) or Screen(width=width)
    lines = render_event(stored(data, number=number), issue(count=count), screen, now=AT, **options)
    return screen.render(lines)


def text(expected):
    return textwrap.dedent(expected).lstrip("\n")


def raised(kind, value, *frames, **more):
    return {"type": kind, "value": value, "stacktrace": {"frames": list(frames)}, "mechanism": mechanism(0), **more}


def test_a_chained_error_at_80_columns():
    assert show(chained(), url=URL) == text("""
        14:02:11 ERROR CheckoutError: cannot price order A-17 for ann
          #1 new · shop@1.4.0 · dev · user 42 · tenant=acme
          KeyError: 'AT'
            shop/checkout.py:22 checkout   amount = total(order)
            shop/pricing.py:15 total       tax = vat(net, order["country"])
          ❱ shop/pricing.py:7 vat          rate = RATES[country]
              country = 'AT'
              net     = Decimal('29.97')
          … was the direct cause of
          CheckoutError: cannot price order A-17 for ann
            send.py:12 <module>            checkout(ORDER % (17 + i, "AT"), user="ann")
          ❱ shop/checkout.py:24 checkout   raise CheckoutError(f"cannot price order {or…
              order = {'id': 'A-17', 'country': 'AT', 'lines': [{'price': Decimal('9.99…
              user  = 'ann'
              and raw, password, note, attempts, matrix: vedette inbox show 1 --locals
          before: −0.1s query SELECT * FROM baskets… · −0.1s shop stock low for sku 4711
          http://127.0.0.1:8969/events/95a4478cf43049aaa8071bd99975cadd
    """)


def test_a_chained_error_at_120_columns():
    assert show(chained(), 120) == text("""
14:02:11 ERROR CheckoutError: cannot price order A-17 for ann
  #1 new · shop@1.4.0 · dev · user 42 · tenant=acme
  KeyError: 'AT'
    shop/checkout.py:22 checkout   amount = total(order)
    shop/pricing.py:15 total       tax = vat(net, order["country"])
                               5   def vat(net: Decimal, country: str) -> Decimal:
                               6       \"""The tax on a net amount.\"""
  ❱ shop/pricing.py:7 vat              rate = RATES[country]                           country = 'AT'
                               8       return (net * rate).quantize(Decimal("0.01"))   net     = Decimal('29.97')
  … was the direct cause of
  CheckoutError: cannot price order A-17 for ann
    send.py:12 <module>            checkout(ORDER % (17 + i, "AT"), user="ann")
                              22       amount = total(order)
                              23   except KeyError as error:
  ❱ shop/checkout.py:24 checkout       raise CheckoutError(f"cannot price order {order['id']} for {user}") from error
                              25   return amount
      order    = {'id': 'A-17', 'country': 'AT', 'lines': [{'price': Decimal('9.99'), 'quantity': 3}], 'note': ''}
      user     = 'ann'
      raw      = '{"id": "A-17"}'
      password = [Filtered]
      and note, attempts, matrix: vedette inbox show 1 --locals
  before: −9.0s shop started · −0.1s query SELECT * FROM baskets WHERE user = %s · −0.1s shop stock low for sku 4711
""")


def test_a_chained_error_at_50_columns():
    assert show(chained(), 50) == text("""
        14:02:11 ERROR CheckoutError: cannot price order…
          #1 new · shop@1.4.0 · dev · user 42 · tenant=ac…
          KeyError: 'AT'
            shop/checkout.py:22 checkout
              amount = total(order)
            shop/pricing.py:15 total
              tax = vat(net, order["country"])
          ❱ shop/pricing.py:7 vat
              rate = RATES[country]
                country = 'AT'
                net     = Decimal('29.97')
          … was the direct cause of
          CheckoutError: cannot price order A-17 for ann
            send.py:12 <module>
              checkout(ORDER % (17 + i, "AT"), user="ann")
          ❱ shop/checkout.py:24 checkout
              raise CheckoutError(f"cannot price order {o…
                order = {'id': 'A-17', 'country': 'AT', '…
                user  = 'ann'
                and 5 more: vedette inbox show 1 --locals
          before: −0.1s shop stock low for sku 4711
    """)


def with_columns(**columns):
    data = chained()
    data["exception"]["values"][0]["stacktrace"]["frames"][-1].update(columns)
    return data


def test_what_failed_in_the_line_is_underlined_by_a_row_of_carets():
    shown = show(with_columns(colno=12, end_colno=26)).splitlines()
    assert shown[5:8] == [
        "  ❱ shop/pricing.py:7 vat          rate = RATES[country]",
        "                                          ^^^^^^^^^^^^^^",
        "      country = 'AT'",
    ]
    assert len(shown) == 17


def test_the_carets_stand_under_their_part_at_any_width():
    for width in (40, 80, 120):
        shown = show(with_columns(colno=12), width).splitlines()
        at = next(number for number, line in enumerate(shown) if "RATES" in line)
        assert shown[at + 1].split()[0] == "^^^^^"
        assert shown[at + 1].index("^") == shown[at].index("RATES")
    assert shown[at + 1].endswith("net     = Decimal('29.97')")
    assert shown[at + 2].split()[0] == "8"


def test_where_a_terminal_can_underline_there_is_no_row_of_carets():
    screen = Screen(width=80, styled=True, coloured=False)
    shown = show(with_columns(colno=12), screen=screen)
    assert "^" not in shown
    assert "\x1b[1;4mRATES\x1b[0m" in shown


def test_a_long_line_is_shown_where_it_failed():
    data = with_columns(context_line="    " + "x" * 70 + " = RATES[country]", colno=78)
    for width in (40, 80):
        shown = show(data, width).splitlines()
        at = next(number for number, line in enumerate(shown) if "RATES" in line)
        assert "…x" in shown[at]
        assert shown[at].endswith("x = RATES[country]")
        assert len(shown[at]) <= width
        assert shown[at + 1].strip() == "^^^^^"
        assert shown[at + 1].index("^") == shown[at].index("RATES")


def test_a_long_line_with_neighbours_keeps_its_beginning_and_has_no_carets():
    data = with_columns(context_line="    " + "x" * 120 + " = RATES[country]", colno=128)
    assert "^" not in show(data, 120)


def test_a_chain_of_two_fits_24_lines_with_a_request_and_many_variables():
    data = chained(request={"method": "POST", "url": "http://shop.example/checkout"})
    for failure in data["exception"]["values"]:
        failure["stacktrace"]["frames"][-1]["context_line"] = "x = f(a, b, c, d, e, f)"
        failure["stacktrace"]["frames"][-1]["colno"] = 5
        failure["stacktrace"]["frames"][-1]["vars"] = dict.fromkeys("abcdefghij", "1")
    screen = Screen(width=80, styled=True)  # what can underline needs no row for carets
    assert show(data, url=URL, screen=screen).count("\n") <= 24


def test_a_group_is_a_tree_whose_like_members_are_shown_once():
    assert show(group()) == text("""
        14:02:11 ERROR ExceptionGroup: 3 orders failed
          #1 new · shop@1.4.0 · dev · user 42 · tenant=acme
          ❱ send.py:31 main                raise ExceptionGroup("3 orders failed", erro…
            1/3 CheckoutError: cannot price order A-17 for ann ×2
              KeyError: 'AT'
              ❱ shop/pricing.py:7 vat          rate = RATES[country]
                  country = 'AT'
              … was the direct cause of
              CheckoutError: cannot price order A-17 for ann
                2 frames in concurrent.futures
              ❱ shop/checkout.py:24 checkout   raise CheckoutError(order)
            2/3 cannot price order A-18 for bob
            3/3 ValueError: bad quantity: 'x'
              ❱ shop/orders.py:9 parse         return int(quantity)
                  quantity = 'x'
    """)


def test_a_group_of_300_like_failures_stays_on_one_screen():
    leaves = [
        {
            **raised("ValueError", f"no {index}", frame("a.py:1", "f", "x")),
            "mechanism": mechanism(index + 1, 0, f"exceptions[{index}]"),
        }
        for index in range(300)
    ]
    shown = show(event(exception={"values": [*reversed(leaves), raised("ExceptionGroup", "all")]}))
    assert "    1/300 ValueError: no 0 ×300\n" in shown
    assert "    5/300 no 4\n    (and 295 more of them)\n" in shown
    assert "remark" not in shown
    assert shown.count("\n") < 24


def a_chain_of(length):
    values = [
        {
            **raised(f"E{index}", "x", frame("a.py:1", f"f{index}", "x")),
            "mechanism": mechanism(index, index - 1, "__cause__"),
        }
        for index in range(length - 1, 0, -1)
    ]
    return event(exception={"values": [*values, raised("E0", "x", frame("a.py:1", "f0", "x"))]})


def test_a_chain_of_50_shows_its_ends_and_how_to_see_the_rest():
    assert show(a_chain_of(50)).splitlines()[9:] == [
        "  ❱ a.py:1 f47   x",
        "  … was the direct cause of",
        "  (44 more exceptions: vedette inbox show 1 --all-frames)",
        "  … was the direct cause of",
        "  E2: x",
        "  ❱ a.py:1 f2    x",
        "  … was the direct cause of",
        "  E1: x",
        "  ❱ a.py:1 f1    x",
        "  … was the direct cause of",
        "  E0: x",
        "  ❱ a.py:1 f0    x",
    ]
    assert show(a_chain_of(50), all_frames=True).count("was the direct cause of") == 49


def test_a_recursion_of_61_takes_six_rows():
    assert show(recursion()) == text("""
        14:02:11 ERROR ZeroDivisionError: division by zero
          #1 new · unhandled · shop@1.4.0 · dev · user 42 · tenant=acme
            send.py:40 <module>   rec(60)
            send.py:22 rec        return rec(n - 1)
            59 more times `rec` send.py:22
          ❱ send.py:21 rec        return 1 / n
              n = 0
    """)


def test_a_breadcrumb_of_a_request_keeps_method_and_status():
    urls = ["http://stock.local/api/v2/warehouses/vienna/items?id=4711", "http://tax.local/rates"]
    crumbs = [
        {"type": "http", "timestamp": AT - 1, "data": {"method": "GET", "url": url, "status_code": status}}
        for url, status in zip(urls, (200, 503), strict=True)
    ]
    (line,) = show(event(message="m", breadcrumbs=crumbs)).splitlines()[2:]
    assert line == "  before: −1.0s GET stock.l…tems?id=4711 → 200 · −1.0s GET tax.local/rates → 503"


def test_a_message_with_its_request():
    assert show(message()) == text("""
        14:02:11 WARNING stock low for sku 4711
          #1 new · shop@1.4.0 · dev · user 42 · tenant=acme
          request: POST http://shop.example/add?a=1&b=2
    """)


def test_a_long_message_is_cut_after_six_rows_and_its_stack_follows():
    stack = {"stacktrace": {"frames": [frame("a.py:1", "main", "report()", vars={"n": "1"})]}}
    shown = show(event(level="info", message="word " * 400, threads={"values": [{"id": 1, **stack}]}))
    paragraph = shown.splitlines()[2:8]
    assert paragraph[-1].endswith("wo…")
    assert shown.endswith("❱ a.py:1 main   report()\n      n = 1\n")


def test_where_a_library_raised_its_line_is_shown_with_the_fold():
    json_frames = [
        frame("json/decoder.py:340", "decode", "obj = self.raw_decode(s)", own=False, module="json.decoder"),
        frame(
            "json/decoder.py:356",
            "raw_decode",
            'raise JSONDecodeError("Expecting value", s)',
            own=False,
            module="json.decoder",
        ),
    ]
    data = event(
        exception=[
            raised(
                "JSONDecodeError",
                "Expecting value",
                frame("shop/read_it.py:3", "load", "json.loads(raw)"),
                *json_frames,
            )
        ]
    )
    assert show(data).splitlines()[2:] == [
        "  ❱ shop/read_it.py:3 load   json.loads(raw)",
        '    2 frames in json.deco…   raise JSONDecodeError("Expecting value", s)',
    ]


def test_an_error_that_was_logged_shows_both():
    data = event(exception=[raised("ValueError", "bad")], logentry={"formatted": "could not price"})
    assert show(data).splitlines()[2] == "  logged: could not price"


def test_a_value_of_several_lines_is_shown_in_lines_under_its_title():
    shown = show(event(exception=[raised("ValueError", "bad\nnote one\nnote two")])).splitlines()
    assert shown[0] == "14:02:11 ERROR ValueError: bad\\nnote one\\nnote two"
    assert shown[2:] == ["  ValueError: bad", "    note one", "    note two"]


@pytest.mark.parametrize(
    ("width", "hint"),
    [
        (80, "and raw, password, note, attempts, matrix: vedette inbox show 1 --locals"),
        (50, "and 5 more: vedette inbox show 1 --locals"),
        (40, "and 5 more: --locals"),
        (30, "and 5 more: --locals"),
    ],
)
def test_the_hint_at_more_variables_is_never_half_a_command(width, hint):
    assert hint in [line.strip() for line in show(chained(), width).splitlines()]


def test_all_variables_come_with_their_whole_values_when_asked_for():
    data = chained()
    shown = show(data, locals_=True)
    assert "order    = {'id': 'A-17', 'country': 'AT', 'lines': [{'price':\n" in shown
    assert "                 Decimal('9.99'), 'quantity': 3}], 'note': ''}\n" in shown
    assert "matrix   = [[0, 1], [1, 0]]\n" in shown
    assert "--locals" not in shown


def test_a_long_message_is_whole_when_asked_for():
    assert show(event(message="word " * 400), locals_=True).count("word") == 400 + show(
        event(message="word " * 400)
    ).splitlines()[0].count("word")


def test_variables_that_were_removed_are_missed_where_they_would_stand():
    meta = {
        "exception": {"values": {"0": {"stacktrace": {"frames": {"0": {"vars": {"": {"rem": [["!limit", "x"]]}}}}}}}}
    }
    data = event(exception={"values": [raised("E", "x", frame("a.py:1", "f", "x"))]}, _meta=meta)
    for width in (80, 120):
        assert "      (variables: removed (too large))\n" in show(data, width)


def test_all_frames_are_shown_when_asked_for():
    assert show(recursion(), all_frames=True).count("return rec(n - 1)") == 60


def test_what_the_client_cut_is_said_where_it_belongs():
    meta = {"exception": {"values": {"0": {"value": {"": {"len": 90_000, "rem": [["!limit", "s", 1021, 1024]]}}}}}}
    data = event(
        exception={"values": [raised("ValueError", "x" * 1021 + "...", frame("a.py:1", "f", "x"))]}, _meta=meta
    )
    assert "    (cut at 1 024 of 90 000 characters)\n  ❱ a.py:1 f   x\n" in show(data)


def test_a_broken_event_shows_what_it_has_and_what_is_wrong():
    assert show({"exception": 7, "level": None}) == text("""
        14:02:11 ERROR (an event without exception and message)
          #1 new
          remark: exception: should be an object, is a number
    """)


def test_an_event_of_another_day_has_its_date():
    lines = render_event(stored(message()), issue(), Screen(), now=AT + 86_400)
    assert lines[0].plain == "2025-11-25 14:02:11 WARNING stock low for sku 4711"


def test_an_older_event_is_told_by_its_own_id():
    shown = show(chained(), count=3, number=2)
    assert "#1 event 2 of 3 · " in shown
    assert "vedette inbox show 95a4478c --locals" in shown


def test_repeats_take_one_line():
    lines = render_repeat(stored(chained(), number=2), issue(count=2), Screen(width=60), now=AT)
    assert lines.plain == "14:02:11 ERROR ×2 #1 CheckoutError: cannot price order A-17…"


def test_issues_take_one_line_each():
    issues = [
        issue(id=12, count=1_000),
        issue(id=7, title="stock low", level="warning", place="", last_seen=AT - 86_400),
    ]
    screen = Screen(width=80)
    assert screen.render(render_list(issues, screen, now=AT)) == text("""
        #12  ×1000             14:02:11  CheckoutError: cannot pric…  …icing.py:7 in vat
         #7     ×1  2025-11-24 14:02:11  warning: stock low
    """)
    assert render_list([], screen) == []
    narrow = Screen(width=40)
    assert narrow.render(render_list(issues[:1], narrow, now=AT)) == ("#12  ×1000  14:02:11  Checkout…  …g.py:7\n")


def test_of_an_issue_the_level_and_the_type_are_coloured():
    issues = [
        issue(place=""),
        issue(place="", type="", title="stock low: 3", level="warning"),
        issue(place="", type="", title="plain text"),
    ]
    screen = Screen(width=80, styled=True, coloured=True)
    shown = screen.render(render_list(issues, screen, now=AT)).splitlines()
    assert "\x1b[31mCheckoutError\x1b[0m: cannot price" in shown[0]
    assert "\x1b[33mwarning: \x1b[0mstock low: 3" in shown[1]
    assert "\x1b[31mplain text\x1b[0m" in shown[2]


def test_without_utf8_the_mark_is_a_plain_sign():
    shown = show(chained(), screen=Screen(width=80, signs=ASCII_SIGNS))
    assert "  > shop/pricing.py:7 vat          rate = RATES[country]\n" in shown
    assert "  ... was the direct cause of\n" in shown
    shown.encode("ascii")


def hostile():
    frames = [
        frame(
            "a.py:1",
            HOSTILE,
            HOSTILE,
            filename=HOSTILE,
            abs_path=f"/{HOSTILE}",
            module=HOSTILE,
            vars={HOSTILE: HOSTILE},
        )
    ]
    crumbs = [{"message": HOSTILE, "category": HOSTILE, "level": HOSTILE, "type": HOSTILE}]
    return event(
        level=HOSTILE,
        release=HOSTILE,
        environment=HOSTILE,
        transaction=HOSTILE,
        user={"id": HOSTILE},
        tags={HOSTILE: HOSTILE},
        logentry={"formatted": HOSTILE},
        request={"method": HOSTILE, "url": HOSTILE},
        breadcrumbs={"values": crumbs},
        exception={"values": [raised(HOSTILE, HOSTILE, *frames), raised(HOSTILE, "x", *frames)]},
        _meta={HOSTILE: {"": {"rem": [[HOSTILE, HOSTILE]]}}},
    )


@pytest.mark.parametrize("width", [30, 50, 80, 120, 200])
@pytest.mark.parametrize("options", [{}, {"locals_": True, "all_frames": True}])
def test_no_control_character_of_data_reaches_the_screen(width, options):
    screen = Screen(width=width, styled=True, coloured=True, links=True)
    lines = render_event(stored(hostile(), remarks=(HOSTILE,)), issue(title=HOSTILE), screen, **options)
    lines += render_list([issue(title=HOSTILE, place=HOSTILE, level=HOSTILE)], screen)
    ours = re.sub(r"\x1b\[[\d;]*m|\x1b]8;[^\x1b\x07]*\x1b\\", "", screen.render(lines))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800]", ours)
    assert "\\x1b[31m" in ours
    assert "evil" in ours
    assert "8;;http://evil\x1b" not in screen.render(lines)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2028\ud800]", render_markdown(stored(hostile()), issue()))


def wide():
    frames = [
        frame(
            "商店/定价.py:7",
            "算税",
            "税率 = 税率表[国家] # 这是一行很长很长很长很长很长很长很长很长的代码",
            vars={"国家": "'奥地利'" * 20, "b": "👍" * 99},
        )
    ]
    return event(exception={"values": [raised("错误", "无法为订单定价" * 20, *frames)]}, tags={"租户": "某某" * 30})


@pytest.mark.parametrize("width", [30, 40, 59, 60, 79, 80, 119, 120, 121, 200])
@pytest.mark.parametrize("data", [chained(), group(), recursion(), message(), wide(), hostile()])
def test_no_line_is_wider_than_the_screen(data, width):
    screen = Screen(width=width)
    for options in ({}, {"locals_": True, "all_frames": True}):
        for line in render_event(stored(data), issue(), screen, **options):
            assert cell_len(line.plain) <= width, line.plain


def test_wide_characters_keep_the_columns_aligned():
    data = event(exception=[raised("E", "x", frame("商店.py:1", "f", "first()"), frame("b.py:22", "g", "second()"))])
    first, second = show(data).splitlines()[2:4]
    assert cell_len(first.partition("first")[0]) == cell_len(second.partition("second")[0])


def test_places_are_links_on_a_terminal_only():
    screen = Screen(width=80, styled=True, coloured=True, links=True)
    linked = show(chained(), screen=screen)
    assert re.search(
        r"\x1b]8;id=\d+;file:///srv/app/shop/pricing\.py\x1b\\.*shop/pricing\.py:7.*\x1b]8;;\x1b\\", linked
    )
    assert "\x1b" not in show(chained())


def test_the_failing_line_and_its_mark_stand_out():
    screen = Screen(width=80, styled=True, coloured=True)
    marked = next(line for line in show(chained(), screen=screen).splitlines() if "RATES" in line)
    assert marked.startswith("  \x1b[1;31m❱ \x1b[0m")
    assert marked.endswith("\x1b[1mrate = RATES[country]\x1b[0m")


def test_an_event_of_thousands_of_rows_ends_with_the_way_to_the_rest():
    values = [
        raised(f"E{index}", "x", *[frame(f"a.py:{line}", f"f{line}", "x") for line in range(1, 101)])
        for index in range(50)
    ]
    lines = show(event(exception=values), url=URL, all_frames=True).splitlines()
    assert len(lines) <= 2_000
    assert lines[-2:] == ["  the rest is in the JSON: vedette inbox show 1 --format json", f"  {URL}"]


@pytest.mark.timeout(10)
def test_values_of_a_million_characters_take_a_moment():
    variables = {"a": "支" * 1_000_000, "b": "\u202e" * 1_000_000}
    data = event(exception=[raised("E", "x " * 500_000, frame("a.py:1", "f", "x", vars=variables))])
    assert "支支支" in show(data, locals_=True)


def test_markdown_holds_the_event_in_a_block_that_the_event_cannot_end():
    data = event(
        exception=[raised("Bad*Error", "see ``` and ````` <b>", frame("a.py:1", "f", "```"))],
        breadcrumbs=[{"message": "`````` end"}],
    )
    document = render_markdown(stored(data), issue())
    assert document.startswith("# Bad\\*Error: see \\`\\`\\` and \\`\\`\\`\\`\\` \\<b\\>\n\n``````")
    fences = re.findall(r"^`{6,}(?:text)?$", document, re.MULTILINE)
    assert fences == ["```````text", "```````", "```````text", "```````"]


def test_parameters_of_a_message_are_put_in_or_stand_below_it():
    entry = {"message": "stock low for sku %s", "params": ["4711"]}
    assert "ERROR stock low for sku 4711\n" in show(event(logentry=entry))
    assert "(parameters: 0=a, 1=b)" in show(event(logentry={**entry, "params": ["a", "b"]}))
