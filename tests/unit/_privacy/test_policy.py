"""What may be collected: the functions that whoever gathers data by itself asks first."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._privacy.denylist import EXTENDED_TERMS, FILTERED, SENSITIVE_TERMS, DenyList
from vedette._privacy.policy import Policy

SECRET = "hunter2-hunter2"
HEADERS = {"Accept": "text/html", "Authorization": SECRET, "X-Request-Id": "7", "X-Forwarded-For": "10.0.0.1"}
COOKIE = "theme=dark; user_session=abc"


def collecting(**fields: Any) -> Policy:
    return Policy(data_collection=fields)


@pytest.mark.spec("DAT-90", "DAT-92", "DAT-103")
def test_without_any_option_nothing_tells_who_the_user_is():
    policy = Policy()

    assert policy.user({"id": "7", "ip_address": "10.0.0.1"}) is None
    assert policy.cookies(COOKIE) is None
    assert policy.headers({**HEADERS, "Cookie": COOKIE}) == {
        "Accept": "text/html",
        "Authorization": FILTERED,
        "X-Request-Id": "7",
        "X-Forwarded-For": FILTERED,
    }
    assert policy.body("incomingRequest", '{"a": 1, "password": 2}') == {"a": 1, "password": FILTERED}
    assert policy.body("incomingRequest", "free text") == FILTERED
    assert policy.body("outgoingRequest", '{"a": 1}') is None


@pytest.mark.spec("DAT-66", "DAT-84")
def test_with_data_collection_there_are_no_bodies_but_those_it_names():
    assert Policy(data_collection={}).body("incomingRequest", '{"a": 1}') is None


@pytest.mark.spec("DAT-88", "DAT-91", "DAT-96")
def test_send_default_pii_allows_what_tells_who_the_user_is_but_nothing_sensitive():
    policy = Policy(send_default_pii=True)

    assert policy.user({"id": "7", "email": None}) == {"id": "7"}
    assert policy.cookies(COOKIE) == "theme=dark; user_session=[Filtered]"
    assert policy.headers({**HEADERS, "Cookie": COOKIE}) == {
        "Accept": "text/html",
        "Authorization": FILTERED,
        "X-Request-Id": "7",
        "X-Forwarded-For": "10.0.0.1",
        "Cookie": "theme=dark; user_session=[Filtered]",
    }


@pytest.mark.spec("DAT-89")
def test_send_default_pii_false_is_what_goes_without_saying():
    for policy in (Policy(), Policy(send_default_pii=False)):
        assert policy.headers(HEADERS) == Policy().headers(HEADERS)
        assert policy.cookies(COOKIE) is None
        assert policy.user_info is False


@pytest.mark.spec("DAT-12", "DAT-17", "DAT-18", "DAT-57", "DAT-58")
@pytest.mark.parametrize("user_info", [True, False])
def test_user_info_decides_about_the_user_and_about_nothing_else(user_info: bool):
    policy = collecting(user_info=user_info)

    assert policy.user({"id": "7"}) == ({"id": "7"} if user_info else None)
    assert policy.headers(HEADERS) == {**HEADERS, "Authorization": FILTERED}
    assert policy.cookies(COOKIE) == "theme=dark; user_session=[Filtered]"
    assert policy.query("a=1&token=x") == "a=1&token=[Filtered]"


# (behaviour, name, whether its value is shown; None: not even the name)
DECISIONS: list[tuple[Any, str, bool | None]] = [
    ({"mode": "off"}, "accept", None),
    (False, "accept", None),
    ({"mode": "denyList"}, "accept", True),
    (True, "X-Session", False),
    ({"mode": "denyList", "terms": ["ccep"]}, "Accept", False),
    ({"deny": ["ccep"]}, "X-Session", False),
    ({"deny": ["ccep"]}, "other", True),
    ({"mode": "allowList", "terms": ["Accept"]}, "accept", True),
    ({"mode": "allowList", "terms": ["ccep"]}, "accept", False),
    ({"allow": ["x-session", "accept"]}, "X-Session", False),
    ({"allow": []}, "accept", False),
]


@pytest.mark.spec("DAT-20", "DAT-21", "DAT-59", "DAT-60", "DAT-61", "DAT-62", "DAT-63")
@pytest.mark.parametrize(("behaviour", "name", "shown"), DECISIONS)
def test_the_mode_decides_about_a_value_and_the_deny_list_wins(behaviour: Any, name: str, shown: bool | None):
    value = None if shown is None else "v" if shown else FILTERED
    response = collecting(http_headers={"response": behaviour})
    policy = collecting(http_headers={"request": behaviour}, cookies=behaviour, query_params=behaviour)

    assert (policy.headers({name: "v"}) or {}).get(name) == value
    assert (response.headers({name: "v"}, response=True) or {}).get(name) == value
    assert response.headers({"accept": "v"}) == {"accept": "v"}
    assert policy.cookies({name: "v"}) == (None if shown is None else {name: value})
    assert policy.cookies(f"{name}=v") == (None if shown is None else f"{name}={value}")
    assert policy.query(f"{name}=v") == (None if shown is None else f"{name}={value}")
    assert policy.query([(name, "v")]) == (None if shown is None else [(name, value)])


@pytest.mark.spec("DAT-30")
def test_the_extended_terms_can_be_added_to_headers_cookies_and_query_parameters():
    deny = {"deny": list(EXTENDED_TERMS)}
    policy = collecting(http_headers=deny, cookies=deny, query_params=deny)

    assert policy.headers({"X-Forwarded-For": "10.0.0.1"}) == {"X-Forwarded-For": FILTERED}
    assert policy.cookies("x-user-id=7") == "x-user-id=[Filtered]"
    assert policy.query("client-ip=10.0.0.1&a=1") == "client-ip=[Filtered]&a=1"
    assert policy.denylist.matches_header("X-Real-IP")
    assert policy.denylist.matches_cookie("remote-addr")
    assert policy.denylist.matches_query("via")


@pytest.mark.spec("DAT-33", "DAT-35", "DAT-36", "DAT-37", "DAT-38", "DAT-112")
def test_cookie_headers_go_by_what_is_said_about_cookies():
    headers = {"Cookie": COOKIE, "Set-Cookie": "a=1; Path=/", "HTTP_COOKIE": SECRET, "Accept": "a"}
    shown = {"Cookie": "theme=dark; user_session=[Filtered]", "Set-Cookie": "a=1; Path=/", "HTTP_COOKIE": FILTERED}

    assert collecting().headers(headers) == {**shown, "Accept": "a"}
    assert collecting(http_headers={"allow": ["cookie"]}).headers(headers) == {**shown, "Accept": FILTERED}
    assert collecting(cookies=False).headers(headers) == {"Accept": "a"}
    assert collecting(cookies={"allow": []}).headers({"Set-Cookie": "a=1; Path=/"}) == {
        "Set-Cookie": "a=[Filtered]; Path=/"
    }
    assert collecting().cookies([("theme", "dark"), ("sid", SECRET)]) == {"theme": "dark", "sid": FILTERED}


def test_headers_that_come_twice_are_joined_after_filtering():
    pairs = [("Accept", "a"), ("Accept", "b"), ("Set-Cookie", "a=1"), ("Set-Cookie", f"sid={SECRET}")]

    assert collecting().headers(pairs, response=True) == {"Accept": "a, b", "Set-Cookie": "a=1, sid=[Filtered]"}


@pytest.mark.spec("DAT-39", "DAT-40", "DAT-41", "DAT-42", "DAT-66", "DAT-67")
def test_only_bodies_of_the_kinds_that_were_named_are_kept_and_those_filtered():
    policy = collecting(http_bodies=["incomingRequest"])
    parsed = {"user": [{"password": SECRET, "name": "ann"}]}

    for given_body in (json.dumps(parsed), json.dumps(parsed).encode(), copy.deepcopy(parsed)):
        assert policy.body("incomingRequest", given_body) == {"user": [{"password": FILTERED, "name": "ann"}]}
        for kind in ("outgoingRequest", "incomingResponse", "outgoingResponse"):
            assert policy.body(kind, given_body) is None
    assert policy.body("incomingRequest", "a=1&token=x") == [["a", "1"], ["token", FILTERED]]
    for unclear in (SECRET, b"\xff\x00binary", "<password>x</password>", {"a": object()}, '{"password": "x'):
        assert policy.body("incomingRequest", unclear) == FILTERED


def test_a_body_that_a_framework_parsed_stays_as_it_is_for_the_program():
    parsed = {"password": SECRET}

    assert collecting(http_bodies=True).body("incomingRequest", parsed) == {"password": FILTERED}
    assert parsed == {"password": SECRET}


configurations = st.fixed_dictionaries(
    {},
    optional={
        "user_info": st.booleans(),
        "cookies": st.sampled_from([True, False, {"allow": ["sid", "password"]}, {"deny": ["x"]}]),
        "http_headers": st.sampled_from([True, False, {"allow": ["authorization", "password"]}, {"deny": ["x"]}]),
        "query_params": st.sampled_from([True, False, {"allow": ["token", "password"]}, {"deny": ["x"]}]),
        "http_bodies": st.booleans(),
    },
)


@pytest.mark.spec("DAT-13", "DAT-96", "DAT-14")
@given(configurations | st.none(), st.booleans(), st.sampled_from(SENSITIVE_TERMS), st.sampled_from(["", "X-", "my"]))
def test_no_configuration_lets_anything_sensitive_through(
    given_fields: dict[str, Any] | None,
    pii: bool,
    term: str,
    before: str,
):
    policy = Policy(send_default_pii=pii, data_collection=given_fields)
    name = before + term.title()
    collected = [
        policy.headers({name: SECRET, "Cookie": f"{name}={SECRET}"}),
        policy.headers({name: SECRET, "Set-Cookie": f"{name}={SECRET}; Path=/"}, response=True),
        policy.cookies(f"a=1; {name}={SECRET}"),
        policy.cookies({name: SECRET}),
        policy.query(f"a=1&{name}={SECRET}"),
        policy.query([(name, SECRET)]),
        policy.body("incomingRequest", json.dumps({f"x_{term}": SECRET})),
    ]

    assert SECRET not in json.dumps(collected)


@pytest.mark.spec("DAT-45", "DAT-09")
def test_data_collection_is_the_only_source_once_it_is_given():
    assert Policy(send_default_pii=True, data_collection={}).user({"id": "7"}) is None
    assert Policy(send_default_pii=False, data_collection={"user_info": True}).user({"id": "7"}) == {"id": "7"}
    assert Policy(send_default_pii=False, data_collection={}).cookies("a=1") == "a=1"


@pytest.mark.spec("DAT-83", "DAT-80", "DAT-81")
def test_variables_need_the_consent_of_both_options():
    assert Policy().stack_frame_variables is True
    assert Policy(include_local_variables=False).stack_frame_variables is False
    assert (
        Policy(include_local_variables=False, data_collection={"stack_frame_variables": True}).stack_frame_variables
        is False
    )
    assert collecting(stack_frame_variables=False).stack_frame_variables is False
    assert (collecting(gen_ai={"inputs": False}).gen_ai_inputs, collecting().gen_ai_outputs) == (False, True)


def test_a_deny_list_of_ones_own_counts_for_what_is_collected():
    policy = Policy(send_default_pii=True, denylist=DenyList(["flavour"], [], send_default_pii=True))

    assert policy.headers({"X-Flavour": "a", "X-Other": "b"}) == {"X-Flavour": FILTERED, "X-Other": "b"}
    assert policy.cookies("flavour=a; sid=b") == "flavour=[Filtered]; sid=b"


@pytest.mark.spec("DAT-107")
def test_the_clients_address_among_server_variables_goes_with_the_user():
    assert Policy().denylist.matches_server_variable("REMOTE_ADDR")
    assert collecting().denylist.matches_server_variable("REMOTE_ADDR")
    assert not collecting(user_info=True).denylist.matches_server_variable("REMOTE_ADDR")
    assert not Policy(send_default_pii=True).denylist.matches_server_variable("REMOTE_ADDR")


def test_a_policy_is_frozen():
    with pytest.raises(AttributeError, match="frozen"):
        Policy().user_info = True
