"""What exceptions say: as ``str`` has it for plain arguments, and without running code for any other."""

from __future__ import annotations

import builtins
import errno
import json
import sys
from typing import Any

import exceptiongroup
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette._events.settings import EventSettings
from vedette._events.values import exception_text
from vedette._host import guests
from vedette._privacy.denylist import DenyList

SETTINGS = EventSettings(denylist=DenyList())
LIMIT = 8192

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=50)
plain = texts | st.integers(-(10**30), 10**30) | st.none() | st.booleans() | st.floats() | st.binary(max_size=20)


class Mine(Exception):
    pass


class Lookup(KeyError):
    pass


class Connection(ConnectionError):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.host = "db"


CLASSES = [
    BaseException,
    Exception,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    NameError,
    ImportError,
    ModuleNotFoundError,
    OSError,
    FileNotFoundError,
    BlockingIOError,
    StopIteration,
    SystemExit,
    KeyboardInterrupt,
    SyntaxError,
    AssertionError,
    UnicodeError,
    Mine,
    Lookup,
    Connection,
]


@given(cls=st.sampled_from(CLASSES), args=st.lists(plain, max_size=5))
def test_the_message_is_what_str_gives_for_plain_arguments(cls: type[BaseException], args: list[Any]):
    try:
        error = cls(*args)
    except (TypeError, ValueError):  # not what this class takes
        return

    assert exception_text(error, LIMIT, SETTINGS) == str(error)


@given(texts, texts, st.integers(0, 9) | st.none() | texts, st.booleans())
def test_the_message_of_a_syntax_error_is_what_str_gives(message: str, filename: str, line: Any, named: bool):
    error = SyntaxError(message, (filename if named else None, line, 1, "code"))

    assert exception_text(error, LIMIT, SETTINGS) == str(error)


def test_the_message_of_an_empty_syntax_error_and_of_a_real_one():
    with pytest.raises(SyntaxError) as caught:
        compile("a b", "shop/cart.py", "exec")

    for error in (SyntaxError(), SyntaxError("bad"), caught.value):
        assert exception_text(error, LIMIT, SETTINGS) == str(error)


@given(st.text(min_size=1, max_size=9), st.binary(min_size=1, max_size=9), st.integers(0, 9), st.integers(0, 10), texts)
def test_the_message_of_a_unicode_error_is_what_str_gives(text: str, data: bytes, start: int, end: int, reason: str):
    for error in (
        UnicodeEncodeError("ascii", text, min(start, len(text) - 1), end, reason),
        UnicodeDecodeError("utf-8", data, min(start, len(data) - 1), end, reason),
        UnicodeTranslateError(text, min(start, len(text) - 1), end, reason),
    ):
        said = exception_text(error, LIMIT, SETTINGS)
        if end > 0:  # CPython's own handling of an end before the start differs between versions
            assert said == str(error)
        assert said is not None


def test_the_message_of_a_unicode_error_that_was_never_initialized_is_empty():
    class Odd(UnicodeDecodeError):
        def __init__(self) -> None:
            pass

    assert exception_text(Odd(), LIMIT, SETTINGS) == str(Odd()) == ""


@pytest.mark.parametrize(
    "error",
    [
        OSError(2, "No such file", "shop.py"),
        OSError(2, "No such file", "shop.py", None, "other.py"),
        OSError(2, None),
        OSError(None, None),
        OSError(None, "", None),
        OSError(1, 2, None, 4, None, 6),
        OSError(errno.ENOENT, "x", b"bytes"),
        BlockingIOError(11, "busy", 3),
        ImportError("no module", name="shop"),
        KeyError("a'b"),
        KeyError(("a", 1)),
        KeyError(),
        StopIteration(5),
        ValueError("key", 5),
    ],
    ids=repr,
)
def test_errors_with_fields_say_what_str_gives(error: BaseException):
    assert exception_text(error, LIMIT, SETTINGS) == str(error)


def test_real_errors_say_what_str_gives():
    def attempts() -> Any:
        yield lambda: open("/no/such/file")  # noqa: SIM115, PTH123
        yield lambda: {}["missing"]
        yield lambda: __import__("no_such_module")
        yield lambda: json.loads("{")
        yield b"\xff".decode
        yield lambda: "é".encode("ascii")
        yield lambda: None.missing  # type: ignore[attr-defined]
        yield lambda: 1 / 0
        yield lambda: int("x")

    for attempt in attempts():
        with pytest.raises(Exception) as caught:  # noqa: PT011
            attempt()
        assert exception_text(caught.value, LIMIT, SETTINGS) == str(caught.value)


