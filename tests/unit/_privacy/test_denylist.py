"""Which names are deny-listed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._privacy import denylist
from vedette._privacy.denylist import EXTENDED_TERMS, SENSITIVE_TERMS, DenyList

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
    assert sorted(SENSITIVE_TERMS) == sorted(TERMS)


@pytest.mark.spec("DAT-24", "DAT-25", "DAT-98")
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


@pytest.mark.spec("DAT-102", "DAT-107")
def test_extended_terms_count_for_headers_alone_and_only_without_pii():
    assert EXTENDED_TERMS == ("forwarded", "-ip", "remote-", "via", "-user")
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


@pytest.mark.parametrize("name", ["ip", "client_ip", "clientIP", "IPs", "x-ip"])
def test_short_terms_of_ones_own_are_words_in_names_of_data_and_parts_of_names_of_headers(name: str):
    names = DenyList(["ip", "pin"])

    assert names.matches(name)
    assert names.matches_variable(name)
    for everyday in ("description", "shipping", "recipient"):
        assert not names.matches(everyday)
        assert names.matches_part(everyday)


@pytest.mark.parametrize("name", ["tax_id", "taxId", "TAX-ID", "tax.id", "my tax id", "customerTaxIdNumber"])
def test_terms_of_two_words_match_in_each_way_to_join_them(name: str):
    names = DenyList(["tax_id"])

    assert names.matches(name)
    assert names.matches_part(name)
    assert not names.matches("taxonomy")


def _full_width(text: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) for letter in text)


@pytest.mark.spec("DAT-25")
@pytest.mark.parametrize(
    "name",
    [
        _full_width("password"),
        _full_width("PASSWORD"),
        "pa\N{LATIN SMALL LETTER LONG S}\N{LATIN SMALL LETTER LONG S}word",
        "api_\N{KELVIN SIGN}ey",
        "access_to\N{KELVIN SIGN}en",
        "pass\N{ZERO WIDTH SPACE}word",
        "to\N{SOFT HYPHEN}ken",
        "\N{MATHEMATICAL BOLD SMALL S}ecret",
        "my_password_\N{GREEK SMALL LETTER OMEGA}",
    ],
)
def test_other_forms_of_the_same_letters_and_invisible_ones_do_not_count(name: str):
    assert DenyList().matches(name)
    assert DenyList().matches_variable(name)
    assert DenyList().matches_part(name)


def test_terms_for_personal_data_of_ones_own_count_in_all_names():
    names = DenyList(pii_names=["email", "-ip"])

    assert names.matches("customer_email")
    assert names.matches_part("email")
    assert names.matches_header("X-Real-IP")
    assert not names.matches("x-real-ip")
    assert not DenyList(pii_names=["email"], send_default_pii=True).matches("email")


def test_terms_for_headers_cookies_or_query_parameters_count_there_alone():
    names = DenyList(header_names=["office"], cookie_names=["cart"], query_names=["coupon"])
    kinds = [names.matches_header, names.matches_cookie, names.matches_query, names.matches, names.matches_part]

    assert [matches("X-Office") for matches in kinds] == [True, False, False, False, False]
    assert [matches("cart_2") for matches in kinds] == [False, True, False, False, False]
    assert [matches("Coupon") for matches in kinds] == [False, False, True, False, False]


@pytest.mark.spec("DAT-107")
def test_the_address_of_a_client_can_be_hidden_where_headers_are_not():
    names = DenyList(send_default_pii=True, hides_address=True)

    assert names.matches_server_variable("REMOTE_ADDR")
    assert not names.matches_header("REMOTE_ADDR")
    assert not DenyList(hides_address=False).matches_server_variable("REMOTE_ADDR")


@given(
    st.lists(st.sampled_from(["ip", "tax_id", "-x-", "flavour"]), max_size=3),
    st.text("abcdeiknopstuwxyKTAPI-_.", max_size=6),
    st.sampled_from([*TERMS, "tax_id", "taxId", "ip", "sessid", "Cookie", "authorization"]),
)
def test_each_name_that_matches_holds_a_root(own: list[str], around: str, term: str):
    names = DenyList([*SENSITIVE_TERMS, *own], query_names=["coupon"])
    for name in (around + term, term + around, around, f"{around}coupon"):
        if names.matches(name) or names.matches_variable(name) or names.matches_query(name):
            assert any(root in name.lower() for root in names.roots)
