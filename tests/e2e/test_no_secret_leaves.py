"""A secret under a deny-listed name never reaches the wire, wherever it was planted (PAIN-09)."""

from __future__ import annotations

import json
import sys
from collections import namedtuple
from dataclasses import make_dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vedette
from tests.servers import RecordingServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# What the list promises, in the spellings that people and protocols give it.
PHRASES = [
    ["password"], ["user", "password", "hash"], ["api", "key"], ["access", "token"], ["client", "secret"], ["passwd"],
    ["session", "id"], ["csrf", "token"], ["jwt"], ["my", "bearer"], ["sso", "ticket"], ["saml", "response"],
    ["credentials"], ["private", "key"], ["db", "pwd"], ["auth"], ["identity", "token"], ["sid"], ["xsrf", "token"],
]  # fmt: skip
SPELLINGS: list[Callable[[list[str]], str]] = [
    "_".join,
    "-".join,
    ".".join,
    lambda words: "_".join(words).upper(),
    lambda words: "-".join(word.title() for word in words),
    lambda words: words[0] + "".join(word.title() for word in words[1:]),
    lambda words: "".join(word.title() for word in words),
    lambda words: f"HTTP_X_{'_'.join(words).upper()}",
    lambda words: f"x-{'-'.join(words)}",
    lambda words: f"{'_'.join(words)}_2",
]
STRANGE: list[Callable[[str], str]] = [
    lambda name: "".join(chr(ord(letter) + 0xFEE0) if letter.isalnum() else letter for letter in name),
    lambda name: name.replace("s", "\N{LATIN SMALL LETTER LONG S}"),
    lambda name: name.replace("k", "\N{KELVIN SIGN}"),
    lambda name: name[:2] + "\N{ZERO WIDTH SPACE}" + name[2:],
]
names = st.builds(lambda words, spell: spell(words), st.sampled_from(PHRASES), st.sampled_from(SPELLINGS))
strange_names = names | st.builds(lambda name, change: change(name), names, st.sampled_from(STRANGE))
variables = st.builds("_".join, st.sampled_from(PHRASES))  # identifiers

secrets = st.uuids().map(lambda number: f"hunter{number.hex}")
harmless = st.sampled_from(["data", "items", "headers", "cookies", "order", "vars", "values", "frames", "request", "a"])

Step = tuple[str, str]
steps = st.lists(st.tuples(st.sampled_from(["dict", "list", "tuple", "pairs"]), harmless), max_size=6)


def nested(inner: Any, path: list[Step]) -> Any:
    """The value at the end of a path through dicts, lists and tuples."""
    for kind, name in path:
        inner = {"dict": {name: inner, "n": 1}, "list": [1, inner], "tuple": (inner, "x"), "pairs": [{name: [inner]}]}[
            kind
        ]
    return inner


def holder(kind: str, name: str, secret_value: Any) -> Any:
    """An object that keeps the secret in a field of this name."""
    if kind == "dict":
        return {name: secret_value}
    if kind == "dataclass":
        return make_dataclass("Held", [name])(secret_value)
    if kind == "attrs":
        return attrs.make_class("Held", [name])(secret_value)
    if kind == "namedtuple":
        return namedtuple("Held", [name])(secret_value)  # type: ignore[misc] # noqa: PYI024 - of any name
    if kind == "namespace":
        return SimpleNamespace(**{name: secret_value})
    made = type("Held", (), {})()
    made.__dict__[name] = secret_value
    return made


HOLDERS = ["dict", "dataclass", "attrs", "namedtuple", "namespace", "object"]

# Texts in which a name and its value stand.
quoting = st.sampled_from(['{{"{}": "{}"}}', "{{'{}': '{}'}}", "'{}': b'{}'", r"{{\"{}\": \"{}\"}}"])
stating = st.sampled_from(["{}={}", "{} = '{}'", "{}: {}", "{}:{}", "?a=1&{}={}&b=2", "f({}='{}', a=1)"])


