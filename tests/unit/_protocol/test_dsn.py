from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._protocol.dsn import BadDsn, Dsn

FORM = "; it should look like https://<key>@<host>/<project>"


@pytest.mark.spec("AUTH-03", "AUTH-04", "AUTH-06", "AUTH-07", "AUTH-08", "AUTH-09")
@pytest.mark.parametrize(
    ("text", "scheme", "key", "secret", "netloc", "path", "project", "url"),
    [
        (
            "https://abc@errors.example.org/7",
            *("https", "abc", None, "errors.example.org", "", "7"),
            "https://errors.example.org/api/7/envelope/",
        ),
        (
            "http://abc:def@10.0.0.5:9000/7",
            *("http", "abc", "def", "10.0.0.5:9000", "", "7"),
            "http://10.0.0.5:9000/api/7/envelope/",
        ),
        (
            "https://abc@example.org/sentry/eu/007",
            *("https", "abc", None, "example.org", "/sentry/eu", "007"),
            "https://example.org/sentry/eu/api/007/envelope/",
        ),
        (
            "https://abc@[2001:db8::1]:8443/7",
            *("https", "abc", None, "[2001:db8::1]:8443", "", "7"),
            "https://[2001:db8::1]:8443/api/7/envelope/",
        ),
        ("https://abc:@h/p", "https", "abc", None, "h", "", "p", "https://h/api/p/envelope/"),
    ],
)
def test_a_dsn_is_taken_apart(text, scheme, key, secret, netloc, path, project, url):
    dsn = Dsn(text)
    assert (dsn.scheme, dsn.public_key, dsn.secret_key) == (scheme, key, secret)
    assert (dsn.netloc, dsn.path, dsn.project_id) == (netloc, path, project)
    assert dsn.envelope_url == url
    assert dsn.base_uri == f"{scheme}://{netloc}{path}"
    assert str(dsn) == text


def test_host_and_port_come_apart():
    assert (Dsn("http://k@[::1]:9000/1").host, Dsn("http://k@[::1]:9000/1").port) == ("::1", 9000)
    assert (Dsn("http://k@[::1]/1").host, Dsn("http://k@[::1]/1").port) == ("::1", None)
    assert Dsn("http://k@localhost:65535/1").port == 65535


@pytest.mark.spec("AUTH-11", "AUTH-12", "AUTH-13", "AUTH-14", "AUTH-15", "AUTH-16", "AUTH-17")
def test_the_auth_header_is_one_line_with_the_secret_last_and_only_if_there_is_one():
    plain = "Sentry sentry_version=7, sentry_client=me/1, sentry_key=abc"
    assert Dsn("https://abc@h/7").auth_header("me/1") == plain
    assert Dsn("https://abc:@h/7").auth_header("me/1") == plain
    assert Dsn("https://abc:def@h/7").auth_header("me/1") == plain + ", sentry_secret=def"


