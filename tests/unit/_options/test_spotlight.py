"""Where Spotlight is, by option and variable: the page's table of resolution, and its warnings."""

from __future__ import annotations

import pytest

from vedette._options import OptionError, Remark, resolve

DEFAULT = "http://localhost:8969/stream"
URL = "http://127.0.0.1:8969/Stream"
OTHER = "http://127.0.0.1:9000/stream"
UNSET = object()

TABLE = [
    # option, variable, where, whether the variable is said to be unused
    (False, None, None, False),
    (False, "1", None, True),
    (False, "0", None, True),
    (False, OTHER, None, True),
    (True, None, DEFAULT, False),
    (True, "true", DEFAULT, False),
    (True, "off", DEFAULT, False),
    (True, OTHER, OTHER, False),
    (URL, None, URL, False),
    (URL, OTHER, URL, True),
    (URL, "0", URL, True),
    (None, None, None, False),
    (None, "off", None, False),
    (None, "on", DEFAULT, False),
    (None, OTHER, OTHER, False),
    (UNSET, None, None, False),
    (UNSET, "n", None, False),
    (UNSET, "y", DEFAULT, False),
    (UNSET, URL, URL, False),
]


def resolved(option: object, variable: str | None) -> tuple[object, list[Remark]]:
    remarks: list[Remark] = []
    given = {} if option is UNSET else {"spotlight": option}
    environ = {} if variable is None else {"SENTRY_SPOTLIGHT": variable}
    return resolve(given, environ, remarks=remarks)["spotlight"], remarks


@pytest.mark.parametrize(("option", "variable", "where", "is_unused"), TABLE)
@pytest.mark.spec("INT-73", "INT-74", "INT-75", "INT-85", "INT-86", "INT-87", "INT-90", "INT-105")
def test_option_and_variable_come_to_one_place(
    option: object, variable: str | None, where: str | None, is_unused: bool
) -> None:
    found, remarks = resolved(option, variable)
    assert found == where
    assert [each.is_warning for each in remarks] == [True] * is_unused


@pytest.mark.spec("INT-88", "INT-91")
def test_a_variable_that_is_not_used_is_named_with_the_reason() -> None:
    _, (of_url,) = resolved(URL, OTHER)
    assert of_url.text == "SENTRY_SPOTLIGHT is not used, for option 'spotlight' names a URL, which wins"
    _, (of_false,) = resolved(False, OTHER)
    assert of_false.text == "SENTRY_SPOTLIGHT is not used, for option 'spotlight' says False: Spotlight is off"


@pytest.mark.parametrize("word", ["true", "t", "y", "yes", "on", "1", " YES ", "True"])
@pytest.mark.spec("INT-78", "INT-79", "INT-82", "INT-104")
def test_these_words_in_the_variable_turn_it_on_at_the_default_url(word: str) -> None:
    assert resolved(UNSET, word) == (DEFAULT, [])


@pytest.mark.parametrize("word", ["false", "f", "n", "no", "off", "0", " Off "])
@pytest.mark.spec("INT-80", "INT-82")
def test_these_turn_it_off(word: str) -> None:
    assert resolved(UNSET, word) == (None, [])


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize(("option", "where"), [(UNSET, None), (None, None), (True, DEFAULT), (URL, URL), (False, None)])
@pytest.mark.spec("INT-83", "INT-84")
def test_a_variable_of_blanks_says_nothing(option: object, where: str | None, blank: str) -> None:
    assert resolved(option, blank) == (where, [])


@pytest.mark.spec("INT-81")
def test_any_other_text_is_the_url_with_its_case() -> None:
    assert resolved(UNSET, f" {URL} ") == (URL, [])


@pytest.mark.parametrize("option", [UNSET, None, True])
@pytest.mark.spec("INT-81")
def test_a_variable_that_is_no_url_is_ignored_with_a_warning(option: object) -> None:
    found, (remark,) = resolved(option, "localhost")
    assert found == (DEFAULT if option is True else None)
    assert remark.is_warning
    assert "SENTRY_SPOTLIGHT" in remark.text
    assert "'localhost'" in remark.text


@pytest.mark.parametrize("wrong", ["localhost:8969", "ftp://localhost/stream", 7, ["http://localhost"]])
def test_an_option_that_is_no_url_raises(wrong: object) -> None:
    with pytest.raises(OptionError, match="option 'spotlight' must be True, False, or an http"):
        resolved(wrong, None)


@pytest.mark.spec("INT-103", "INT-74")
def test_true_alone_is_the_default_url() -> None:
    assert resolved(True, None) == ("http://localhost:8969/stream", [])


def test_a_release_is_looked_for_without_a_dsn_too() -> None:
    environ = {"SENTRY_RELEASE": "shop@1"}
    assert resolve({"spotlight": True}, environ)["release"] == "shop@1"
