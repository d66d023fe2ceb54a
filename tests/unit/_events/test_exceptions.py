from __future__ import annotations

import errno
import sys
import traceback
from _thread import get_ident
from types import MappingProxyType

import pytest

import vedette
from tests.unit._events.raising import (
    BaseExceptionGroup,
    ExceptionGroup,
    caught,
    event_of,
    settings_of,
    values_of,
)
from vedette._events.exceptions import MAX_EXCEPTIONS, exceptions_of
from vedette._options import OPTIONS
from vedette.testing import MemoryTransport

PLACE_IN_TREE = ("exception_id", "parent_id", "source", "is_exception_group")


def row(value):
    return (value["type"], value.get("value"), *(value["mechanism"].get(key) for key in PLACE_IN_TREE))


@pytest.mark.spec("ERR-34", "ERR-35", "ERR-49", "ERR-50", "ERR-53", "ERR-65", "ERR-67", "ERR-69")
def test_a_plain_chain_is_flattened_as_in_the_worked_example():
    def fail():
        raise ValueError("b") from Exception("a")

    chained, captured = values_of(caught(fail))
    assert chained["type"] == "Exception"
    assert chained["value"] == "a"
    assert chained["mechanism"] == {
        "type": "chained",
        "source": "__cause__",
        "exception_id": 1,
        "parent_id": 0,
    }
    assert captured["type"] == "ValueError"
    assert captured["value"] == "b"
    assert captured["mechanism"] == {"type": "generic", "handled": True, "exception_id": 0}


def nested_group():
    try:
        raise KeyError("k")
    except KeyError:
        raise ExceptionGroup(  # noqa: B904
            "outer",
            [
                ValueError("v"),
                ExceptionGroup("inner", [OSError("o"), ImportError("i")]),
                TypeError("t"),
            ],
        )


@pytest.mark.spec("ERR-54", "ERR-55", "ERR-56", "ERR-57", "ERR-58", "ERR-61", "ERR-62", "ERR-63")
def test_a_nested_group_is_flattened_as_in_the_worked_example():
    assert [row(value) for value in values_of(caught(nested_group))] == [
        ("TypeError", "t", 6, 0, "exceptions[2]", None),
        ("ImportError", "i", 5, 3, "exceptions[1]", None),
        ("OSError", "o", 4, 3, "exceptions[0]", None),
        ("ExceptionGroup", "inner", 3, 0, "exceptions[1]", True),
        ("ValueError", "v", 2, 0, "exceptions[0]", None),
        ("KeyError", "'k'", 1, 0, "__context__", None),
        ("ExceptionGroup", "outer", 0, None, None, True),
    ]


@pytest.mark.spec("ERR-59", "ERR-60", "ERR-64", "ERR-66", "ERR-68", "ERR-69", "ERR-70")
def test_only_the_root_of_a_group_says_how_it_was_captured():
    *others, root = values_of(caught(nested_group), {"type": "auto.http.wsgi", "handled": False})
    assert root["mechanism"]["type"] == "auto.http.wsgi"
    assert root["mechanism"]["handled"] is False
    assert "parent_id" not in root["mechanism"]
    assert root["value"] == "outer"
    by_id = {value["mechanism"]["exception_id"]: value for value in [*others, root]}
    for value in others:
        assert value["mechanism"]["type"] == "chained"
        assert "handled" not in value["mechanism"]
        assert value["mechanism"]["parent_id"] in by_id


@pytest.mark.spec("ERR-71", "ERR-74")
def test_a_group_without_a_message_has_a_type_only():
    value = values_of(ExceptionGroup("", [ValueError("v")]))[-1]
    assert value["type"] == "ExceptionGroup"
    assert "value" not in value


# Twelve shapes of chains and groups, told apart by their messages.


def linear():
    try:
        try:
            raise KeyError("one")
        except KeyError as first:
            raise ValueError("two") from first
    except ValueError:
        raise TypeError("three")  # noqa: B904 - the context is what is tested


def from_none():
    try:
        raise KeyError("hidden")
    except KeyError:
        raise ValueError("shown") from None


def cause_and_context():
    try:
        raise KeyError("context")
    except KeyError:
        raise ValueError("top") from OSError("cause")


def context_of_a_cause():
    try:
        linear()
    except TypeError as deep:
        raise RuntimeError("top") from deep


def suppressed_further_down():
    try:
        from_none()
    except ValueError:
        raise TypeError("top")  # noqa: B904


def cycle_of_contexts():
    one, two = KeyError("one"), ValueError("two")
    one.__context__ = two
    two.__context__ = one
    raise two