def texts(name: str, secret_value: str) -> st.SearchStrategy[str]:
    written = st.builds(lambda form: form.format(name, secret_value), quoting | stating)
    return st.one_of(
        st.builds("{} {}".format, st.sampled_from(["", "can't log in:", "GET /a"]), written),
        st.sampled_from(
            [f"postgres://ann:{secret_value}@db/shop", f"https://{secret_value}@h/", f"x Bearer {secret_value}"]
        ),
    )


def fail_with(variable: str, secret_value: Any, error: BaseException) -> None:
    """Raise from a frame that has this variable; capture from another."""
    code = f"def fail(secret_value, error):\n    {variable} = secret_value\n    shown = [{variable}]\n    raise error\n"
    if type(secret_value) is str:
        code = code.replace(f"shown = [{variable}]", "pass")
    made: dict[str, Any] = {}
    exec(code, made)
    try:
        made["fail"](secret_value, error)
    except BaseException as caught:
        vedette.capture_exception(caught)


def in_variable(draw: Any, _name: str, secret_value: str) -> None:
    fail_with(draw(variables), secret_value, ValueError("x"))


def in_held_variable(draw: Any, name: str, secret_value: str) -> None:
    kind = draw(st.sampled_from(HOLDERS))
    if kind != "dict":
        name = draw(variables)
    fail_with("order", nested(holder(kind, name, secret_value), draw(steps)[:2]), ValueError("x"))


def in_value_of_exception(draw: Any, _name: str, secret_value: str) -> None:
    text = draw(texts(draw(variables), secret_value))
    error = ValueError(text)
    if sys.version_info >= (3, 11) and draw(st.booleans()):
        error = ValueError("x")
        error.add_note(text)
    error.__cause__ = draw(st.sampled_from([None, LookupError(text), OSError(5, text)]))
    fail_with("order", 1, error)


def in_message(draw: Any, _name: str, secret_value: str) -> None:
    vedette.capture_message(draw(texts(draw(variables), secret_value)))


def in_scope(draw: Any, name: str, secret_value: str) -> None:
    inner = nested({name: secret_value}, draw(steps))
    plain_name = draw(names)  # servers take ASCII letters only: others are gone before anybody could read them
    with vedette.new_scope() as scope:
        set_it = draw(
            st.sampled_from(
                [
                    lambda: scope.set_extra("order", inner),
                    lambda: scope.set_extra(name, secret_value),
                    lambda: scope.set_context("order", {"a": inner}),
                    lambda: scope.set_context(name, {"a": secret_value}),
                    lambda: scope.set_tag(plain_name, secret_value),
                    lambda: scope.set_user({"id": 1, "more": inner}),
                    lambda: scope.add_breadcrumb({"message": "x", "data": {"a": inner}}),
                ]
            )
        )
        set_it()
        vedette.capture_message("x")


def in_texts_of_scope(draw: Any, _name: str, secret_value: str) -> None:
    text = draw(texts(draw(variables), secret_value))
    with vedette.new_scope() as scope:
        scope.set_extra("note", nested(text, draw(steps)))
        scope.set_tag("note", text)
        scope.add_breadcrumb({"message": text, "data": {"url": text}})
        vedette.capture_message("x")


def in_request(draw: Any, name: str, secret_value: str) -> None:
    bodies = [
        {"data": json.dumps(nested({name: secret_value}, draw(steps)))},
        {"data": f"a=1&{draw(variables)}={secret_value}"},
        {"data": [[name, secret_value]]},
        {"data": f"<{draw(variables)}>{secret_value}</>"},
        {"headers": {name: secret_value, "Accept": "a"}},
        {"headers": [[name, secret_value]]},
        {"headers": {"Cookie": f"a=1; {draw(variables)}={secret_value}"}},
        {"headers": {"Cookie": secret_value}},
        {"cookies": {name: secret_value}},
        {"cookies": f"a=1; {draw(variables)}={secret_value}"},
        {"query_string": f"a=1&{draw(variables)}={secret_value}"},
        {"query_string": [[name, secret_value]]},
        {"url": f"https://shop.example/?{draw(variables)}={secret_value}#a=1"},
        {"url": f"https://ann:{secret_value}@shop.example/"},
        {"env": {name: secret_value}},
    ]
    vedette.capture_event({"message": "x", "request": draw(st.sampled_from(bodies))})


