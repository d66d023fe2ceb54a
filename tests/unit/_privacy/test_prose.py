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
        "{{&quot;{}&quot;: &quot;{}&quot;, &quot;a&quot;: 1}}", "{{&#34;{}&#34;:&#34;{}&#34;}}",
        "&quot;{}&quot;: &quot;{}",
        "&amp;quot;{}&amp;quot;: &amp;quot;{}&amp;quot;", "{{&#x27;{}&#x27;: &#39;{}&#39;}}",
        r"{{\u0022{}\u0022: \u0022{}\u0022, \u0022a\u0022: 1}}", r"{{\\u0022{}\\u0022:\\u0022{}\\u0022}}",
        r"'line\n{}={}'",
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


PAIRS = ["password", "Authorization", "api_key", "DB_PASSWORD"]


@pytest.mark.spec("PAIN-09")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    "form",
    [
        "[['{}', '{}']]", '[["a", "b"], ["{}", "{}"], ["c", "d"]]', "('{}', '{}')", "[['{}', b'{}']]", "[['{}', '{}",
        "[['{}', ['{}', 'x']]]", r"[[\"{}\", \"{}\"]]", "[[&quot;{}&quot;, &quot;{}&quot;]]", "[[ '{}' ,\n  '{}' ]]",
        "getenv('{}', '{}')", r"[[\u0022{}\u0022, \u0022{}\u0022]]", "[['{}', Sealed('{}')]]",
    ],
)  # fmt: skip
def test_the_second_item_of_a_list_of_two_goes_if_the_first_is_a_deny_listed_name(name: str, form: str):
    found = scrubbed(form.format(name, SECRET))

    assert SECRET not in found
    assert name in found
    assert scrubbed(found) == found


@pytest.mark.spec("PAIN-09")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize(
    "form",
    [
        "{{'name': '{}', 'value': '{}'}}", '{{"name":"{}","value":"{}"}}', '{{"Name": "{}", "Value": "{}"}}',
        "{{'value': '{1}', 'name': '{0}'}}", "{{'name': '{}', 'type': 'text', 'value': '{}'}}",
        '{{"name": "{}", "meta": {{"a": 1}}, "value": "{}"}}', '{{"key": "{}", "value": {{"stringValue": "{}"}}}}',
        "EnvVar(name='{}', value='{}')", '<input name="{}" type="text" value="{}">', "- name: {}\n  value: {}\n",
        "- name: {}\n  value: two words {}", "{{&quot;name&quot;: &quot;{}&quot;, &quot;value&quot;: &quot;{}&quot;}}",
        r"{{\"name\": \"{}\", \"value\": \"{}\"}}",
        r"{{\u0022name\u0022:\u0022{}\u0022, \u0022value\u0022:\u0022{}\u0022}}",
        "{{'name': '{}', 'value': '{}", '{{"op": "replace", "path": "/{}", "value": "{}"}}',
        "Header(name='{}', value={})",
        "{{'a value': 5, 'name': '{}', 'value': '{}'}}",
    ],
)  # fmt: skip
def test_the_value_of_a_record_goes_if_its_name_is_deny_listed(name: str, form: str):
    found = scrubbed(form.format(name, SECRET))

    assert SECRET not in found
    assert SECRET.partition("-")[2] not in found
    assert name in found or "'key'" in form or '"key"' in form  # `key` is on the deny list itself
    assert scrubbed(found) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "[{'name': 'ui', 'value': 'dark'}, {'name': 'token', 'value': 'x'}, {'name': 'a', 'value': 'b'}]",
            "[{'name': 'ui', 'value': 'dark'}, {'name': 'token', 'value': '[Filtered]'}, {'name': 'a', 'value': 'b'}]",
        ),
        (
            "[{'value': 'dark', 'name': 'ui'}, {'value': 'x', 'name': 'token'}, {'value': 'b', 'name': 'a'}]",
            "[{'value': 'dark', 'name': 'ui'}, {'value': '[Filtered]', 'name': 'token'}, {'value': 'b', 'name': 'a'}]",
        ),
        (
            "- name: TOKEN\n  value: x\n- name: A\n  value: b",
            "- name: TOKEN\n  value: [Filtered]\n- name: A\n  value: b",
        ),
        ('[["Accept", "a"], ["Cookie", "x"]]', '[["Accept", "a"], ["Cookie", "[Filtered]"]]'),
    ],
)
def test_the_neighbours_of_a_pair_stay_readable(text: str, shown: str):
    assert scrubbed(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "['password', 'email', 'name']", "['password', None]", "[['token', '']]", "f('id', 'password')",
        "{'name': 'token', 'type': 'text'}", "{'name': 'token'}, {'name': 'ui', 'value': 'dark'}",
        "{'name': 'token', 'value': None}", "the value of ['password']",
    ],
)  # fmt: skip
def test_a_list_of_names_and_a_record_without_a_value_stay_as_they_are(text: str):
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("got -----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY----- and more", "got [Filtered] and more"),
        (r"b'-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\n'", r"b'[Filtered]\n'"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "[Filtered]"),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----\nx\n-----END PGP PRIVATE KEY BLOCK-----", "[Filtered]"),
        ("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nx\n---- END SSH2 ENCRYPTED PRIVATE KEY ----", "[Filtered]"),
        (
            "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
            "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
        ),
        ("the private key is missing", "the private key is missing"),
    ],
)
def test_a_private_key_needs_no_name_to_be_filtered(text: str, shown: str):
    assert scrubbed(text) == shown
    assert scrubbed(shown) == shown