def own_cause():
    exc = ValueError("one")
    exc.__cause__ = exc
    raise exc


def flat_group():
    raise ExceptionGroup("group", [ValueError("v"), TypeError("t"), KeyError("k")])


def group_as_cause():
    raise ValueError("top") from ExceptionGroup("group", [KeyError("k"), TypeError("t")])


def group_in_a_context_of_a_member():
    member = caught(linear)
    try:
        raise OSError("outside")
    except OSError:
        raise ExceptionGroup("group", [member, ExceptionGroup("inner", [caught(cause_and_context)])])  # noqa: B904


def group_of_base_exceptions():
    raise BaseExceptionGroup("group", [KeyboardInterrupt("stop"), SystemExit("end")])


def groups_in_groups():
    exc = ExceptionGroup("g0", [ValueError("v0")])
    for depth in range(1, 8):
        exc = ExceptionGroup(f"g{depth}", [exc, ValueError(f"v{depth}")])
    raise exc


def cause_that_is_shared():
    shared = KeyError("shared")
    shared.__context__ = OSError("below")
    top = ValueError("top")
    top.__cause__ = shared
    shared.__context__.__cause__ = shared
    raise top


def member_in_the_context_of_its_group():
    group = ExceptionGroup("group", [KeyError("k"), ExceptionGroup("inner", [TypeError("t")])])
    group.exceptions[0].__context__ = group
    raise ValueError("top") from group


def group_in_a_context():
    try:
        raise ExceptionGroup("group", [caught(linear), caught(from_none)])
    except ExceptionGroup:
        raise ValueError("top")  # noqa: B904


SHAPES = [
    linear,
    from_none,
    cause_and_context,
    context_of_a_cause,
    suppressed_further_down,
    cycle_of_contexts,
    own_cause,
    flat_group,
    group_as_cause,
    group_in_a_context_of_a_member,
    group_of_base_exceptions,
    groups_in_groups,
    cause_that_is_shared,
    member_in_the_context_of_its_group,
    group_in_a_context,
]


def shown_by_python(seen):
    """(message, parent's message, source) of each exception that Python's own traceback would print."""
    rows = [(str(seen).partition(" (")[0].strip("'"), None, None)]

    def visit(seen):
        name = str(seen).partition(" (")[0].strip("'")
        children = []
        if seen.__cause__ is not None:
            children.append(("__cause__", seen.__cause__))
        elif seen.__context__ is not None and not seen.__suppress_context__:
            children.append(("__context__", seen.__context__))
        children += [(f"exceptions[{at}]", member) for at, member in enumerate(seen.exceptions or ())]
        for source, child in children:
            rows.append((str(child).partition(" (")[0].strip("'"), name, source))
            visit(child)

    visit(seen)
    return rows


@pytest.mark.spec("ERR-53", "ERR-54", "ERR-59", "ERR-61", "ERR-62", "ERR-64", "PAIN-27")
@pytest.mark.parametrize("shape", SHAPES)
def test_chains_and_groups_are_those_that_python_prints(shape):
    exc = caught(shape)
    values = values_of(exc)[::-1]
    messages = [value["value"].strip("'") for value in values]
    found = []
    for value in values:
        parent = value["mechanism"].get("parent_id")
        found.append(
            (
                value["value"].strip("'"),
                None if parent is None else messages[parent],
                value["mechanism"].get("source"),
            )
        )
    assert found == shown_by_python(traceback.TracebackException.from_exception(exc))
    assert [value["mechanism"]["exception_id"] for value in values] == list(range(len(values)))


def test_an_exception_reached_by_two_paths_is_told_once():
    shared = KeyError("shared")
    one, two = ValueError("one"), TypeError("two")
    one.__cause__ = two.__cause__ = shared
    values = values_of(ExceptionGroup("group", [one, two, shared]))
    assert [value["type"] for value in values] == ["TypeError", "KeyError", "ValueError", "ExceptionGroup"]
    assert values[1]["mechanism"]["parent_id"] == 1


@pytest.mark.spec("PAIN-27")
def test_of_a_long_chain_the_exceptions_next_to_the_captured_one_are_kept():
    exc = ValueError("0")
    root = exc
    for number in range(1, 200):
        exc.__context__ = ValueError(str(number))
        exc = exc.__context__
    values, meta = exceptions_of(root, settings_of(), {})
    assert [value["value"] for value in values] == [str(at) for at in reversed(range(MAX_EXCEPTIONS))]
    assert meta == {"": {"rem": [["!limit", "x"]]}}


