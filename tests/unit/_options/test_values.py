"""Each option with each kind of wrong value and with typos: generated from the table (PAIN-28)."""

from __future__ import annotations

import ast
import functools
import logging
import re
import ssl
import types
from pathlib import Path
from typing import Any

import pytest

import vedette
from vedette._options import OPTIONS, OptionError, Remark, UnknownOptionError, resolve, speak
from vedette._options.table import BY_NAME
from vedette.integrations.excepthook import ExcepthookIntegration
from vedette.types import Options

DSN = "https://key@errors.example.org/7"
CONTRACT = Path(__file__).resolve().parents[3] / "docs/spec/public-api.md"


class Unprintable:
    """Fails to show itself."""

    def __repr__(self) -> str:
        raise RuntimeError


class Liar:
    """Fails when it is asked for its class, or for anything else."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


async def coroutine_function() -> None:
    """No hook."""


CANDIDATES: dict[str, Any] = {
    "None": None,
    "True": True,
    "1": 1,
    "0.5": 0.5,
    "-1": -1,
    "10**400": 10**400,
    "nan": float("nan"),
    "inf": float("inf"),
    "'text'": "text",
    "'on'": "on",
    "'0.5'": "0.5",
    "'²'": "²",
    "bytes": b"text",
    "[]": [],
    "[7]": [7],
    "['a']": ["a"],
    "{}": {},
    "{'a': 1}": {"a": 1},
    "{1: 'a'}": {1: "a"},
    "function": lambda *_args: None,
    "async function": coroutine_function,
    "class": Unprintable,
    "object": object(),
    "unprintable": Unprintable(),
    "liar": Liar(),
}
TEXTS = {"'text'", "'on'", "'0.5'", "'²'"}
BY_KIND = {
    "True or False (": {"True", "'on'"},
    "a number from": {"1", "0.5", "'0.5'"},
    "a whole number from": {"1"},
    "a string such as": set(),
    "a string": TEXTS,
    "True, False, or an http:// or https:// URL": {"True", "'on'"},
    "an http://, https:// or socks5:// URL": set(),
    "an ssl.SSLContext": set(),
    "a path": set(),
    "one of": set(),
    "a function": {"function", "class"},
    "an EventScrubber": set(),
    "a Transport": {"function", "class"},
    "a list of strings": {"[]", "['a']"},
    "a list of exception classes": {"[]", "['a']"},
    "a list of": {"[]"},
    "a set of": {"[]"},
    "a dict": {"{}"},
}
SPECIAL = {
    "project_root": TEXTS,
    "cache_dir": TEXTS,  # it is made if it is missing
    "dist": {"'text'", "'on'", "'0.5'"},
    "max_value_length": set(),
}


def accepted(name: str) -> set[str]:
    option = BY_NAME[name]
    kind = next(kind for kind in BY_KIND if option.check.kind.startswith(kind))
    return SPECIAL.get(name, BY_KIND[kind]) | ({"None"} if option.check.optional else set())


WRONG = [(option.name, what) for option in OPTIONS for what in CANDIDATES if what not in accepted(option.name)]
RIGHT = [(option.name, what) for option in OPTIONS for what in CANDIDATES if what in accepted(option.name)]


@pytest.mark.spec("PAIN-28")
@pytest.mark.parametrize(("name", "what"), WRONG)
def test_a_value_of_the_wrong_type_or_range_raises_with_the_options_name(name: str, what: str) -> None:
    with pytest.raises((OptionError, vedette.BadDsn)) as caught:
        resolve({name: CANDIDATES[what]}, {})
    message = str(caught.value)
    assert f"option '{name}" in message
    assert isinstance(caught.value, ValueError)
    if type(caught.value) is OptionError:
        assert ", got " in message


@pytest.mark.filterwarnings("ignore:option:DeprecationWarning")
@pytest.mark.parametrize(("name", "what"), RIGHT)
def test_a_value_of_the_right_type_is_taken(name: str, what: str) -> None:
    value = CANDIDATES[what]
    given = {"cert_file": __file__, name: value} if name == "key_file" else {name: value}
    found = resolve(given, {})[name]
    if callable(value):
        assert found is value
    if type(value) is float:
        assert found == value
    if isinstance(value, list):
        assert list(found) == value


@pytest.mark.spec("PAIN-28")
@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_a_typo_in_a_name_raises_and_names_the_right_one(name: str) -> None:
    for typo in (name[:-1], name[:1] + name[2:], name + "x", name.upper()):
        with pytest.raises(UnknownOptionError) as caught:
            resolve({typo: 1}, {})
        if typo != name.upper():
            assert f"Did you mean '{name}'?" in str(caught.value)
        assert isinstance(caught.value, TypeError)


WITH_VARIABLE = [option for option in OPTIONS if option.env and option.name != "dsn"]
NOT_EVEN_TEXT = {"release": "a/b", "environment": "None"}


@pytest.mark.spec("PAIN-28", "CFG-30")
@pytest.mark.parametrize("option", WITH_VARIABLE, ids=lambda option: option.env)
def test_a_wrong_value_of_the_environment_is_ignored_with_one_warning(
    option: Any, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {option.env: NOT_EVEN_TEXT.get(option.name, "no/such: value")}
    usual = resolve({}, {})[option.name]
    for _ in range(2):
        remarks: list[Remark] = []
        assert resolve({}, environ, remarks=remarks)[option.name] == usual
        speak(remarks)
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith(f"option '{option.name}' must ")
    assert f"(from the environment variable {option.env}); ignored" in warning


@pytest.mark.spec("CFG-30", "CFG-33")
@pytest.mark.filterwarnings("error")
def test_further_variables_are_read() -> None:
    environ = {
        "SENTRY_TRACES_SAMPLE_RATE": "0.25",
        "SENTRY_PROFILES_SAMPLE_RATE": "1",
        "SENTRY_KEEP_ALIVE": "off",
        "SENTRY_SPOTLIGHT": "http://localhost:1/Stream",
        "CLIENT_CERT_FILE": __file__,
        "CLIENT_KEY_FILE": __file__,
        "VEDETTE_DIAGNOSTIC_LEVEL": "error",
    }
    found = resolve({}, environ)
    assert found["traces_sample_rate"] == 0.25
    assert found["profiles_sample_rate"] == 1.0
    assert found["keep_alive"] is False
    assert found["spotlight"] == "http://localhost:1/Stream"
    assert (found["cert_file"], found["key_file"]) == (__file__, __file__)
    assert found["diagnostic_level"] == "error"


def test_blank_variables_count_as_not_set() -> None:
    remarks: list[Remark] = []
    environ = {option.env: " " for option in WITH_VARIABLE}
    assert resolve({}, environ, remarks=remarks) == resolve({}, {})
    assert remarks == []


# --- the contract of the unified API -----------------------------------------------------------------------------

DIFFERENT = {
    "debug": False,  # CFG-10; the contract's None counts as False
    "enable_logs": True,  # ruling 50: a switch for the logger API
    "shutdown_timeout": 2.0,  # the contract's 2, as the type says
    "transport_queue_size": 10_000,  # docs/decisions.md
}


def contract() -> dict[str, tuple[bool, Any]]:
    """Whether None is taken, and the default, by option, as public-api.md B2 has them."""
    section = CONTRACT.read_text(encoding="utf-8").partition("### B2.")[2].partition("### B3.")[0]
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| `(.*?)` \|", section, flags=re.MULTILINE)
    assert len(rows) == 73
    return {name: (kind.startswith("Optional"), default_of(default)) for name, kind, default in rows}


def default_of(text: str) -> Any:
    value = frozenset() if text == "frozenset()" else ast.literal_eval(text)
    return tuple(value) if isinstance(value, list) else value


@pytest.mark.spec("PAIN-15", "CFG-03", "CFG-05", "CFG-17")
@pytest.mark.parametrize("name", contract())
def test_each_option_of_the_contract_has_its_documented_default(name: str) -> None:
    takes_none, default = contract()[name]
    option = BY_NAME[name]
    expected = DIFFERENT.get(name, default)
    assert (type(option.default), option.default) == (type(expected), expected)
    if takes_none:
        assert option.check.optional


@pytest.mark.spec("PAIN-15", "CFG-18", "CFG-19")
def test_options_beyond_the_contract_have_the_defaults_of_the_other_pages() -> None:
    beyond = {option.name: option.default for option in OPTIONS if option.name not in contract()}
    assert beyond == {
        "compression": "gzip",
        "max_connections": 4,
        "cache_dir": None,
        "cache_max_bytes": 64 * 1024 * 1024,
        "cache_max_items": 10_000,
        "cache_max_age": 14 * 24 * 60 * 60,
        "warm": False,
        "request_timeout": None,
        "proxy": None,
        "ssl_context": None,
        "before_send_feedback": None,
        "before_send_check_in": None,
        "max_attachment_size": 20971520,
        "data_collection": None,
        "diagnostic_level": "debug",
        "ignore_transactions": (),
        "context_tags": (),
        "capture_failed_requests": False,
        "failed_request_status_codes": (range(500, 600),),
        "failed_request_targets": (".*",),
    }


def test_type_checkers_see_the_same_options_as_the_table() -> None:
    hints = Options.__annotations__
    text = {name: getattr(hint, "__forward_arg__", hint) for name, hint in hints.items()}
    assert set(text) == set(BY_NAME) - {"dsn"}
    takes_none = {name for name, hint in text.items() if str(hint).endswith("| None")}
    assert takes_none == {option.name for option in OPTIONS if option.check.optional} - {"dsn"}


def test_each_option_says_what_it_is_for() -> None:
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
    assert all(option.help.endswith(".") and "\n" not in option.help for option in OPTIONS)


# --- what servers would refuse -----------------------------------------------------------------------------------

SLASHES = "must not contain slashes, line breaks or other control characters: servers refuse it"
REFUSED = [
    ("release", "latest", "must not be 'latest': servers refuse that name"),
    ("release", "LATEST", "must not be 'LATEST': servers refuse that name"),
    ("release", ".", "must not be '.': servers refuse that name"),
    ("release", "..", "must not be '..': servers refuse that name"),
    ("release", "feature/cart", SLASHES),
    ("release", "a\\b", SLASHES),
    ("release", "1.0\n2.0", SLASHES),
    ("release", "a\x7f", SLASHES),
    ("release", "\udc80", SLASHES),
    ("release", "x" * 201, "must not be longer than 200 bytes: servers refuse it"),
    ("release", "é" * 101, "must not be longer than 200 bytes: servers refuse it"),
    ("environment", "None", "must not be 'None': servers refuse that name"),
    ("environment", "eu/prod", SLASHES),
    ("environment", "x" * 65, "must not be longer than 64 bytes: servers refuse it"),
    ("dist", "a b", "must be at most 64 letters, digits, '_', '.' or '-': servers refuse anything else"),
    ("dist", "a/b", "must be at most 64 letters, digits, '_', '.' or '-': servers refuse anything else"),
    ("dist", "x" * 65, "must be at most 64 letters, digits, '_', '.' or '-': servers refuse anything else"),
]


@pytest.mark.parametrize(("name", "value", "reason"), REFUSED)
def test_a_name_that_servers_refuse_is_refused_with_the_reason(name: str, value: str, reason: str) -> None:
    with pytest.raises(OptionError) as caught:
        vedette.Client(DSN, **{name: value})  # type: ignore[arg-type]  # the names are data
    assert str(caught.value).startswith(f"option '{name}' {reason}, got ")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("release", " shop@1.2+build 7 \n", "shop@1.2+build 7"),
        ("release", "x" * 200, "x" * 200),
        ("release", "   ", None),
        ("environment", "\tstaging ", "staging"),
        ("environment", "", "production"),
        ("dist", " 7.a_b-c ", "7.a_b-c"),
    ],
)
def test_blanks_around_a_name_are_cut(name: str, value: str, kept: str | None) -> None:
    assert resolve({name: value}, {})[name] == kept


# --- single kinds of values --------------------------------------------------------------------------------------


@pytest.mark.spec("HOOK-40")
def test_an_async_function_is_no_hook_however_it_is_wrapped() -> None:
    class Hooks:
        async def before_send(self, event: Any, _hint: Any) -> Any:
            return event

        async def __call__(self, event: Any, _hint: Any) -> Any:
            return event

    async def before_send(_prefix: str, event: Any, _hint: Any) -> Any:
        return event

    async def generated(_event: Any, _hint: Any) -> Any:
        yield 1

    hooks = (
        functools.partial(functools.partial(before_send), "a"),
        functools.cache(before_send),
        types.MethodType(Hooks(), "a"),
        Hooks().before_send,
        Hooks(),
        generated,
    )
    for option in (option for option in OPTIONS if option.check.kind == "a function"):
        for hook in hooks:
            with pytest.raises(OptionError, match=f"'{option.name}' must be a plain function, not an async one"):
                resolve({option.name: hook}, {})


def test_an_enum_of_strings_is_the_string_that_it_equals() -> None:
    import enum  # noqa: PLC0415 - for this test

    class Stage(str, enum.Enum):
        PRODUCTION = "production-eu"

    found = resolve({"environment": Stage.PRODUCTION}, {})["environment"]
    assert (type(found), found) == (str, "production-eu")


@pytest.mark.parametrize(
    ("option", "value", "kept"),
    [
        ("sample_rate", 0, 0.0),
        ("sample_rate", "1", 1.0),
        ("max_breadcrumbs", " 7 ", 7),
        ("debug", "OFF", False),
        ("failed_request_status_codes", [404, range(500, 502)], (404, range(500, 502))),
        ("trace_ignore_status_codes", {404, 410}, frozenset({404, 410})),
        ("socket_options", [(1, 2, 3), [1, 2, b"x"]], ((1, 2, 3), [1, 2, b"x"])),
        ("proxy_headers", {"A": "b"}, {"A": "b"}),
        ("project_root", Path("/srv/shop"), "/srv/shop"),
        ("ca_certs", Path(__file__), __file__),
        ("https_proxy", "", ""),
        ("https_proxy", "HTTP://me:p%40w@[::1]:3128/", "HTTP://me:p%40w@[::1]:3128/"),
        ("http_proxy", "http://proxy", "http://proxy"),
        ("proxy", "SOCKS5h://me:pw@[::1]:1080", "SOCKS5h://me:pw@[::1]:1080"),
        ("spotlight", "http://localhost:8969/stream", "http://localhost:8969/stream"),
        ("ignore_errors", {KeyError}, (KeyError,)),
        ("disabled_integrations", [ExcepthookIntegration], (ExcepthookIntegration,)),
    ],
)
def test_values_are_taken_in_the_forms_that_they_come_in(option: str, value: Any, kept: Any) -> None:
    assert resolve({option: value}, {})[option] == kept


def test_a_tls_context_is_taken_as_it_is_if_it_is_for_a_client() -> None:
    context = ssl.create_default_context()
    assert resolve({"ssl_context": context}, {})["ssl_context"] is context
    with pytest.raises(OptionError, match="must be for a client"):
        resolve({"ssl_context": ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)}, {})


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("ignore_errors", [int], "must be a list of exception classes, names, or compiled patterns, got"),
        ("failed_request_status_codes", [range(5)], "must be a list of HTTP status codes, 100 to 599, and ranges"),
        ("failed_request_status_codes", [True], "must be a list of HTTP status codes, 100 to 599, and ranges"),
        ("trace_ignore_status_codes", [99], "must be a set of HTTP status codes, 100 to 599, got [99]"),
        ("socket_options", [(10**20, 1, 1)], "must be a list of (level, name, value), as socket.setsockopt takes them"),
        ("socket_options", [(1, -(10**20), b"")], "must be a list of (level, name, value), as socket.setsockopt"),
        ("socket_options", [(1, 1, 1 << 31)], "must be a list of (level, name, value), as socket.setsockopt"),
        ("socket_options", [(1, 2)], "must be a list of (level, name, value), as socket.setsockopt takes them"),
        ("http_proxy", "ftp://localhost:1", "must be an http://, https:// or socks5:// URL, got 'ftp://localhost:1'"),
        ("http_proxy", "http://", "must be an http://, https:// or socks5:// URL, got 'http://'"),
        ("http_proxy", "http://bücher", "must be an http://, https:// or socks5:// URL, got 'http://bücher'"),
        ("http_proxy", "http://x y", "must be an http://, https:// or socks5:// URL, got 'http://x y'"),
        ("https_proxy", "http://[::1", "must be an http://, https:// or socks5:// URL, got 'http://[::1'"),
        (
            "https_proxy",
            "http://proxy:99999",
            "must be an http://, https:// or socks5:// URL, got 'http://proxy:99999'",
        ),
        (
            "spotlight",
            "http://h:port/stream",
            "must be True, False, or an http:// or https:// URL, got 'http://h:port/",
        ),
        ("proxy_headers", {"A": "b\r\nC: d"}, "must be a dict of headers: names of ASCII letters, and values without"),
        ("proxy_headers", {"A:": "b"}, "must be a dict of headers: names of ASCII letters, and values without"),
        ("ca_certs", "/no/such/file", "must name a file that exists, got '/no/such/file'"),
        ("spotlight", "ture", "must be True, False, or an http:// or https:// URL, got 'ture'"),
        ("debug", 1, "must be True or False (or one of the words"),
        ("diagnostic_level", "trace", "must be one of 'debug', 'info', 'warning', 'error', 'fatal', got 'trace'"),
        ("dsn", 7, "must be a string such as 'https://<key>@<host>/<project>', got 7"),
        ("transport", coroutine_function, "must be a plain function, not an async one"),
        ("sample_rate", "1" * 5000, "must be a number from 0.0 to 1.0, got '111"),
        ("max_breadcrumbs", "1" * 5000, "must be a whole number from 0 to 10000, got '111"),
        ("event_scrubber", dict, "must be an EventScrubber, or have a method scrub_event, got <class 'dict'>"),
    ],
)
def test_a_wrong_value_of_a_special_kind_raises_with_the_fix(option: str, value: Any, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        resolve({option: value}, {})
    assert str(caught.value).startswith(f"option '{option}' {message}")
    assert len(str(caught.value)) < 300


def test_a_key_without_its_certificate_is_refused_or_ignored(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(OptionError, match="option 'key_file' needs 'cert_file'"):
        resolve({"key_file": __file__}, {})
    remarks: list[Remark] = []
    assert resolve({}, {"CLIENT_KEY_FILE": __file__}, remarks=remarks)["key_file"] is None
    speak(remarks)
    assert [record.getMessage() for record in caplog.records] == [
        "option 'key_file' needs 'cert_file', the certificate that the key is for; CLIENT_KEY_FILE is ignored"
    ]


def test_what_the_caller_changes_later_does_not_change_the_options() -> None:
    headers, modules = {"A": "b"}, ["shop"]
    client = vedette.Client(DSN, proxy_headers=headers, in_app_include=modules)
    headers["C"] = "d"
    modules.append("other")
    assert client.options["proxy_headers"] == {"A": "b"}
    assert client.options["in_app_include"] == ("shop",)