def by_hand(draw: Any, name: str, secret_value: str) -> None:
    inner = nested({name: secret_value}, draw(steps))
    frame = {"function": "f", "lineno": 1, "vars": {draw(variables): secret_value, "a": inner}}
    template = f"%s {draw(variables)}=%s"
    made: list[dict[str, Any]] = [
        {"extra": {"a": inner}},
        {"something": {"a": inner}},
        {"exception": {"values": [{"type": "E", "value": "x", "stacktrace": {"frames": [frame]}}]}},
        {"exception": {"values": [{"type": "E", "mechanism": {"type": "a", "data": {name: secret_value}}}]}},
        {"threads": {"values": [{"id": 1, "stacktrace": {"frames": [frame]}}]}},
        {
            "logentry": {
                "message": template,
                "params": ["ann", secret_value],
                "formatted": template % ("ann", secret_value),
            }
        },
        {"logentry": {"message": "%s", "params": [{name: secret_value}]}},
        {"tags": [[draw(names), secret_value]]},
        {"user": {"id": 1, name: secret_value}},
        {"breadcrumbs": {"values": [{"data": {"a": inner}}]}},
        {"contexts": {"response": {"headers": {name: secret_value}, "data": json.dumps({name: secret_value})}}},
        {"_meta": {"extra": {name: secret_value}}},
    ]
    vedette.capture_event({"message": "x", **draw(st.sampled_from(made))}, hint={name: secret_value})  # type: ignore[arg-type]


def in_feedback(draw: Any, name: str, secret_value: str) -> None:
    inner = nested({name: secret_value}, draw(steps))
    text = draw(texts(draw(variables), secret_value))
    with vedette.new_scope() as scope:
        scope.set_context("order", {"a": inner})
        scope.add_attachment(b"a file", "a.txt")
        vedette.capture_feedback({"message": text, "name": text, "url": text}, hint={name: secret_value})  # type: ignore[arg-type]


def by_hook(draw: Any, name: str, secret_value: str) -> None:
    inner = nested({name: secret_value}, draw(steps))

    def add(event: Any, _hint: Any) -> Any:
        event["extra"] = {"by hook": inner}
        return event

    with vedette.new_scope() as scope:
        scope.add_event_processor(add)
        vedette.capture_message("x")


PLACES: dict[str, Callable[[Any, str, str], None]] = {
    found.__name__: found
    for found in (
        in_variable,
        in_held_variable,
        in_value_of_exception,
        in_message,
        in_scope,
        in_texts_of_scope,
        in_request,
        in_feedback,
        by_hand,
        by_hook,
    )
}


@pytest.fixture(scope="module")
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.mark.spec("PAIN-09", "DAT-13", "DAT-14", "DAT-24", "DAT-25", "DAT-23", "DAT-43")
@pytest.mark.parametrize("place", PLACES)
def test_the_bytes_on_the_wire_never_hold_a_secret(place: str, server: RecordingServer) -> None:
    vedette.init(server.dsn(), default_integrations=False)

    @settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data(), strange_names, secrets)
    def planted(data: Any, name: str, secret_value: str) -> None:
        server.clear()
        PLACES[place](data.draw, name, secret_value)
        vedette.flush(5)
        (request,) = server.wait_for(1)
        assert secret_value.encode() not in request.body

    planted()


class Blind:
    """Puts nothing in the place of the last look."""

    def scrub_event(self, event: Any) -> None: ...


@pytest.mark.parametrize("place", sorted(set(PLACES) - {"in_variable", "in_held_variable"}))  # filtered when rendered
def test_the_secrets_of_this_test_would_be_seen(place: str, server: RecordingServer) -> None:
    vedette.init(server.dsn(), default_integrations=False, event_scrubber=Blind())
    seen: list[bool] = []

    @settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.data(), names, secrets)
    def planted(data: Any, name: str, secret_value: str) -> None:
        server.clear()
        PLACES[place](data.draw, name, secret_value)
        vedette.flush(5)
        (request,) = server.wait_for(1)
        seen.append(secret_value.encode() in request.body)

    planted()
    assert any(seen)