def test_of_a_large_group_the_first_members_are_kept():
    group = ExceptionGroup("many", [ValueError(str(number)) for number in range(100_000)])
    values, meta = exceptions_of(group, settings_of(), {})
    assert len(values) == MAX_EXCEPTIONS
    assert values[0]["mechanism"]["source"] == f"exceptions[{MAX_EXCEPTIONS - 2}]"
    assert meta[""]["rem"]


def test_fifty_exceptions_are_complete():
    group = ExceptionGroup("some", [ValueError(str(number)) for number in range(MAX_EXCEPTIONS - 1)])
    values, meta = exceptions_of(group, settings_of(), {})
    assert len(values) == MAX_EXCEPTIONS
    assert meta == {}


class Meta(type):
    def __instancecheck__(cls, instance):
        raise AssertionError("asked a metaclass")

    __subclasscheck__ = __instancecheck__

    def __eq__(cls, other):
        raise AssertionError("compared a class")

    def __hash__(cls):
        raise AssertionError("hashed a class")

    @property
    def __name__(cls):
        raise AssertionError("read a name")


class Hostile(OSError, metaclass=Meta):
    def __getattribute__(self, name):
        raise AssertionError(f"read {name}")

    @property
    def __class__(self):
        raise AssertionError("read the class")

    __cause__ = __context__ = __suppress_context__ = __traceback__ = __class__
    exceptions = errno = args = __dict__ = __class__

    def __bool__(self):
        raise AssertionError("asked for truth")

    def __eq__(self, other):
        raise AssertionError("compared")

    def __hash__(self):
        raise AssertionError("hashed")


@pytest.mark.spec("PAIN-27")
def test_no_code_of_an_exception_runs():
    exc = Hostile(errno.ENOENT, "gone")
    other = Hostile("other")
    BaseException.__dict__["__context__"].__set__(exc, other)
    first, second = values_of(exc)
    assert first["value"] == "other"
    assert first["mechanism"]["source"] == "__context__"
    assert second["mechanism"]["meta"] == {"errno": {"number": errno.ENOENT, "name": "ENOENT"}}


def test_a_class_that_only_looks_like_a_group_is_none():
    class Failures(Exception):
        exceptions = (ValueError("v"),)

    (value,) = values_of(Failures("x"))
    assert "is_exception_group" not in value["mechanism"]


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="groups are built in")
@pytest.mark.parametrize("stored", [None, [ValueError("v")], ("no exception",)])
def test_a_backported_group_with_odd_contents_is_an_empty_group(stored):
    group = ExceptionGroup("g", [ValueError("v")])
    group.__dict__["_exceptions"] = stored
    (value,) = values_of(group)
    assert value["mechanism"]["is_exception_group"] is True


@pytest.mark.spec("ERR-30", "ERR-31", "ERR-42")
def test_the_callers_mechanism_overrides_the_defaults_key_by_key():
    (value,) = values_of(ValueError("x"), {"type": "logging"})
    assert value["mechanism"] == {"type": "logging", "handled": True, "exception_id": 0}
    (value,) = values_of(ValueError("x"), {"handled": False, "data": {"a": 1}})
    assert value["mechanism"] == {
        "type": "generic",
        "handled": False,
        "exception_id": 0,
        "data": {"a": 1},
    }


@pytest.mark.spec("ERR-31", "ERR-68")
@pytest.mark.parametrize("nothing", ["", None])
def test_a_mechanism_always_has_a_type(nothing):
    (value,) = values_of(ValueError("x"), {"type": nothing})
    assert value["mechanism"]["type"] == "generic"


@pytest.mark.spec("ERR-46", "ERR-47")
def test_the_error_number_of_the_system_is_sent_with_its_name():
    (value,) = values_of(caught(open, "/nowhere/at/all"))
    assert value["type"] == "FileNotFoundError"
    assert value["mechanism"]["meta"] == {"errno": {"number": errno.ENOENT, "name": "ENOENT"}}
    (value,) = values_of(OSError(987_654, "made up"))
    assert value["mechanism"]["meta"] == {"errno": {"number": 987_654}}
    for exc in (OSError("no number"), OSError("x", "y"), ValueError(2)):
        assert "meta" not in values_of(exc)[0]["mechanism"]


class Cart:
    class Empty(LookupError):
        pass


@pytest.mark.spec("ERR-74", "ERR-75", "ERR-76", "ERR-77")
def test_type_module_and_value_are_those_of_the_class():
    class Local(Exception):
        pass

    (value,) = values_of(Cart.Empty("nothing in it"))
    assert (value["type"], value["module"], value["value"]) == ("Cart.Empty", __name__, "nothing in it")
    (value,) = values_of(Local())
    assert (value["type"], value["module"]) == ("Local", __name__)
    assert "value" not in value
    assert values_of(ValueError("x"))[0]["module"] == "builtins"


