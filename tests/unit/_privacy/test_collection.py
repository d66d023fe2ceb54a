"""The option ``data_collection``: its fields, their defaults and shorthands, and what is said about a wrong one."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from vedette._privacy.collection import BODY_TYPES, DataCollection, PolicyError
from vedette.scrubber import HeaderConfig, KeyValueCollectionBehavior

DENY = KeyValueCollectionBehavior("denyList")
OFF = KeyValueCollectionBehavior("off")


@pytest.mark.spec("DAT-05", "DAT-73", "DAT-74", "DAT-75", "DAT-76", "DAT-79", "DAT-80", "DAT-81")
def test_each_field_that_is_not_given_has_the_default_of_the_page():
    found = DataCollection({})

    assert found.user_info is False
    assert found.cookies == DENY
    assert found.http_headers == HeaderConfig(DENY, DENY)
    assert found.query_params == DENY
    assert found.gen_ai_inputs is True
    assert found.gen_ai_outputs is True


@pytest.mark.spec("DAT-02", "DAT-66", "DAT-83", "DAT-84", "DAT-85")
def test_bodies_are_off_variables_and_five_lines_of_source_on():
    found = DataCollection({})

    assert found.http_bodies == frozenset()
    assert found.stack_frame_variables is True
    assert found.frame_context_lines == 5
    assert DataCollection(None) == found


GIVEN: list[tuple[str, Any]] = [
    ("user_info", True),
    ("cookies", False),
    ("http_headers", {"request": False}),
    ("query_params", {"mode": "off"}),
    ("http_bodies", ["incomingRequest"]),
    ("gen_ai", {"inputs": False}),
    ("stack_frame_variables", False),
    ("frame_context_lines", 2),
]


@pytest.mark.spec("DAT-03", "DAT-04", "DAT-06", "DAT-72", "DAT-119")
@pytest.mark.parametrize(("field", "value"), GIVEN)
def test_a_field_changes_itself_alone(field: str, value: Any):
    default, found = DataCollection({}), DataCollection({field: value})
    changed = [name for name in DataCollection.__slots__ if getattr(found, name) != getattr(default, name)]

    assert changed == ["gen_ai_inputs" if field == "gen_ai" else field]


@pytest.mark.spec("DAT-07", "DAT-116", "DAT-120")
@pytest.mark.parametrize("field", ["cookies", "query_params", "http_headers"])
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (True, DENY),
        (False, OFF),
        ({}, DENY),
        ({"mode": "off"}, OFF),
        ({"mode": "denyList", "terms": ["a"]}, KeyValueCollectionBehavior("denyList", ["a"])),
        ({"terms": ("a",)}, KeyValueCollectionBehavior("denyList", ["a"])),
        ({"mode": "allowList", "terms": ["a"]}, KeyValueCollectionBehavior("allowList", ["a"])),
        ({"deny": ["a"]}, KeyValueCollectionBehavior("denyList", ["a"])),
        ({"allow": ["a"]}, KeyValueCollectionBehavior("allowList", ["a"])),
        (KeyValueCollectionBehavior("allowList", ["a"]), KeyValueCollectionBehavior("allowList", ["a"])),
    ],
)
def test_a_behaviour_may_be_given_in_each_of_its_forms(field: str, given: Any, meant: KeyValueCollectionBehavior):
    found = getattr(DataCollection({field: given}), field)

    assert found == (HeaderConfig(meant, meant) if field == "http_headers" else meant)  # DAT-77: for both directions


@pytest.mark.spec("DAT-77", "DAT-78", "DAT-117")
def test_headers_of_requests_and_responses_are_configured_apart():
    apart = DataCollection({"http_headers": {"request": {"allow": ["accept"]}}}).http_headers

    assert apart == HeaderConfig(request=KeyValueCollectionBehavior("allowList", ["accept"]))
    assert apart.response == DENY
    assert DataCollection({"http_headers": HeaderConfig(response=False)}).http_headers == HeaderConfig(DENY, OFF)
    assert DataCollection({"http_headers": False}).http_headers == HeaderConfig(OFF, OFF)


@pytest.mark.spec("DAT-65", "DAT-67", "DAT-68", "DAT-118")
def test_bodies_are_named_by_their_kind():
    assert DataCollection({"http_bodies": ["outgoingRequest"]}).http_bodies == {"outgoingRequest"}
    assert DataCollection({"http_bodies": list(BODY_TYPES)}).http_bodies == set(BODY_TYPES)
    assert DataCollection({"http_bodies": True}).http_bodies == set(BODY_TYPES)
    assert DataCollection({"http_bodies": False}).http_bodies == set()
    assert BODY_TYPES == ("incomingRequest", "outgoingRequest", "incomingResponse", "outgoingResponse")


@pytest.mark.spec("DAT-86", "DAT-121")
@pytest.mark.parametrize(("given", "lines"), [(True, 5), (False, 0), (0, 0), (1, 1), (50, 50)])
def test_lines_of_source_are_a_number_or_a_boolean(given: Any, lines: int):
    found = DataCollection({"frame_context_lines": given}).frame_context_lines

    assert found == lines
    assert type(found) is int


@pytest.mark.spec("DAT-64")
@pytest.mark.parametrize(
    ("given", "part"),
    [
        ("yes", "must be a dict"),
        ({"userInfo": True}, "Did you mean 'user_info'?"),
        ({"http_header": True}, "Did you mean 'http_headers'?"),
        ({"zzz": True}, "user_info, cookies"),
        ({3: True}, "no field 3"),
        ({"user_info": 1}, "'user_info', not 1"),
        ({"user_info": None}, "'user_info', not None"),
        ({"cookies": "off"}, "'cookies': it must be True, False"),
        ({"cookies": {"mode": "denylist"}}, "'off', 'denyList', 'allowList' as mode, not 'denylist'"),
        ({"cookies": {"mode": "off", "terms": ["a"]}}, "no terms with mode 'off'"),
        ({"cookies": {"deny": ["a"], "allow": ["b"]}}, "'cookies': it must be"),
        ({"cookies": {"deny": "abc"}}, "a list of strings as terms, not 'abc'"),
        ({"query_params": {"allow": [1]}}, "'query_params': it needs a list of strings"),
        ({"query_params": {"terms": [""]}}, "a list of strings"),
        ({"http_headers": {"request": True, "responses": True}}, "Did you mean 'response'?"),
        ({"http_headers": {"request": {"modes": 1}}}, "'http_headers.request'"),
        ({"http_headers": [1]}, "'http_headers'"),
        ({"http_bodies": "incomingRequest"}, "'http_bodies', not 'incomingRequest'"),
        ({"http_bodies": ["incoming_request"]}, "Did you mean 'incomingRequest'?"),
        ({"gen_ai": True}, "must be a dict, and so must 'gen_ai'"),
        ({"gen_ai": {"input": True}}, "Did you mean 'inputs'?"),
        ({"gen_ai": {"inputs": 0}}, "'gen_ai.inputs', not 0"),
        ({"stack_frame_variables": "on"}, "'stack_frame_variables', not 'on'"),
        ({"frame_context_lines": -1}, "from 0 to 50 as 'frame_context_lines', not -1"),
        ({"frame_context_lines": 2.5}, "not 2.5"),
    ],
)
def test_what_is_wrong_is_named_with_what_would_be_right(given: Any, part: str):
    with pytest.raises(PolicyError) as caught:
        DataCollection(given)

    assert part in str(caught.value)


def test_the_classes_for_it_refuse_wrong_values_themselves():
    wrong: Any = 3
    for make in (
        lambda: KeyValueCollectionBehavior("on"),
        lambda: KeyValueCollectionBehavior("denyList", wrong),
        lambda: HeaderConfig(wrong),
    ):
        with pytest.raises(ValueError, match=r"needs|must"):
            make()


@pytest.mark.parametrize("value", [DENY, HeaderConfig(), DataCollection({"cookies": False})])
def test_its_values_are_frozen_compare_by_value_and_pickle(value: Any):
    name = type(value).__slots__[0]
    with pytest.raises(AttributeError, match="frozen"):
        setattr(value, name, None)
    with pytest.raises(AttributeError, match="frozen"):
        delattr(value, name)

    assert repr(value).startswith(f"{type(value).__name__}({name}=")
    assert value != 3
    if type(value) is not DataCollection:
        assert pickle.loads(pickle.dumps(value)) == value
        assert len({value, pickle.loads(pickle.dumps(value))}) == 1
