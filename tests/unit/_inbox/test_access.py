from __future__ import annotations

import pytest

from vedette._inbox.access import (
    Hosts,
    check_change,
    check_key,
    has_token,
    is_loopback,
    key_and_project,
    key_in_request,
)
from vedette._inbox.limits import Refused


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1:8969", "localhost", "LOCALHOST:1", "shop.localhost:80", "[::1]:8969", "127.9.9.9", "inbox.lan:8969"],
)
def test_loopback_names_and_allowed_ones_are_answered(host):
    Hosts(["inbox.lan"]).check_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8969",
        "",
        "192.168.1.5",
        "[::2]",
        "a b",
        "x@127.0.0.1",
    ],
)
def test_any_other_host_is_refused(host):
    with pytest.raises(Refused, match="is not allowed") as refusal:
        Hosts(["inbox.lan"]).check_host(host)
    assert refusal.value.status == 400


def test_a_refused_host_names_the_option_that_allows_it():
    with pytest.raises(Refused, match=r"start the inbox with --allow-host host\.docker\.internal$"):
        Hosts().check_host("host.docker.internal:8969")


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "https://inbox.lan", "http://[::1]:1"])
def test_pages_of_this_machine_may_send(origin):
    assert Hosts(["inbox.lan"]).check_origin({"origin": origin}) == origin


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://", "http://[", "x"]
)
def test_pages_of_other_sites_may_not(origin):
    with pytest.raises(Refused) as refusal:
        Hosts(["inbox.lan"]).check_origin({"origin": origin})
    assert refusal.value.status == 403


def test_a_program_sends_no_origin():
    assert Hosts().check_origin({}) == ""


@pytest.mark.parametrize("name", ["ip6-localhost", "0.0.0.0", "example.org", ""])
def test_names_that_may_mean_another_machine_are_no_loopback(name):
    assert not is_loopback(name)


OWN = "http://127.0.0.1:8969"


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": OWN}, {"sec-fetch-site": "same-origin"}, {"sec-fetch-site": "same-origin", "origin": OWN}],
)
def test_own_pages_and_programs_may_change_something(headers):
    check_change(headers, OWN)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:1"},
    ],
)
def test_other_pages_may_not_change_anything(headers):
    with pytest.raises(Refused) as refusal:
        check_change(headers, OWN)
    assert refusal.value.status == 403


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x-sentry-auth": "Sentry sentry_version=7, sentry_key=abc, sentry_client=x"}, {}),
        ({"x-sentry-auth": "Sentry sentry_key=abc,sentry_version=7"}, {}),
        ({"x-sentry-auth": "sentry_key=abc"}, {}),
        ({"authorization": "Sentry sentry_key=abc"}, {}),
        ({"authorization": "Bearer no", "x-sentry-auth": "nothing"}, {"sentry_key": "abc"}),
    ],
)
def test_the_key_is_found_wherever_a_sender_puts_it(headers, query):
    assert key_in_request(headers, query) == "abc"


@pytest.mark.parametrize("header", ["", "Sentry sentry_key=", "Sentry not_sentry_key=abc", "Sentry sentry_secret=abc"])
def test_no_key_is_no_key(header):
    assert key_in_request({"x-sentry-auth": header}, {}) == ""


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        ("http://abc@127.0.0.1:8969/42", ("abc", "42")),
        ("https://abc:secret@host/prefix/7", ("abc", "7")),
        ("http://abc@host/name", ("abc", "")),
        ("http://host/1", ("", "1")),
        ("http://[broken/1", ("", "")),
        (None, ("", "")),
        (7, ("", "")),
        ("x" * 10_000, ("", "")),
    ],
)
def test_key_and_project_of_a_dsn_header(dsn, expected):
    assert key_and_project(dsn) == expected


def test_any_key_will_do_but_none_will_not():
    check_key("x", None)
    check_key("", None, required=False)
    with pytest.raises(Refused, match="no key: send X-Sentry-Auth"):
        check_key("", None)


@pytest.mark.parametrize("found", ["", "another", "ключ"])
def test_with_a_key_of_its_own_no_other_will_do(found):
    check_key("mine", "mine", required=False)
    with pytest.raises(Refused) as refusal:
        check_key(found, "mine", required=False)
    assert refusal.value.status == 403


def test_the_token_is_taken_from_three_places():
    assert has_token({}, {"token": "t"}, {}, "t")
    assert has_token({"authorization": "Bearer t"}, {}, {}, "t")
    assert has_token({}, {}, {"vedette_inbox_token": "t"}, "t")
    assert not has_token({"authorization": "Bearer x"}, {"token": ""}, {"vedette_inbox_token": "ü"}, "t")
