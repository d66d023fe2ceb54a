"""The short last look at an event that nobody but vedette has written: what it filters is what the long one filters."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import vedette
from tests.unit.test_privacy import FILTERED, SECRET, client, sent
from vedette._privacy.built import scrub_built
from vedette._privacy.denylist import MAX_REMEMBERED, SENSITIVE_TERMS, DenyList
from vedette._privacy.scrub import scrub_event
from vedette.integrations import Integration
from vedette.integrations._jobs import Job
from vedette.integrations.fastapi import FastApiIntegration

if TYPE_CHECKING:
    from collections.abc import Callable

texts = st.sampled_from(
    [
        *("plain", "17", "two words", "a=b", "a: b", "", "naïve", "\uff30assword=x", "x@y", "line\nline"),
        *(f"password={SECRET}", f"{{'api_key': '{SECRET}', 'n': 1}}", f"Bearer {SECRET}", f"[('token', '{SECRET}')]"),
        *(f"postgres://me:{SECRET}@host/db", f"https://shop/?token={SECRET}"),
        f"{{'name': 'pwd', 'value': '{SECRET}'}}",
    ]
)
names_of_variables = st.sampled_from(
    [
        *("order", "number", "name", "value", "key", "self", "password", "api_key", "headers", "cookies", "url"),
        *("query_string", "env", "data", "vars", "cookie", "field", "session"),
    ]
)
values = st.one_of(
    texts, st.integers(), st.none(), st.dictionaries(texts, texts, max_size=2), st.tuples(texts, texts), st.lists(texts)
)
variables = st.dictionaries(names_of_variables, values, max_size=4)
set_by_the_program = st.fixed_dictionaries(
    {},
    optional={
        "tags": st.dictionaries(names_of_variables, texts, max_size=2),
        "extra": st.dictionaries(names_of_variables, values, max_size=2),
        "contexts": st.dictionaries(
            st.sampled_from(["order", "os", "runtime", "trace", "sdk", "extra"]),
            st.dictionaries(names_of_variables | st.sampled_from(["trace_id"]), values, min_size=1, max_size=2),
            max_size=2,
        ),
        "user": st.dictionaries(names_of_variables, texts, min_size=1, max_size=2),
    },
)
# Also terms that stand for fields of an event.
terms = st.sampled_from(
    [
        *("order", "value", "values", "name", "type", "module", "function", "vars", "frames", "mechanism", "level"),
        *("exception", "threads", "contexts", "extra", "os", "runtime", "trace", "trace_id", "version", "sdk", "main"),
        *("filename", "lineno", "stacktrace", "handled", "sys.argv", "environment", "packages"),
    ]
)
deny_lists = st.builds(lambda own: DenyList((*SENSITIVE_TERMS, *own)), st.lists(terms, max_size=2))


def failing(text: str, of_first: dict[str, Any], of_second: dict[str, Any]) -> BaseException:
    """An exception of two frames with these variables."""
    program: dict[str, Any] = {}
    lines = ["def first(given, inner, text):", *(f"    {name} = given[{name!r}]" for name in of_first)]
    lines += ["    second(inner, text)", "def second(given, text):"]
    lines += [*(f"    {name} = given[{name!r}]" for name in of_second), "    raise ValueError(text)"]
    exec("\n".join(lines), {"__name__": "a.program"}, program)
    program["first"].__globals__.update(program)
    try:
        program["first"](of_first, of_second, text)
    except ValueError as error:
        return error
    raise AssertionError


def captured(error: BaseException, **fields: Any) -> dict[str, Any]:
    """The event of an exception, before it is scrubbed."""
    found: list[dict[str, Any]] = []

    class KeepsAll:
        def scrub_event(self, event: dict[str, Any]) -> None:
            found.append(copy.deepcopy(event))

    scope = vedette.Scope()
    scope.update_from_kwargs(**{("extras" if name == "extra" else name): data for name, data in fields.items()})
    with client(event_scrubber=KeepsAll()) as told:
        told.capture_exception(error, scope=scope)
    return found[0]


@pytest.mark.spec("DAT-14", "DAT-24")
@given(
    text=texts,
    first=variables,
    second=variables,
    cause=st.none() | texts,
    fields=set_by_the_program,
    names=deny_lists,
    known=st.booleans(),
)
def test_what_it_filters_is_what_the_long_look_filters(
    text: str,
    first: dict[str, Any],
    second: dict[str, Any],
    cause: str | None,
    fields: dict[str, Any],
    names: DenyList,
    known: bool,
) -> None:
    error = failing(text, first, second)
    if cause is not None:  # a stack more, with the same names and others
        error.__cause__ = failing(cause, second, {"value": text})
    event = captured(error, **fields)
    wanted, found = copy.deepcopy(event), copy.deepcopy(event)
    if known:
        scrub_event(copy.deepcopy(event), names)  # what it has remembered counts in both
    scrub_event(wanted, names)
    if not scrub_built(found, names):
        assert found == event
        scrub_event(found, names)
    assert found == wanted


def in_value(event: dict[str, Any], text: str) -> None:
    event["exception"]["values"][0]["note"] = text


def in_frame(event: dict[str, Any], text: str) -> None:
    event["exception"]["values"][0]["stacktrace"]["frames"][0]["note"] = text


def in_thread(event: dict[str, Any], text: str) -> None:
    event["threads"]["values"][0]["note"] = {"text": text}


def in_fact(event: dict[str, Any], text: str) -> None:
    event["sdk"]["note"] = text
    event["platform"] = "python"


class Planting(Integration):
    """Of the program's own."""

    identifier = "planting"

    def __init__(self, plant: Callable[[dict[str, Any]], None]) -> None:
        self.plant = plant

    def process_event(self, event: Any, hint: Any, client: Any) -> Any:
        self.plant(event)
        return event