@pytest.mark.spec("ERR-78", "EVT-55")
def test_the_captured_exception_points_at_its_thread():
    chained, captured = values_of(caught(cause_and_context))
    assert captured["thread_id"] == get_ident()
    assert "thread_id" not in chained


@pytest.mark.spec("ERR-79", "EVT-32", "EVT-34")
def test_each_exception_has_its_own_stack_and_none_without_frames():
    cause, captured = values_of(caught(cause_and_context))
    assert [frame["function"] for frame in captured["stacktrace"]["frames"]] == ["cause_and_context"]
    assert "stacktrace" not in cause  # it was never raised


def test_a_long_value_is_cut_with_a_remark():
    event = event_of(ValueError("x" * 10_000))
    assert len(event["exception"]["values"][0]["value"]) == 8192
    assert event["_meta"]["exception"]["values"]["0"]["value"] == {"": {"rem": [["!limit", "x", 8191, 8192]]}}
    event = event_of(ValueError("x" * 100), max_value_length=20)
    assert event["exception"]["values"][0]["value"] == "x" * 19 + "…"


def test_remarks_stand_at_the_place_of_their_exception():
    exc = ValueError("short")
    exc.__cause__ = KeyError("x" * 10_000)
    assert list(event_of(exc)["_meta"]["exception"]["values"]) == ["0"]
    exc = ValueError("x" * 10_000)
    exc.__cause__ = KeyError("short")
    assert list(event_of(exc)["_meta"]["exception"]["values"]) == ["1"]


def variables_in(event):
    return [
        sum(len(name) + len(text) for name, text in frame.get("vars", {}).items())
        for value in event["exception"]["values"]
        for frame in value.get("stacktrace", {"frames": []})["frames"]
    ]


@pytest.mark.spec("PAIN-03")
def test_all_exceptions_of_an_event_share_one_budget_for_variables():
    def fail(depth):
        one = two = three = "x" * 700
        if depth == 0:
            raise ValueError(len(one + two + three))
        fail(depth - 1)

    event = event_of(ExceptionGroup("many", [caught(fail, 4) for _ in range(40)]))
    sizes = variables_in(event)
    assert len(sizes) == 200
    assert 250 * 1024 < sum(sizes) <= 256 * 1024
    assert all(sizes[-100:])  # the members that come first
    assert sizes[0] == 0
    assert "vars" in event["_meta"]["exception"]["values"]["0"]["stacktrace"]["frames"]["0"]


@pytest.mark.spec("ERR-31", "ERR-42", "ERR-48")
def test_what_the_caller_says_of_the_mechanism_is_rendered_and_put_right():
    class Foreign:
        def __init__(self):
            self.number = 7

        def __repr__(self):
            raise AssertionError("asked the program's class")

    transport = MemoryTransport()
    client = vedette.init("https://k@h.example/1", transport=transport, default_integrations=False)
    given = [
        {"type": Foreign(), "data": {"at": Foreign()}, "meta": {"signal": {"name": "SIGTERM"}}},
        MappingProxyType({"type": "auto.test", "handled": 0, "meta": {"signal": {"number": 15}}}),
        "no mapping",
    ]
    for mechanism in given:
        client.capture_exception(ValueError("x"), mechanism=mechanism)
    first, second, third = (event["exception"]["values"][0]["mechanism"] for event in transport.events)
    assert type(first["type"]) is str
    assert "number=7" in first["data"]["at"]
    assert first["meta"] == {}
    assert second == {"type": "auto.test", "handled": True, "exception_id": 0, "meta": {"signal": {"number": 15}}}
    assert third == {"type": "generic", "handled": True, "exception_id": 0}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="`except*` is new in Python 3.11")
def test_what_is_raised_while_a_group_is_taken_apart_is_told_with_it():
    source = """
def work():
    try:
        raise ExceptionGroup("group", [KeyError("k"), TypeError("t")])
    except* KeyError:
        raise ValueError("new")
"""
    names = {}
    exec(source, names)
    exc = caught(names["work"])
    shown = shown_by_python(traceback.TracebackException.from_exception(exc))
    assert [row(value)[0] for value in values_of(exc)][-1] == "ExceptionGroup"
    assert len(values_of(exc)) == len(shown)


@pytest.mark.spec("ERR-64", "ERR-72")
def test_no_option_keeps_or_drops_the_group_itself():
    assert not [option.name for option in OPTIONS if "group" in option.name or "chain" in option.name]