@pytest.mark.spec("AUTH-10", "PROP-31", "PROP-32")
@pytest.mark.parametrize(
    ("host", "org_id"),
    [
        ("o42.ingest.de.sentry.io", "42"),
        ("o1.ingest.sentry.io", "1"),
        ("errors.example.org", None),
        ("o42", None),
        ("o.example.org", None),
        ("o4x.example.org", None),
        ("10.0.0.1", None),
    ],
)
def test_the_organization_is_read_from_the_host(host, org_id):
    assert Dsn(f"https://abc@{host}/7").org_id == org_id


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the DSN is empty" + FORM),
        ("  \n", "the DSN is empty" + FORM),
        ("sntrys_eyJpYXQiOjE3", "bad DSN: '://' is missing in a text of 19 characters" + FORM),
        ("ftp://k@h/1", "bad DSN 'ftp://k@h/1': the scheme must be http or https, not 'ftp'" + FORM),
        ("https://h/1", "bad DSN 'https://h/1': the public key and its '@' are missing" + FORM),
        ("https://@h/1", "bad DSN 'https://@h/1': the public key before the '@' is missing" + FORM),
        ("https://:s3@h/1", "bad DSN 'https://:***@h/1': the public key before the '@' is missing" + FORM),
        ("https://k@/1", "bad DSN 'https://k@/1': the host is missing" + FORM),
        ("https://k@:80/1", "bad DSN 'https://k@:80/1': the host is missing" + FORM),
        ("https://k@h", "bad DSN 'https://k@h': the project id at the end is missing" + FORM),
        ("https://k@h/", "bad DSN 'https://k@h/': the project id at the end is missing" + FORM),
        ("https://k@h/a/", "bad DSN 'https://k@h/a/': the project id at the end is missing" + FORM),
        ("https://k@h/1?a=b", "bad DSN 'https://k@h/1?***': a DSN has no part behind a '?'" + FORM),
        ("https://k@h/1#top", "bad DSN 'https://k@h/1#***': a DSN has no part behind a '#'" + FORM),
        ("https://k@::1/1", "bad DSN 'https://k@::1/1': the host is missing" + FORM),
        (
            "https://k@[::1/1",
            "bad DSN 'https://k@[::1/1': an IPv6 host stands in brackets, like [::1]:9000" + FORM,
        ),
        ("https://k@[x]/1", "bad DSN 'https://k@[x]/1': 'x' is no IPv6 address" + FORM),
        ("https://k@h_*/1", "bad DSN 'https://k@h_*/1': 'h_*' is no host name" + FORM),
        (
            "https://key:secret/1",
            "bad DSN 'https://key:***/1': the public key and its '@' are missing" + FORM,
        ),
    ],
)
def test_a_bad_dsn_says_what_is_wrong_and_what_is_right(text, message):
    with pytest.raises(BadDsn) as raised:
        Dsn(text)
    assert str(raised.value) == message


@pytest.mark.parametrize("port", ["", "0", "65536", "-1", "80x", "8 0", "9" * 5000, "000080", "٣"])
def test_a_port_is_a_number_that_a_port_can_have(port):
    with pytest.raises(BadDsn):
        Dsn(f"https://k@h:{port}/1")


def test_only_a_string_is_a_dsn():
    with pytest.raises(BadDsn, match=r"a DSN must be a string like .*, got int"):
        Dsn(7)


def test_white_space_around_a_dsn_is_ignored_and_inside_it_refused():
    assert str(Dsn(" https://k@h/1\r\n")) == "https://k@h/1"
    for text in ("https://k @h/1", "https://k@h/1\r\nX-Evil: 1", "https://k\x00@h/1", "https://k@hä.de/1"):
        with pytest.raises(BadDsn, match="white space, or characters that are not ASCII"):
            Dsn(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://key:hush@h/1",
        "https://key:hush@h/",
        "ftp://key:hush@h/1",
        "https://key:hush@h:0/1",
        "https://key:hush@/1",
        "https://key:hush/1",
        "https://k@h/1?token=hush",
        "key:hush@h/1",
        "https://key:h@hush@h:x/1",
    ],
)
def test_no_secret_is_shown(text):
    try:
        shown = repr(Dsn(text))
    except BadDsn as error:
        shown = str(error)
    assert "hush" not in shown


@given(st.text() | st.text(alphabet="htps:/@[]%.#?0123456789k ").map("https://k@h".__add__))
def test_any_text_is_a_dsn_or_a_bad_dsn(text):
    try:
        dsn = Dsn(text)
    except BadDsn:
        return
    assert dsn.envelope_url.startswith(("http://", "https://"))
    assert dsn.envelope_url.endswith(f"/api/{dsn.project_id}/envelope/")
    assert str(dsn) == text.strip()


def test_a_dsn_is_a_value():
    dsn = Dsn("https://k:s@h/1")
    assert dsn == Dsn("https://k:s@h/1") != Dsn("https://k@h/1")
    assert len({dsn, Dsn("https://k:s@h/1")}) == 1
    assert pickle.loads(pickle.dumps(dsn)) == copy.deepcopy(dsn) == dsn
    with pytest.raises(AttributeError, match="does not change"):
        dsn.host = "other"
    with pytest.raises(AttributeError, match="does not change"):
        del dsn.host
    assert dsn != "https://k:s@h/1"