class PlantingFirst(Planting):
    def process_event(self, event: Any, hint: Any, client: Any) -> Any:
        return event

    def preprocess_event(self, event: Any, hint: Any, client: Any) -> None:
        self.plant(event)


class PlantingWork:
    """What runs, of a framework that the program adapts by itself."""

    def __init__(self, plant: Callable[[dict[str, Any]], None]) -> None:
        self.plant = plant

    def describe(self, event: dict[str, Any], client: Any) -> None:
        self.plant(event)


def hook(plant: Callable[[dict[str, Any]], None]) -> Callable[..., Any]:
    def change(event: Any, *_: Any) -> Any:
        plant(event)
        return event

    return change


def by_before_send(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    return client(before_send=hook(plant))


def by_event_processor(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    vedette.get_current_scope().add_event_processor(hook(plant))
    return client()


def by_error_processor(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    vedette.get_current_scope().add_error_processor(hook(plant))
    return client()


def by_integration(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    return client(integrations=[Planting(plant)])


def by_early_integration(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    return client(integrations=[PlantingFirst(plant)])


def by_work(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    vedette.get_isolation_scope().work = PlantingWork(plant)
    return client()


def by_outer_work(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    """A task that is run in place describes the work that waits for it as well."""
    vedette.get_isolation_scope().work = Job("task", "job", facts={}, tags={}, outer=PlantingWork(plant))
    return client()


def by_work_that_is_gone(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    scope = vedette.get_isolation_scope()

    def plant_and_go(event: dict[str, Any]) -> None:
        plant(event)
        scope.work = Job("task", "job", facts={}, tags={})

    scope.work = PlantingWork(plant_and_go)
    return client()


def by_method_put_in(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    integration: Any = FastApiIntegration()
    integration.library = ""  # it need not be there
    integration.process_event = hook(plant)
    return client(integrations=[integration])


def by_caller(plant: Callable[[dict[str, Any]], None]) -> vedette.Client:
    """The event is of the caller's making."""
    return client()


@pytest.mark.spec("DAT-14", "DAT-24", "PAIN-09")
@pytest.mark.parametrize("plant", [in_value, in_frame, in_thread, in_fact])
@pytest.mark.parametrize(
    "make",
    [
        *(by_before_send, by_event_processor, by_error_processor, by_integration, by_early_integration, by_work),
        *(by_outer_work, by_work_that_is_gone, by_method_put_in, by_caller),
    ],
)
def test_what_others_write_into_exceptions_and_threads_is_searched(
    make: Callable[[Callable[[dict[str, Any]], None]], vedette.Client], plant: Callable[[dict[str, Any], str], None]
) -> None:
    error = failing("plain", {}, {})
    with vedette.isolation_scope(), make(lambda event: plant(event, f"password={SECRET}")) as told:
        if make is by_caller:
            event = captured(error)
            plant(event, f"password={SECRET}")
            told.capture_event(event)
        else:
            told.capture_exception(error)

    (event,) = sent(told)
    assert SECRET not in json.dumps(event)
    assert FILTERED in json.dumps(event)


@pytest.mark.spec("DAT-14", "DAT-24")
@pytest.mark.parametrize("text", [f"password={SECRET}", f"postgres://me:{SECRET}@host/db", f"Bearer {SECRET}"])
def test_all_that_vedette_has_built_is_searched(text: str) -> None:
    event = captured(failing(text, {"order": text}, {"number": text}))
    (value,), (thread,) = event["exception"]["values"], event["threads"]["values"]
    frame = value["stacktrace"]["frames"][-1]
    for name in ("filename", "abs_path", "function", "module"):
        frame[name] = f"{name} {text}"
    value |= {"type": f"a {text} class", "module": f"a {text} module"}
    value["mechanism"] |= {"type": f"a {text} mechanism", "data": {"text": text}}
    thread["name"] = f"a {text} thread"
    event["extra"] = {"sys.argv": ["program", text]}
    event["contexts"]["runtime"]["build"] = text
    event["contexts"]["trace"]["trace_id"] = text
    event |= {"server_name": text, "release": text, "transaction": text}
    names = DenyList()

    for _ in range(2):  # what the first look has remembered makes the second one no blinder
        found = copy.deepcopy(event)
        assert scrub_built(found, names)
        assert SECRET not in json.dumps(found)


class Name(str):
    __slots__ = ()


@pytest.mark.spec("DAT-14", "DAT-24")
@pytest.mark.parametrize("kind", [str, Name])
def test_names_of_integrations_are_searched(kind: type[str]) -> None:
    class Named(Integration):
        identifier = kind(f"password={SECRET}")

    with client(integrations=[Named()]) as told:
        told.capture_exception(ValueError("plain"))
        told.capture_exception(ValueError("plain"))

    assert [SECRET in json.dumps(event) for event in sent(told)] == [False, False]


@pytest.mark.spec("DAT-14", "DAT-24")
@pytest.mark.parametrize("name", ["exception", "threads", "extra"])
@pytest.mark.parametrize(
    "added",
    [
        [f"password={SECRET}"],
        {"values": f"password={SECRET}"},
        {"values": [{"note": f"password={SECRET}"}]},
        {"values": [{"name": [f"password={SECRET}"]}]},
        {"values": [{"stacktrace": {"frames": [{"vars": [f"password={SECRET}"]}]}}]},
    ],
)
def test_what_is_added_before_sending_is_searched_whatever_it_is(name: str, added: object) -> None:
    with client() as told:
        told.add_before_sending(name, lambda: copy.deepcopy(added))
        told.capture_message("plain")

    (event,) = sent(told)
    assert SECRET not in json.dumps(event)


@pytest.mark.spec("PAIN-09")
def test_an_event_arrives_whatever_class_describes_the_work() -> None:
    class Nameless(PlantingWork):
        __module__: Any = None

    with vedette.isolation_scope() as scope, client() as told:
        scope.work = Nameless(lambda event: event.update(transaction="checkout"))
        told.capture_exception(ValueError("plain"))

    (event,) = sent(told)
    assert event["transaction"] == "checkout"


def test_what_is_remembered_stays_bounded_however_many_names_an_event_has() -> None:
    event = captured(failing("plain", {}, {}))
    (value,) = event["exception"]["values"]
    frame = value["stacktrace"]["frames"][-1]
    value["stacktrace"]["frames"] = [frame | {"function": f"f{number}"} for number in range(2 * MAX_REMEMBERED)]
    names = DenyList()

    assert scrub_built(event, names)
    assert len(names.clean_texts) <= MAX_REMEMBERED
