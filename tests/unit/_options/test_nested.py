"""Options that are dicts or lists of dicts: their keys are checked like names of options, at any depth."""

from __future__ import annotations

from typing import Any

import pytest

import vedette
from vedette._options import OptionError, Remark, UnknownOptionError, resolve
from vedette._options.nested import EXPERIMENTS
from vedette._privacy.collection import FIELDS

DSN = "https://key@errors.example.org/7"

WHOLE = {
    "user_info": True,
    "cookies": {"mode": "off"},
    "http_headers": {
        "request": {"mode": "allowList", "terms": ["accept", "x-request-id"]},
        "response": {"mode": "denyList", "terms": ["via"]},
    },
    "query_params": {"mode": "denyList"},
    "gen_ai": {"inputs": True, "outputs": False},
    "stack_frame_variables": True,
    "http_bodies": ["incomingRequest"],
    "frame_context_lines": 5,
}


def as_lists(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_lists(part) for key, part in value.items()}
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.spec("DAT-01", "DAT-04", "DAT-06", "DAT-07", "DAT-71", "DAT-72")
def test_data_collection_takes_the_keys_of_the_specification() -> None:
    assert as_lists(resolve({"data_collection": WHOLE}, {})["data_collection"]) == WHOLE
    for key, value in WHOLE.items():
        assert as_lists(resolve({"data_collection": {key: value}}, {})["data_collection"]) == {key: value}
    assert resolve({"data_collection": {}}, {})["data_collection"] == {}
    assert set(WHOLE) == set(FIELDS)


@pytest.mark.spec("DAT-77", "DAT-78", "DAT-86")
@pytest.mark.parametrize(
    "given",
    [
        {"cookies": True, "query_params": False, "http_headers": False},
        {"cookies": {"deny": ["via"]}, "query_params": {"allow": ["page"]}},
        {"http_headers": {"mode": "off"}},
        {"http_headers": {"request": False, "response": None}},
        {"http_bodies": [], "frame_context_lines": False},
        {"http_bodies": True, "frame_context_lines": 0},
    ],
)
def test_the_older_and_shorter_forms_are_taken(given: Any) -> None:
    assert as_lists(resolve({"data_collection": given}, {})["data_collection"]) == given


@pytest.mark.spec("PAIN-28")
@pytest.mark.parametrize(
    ("option", "value", "where", "key", "meant"),
    [
        ("_experiments", {"max_span": 7}, "_experiments", "max_span", "max_spans"),
        ("functions_to_trace", [{"qualified_nam": "a"}], "functions_to_trace[0]", "qualified_nam", "qualified_name"),
        ("ignore_spans", ["a", {"nam": "b"}], "ignore_spans[1]", "nam", "name"),
    ],
)
def test_a_typo_inside_an_option_raises_and_names_the_right_key(
    option: str, value: Any, where: str, key: str, meant: str
) -> None:
    with pytest.raises(UnknownOptionError) as caught:
        resolve({option: value}, {})
    assert str(caught.value) == f"unknown key {key!r} in option {where!r}.\n    Did you mean {meant!r}?"


@pytest.mark.spec("PAIN-28")
@pytest.mark.parametrize("key", EXPERIMENTS)
def test_each_experiment_is_checked(key: str) -> None:
    with pytest.raises(UnknownOptionError, match=f"Did you mean '{key}'"):
        resolve({"_experiments": {key + "_": 1}}, {})
    with pytest.raises(OptionError, match=f"option '_experiments.{key}' must|\\(from '_experiments'\\)"):
        resolve({"_experiments": {key: object()}}, {})


@pytest.mark.spec("PAIN-28")
@pytest.mark.parametrize("key", FIELDS)
def test_each_field_of_data_collection_is_checked(key: str) -> None:
    with pytest.raises(UnknownOptionError, match=f"option 'data_collection' has no field '{key}_'.*mean '{key}'"):
        resolve({"data_collection": {key + "_": True}}, {})
    with pytest.raises(OptionError, match=f"option 'data_collection' .*{key}"):
        resolve({"data_collection": {key: object()}}, {})


@pytest.mark.spec("PAIN-28")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"gen_ai": {"input": True}}, "has no field 'input' of 'gen_ai'. Did you mean 'inputs'?"),
        (
            {"http_headers": {"request": True, "respons": True}},
            "has no field 'respons' of 'http_headers'. Did you mean 'response'?",
        ),
    ],
)
def test_a_typo_inside_data_collection_names_the_right_field(value: Any, message: str) -> None:
    with pytest.raises(UnknownOptionError) as caught:
        vedette.Client(DSN, data_collection=value)
    assert str(caught.value) == f"option 'data_collection' {message}"


