"""Secrets in the middle of texts."""

from __future__ import annotations

import json

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._privacy.denylist import DenyList
from vedette._privacy.prose import has_hidden_pair, scrub_text

SECRET = "hunter2-Hunter2"
NAMES = ["password", "api_key", "apiKey", "X-Api-Key", "db.passwd", "--token", "SESSION_ID", "user[password]", "jwt"]


def scrubbed(text: str, names: DenyList | None = None) -> str:
    return scrub_text(text, names or DenyList())


@pytest.mark.spec("PAIN-09")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "form",
    [
        "{}={}", "{} = {}", "{}: {}", "{}:{}", "{}='{}'", '{} == "{}"', "{} => '{}'", "{} := {}",
        "can't connect: {}={}", "f(user='ann', {}='{}')", "?a=1&{}={}&b=2", "'{}': '{}'", '{{"{}": "{}", "a": 1}}',
        r"{{\"{}\": \"{}\"}}", r"{{\\\"{}\\\": \\\"{}\\\"}}", "{{b'{}': b'{}'}}", '"{}" :\n  "{}"', "{}=['{}', 1]",
        "{}: {{'a': [1, '{}']}}", "{}='{}", "{}: two words {}", '{}="""{}"""',
    ],
)  # fmt: skip
def test_the_value_of_a_deny_listed_name_does_not_stay_in_a_text(name: str, form: str):
    found = scrubbed(form.format(name, SECRET))

    assert SECRET not in found
    assert "Hunter2" not in found
    assert name.rpartition("]")[0].rpartition("[")[2] in found  # names stay
    assert scrubbed(found) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("connect(host='db', password='x', port=5)", "connect(host='db', password='[Filtered]', port=5)"),
        ("password: x, user: ann", "password: [Filtered], user: ann"),
        ("Invalid API key: x", "Invalid API key: [Filtered]"),
        ("session ID = x", "session ID = [Filtered]"),
        ("a=1&token=x&b=2", "a=1&token=[Filtered]&b=2"),
        ('{"credentials": {"a": ["}", "x"]}, "b": 2}', '{"credentials": [Filtered], "b": 2}'),
        ("Max retries exceeded with url: /maps?key=x&a=1", "Max retries exceeded with url: /maps?key=[Filtered]&a=1"),
        ("key=x&page=2", "key=[Filtered]&page=2"),
        ("Authorization: Digest a=b, c=d\nAccept: x", "Authorization: [Filtered]\nAccept: x"),
        ("Cookie: theme=a; sid=b\r\nAccept: x", "Cookie: [Filtered]\r\nAccept: x"),
        (r'{"password": "a\"b", "c": 1}', '{"password": "[Filtered]", "c": 1}'),
    ],
)
def test_what_stands_around_a_secret_stays_readable(text: str, shown: str):
    assert scrubbed(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "", "ok", "KeyError: 'name'", "AuthenticationError: no such user", "for key: 5", "key = 5", "session: closed",
        "12:30:15", "author=ann", "std::token::next", "password=%s token=%(token)s secret={} auth=?", "token=None",
        "password=''", "a = b", "https://shop.example:8080/a?x=1", "C:\\auth", "password=[Filtered]", "the password is",
        "Bearer token missing", "Basic authentication failed", "Token expired", "a digest of the news", "password:",
        "the primary key: 7", "order id: 7", "token=None id=7", "(using password: YES)", "(using password: NO)",
        "'http://shop:80','a@b'", "http://shop:80/a?x=a@b", "`key`: the name of the field",
        "mailto:ann@shop.example", "2026-11-25T21:30:00Z", "http://h/@ann",
    ],
)  # fmt: skip
def test_texts_without_secrets_stay_as_they_are(text: str):
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgres://ann:x@db:5432/shop", "postgres://[Filtered]@db:5432/shop"),
        ("can't reach redis://:x@cache/0 now", "can't reach redis://[Filtered]@cache/0 now"),
        ("https://publickey@errors.example.org/7", "https://[Filtered]@errors.example.org/7"),
        ("ftp://ann:p@ss@h/", "ftp://[Filtered]@h/"),
        ("amqp://ann:pa/ss?#@h/v", "amqp://[Filtered]@h/v"),
        ("'http://a:b@h', 'http://c:d@i'", "'http://[Filtered]@h', 'http://[Filtered]@i'"),
        ("http://a:b@h/?next=http://c:d@i", "http://[Filtered]@h/?next=http://[Filtered]@i"),
    ],
)
def test_urls_lose_user_and_password(text: str, shown: str):
    assert scrubbed(text) == shown
    assert scrubbed(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bearer xyz", "Bearer [Filtered]"),
        ("sent bearer eyJhbGciOi.eyJ.sig to them", "sent bearer [Filtered] to them"),
        ("Basic dXNlcjpwYXNz", "Basic [Filtered]"),
        ("got Basic dXNlcjpwYXNz==", "got Basic [Filtered]"),
        ("Token 9944b09199c62bcf9418", "Token [Filtered]"),
        ('Digest username="ann", response="x"', "Digest [Filtered]"),
        ("ValueError('x Bearer hunter2')", "ValueError('x Bearer [Filtered]')"),
        ('Token token="x"', 'Token token="[Filtered]"'),
    ],
)
def test_what_authorizes_does_not_stay_in_a_text(text: str, shown: str):
    assert scrubbed(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{'password': Sealed('a', 'x')}", "{'password': [Filtered]}"),
        ("User(password=Sealed('a', 'x'), id=1)", "User(password=[Filtered], id=1)"),
        ("password=<Sealed a, x> id=1", "password=[Filtered] id=1"),
        ("password=(a)x id=1", "password=[Filtered] id=1"),
        ("UID=sa;PWD={a}}x};Encrypt=yes", "UID=sa;PWD=[Filtered]"),
        ("assert {'key': 5} == {'key': 6}", "assert {'key': [Filtered]} == {'key': [Filtered]}"),
        ("UPDATE users SET `password` = 'x' WHERE id=1", "UPDATE users SET `password` = '[Filtered]' WHERE id=1"),
        ("AccountName=shop;AccountKey=x==;EndpointSuffix=net", "AccountName=shop;AccountKey=[Filtered]"),
        ("GET /login?user%5Btoken%5D=x&a=1", "GET /login?user%5Btoken%5D=[Filtered]&a=1"),
        (
            "private_key=-----BEGIN RSA PRIVATE KEY-----\nx\ny\n-----END RSA PRIVATE KEY-----\nid=1",
            "private_key=[Filtered]\nid=1",
        ),
        ("private_key=-----BEGIN PRIVATE KEY-----\nx\ny", "private_key=[Filtered]"),
    ],
)
def test_a_value_is_filtered_to_its_end_and_not_beyond(text: str, shown: str):
    assert scrubbed(text) == shown
    assert scrubbed(shown) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<Request host='ann:x@h:1' a=1>", "<Request host='[Filtered]@h:1' a=1>"),
        ("<yarl.URL _netloc='ann:x@h'>", "<yarl.URL _netloc='[Filtered]@h'>"),
        ('{"authority": "ann:x@h"}', '{"authority": "[Filtered]@h"}'),
        ("host='git@h', host='h:80'", "host='git@h', host='h:80'"),
        ("ghost='a:b@c'", "ghost='a:b@c'"),
    ],
)
def test_the_authority_of_a_url_that_was_taken_apart_loses_user_and_password(text: str, shown: str):
    assert scrubbed(text) == shown
    assert scrubbed(shown) == shown


