"""The last look at an event: nothing under a deny-listed name leaves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._privacy.denylist import FILTERED, SENSITIVE_TERMS, DenyList
from vedette._privacy.scrub import MAX_DEPTH, MAX_VALUES, scrub_event

SECRET = "hunter2-hunter2"


def scrubbed(event: dict[str, Any], names: DenyList | None = None) -> dict[str, Any]:
    scrub_event(event, names or DenyList())
    return event


def request(**fields: Any) -> Any:
    return scrubbed({"request": fields})["request"]


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=10)
trees = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abxyzÄ_0", max_size=8), inner, max_size=4),
    max_leaves=15,
)
denied_names = st.builds(
    lambda before, term, after: before + term + after,
    st.sampled_from(["", "x-", "my_", "HTTP_"]),
    st.sampled_from([*SENSITIVE_TERMS, *map(str.upper, SENSITIVE_TERMS)]),
    st.sampled_from(["", "_2", "Id"]),
)
PLACES: list[tuple[str, ...]] = [
    ("extra",),
    ("contexts", "order"),
    ("user",),
    ("tags",),
    ("breadcrumbs", "values", "0", "data"),
    ("exception", "values", "0", "stacktrace", "frames", "0", "vars"),
    ("exception", "values", "0", "mechanism", "data"),
    ("threads", "values", "0", "stacktrace", "frames", "0", "vars"),
    ("logentry", "params"),
    ("request", "data"),
    ("request", "headers"),
    ("request", "cookies"),
    ("request", "env"),
    ("something", "a hook", "put there"),
]


def planted(place: tuple[str, ...], path: list[str | int], name: str, secret: Any, noise: Any) -> dict[str, Any]:
    """An event with a secret under a deny-listed name, at the end of a path into one place."""
    inner: Any = {"noise": noise, name: secret}
    for step in reversed(path):
        inner = [noise, inner] if type(step) is int else {step: inner, "noise": noise}
    for step in reversed(place):
        inner = [inner] if step == "0" else {step: inner}
    return inner


@pytest.mark.spec("DAT-14", "DAT-40", "PAIN-09")
@given(
    place=st.sampled_from(PLACES),
    path=st.lists(st.integers(0, 1) | st.sampled_from(["a", "b", "headers", "data"]), max_size=12),
    name=denied_names,
    secret=st.recursive(
        st.just(SECRET), lambda inner: st.lists(inner, min_size=1) | st.builds(lambda v: {"a": v}, inner)
    ),
    noise=trees,
)
def test_no_secret_leaves_from_any_depth_of_any_place(
    place: tuple[str, ...], path: list[str | int], name: str, secret: Any, noise: Any
):
    if place[-1] == "vars":  # where `key` alone says nothing
        name = f"secret_{name}"
    event = planted(place, path, name, secret, noise)

    scrub_event(event, DenyList())

    encoded = json.dumps(event)
    assert SECRET not in encoded
    assert FILTERED in encoded


@given(trees)
def test_nothing_is_changed_where_no_name_is_deny_listed(tree: Any):
    event = {"event_id": "a" * 32, "extra": {"tree": tree}, "tags": {"a": "b"}, "timestamp": 1.5}
    copy = json.loads(json.dumps(event))

    assert scrubbed(event, DenyList([], [])) == copy


@pytest.mark.spec("DAT-15", "DAT-22", "DAT-97", "DAT-27")
def test_headers_keep_their_names_and_other_values():
    headers = {"Authorization": "Bearer x", "Accept": "text/html", "X-Csrf": "y", "Note": "my password is z"}

    assert request(headers=dict(headers))["headers"] == {
        "Authorization": FILTERED,
        "Accept": "text/html",
        "X-Csrf": FILTERED,
        "Note": "my password is z",
    }


@pytest.mark.spec("DAT-102", "DAT-107")
def test_the_clients_address_is_filtered_from_headers_and_environment_unless_pii_is_wanted():
    def event() -> dict[str, Any]:
        return {
            "request": {"headers": {"X-Forwarded-For": "10.0.0.1"}, "env": {"REMOTE_ADDR": "10.0.0.1", "PORT": "80"}}
        }

    assert scrubbed(event())["request"] == {
        "headers": {"X-Forwarded-For": FILTERED},
        "env": {"REMOTE_ADDR": FILTERED, "PORT": "80"},
    }
    assert scrubbed(event(), DenyList(send_default_pii=True)) == event()


@pytest.mark.spec("DAT-19", "DAT-126")
def test_what_identifies_a_user_that_the_program_set_stays():
    user = {"id": "7", "email": "ann@shop.example", "ip_address": "10.0.0.1", "username": "ann"}

    assert scrubbed({"user": dict(user)})["user"] == user


@pytest.mark.parametrize("pair", [list, tuple])
def test_pairs_are_filtered_like_mappings(pair: Any):
    found = request(
        headers=[pair(["Authorization", SECRET]), pair(["Accept", "a"])],
        cookies=[pair(["sessionid", SECRET])],
        query_string=[pair(["token", SECRET]), pair(["a", "1"])],
        data=[pair(["password", {"deep": SECRET}])],
    )

    assert found == {
        "headers": [["Authorization", FILTERED], ["Accept", "a"]],
        "cookies": [["sessionid", FILTERED]],
        "query_string": [["token", FILTERED], ["a", "1"]],
        "data": [["password", FILTERED]],
    }


@pytest.mark.spec("DAT-28", "DAT-34", "DAT-110")
@pytest.mark.parametrize(
    ("name", "text", "filtered"),
    [
        ("Cookie", "user_session=abc; theme=dark", "user_session=[Filtered]; theme=dark"),
        ("HTTP_COOKIE", "a=1;jwt=x=y", "a=1; jwt=[Filtered]"),
        ("Cookie", "a=1, session=abc", "a=[Filtered]"),
        ("Set-Cookie", "theme=light; Path=/; HttpOnly", "theme=light; Path=/; HttpOnly"),
        (
            "Set-Cookie",
            "sid=x; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
            "sid=[Filtered]; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
        ),
    ],
)
def test_cookie_headers_are_filtered_by_the_names_of_their_cookies(name: str, text: str, filtered: str):
    assert request(headers={name: text})["headers"][name] == filtered


def test_cookies_of_a_request_are_filtered_as_text_and_as_a_mapping():
    assert request(cookies="k=v; token=x")["cookies"] == "k=v; token=[Filtered]"
    assert request(cookies={"k": "v", "token": "x"})["cookies"] == {"k": "v", "token": FILTERED}


@pytest.mark.spec("DAT-35", "DAT-36", "DAT-38", "DAT-111", "DAT-112")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Cookie", SECRET),
        ("Cookie", f"a=1; {SECRET}"),
        ("cookie", f"{SECRET}; a=1"),
        ("Set-Cookie", SECRET),
        ("Set-Cookie", f"a=1; Path=/, session={SECRET}"),
        ("Set-Cookie", f"a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT, b={SECRET}"),
        ("set-cookie", f"a=1; {SECRET}"),
    ],
)
def test_a_cookie_header_in_doubt_is_filtered_as_a_whole(name: str, text: str):
    assert request(headers={name: text})["headers"][name] == FILTERED


@pytest.mark.spec("DAT-29")
@pytest.mark.parametrize(
    ("text", "filtered"),
    [
        ("a=1&password=x", "a=1&password=[Filtered]"),
        ("?api_key=x&flag&b=", "?api_key=[Filtered]&flag&b="),
        ("user[passw%6Frd]=x", "user[passw%6Frd]=[Filtered]"),
        ("a=1;token=x;y&b=2", "a=1;token=[Filtered]&b=2"),
        ("", ""),
    ],
)
def test_query_strings_are_filtered_by_the_names_of_their_parameters(text: str, filtered: str):
    assert request(query_string=text)["query_string"] == filtered


@pytest.mark.parametrize("place", ["request", "contexts", "extra"])
def test_urls_lose_the_secrets_of_their_query_strings_and_fragments(place: str):
    event = scrubbed({place: {"url": "https://shop.example/a?x=1&token=y#id_token=z&b=2"}})

    assert event[place]["url"] == "https://shop.example/a?x=1&token=[Filtered]#id_token=[Filtered]&b=2"


def test_an_outgoing_requests_breadcrumb_is_filtered():
    data = {"url": "https://api.example/?key=x", "http.query": "key=x&a=1", "method": "GET"}

    crumbs = scrubbed({"breadcrumbs": {"values": [{"type": "http", "data": data}]}})["breadcrumbs"]["values"]

    assert crumbs[0]["data"] == {
        "url": "https://api.example/?key=[Filtered]",
        "http.query": "key=[Filtered]&a=1",
        "method": "GET",
    }


@pytest.mark.spec("DAT-39", "DAT-40")
def test_a_body_that_can_be_parsed_is_filtered_by_its_names():
    body = json.dumps({"user": [{"password": SECRET, "name": "ann"}]})

    assert request(data=body)["data"] == {"user": [{"password": FILTERED, "name": "ann"}]}
    assert request(data="a=1&passwd=x&b=")["data"] == [["a", "1"], ["passwd", FILTERED], ["b", ""]]


@pytest.mark.spec("DAT-41", "DAT-42", "DAT-101")
@pytest.mark.parametrize(
    "body", [f"<password>{SECRET}</password>", '{"password": "hun', SECRET, "[" * 200_000, "\ud800{"]
)
def test_a_body_that_cannot_be_parsed_is_filtered_as_a_whole(body: str):
    assert request(data=body)["data"] == FILTERED


def test_names_of_packages_and_remarks_are_no_data():
    event = {"modules": {"PyJWT": "2.0", "authlib": "1.0"}, "_meta": {"extra": {"token": {"": {"len": 5}}}}}

    assert scrubbed(dict(event)) == event


def test_remarks_hold_no_secret_of_their_own():
    event = scrubbed({"_meta": {"extra": {"token": {"": {"len": 5}}, "list": [{"password": SECRET}]}, "token": SECRET}})

    assert event == {
        "_meta": {"extra": {"token": {"": {"len": 5}}, "list": [{"password": FILTERED}]}, "token": FILTERED}
    }
    assert scrubbed({"_meta": {"many": [0] * (MAX_VALUES + 1)}}) == {"_meta": {"many": []}}


@pytest.mark.parametrize(
    ("params", "kept"),
    [
        (["ann", SECRET], [FILTERED, FILTERED]),
        (("ann", SECRET), [FILTERED, FILTERED]),
        ({"user": "ann", "pw": SECRET}, {"user": FILTERED, "pw": FILTERED}),
        (SECRET, FILTERED),
    ],
)
def test_parameters_of_a_message_that_names_a_secret_are_filtered(params: Any, kept: Any):
    template = "login of %s with password=%s"
    entry = scrubbed({"logentry": {"message": template, "params": params, "formatted": f"x password={SECRET}"}})

    assert entry["logentry"] == {"message": template, "params": kept, "formatted": "x password=[Filtered]"}
    entry = {"message": "password=%s", "params": ["two words"], "formatted": "password=two words"}
    assert scrubbed({"logentry": entry})["logentry"]["formatted"] == "password=[Filtered]"
    letters = [*FILTERED, "Filt", "tered"] * 3
    entry = scrubbed({"logentry": {"message": template, "params": letters, "formatted": "Filtered" * 100}})["logentry"]
    assert entry["formatted"] == "[Filtered]ered" * 100
    harmless = {"message": "login of %s at %s", "params": ["ann", "noon"]}
    assert scrubbed({"logentry": dict(harmless)})["logentry"] == harmless


def test_texts_are_searched_wherever_they_stand():
    secret = f"can't connect: password={SECRET}"
    event = scrubbed(
        {
            "exception": {"values": [{"type": "Error", "value": secret}]},
            "breadcrumbs": {"values": [{"message": secret, "data": {"url": f"http://ann:{SECRET}@shop.example/a"}}]},
            "extra": {"list": [secret], "body": json.dumps({"a": {"token": SECRET}})},
            "tags": [["note", secret]],
            "data": [[secret, "no name"]],
            "transaction": f"/reset?token={SECRET}",
            "request": {"url": f"https://ann:{SECRET}@shop.example/", "headers": {"X-Note": f"Bearer {SECRET}"}},
        }
    )

    assert SECRET not in json.dumps(event)
    assert event["transaction"] == "/reset?token=[Filtered]"
    assert event["request"]["url"] == "https://[Filtered]@shop.example/"


def test_lines_of_source_code_stay_in_frames_and_only_there():
    source = {"pre_context": ["key=len"], "context_line": "password: str = x", "post_context": ["token='a'"]}
    frame = {**source, "vars": {"text": "'password=x'"}}
    stacks = {"values": [{"stacktrace": {"frames": [dict(frame)]}}]}
    event = scrubbed(
        {"exception": stacks, "threads": {"values": [{"stacktrace": {"frames": [dict(frame)]}}]}, "extra": dict(source)}
    )

    for name in ("exception", "threads"):
        (found,) = event[name]["values"][0]["stacktrace"]["frames"]
        assert found == {**source, "vars": {"text": "'password=[Filtered]'"}}
    assert event["extra"]["context_line"] == "password: [Filtered]"


def test_the_body_of_a_response_is_parsed_or_filtered_like_that_of_a_request():
    event = scrubbed({"contexts": {"response": {"data": f'{{"token": "{SECRET}"}}'}}})

    assert event["contexts"]["response"]["data"] == {"token": FILTERED}
    assert scrubbed({"contexts": {"response": {"data": SECRET}}})["contexts"]["response"]["data"] == FILTERED


def test_a_term_of_ones_own_hides_a_url_as_a_whole():
    assert scrubbed({"extra": {"url": "http://a/?b=1"}}, DenyList(["url"]))["extra"]["url"] == FILTERED


def test_it_fails_closed_below_its_greatest_depth():
    inner: Any = {"harmless": SECRET}
    for _ in range(100_000):
        inner = [inner]
    cyclic: dict[str, Any] = {}
    cyclic["self"] = cyclic

    assert SECRET not in json.dumps(scrubbed({"extra": {"deep": inner}}))
    assert json.dumps(scrubbed({"extra": cyclic})).count("self") <= MAX_DEPTH + 1


def test_it_fails_closed_after_too_many_values():
    event = scrubbed({"extra": {"many": [0] * MAX_VALUES, "more": [{"password": SECRET}]}, "level": "error"})

    assert SECRET not in json.dumps(event)
    assert event["level"] == "error"


def test_it_fails_closed_on_what_is_no_json():
    class Holder:
        password = SECRET

    class Sub(dict[str, Any]):
        pass

    event = scrubbed({"extra": {"a": Holder(), "b": Sub(password=SECRET), "c": b"bytes", "d": (1, {"token": SECRET})}})

    assert event == {"extra": {"a": FILTERED, "b": FILTERED, "c": FILTERED, "d": [1, {"token": FILTERED}]}}


@pytest.mark.spec("PAIN-09")
@pytest.mark.parametrize("kind", [list, tuple])
@pytest.mark.parametrize("secret", [SECRET, 7, [SECRET], {"a": SECRET}])
def test_the_second_of_two_items_goes_if_the_first_is_a_deny_listed_name(kind: Any, secret: Any):
    event = scrubbed({"extra": {"any": [kind(["password", secret]), kind(["a", "b"]), [[kind(["token", secret])]]]}})

    assert event["extra"]["any"][0] == ["password", FILTERED]
    assert list(event["extra"]["any"][1]) == ["a", "b"]
    assert event["extra"]["any"][2] == [[["token", FILTERED]]]


def test_names_of_columns_are_no_pairs():
    columns = [["password", "email", "name"], ["password"], ["ann", "password"], [1, 2]]

    assert scrubbed({"extra": {"columns": [list(row) for row in columns], "row": ["password", "email"]}})["extra"] == {
        "columns": columns,
        "row": ["password", "email"],
    }


@pytest.mark.spec("PAIN-09")
@pytest.mark.parametrize("name", ["name", "field", "header", "id", "path", "variable"])
@pytest.mark.parametrize("secret", [SECRET, 7, [SECRET], {"stringValue": SECRET}])
def test_the_value_of_a_record_goes_if_its_name_is_deny_listed(name: str, secret: Any):
    records = [{name: "DB_PASSWORD", "value": secret, "type": "text"}, {name: "theme", "value": "dark"}]

    assert scrubbed({"extra": {"env": records}})["extra"]["env"] == [
        {name: "DB_PASSWORD", "value": FILTERED, "type": "text"},
        {name: "theme", "value": "dark"},
    ]


def test_records_of_other_spellings_are_records():
    found = scrubbed({"extra": {"tags": [{"Key": "password", "Value": SECRET}, {"key": "token", "value": SECRET}]}})

    assert SECRET not in json.dumps(found)


def test_records_of_headers_go_by_what_counts_in_headers():
    entry = {
        "headers": [{"name": "X-Forwarded-For", "value": "10.0.0.1"}, {"name": "Accept", "value": "a"}],
        "cookies": [{"name": "user_session", "value": SECRET}],
    }

    assert scrubbed({"contexts": {"har": entry}})["contexts"]["har"] == {
        "headers": [{"name": "X-Forwarded-For", "value": FILTERED}, {"name": "Accept", "value": "a"}],
        "cookies": [{"name": "user_session", "value": FILTERED}],
    }


def test_an_exceptions_value_is_no_records():
    exception = {"type": "AuthError", "value": "no such user", "module": "auth"}

    assert scrubbed({"exception": {"values": [dict(exception)]}})["exception"]["values"] == [exception]


def test_a_parameter_that_says_what_is_wrong_with_a_secret_stays():
    message = "Invalid token of %s: token: %s"
    formatted = "Invalid token of ann: token: signature has expired"
    entry = {"message": message, "params": ["ann", "signature has expired"], "formatted": formatted}

    assert scrubbed({"logentry": entry})["logentry"] == {
        "message": message,
        "params": [FILTERED, "signature has expired"],
        "formatted": "Invalid token of [Filtered]: token: signature has expired",
    }


def test_one_part_of_an_event_is_not_emptied_for_the_size_of_another():
    many = MAX_VALUES - 10
    event = scrubbed({"extra": {"many": [0] * many}, "contexts": {"a": {"many": [0] * many}}})

    assert event == {"extra": {"many": [0] * many}, "contexts": {"a": {"many": [0] * many}}}


def test_a_text_that_comes_again_is_filtered_again():
    text = f"password={SECRET}"
    event = scrubbed({"extra": {"a": text, "b": [text, text], "c": {"d": text}}})

    assert event["extra"] == {
        "a": "password=[Filtered]",
        "b": ["password=[Filtered]"] * 2,
        "c": {"d": "password=[Filtered]"},
    }