def test_a_key_like_no_other_lists_the_keys() -> None:
    with pytest.raises(UnknownOptionError) as caught:
        resolve({"ignore_spans": [{7: True}]}, {})
    assert str(caught.value) == "unknown key 7 in option 'ignore_spans[0]'.\n    The keys are: name, attributes."


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("data_collection", 7, "option 'data_collection' must be a dict"),
        ("data_collection", {"user_info": 1}, "option 'data_collection' needs True or False as 'user_info', not 1"),
        ("data_collection", {"cookies": "off"}, "option 'data_collection' has a wrong 'cookies': it must be True,"),
        ("_experiments", {"max_spans": "x"}, "option '_experiments.max_spans' must be a whole number from 0 to"),
        ("_experiments", {"before_send_log": 7}, "option 'before_send_log' must be a function, got 7 (from '_exp"),
        (
            "functions_to_trace",
            [{"qualified_name": "shop.f"}, {}],
            "option 'functions_to_trace[1]' must be a dict such as {'qualified_name': 'shop.cart.checkout'}, got {}",
        ),
        ("functions_to_trace", ["shop.f"], "option 'functions_to_trace[0]' must be a dict such as"),
        ("ignore_spans", [{"name": 7}], "option 'ignore_spans[0].name' must be a string or a compiled pattern, got 7"),
    ],
)
def test_a_wrong_value_inside_an_option_raises_with_its_place(option: str, value: Any, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        resolve({option: value}, {})
    assert str(caught.value).startswith(message)


def test_an_experiment_that_is_an_option_by_now_is_taken_as_such_and_says_so() -> None:
    def hook(log: Any, _hint: Any) -> Any:
        return log

    experiments = {"before_send_log": hook, "data_collection": {"user_info": True}, "transport_compression_algo": "br"}
    with pytest.warns(DeprecationWarning, match="is deprecated: use the option") as warned:
        found = vedette.Client(_experiments=experiments).options
    assert found["before_send_log"] is hook
    assert found["data_collection"] == {"user_info": True}
    assert found["compression"] == "br"
    assert [str(warning.message) for warning in warned] == [
        "option '_experiments.before_send_log' is deprecated: use the option 'before_send_log'",
        "option '_experiments.data_collection' is deprecated: use the option 'data_collection'",
        "option '_experiments.transport_compression_algo' is deprecated: use the option 'compression'",
    ]
    assert {warning.filename for warning in warned} == {__file__}


@pytest.mark.filterwarnings("ignore:option:DeprecationWarning")
def test_the_option_itself_wins_over_the_experiment() -> None:
    found = resolve({"compression": "gzip", "_experiments": {"transport_compression_algo": "br"}}, {})
    assert found["compression"] == "gzip"


def test_an_experiment_without_effect_is_a_remark() -> None:
    remarks: list[Remark] = []
    resolve({"_experiments": {"max_spans": 7, "transport_http2": True}}, {}, remarks=remarks)
    assert [remark.text for remark in remarks] == [
        "option '_experiments.max_spans' is accepted, but has no effect in vedette",
        "option '_experiments.transport_http2' is accepted, but has no effect in vedette",
    ]
    with pytest.raises(UnknownOptionError, match="It belongs into '_experiments'"):
        vedette.Client(DSN, max_spans=7)  # type: ignore[call-arg]  # what is tested


class Hostile(dict):  # type: ignore[type-arg]
    """Fails whenever it is asked."""

    def _fail(self, *_: Any) -> Any:
        raise ZeroDivisionError

    __iter__ = __len__ = __bool__ = __getitem__ = __contains__ = items = keys = values = get = copy = _fail


def test_a_dict_that_fails_when_it_is_asked_is_a_dict_like_any_other() -> None:
    assert resolve({"_experiments": Hostile(max_spans=7)}, {})["_experiments"] == {"max_spans": 7}
    with pytest.raises(UnknownOptionError, match="unknown key 'max_span' in option '_experiments'"):
        resolve({"_experiments": Hostile(max_span=7)}, {})
    with pytest.raises(OptionError, match="option 'data_collection' must be a dict"):
        resolve({"data_collection": Hostile(cookies={"mode": "off"})}, {})