@pytest.mark.parametrize("sign", list("'\"<>\\`"))
def test_the_password_of_a_url_may_hold_signs_that_should_be_encoded(sign: str):
    assert scrubbed(f"no route to postgres://ann:a{sign}x@db/shop") == "no route to postgres://[Filtered]@db/shop"


def test_the_value_that_a_validation_error_shows_for_a_deny_listed_field_is_filtered():
    class Settings(pydantic.BaseModel):
        api_key: int
        port: int
        nested: dict[str, dict[str, int]]

    with pytest.raises(pydantic.ValidationError) as error:
        Settings.model_validate({"api_key": SECRET, "port": "eighty", "nested": {"a": {"password": SECRET}}})

    found = scrubbed(str(error.value))
    assert SECRET not in found
    assert found == str(error.value).replace(repr(SECRET), "[Filtered]")
    assert "eighty" in found


def test_terms_of_ones_own_count_in_texts():
    names = DenyList(["tax_id", "iban"])

    assert scrubbed("taxId=x customer_iban: y", names) == "taxId=[Filtered] customer_iban: [Filtered]"
    full_width = "".join(chr(ord(letter) + 0xFEE0) for letter in "IBAN")
    assert scrubbed(f"{full_width}=x", names) == f"{full_width}=[Filtered]"
    assert scrubbed("password=x", names) == "password=x"


def test_a_place_for_a_value_counts_as_one():
    assert has_hidden_pair("login with password=%s", DenyList())
    assert not has_hidden_pair("login as %s", DenyList())


@given(st.text(max_size=60), st.sampled_from(NAMES), st.text("abc'\"\\=:,& ()[]{}", max_size=20))
def test_a_quoted_value_is_found_behind_any_text(before: str, name: str, value: str):
    text = f"{before} {json.dumps({name: value + SECRET})}"

    assert SECRET not in scrubbed(text)


@given(st.text("ab=:'\"\\[]{}()@/?&;, \npasswordtokenBearer", max_size=300))
def test_any_text_can_be_searched(text: str):
    assert isinstance(scrubbed(text), str)


@pytest.mark.parametrize(
    "piece", ["key=", "://", "://@", "a", "cookie:\n", "password='", "(", "password=(", "bearer ", '"\\', "a.-", " "]
)
def test_long_texts_of_one_piece_end(piece: str):
    assert isinstance(scrubbed(piece * (200_000 // len(piece))), str)
