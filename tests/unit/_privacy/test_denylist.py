"""Which names are deny-listed."""

from __future__ import annotations

import pytest

from vedette._privacy import denylist
from vedette._privacy.denylist import DEFAULT_DENYLIST, DEFAULT_PII_DENYLIST, DenyList

TERMS = [
    "auth",
    "token",
    "secret",
    "password",
    "passwd",
    "pwd",
    "key",
    "jwt",
    "bearer",
    "sso",
    "saml",
    "csrf",
    "xsrf",
    "credentials",
    "session",
    "sid",
    "identity",
]


@pytest.mark.spec("DAT-26")
def test_the_seventeen_terms_are_in_the_list():
    assert sorted(DEFAULT_DENYLIST) == sorted(TERMS)


@pytest.mark.spec("DAT-24", "DAT-25")
@pytest.mark.parametrize("term", TERMS)
def test_a_term_matches_as_any_part_of_a_header_cookie_or_parameter_whatever_the_case(term: str):
    names = DenyList()

    for name in (term, term.upper(), f"x-{term}", f"my{term.title()}Field", f"HTTP_X_{term.upper()}_2", f"xx{term}xx"):
        assert names.matches_part(name)
        assert names.matches_part(name)  # from memory
        assert names.matches_header(name)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_matches_as_a_word_in_names_of_data(term: str):
    names = DenyList()

    for name in (term, term.upper(), f"x-{term}", f"my{term.title()}Field", f"HTTP_X_{term.upper()}_2", f"x.{term}[0]"):
        assert names.matches(name)
        assert names.matches(name)  # from memory


@pytest.mark.parametrize(
    "name",
    [
        "author",
        "monkey",
        "keyboard",
        "inside",
        "residence",
        "lesson",
        "obsession",
        "max_tokens",
        "tokenizer",
        "sidebar",
    ],
)
def test_everyday_words_stay_readable_in_names_of_data_and_variables(name: str):
    assert not DenyList().matches(name)
    assert not DenyList().matches_variable(name)
    assert DenyList().matches_part(name)


@pytest.mark.parametrize("name", ["key", "keys", "cache_key", "sort_key", "session", "db_session", "keyError"])
def test_vague_names_of_variables_stay_readable(name: str):
    assert not DenyList().matches_variable(name)


@pytest.mark.parametrize(
    "name",
    [
        "api_key", "apikey", "apiKey", "API_KEYS", "secret_key", "aws_access_key_id", "session_id", "sessionid",
        "session_key", "auth", "authorization", "token", "access_token", "accessToken", "password", "db_passwd",
        "user_password_hash", "client_secrets", "jwt", "csrftoken", "sid", "credentials",
        "DBToken", "SSOTicket", "KEYId", "AUTH_TOKENs",
    ],
)  # fmt: skip
def test_names_of_secrets_are_filtered_in_data_and_variables(name: str):
    assert DenyList().matches(name)
    assert DenyList().matches_variable(name)


@pytest.mark.parametrize("name", ["", "name", "user", "content-type", "x-request-id", "REMOTE_ADDR", "total", "é"])
def test_other_names_do_not_match(name: str):
    assert not DenyList().matches(name)


@pytest.mark.spec("DAT-32", "DAT-102", "DAT-107")
def test_extended_terms_count_for_headers_alone_and_only_without_pii():
    assert DEFAULT_PII_DENYLIST == ("forwarded", "-ip", "remote-", "via", "-user")
    for name in ("X-Forwarded-For", "x-real-ip", "CF-Connecting-IP", "REMOTE_ADDR", "HTTP_X_REAL_IP", "x-user-id"):
        assert DenyList().matches_header(name)
        assert not DenyList().matches(name)
        assert not DenyList(send_default_pii=True).matches_header(name)


def test_names_of_ones_own_match_hyphen_for_underscore():
    names = DenyList(["iban", "tax_id"], ["x-office"])

    assert names.matches("customer_IBAN")
    assert names.matches("Tax-Id")
    assert names.matches_header("HTTP_X_OFFICE")
    assert not names.matches("password")


@pytest.mark.spec("DAT-37")
def test_a_raw_cookie_header_matches_but_a_mapping_of_cookies_does_not():
    names = DenyList([], [])

    assert all(map(names.matches, ("Cookie", "set-cookie", "HTTP_COOKIE")))
    assert not names.matches("cookies")


def test_what_is_remembered_is_bounded():
    names = DenyList()
    remembered = names.matches.__self__  # type: ignore[attr-defined] # the dict behind it
    for number in range(3 * denylist.MAX_REMEMBERED):
        names.matches(f"field{number}")
        names.matches("long" * 100 + str(number))

    assert len(remembered) <= denylist.MAX_REMEMBERED
    assert max(map(len, remembered)) <= denylist.LONGEST_REMEMBERED
    assert names.matches("key9")