@pytest.mark.parametrize(
    "user", ["u:p w", "u:p w x y", "u:p@ w", "u:p/a w", "u:p  w", ":p w", "u:12345x w", "u:p#a w?b"]
)
def test_the_password_of_a_url_may_hold_blanks(user: str):
    shown = "no route to postgres://[Filtered]@db/shop"

    assert scrubbed(f"no route to postgres://{user}@db/shop") == shown
    assert scrubbed(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "see http://shop:80 or ann@shop.example", "http://shop.example/a b: c ann@x", "http://shop:8080/, ann@x",
        "GET https://shop.example: timeout for ann@shop.example", "http://shop:80. ann@shop.example",
        "https://shop.example and ann@shop.example",
    ],
)  # fmt: skip
def test_an_address_behind_a_url_is_no_part_of_it(text: str):
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Invalid token: signature has expired", "password: This field is required.", "Invalid credentials: user locked",
        "Invalid API key: must not be empty", "token: not yet valid", "password: This password is too short.",
        "Token: token is invalid or expired", "CSRF: CSRF token missing.", "api_key: Field required",
        "Authorization: header is missing", "password: can't be blank, got 5",
        "password: this field is required\nuser: x",
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_secret_stays_readable(text: str):
    assert scrubbed(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("token: eyJhb", "token: [Filtered]"),
        ("password: hunter2", "password: [Filtered]"),
        ("credentials: abc123", "credentials: [Filtered]"),
        ("password: correct horse battery", "password: [Filtered]"),
        ("Invalid password: correct horse battery", "Invalid password: [Filtered]"),
        ("Invalid token: swordfish has expired", "Invalid token: [Filtered]"),
        ("Invalid token: expired", "Invalid token: [Filtered]"),
        ("password: the user", "password: [Filtered]"),
        ("password: required field 7", "password: [Filtered]"),
        ("password: required f!eld", "password: [Filtered]"),
        ("password: This field is required. token: x", "password: [Filtered]"),
        ("password=field required", "password=[Filtered] required"),
        ("password:field required", "password:[Filtered] required"),
        ("password = field required", "password = [Filtered] required"),
        ("'password': field required", "'password': [Filtered]"),
        ("password: 'field required'", "password: '[Filtered]'"),
        ("password: " + "invalid " * 100, "password: [Filtered]"),
    ],
)
def test_words_that_may_be_the_secret_are_filtered(text: str, shown: str):
    assert scrubbed(text) == shown


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
    "piece",
    [
        "key=", "://", "://@", "a", "cookie:\n", "password='", "(", "password=(", "bearer ", '"\\', "a.-", " ",
        "://u:p w ", "://u:p w@", "['key', ", "name: key value: ", "{name='key' value=", "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN ", "&quot;", "\\u0022key", "key: not set, ", "name:key,", "value: [key, ",
    ],
)  # fmt: skip
def test_long_texts_of_one_piece_end(piece: str):
    assert isinstance(scrubbed(piece * (200_000 // len(piece))), str)