def test_foreign_arguments_are_rendered():
    class Order:
        def __init__(self) -> None:
            self.id = 7

        def __repr__(self) -> str:
            raise AssertionError

    shown = "<" + __name__ + ".Order id=7>"

    assert exception_text(ValueError(Order()), LIMIT, SETTINGS) == shown
    assert exception_text(ValueError("bad", Order()), LIMIT, SETTINGS) == f"('bad', {shown})"
    assert exception_text(KeyError(Order()), LIMIT, SETTINGS) == shown
    assert exception_text(OSError(2, "gone", Order()), LIMIT, SETTINGS) == f"[Errno 2] gone: {shown}"


@pytest.mark.spec("ERR-76")
def test_a_str_that_the_program_wrote_is_called_as_a_guest():
    inside: list[str | None] = []

    class Refused(Exception):
        def __str__(self) -> str:
            inside.append(guests.inside())
            return f"refused: {self.args[0]}"

    class Again(Refused):
        pass

    assert exception_text(Again("card"), LIMIT, SETTINGS) == "refused: card"
    assert inside == ["str(exception)"]


def test_a_str_of_a_mixin_counts_as_it_does_for_python():
    class Polite:
        def __str__(self) -> str:
            return "please"

    class Before(Polite, KeyError):
        pass

    class After(KeyError, Polite):
        pass

    for error in (Before("a"), After("a")):
        assert exception_text(error, LIMIT, SETTINGS) == str(error)


def test_a_str_that_fails_leaves_the_arguments(caplog: pytest.LogCaptureFixture):
    class Broken(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    class Wrong(Exception):
        def __str__(self) -> Any:
            return 5  # noqa: PLE0307 - that is the point

    class NoString(Exception):
        __str__ = None  # type: ignore[assignment]

    for cls in (Broken, Wrong, NoString, Broken):
        assert exception_text(cls("the reason", 1), LIMIT, SETTINGS) == "('the reason', 1)"
    assert [record.levelname for record in caplog.records].count("WARNING") == 3


def test_control_flow_out_of_a_str_reaches_the_program():
    class Interrupting(Exception):
        def __str__(self) -> str:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exception_text(Interrupting(), LIMIT, SETTINGS)


@pytest.mark.spec("ERR-70", "ERR-71")
def test_a_group_says_its_message_without_the_count_or_nothing():
    groups = [exceptiongroup.ExceptionGroup]
    if sys.version_info >= (3, 11):
        groups += [builtins.ExceptionGroup, builtins.BaseExceptionGroup]

    class Mine(groups[-1]):  # type: ignore[misc]
        pass

    for group in (*groups, Mine):
        assert exception_text(group("several", [ValueError()]), LIMIT, SETTINGS) == "several"
        assert exception_text(group("", [ValueError()]), LIMIT, SETTINGS) is None


def test_notes_come_a_line_each():
    error = ValueError("bad")
    error.__notes__ = ["first", "second\nline", 5]  # type: ignore[attr-defined]
    group = exceptiongroup.ExceptionGroup("", [error])
    group.add_note("of the group")
    odd = ValueError("bad")
    odd.__notes__ = "no list"  # type: ignore[attr-defined]

    assert exception_text(error, LIMIT, SETTINGS) == "bad\nfirst\nsecond\nline\n5"
    assert exception_text(group, LIMIT, SETTINGS) == "of the group"
    assert exception_text(odd, LIMIT, SETTINGS) == "bad"


def test_a_long_message_is_cut_at_the_limit():
    assert exception_text(ValueError("x" * 200), 100, SETTINGS) == "x" * 99 + "…"
    assert exception_text(ValueError("x" * 100), 100, SETTINGS) == "x" * 100
    several = exception_text(ValueError("é" * 200, 1), 100, SETTINGS)
    assert several is not None
    assert (len(several), several[:50], several[-1]) == (100, "('" + "é" * 48, "…")

    class Wordy(Exception):
        def __str__(self) -> str:
            return "y" * 10_000

    assert exception_text(Wordy(), 100, SETTINGS) == "y" * 99 + "…"


def test_lone_surrogates_are_escaped():
    assert exception_text(ValueError("a\ud800"), 100, SETTINGS) == r"a\ud800"
