from __future__ import annotations

import importlib.util
import json as standard_json
import math
import subprocess
import sys
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

ANY_TEXT = st.text(alphabet=st.characters())  # lone surrogates included
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
CLEAN_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


def nested(scalars, keys):
    return st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(keys, inner), max_leaves=20)


def refuse(constant):
    raise AssertionError(constant)


def strictly(data: bytes):
    value = standard_json.loads(data.decode("utf-8", "strict"), parse_constant=refuse)
    data.decode().encode("utf-8")
    return value


def copy_of_module(blocked):
    spec = importlib.util.find_spec("vedette._protocol.json")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with mock.patch.dict(sys.modules, blocked):
        module.ensure_imported()
    return module


WITH_MSGSPEC = copy_of_module({})
WITHOUT_MSGSPEC = copy_of_module({"msgspec": None})  # as in a subinterpreter, where it cannot be imported
BOTH = pytest.mark.parametrize("json", [WITH_MSGSPEC, WITHOUT_MSGSPEC], ids=["msgspec", "standard library"])


@BOTH
@given(nested(SCALARS, ANY_TEXT | st.integers() | st.floats() | st.none() | st.booleans()))
def test_whatever_goes_in_strict_json_comes_out(json, value):
    strictly(json.encode(value))


@pytest.mark.spec("ENV-18", "ENV-19", "ENV-22")
@BOTH
@given(nested(CLEAN_SCALARS, st.text()))
def test_clean_values_come_back_equal_on_one_line(json, value):
    data = json.encode(value)
    assert strictly(data) == value == json.decode(data)
    assert b"\n" not in data


@BOTH
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, True]}, '{"a":[1,null,true]}'),
        (math.nan, "null"),
        ([math.inf, -math.inf], "[null,null]"),
        ("a\ud800b", '"a\ufffdb"'),
        ("\ud83d\ude00", '"\U0001f600"'),
        ({"k\udfff": 1}, '{"k\ufffd":1}'),
        ({None: 1, True: 2, 3: 4}, '{"null":1,"true":2,"3":4}'),
        (2**64 + 1, "18446744073709551617"),
        (-(2**70), "-1180591620717411303424"),
        pytest.param(16**5000, '"0x1' + "0" * 5000 + '"', id="16**5000"),
        ((1, 2), "[1,2]"),
        ("é€", '"é€"'),
    ],
)
def test_what_has_no_json_form_of_its_own_gets_one(json, value, text):
    assert json.encode(value) == text.encode()


@BOTH
def test_subclasses_of_built_ins_are_written_as_what_they_are(json):
    class Text(str):
        __slots__ = ()

        def __str__(self):
            raise AssertionError

    class Number(int):
        def __int__(self):
            raise AssertionError

    assert json.encode([Text("x"), Number(3)]) == b'["x",3]'


@BOTH
def test_other_objects_are_refused(json):
    with pytest.raises(TypeError):
        json.encode(object())
    with pytest.raises(TypeError):
        json.encode({(1, 2): 3})


@BOTH
def test_what_is_nested_too_deeply_is_refused_not_a_crash(json):
    deep = []
    for _ in range(200_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        json.encode(deep)
    with pytest.raises(ValueError, match="nested too deeply"):
        json.decode(b"[" * 200_000 + b"]" * 200_000)
    while deep:  # taken apart by hand: a deep list frees itself recursively
        deep = deep[0]


@BOTH
@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (rb'"a\ud800b"', "a\ufffdb"),
        (b'{"a":NaN,"b":-Infinity}', {"a": None, "b": None}),
        (b"1e999", None),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
    ],
)
def test_what_others_write_loosely_is_read(json, data, value):
    assert json.decode(data) == value


@BOTH
@pytest.mark.parametrize("data", [b"", b"{", b'"\xff"', b"nul", b"{'a':1}", b"[1,]"])
def test_what_is_no_json_raises_value_error(json, data):
    with pytest.raises(ValueError):  # noqa: PT011 - each reader has its own words
        json.decode(data)


@BOTH
@given(st.binary())
def test_decoding_any_bytes_gives_a_value_or_value_error(json, data):
    try:
        json.decode(data)
    except ValueError:
        pass


def test_importing_the_protocol_imports_nothing_heavy():
    program = (
        "import sys; before = set(sys.modules)\n"
        "import vedette._protocol.dsn, vedette._protocol.categories, vedette._protocol.ids\n"
        "import vedette._protocol.envelope, vedette._protocol.json\n"
        "import vedette._transport.interface, vedette._transport.delivery, vedette._transport.rate_limits\n"
        "import vedette._transport.http\n"
        "vedette._transport.http.HttpTransport({'dsn': 'https://k@h/1'})\n"
        "heavy = {'typing', 're', 'logging', 'uuid', 'dataclasses', 'inspect', 'json', 'urllib', 'urllib3',\n"
        "         'certifi', 'msgspec', 'gzip', 'email', 'http', 'ssl', 'socket', 'datetime', 'pathlib'}\n"
        "print(sorted((set(sys.modules) - before) & heavy))"
    )
    # -S: without site, whose .pth files import much themselves.
    result = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}\n{program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == "[]"
