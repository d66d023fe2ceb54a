from __future__ import annotations

from typing import Any

import pytest

import vedette
from tests.unit._given_events.giving import faults_in, refused_by_relay, sent
from vedette.testing import MemoryTransport


def request_of(given: Any) -> Any:
    event = sent({"request": given})
    assert refused_by_relay(event) == []
    return event["request"]


@pytest.mark.spec("EVT-60", "EVT-61", "EVT-64", "EVT-66", "EVT-68", "EVT-69")
def test_a_request_as_servers_take_it_arrives_as_it_is() -> None:
    given = {
        "method": "POST",
        "url": "http://shop.example/add?page=1",
        "query_string": "page=1&sort=name",
        "cookies": {"theme": "dark"},
        "headers": {"Content-Type": "text/html"},
        "env": {"REMOTE_ADDR": "192.168.0.1", "SERVER_PORT": "80"},
        "data": {"number": 7, "items": [1, 2]},
    }
    event = sent({"request": dict(given)}, send_default_pii=True)
    assert event["request"] == given
    assert refused_by_relay(event) == []


@pytest.mark.spec("EVT-64", "EVT-65")
@pytest.mark.parametrize("name", ["query_string", "cookies"])
@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a=1", "a=1"),
        ({"a": 1, "b": None}, {"a": "1", "b": ""}),
        ({"a": ["1", "2"], "b": "3"}, [["a", "1"], ["a", "2"], ["b", "3"]]),
        ([["a", "1"], ("a", 2), ["odd"], 5], [["a", "1"], ["a", "2"]]),
    ],
)
def test_names_that_repeat_make_pairs(name: str, given: Any, kept: Any) -> None:
    assert request_of({name: given})[name] == kept


@pytest.mark.spec("EVT-67")
@pytest.mark.parametrize(
    "headers",
    [
        [["Accept", "a"], ["X-One", "1"], ["accept", "b"], ["Cookie", "theme=x"], ["cookie", "lang=y"]],
        {"Accept": ["a", "b"], "X-One": "1", "Cookie": ["theme=x", "lang=y"]},
    ],
)
def test_headers_that_repeat_are_one_header(headers: Any) -> None:
    assert request_of({"headers": headers})["headers"] == {
        "Accept": "a, b",
        "X-One": "1",
        "Cookie": "theme=x; lang=y",
    }


@pytest.mark.spec("EVT-29", "EVT-63")
@pytest.mark.parametrize("body", [{"items": ["x" * 100] * 1000}, ["x" * 1000] * 100, {"text": "x" * 100_000}])
def test_a_large_body_is_trimmed_and_it_is_said(body: Any) -> None:
    event = sent({"request": {"data": body}})
    assert 4000 < len(str(event["request"]["data"])) < 12_000
    assert sent({"request": {"data": "x" * 100_000}})["request"]["data"] == "[Filtered]"  # of no known form
    if "text" not in body:  # a cut text shows it itself
        assert event["_meta"]["request"]["data"][""]["rem"] == [["!limit", "x"]]
    assert refused_by_relay(event) == []


def test_what_is_no_method_or_url_is_left_out() -> None:
    assert request_of({"method": "get", "url": "http://x/"}) == {"method": "GET", "url": "http://x/"}
    event = sent({"request": {"method": "BAD METHOD", "url": ["x"], "env": "x", "cookies": 5}})
    assert event["request"] == {}
    assert faults_in(event["_meta"]) == ["request.cookies", "request.env", "request.method", "request.url"]
    assert refused_by_relay(event) == []


@pytest.mark.spec("EVT-70", "EVT-71", "EVT-72", "EVT-76")
def test_a_users_keys_stay_as_they_are() -> None:
    given = {
        "id": "7",
        "username": "ann",
        "email": "ann@shop.example",
        "ip_address": "127.0.0.1",
        "geo": {"city": "Wien", "country_code": "AT"},
        "Email": "mistyped",
        "plan": {"name": "basic"},
    }
    event = sent({"user": dict(given)})
    assert event["user"] == given
    assert refused_by_relay(event) == []
    assert sent({"user": {"plan": "basic"}})["user"] == {"plan": "basic"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("1.2.3.4", "1.2.3.4"),
        (" 1.2.3.4 ", "1.2.3.4"),
        ("1.2.3.4:8080", "1.2.3.4"),
        ("::1", "::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("::", "::"),
        *(
            (odd, None)
            for odd in (
                "nope",
                "",
                "1.2.3",
                "1.2.3.256",
                "01.2.3.4",
                "1:2:3",
                "1::2::3",
                "12345::",
                ":::",
                "1:2:3:4:5:6:7::8",
                5,
                ["x"],
                "\u0661.2.3.4",
            )
        ),
    ],
)
@pytest.mark.parametrize("where", ["event", "scope"])
def test_an_address_is_one_or_is_left_out(given: Any, kept: Any, where: str) -> None:
    user = {"id": 7, "ip_address": given}
    if where == "scope":
        vedette.set_user(user)
    event = sent({"user": user} if where == "event" else {})
    assert event["user"] == ({"id": 7} if kept is None else {"id": 7, "ip_address": kept})
    assert refused_by_relay(event) == []


@pytest.mark.spec("EVT-73", "EVT-75")
@pytest.mark.parametrize("where", ["event", "scope"])
def test_the_server_is_asked_for_the_address_only_where_personal_data_is_allowed(where: str) -> None:
    user = {"id": "7", "ip_address": "{{auto}}"}
    for options, kept in (({}, {"id": "7"}), ({"send_default_pii": True}, user)):
        vedette.set_user(user if where == "scope" else None)
        assert sent({"user": dict(user)} if where == "event" else {}, **options)["user"] == kept


def test_vedette_itself_never_asks_for_it() -> None:
    transport = MemoryTransport()
    vedette.init("https://k@h.example/1", transport=transport, send_default_pii=True)
    vedette.capture_message("hello")
    assert "user" not in transport.events[0]


def test_parts_of_a_user_that_servers_refuse_are_left_out() -> None:
    event = sent({"user": {"id": True, "email": ["x"], "username": 5, "geo": "x", "data": [1]}})
    assert event["user"] == {"id": "True", "username": "5"}
    assert faults_in(event["_meta"]) == ["user.data", "user.email", "user.geo"]
    assert refused_by_relay(event) == []


@pytest.mark.parametrize(
    ("given", "names"), [("abc", []), ("=x", []), ("a=1; broken; b=2;=3", ["a", "b"]), ("a=1;b=x=y;", ["a", "b"])]
)
def test_cookies_are_not_lost_for_one_that_is_none(given: str, names: list[str]) -> None:
    event = sent({"request": {"url": "http://shop", "cookies": given}})
    kept = event["request"]["cookies"]
    assert [cookie.partition("=")[0] for cookie in kept.split("; ") if cookie] == names
    assert ("request.cookies" in faults_in(event.get("_meta", {}))) is not given.startswith("a=1;b")
    assert refused_by_relay(event) == []
