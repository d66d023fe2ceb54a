from __future__ import annotations

import json
import linecache
import os
import py_compile
import subprocess
import sys
import zipapp
import zipfile
import zipimport
from pathlib import Path

import pytest

from tests.unit._events.raising import caught, frames_of, ran
from vedette._events import source
from vedette._events.cache import BoundedCache
from vedette._events.source import context_of

NOTHING = ([], None, [])


def written(tmp_path, content, name="file.py"):
    file = tmp_path / name
    if isinstance(content, str):
        content = content.encode()
    file.write_bytes(content)
    return str(file)


@pytest.mark.spec("ERR-09", "EVT-44", "EVT-45", "EVT-46")
@pytest.mark.parametrize(
    ("lineno", "before", "line", "after"),
    [
        (1, [], "l1", ["l2", "l3", "l4", "l5", "l6"]),
        (3, ["l1", "l2"], "l3", ["l4", "l5", "l6", "l7", "l8"]),
        (7, ["l2", "l3", "l4", "l5", "l6"], "l7", ["l8", "l9"]),
        (9, ["l4", "l5", "l6", "l7", "l8"], "l9", []),
    ],
)
def test_five_lines_each_way_or_fewer_at_the_ends(tmp_path, lineno, before, line, after):
    file = written(tmp_path, "".join(f"l{number}\n" for number in range(1, 10)))
    assert context_of(file, {}, lineno, 5) == (before, line, after)


@pytest.mark.spec("ERR-10", "PAIN-37")
@pytest.mark.parametrize("lineno", [None, 0, -1, 3, 10**9])
def test_a_line_that_is_not_there_has_no_context(tmp_path, lineno):
    assert context_of(written(tmp_path, "one\ntwo\n"), {}, lineno, 5) == NOTHING


@pytest.mark.spec("ERR-10", "PAIN-37")
@pytest.mark.parametrize(
    "filename",
    ["", "nowhere.py", "/nowhere/x.py", "/", "nul\0.py", "<string>", "<x>", "shop/cart.pyx", "/srv/\udcff.py", "x.so"],
)
def test_a_file_that_cannot_be_read_has_no_context(filename):
    assert context_of(filename, {}, 1, 5) == NOTHING


def test_what_is_no_regular_file_is_not_opened(tmp_path):
    pipe = tmp_path / "pipe.py"
    os.mkfifo(pipe)
    assert context_of(str(pipe), {}, 1, 5) == NOTHING  # opening it would wait for a writer
    assert context_of("/dev/stdin", {}, 1, 5) == NOTHING


def test_generated_files_of_megabytes_are_not_read(tmp_path):
    file = written(tmp_path, "x = 1\n" * 400_000)
    assert context_of(file, {}, 1, 5) == NOTHING


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("x = 'ä'\n", "x = 'ä'"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1"),
        (b"\xef\xbb\xbf# coding: utf-8\nx = 1\n", "# coding: utf-8"),
        (b"x = '\xff'\n", "x = '�'"),
        ("x = 1\r\ny = 2\r\n", "x = 1"),
        ("x = 1\ry = 2\r", "x = 1"),
        ("x = 1\x0c\u2028\x1d\x85\ny = 2", "x = 1\x0c\u2028\x1d\x85"),
        ("x = 1", "x = 1"),
    ],
)
def test_files_are_decoded_and_split_as_python_does(tmp_path, content, line):
    before, found, after = context_of(written(tmp_path, content), {}, 1, 5)
    assert (before, found) == ([], line)
    assert len(after) == (1 if isinstance(content, str) and "y" in content else len(after))


@pytest.mark.parametrize(
    ("comment", "found"),
    [
        (b"# -*- coding: latin-1 -*-", "ä"),
        (b"# vim: set fileencoding=latin-1 :", "ä"),
        (b"# coding=latin-1", "ä"),
        (b"#!/usr/bin/python\n# coding: latin-1", "ä"),
        (b"\n# coding: latin-1", "ä"),
        (b"\n\n# coding: latin-1", "�"),
        (b"x = 'coding'\n# coding: latin-1", "�"),
        (b"# coding: made-up", "�"),
        (b"# coding: hex", "�"),
        (b"# coding:", "�"),
        (b"# encoding is latin-1", "�"),
    ],
)
def test_the_declared_encoding_is_followed(tmp_path, comment, found):
    file = written(tmp_path, comment + b"\nx = '\xe4'\n")
    lineno = comment.count(b"\n") + 2
    assert context_of(file, {}, lineno, 5)[1] == f"x = '{found}'"


def test_long_lines_are_cut(tmp_path):
    file = written(tmp_path, "x" * 600 + "\n" + "y" * 512 + "\n")
    _, line, (after,) = context_of(file, {}, 1, 5)
    assert line == "x" * 511 + "…"
    assert after == "y" * 512


def test_a_changed_file_is_read_again(tmp_path):
    file = written(tmp_path, "old\n")
    assert context_of(file, {}, 1, 5)[1] == "old"
    written(tmp_path, "newer\n")
    assert context_of(file, {}, 1, 5)[1] == "newer"


def test_a_file_is_read_once(tmp_path, monkeypatch):
    opened = []

    def spy(name, mode):
        opened.append(name)
        return Path(name).open(mode)

    monkeypatch.setattr(source, "open", spy, raising=False)
    file = written(tmp_path, "one\ntwo\nthree\n")
    for lineno in (1, 2, 3):
        context_of(file, {}, lineno, 5)
    assert opened == [file]


def test_the_bytes_of_cached_files_are_bounded(tmp_path, monkeypatch):
    cache = BoundedCache(max_entries=4096, max_cost=source.CACHE_BYTES)
    monkeypatch.setattr(source, "_lines_of_file", cache)
    for number in range(40):
        context_of(written(tmp_path, "x" * 1_000_000, f"f{number}.py"), {}, 1, 5)
    assert 1 <= len(cache) <= 8


def package(tmp_path, suffix=".zip"):
    archive = str(tmp_path / f"app{suffix}")
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("packed/__init__.py", "")
        file.writestr("packed/deep.py", "# first\ndef fail():\n    raise ValueError  # zipped\n")
    return archive


@pytest.mark.spec("PAIN-37")
def test_lines_of_a_module_in_a_zip_archive_are_found(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(package(tmp_path))
    try:
        import packed.deep  # noqa: PLC0415 - it exists only now

        frame = frames_of(caught(packed.deep.fail))[-1]
    finally:
        for name in ("packed", "packed.deep"):
            sys.modules.pop(name, None)
    assert frame["context_line"] == "    raise ValueError  # zipped"
    assert frame["pre_context"] == ["# first", "def fail():"]
    assert frame["filename"] == "packed/deep.py"
    assert frame["in_app"] is True


def test_an_archive_that_is_gone_has_no_context(tmp_path):
    archive = package(tmp_path)
    loader = zipimport.zipimporter(archive)
    Path(archive).unlink()
    name = f"{archive}/packed/deep.py"
    assert context_of(name, {"__loader__": loader}, 1, 5) == NOTHING
    assert context_of(f"{archive}/packed/other.py", {"__loader__": loader}, 1, 5) == NOTHING


PROGRAM = """\
import json
import sys
from vedette._events.build import event_from_exception
from vedette._events.settings import EventSettings
from vedette._privacy.denylist import DenyList


def fail():
    raise ValueError("x")


try:
    fail()
except ValueError as exc:
    event = event_from_exception(exc, EventSettings(denylist=DenyList()), {})
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    print(json.dumps(frames))
"""


@pytest.mark.spec("PAIN-37")
def test_lines_of_the_main_module_of_a_zipapp_are_found(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "__main__.py").write_text(PROGRAM)
    archive = tmp_path / "app.pyz"
    zipapp.create_archive(folder, archive)
    done = subprocess.run([sys.executable, archive], capture_output=True, text=True, check=True, cwd="/")
    frame = json.loads(done.stdout)[-1]
    assert frame["context_line"] == '    raise ValueError("x")'
    assert frame["filename"].endswith("app.pyz/__main__.py")
    assert frame["in_app"] is True


@pytest.mark.spec("ERR-10", "PAIN-37")
def test_without_the_source_the_frame_arrives_without_context(tmp_path):
    file = tmp_path / "gone.py"
    file.write_text("def fail():\n    raise ValueError\n")
    py_compile.compile(str(file), cfile=str(tmp_path / "gone.pyc"))
    file.unlink()
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import gone\n"
    run = PROGRAM.replace("    fail()\n", "    gone.fail()\n")
    done = subprocess.run([sys.executable, "-c", code + run], capture_output=True, text=True, check=True)
    frame = json.loads(done.stdout)[-1]
    assert frame["lineno"] == 2
    assert frame["module"] == "gone"
    assert "context_line" not in frame


@pytest.fixture
def registered():
    before = dict(linecache.cache)
    yield linecache.cache
    linecache.cache.clear()
    linecache.cache.update(before)


@pytest.mark.spec("PAIN-37")
@pytest.mark.parametrize("name", ["<ipython-input-3-abc>", "/tmp/ipykernel_1/123.py", "Cell [1]"])
def test_lines_of_a_notebook_cell_are_found(registered, name):
    text = "rate = 0\n1 / rate\n"
    registered[name] = (len(text), None, text.splitlines(keepends=True), name)
    frame = frames_of(ran(text, name))[0]
    assert frame["context_line"] == "1 / rate"
    assert frame["pre_context"] == ["rate = 0"]
    assert frame["vars"] == {"rate": "0"}


def test_lines_under_a_name_that_much_code_has_are_not_taken(registered):
    registered["<string>"] = (5, None, ["other\n"], "<string>")
    assert "context_line" not in frames_of(ran("1 / 0", "<string>"))[0]


class Loader:
    """A loader of the program's: nobody may ask it."""

    asked = 0

    def __getattribute__(self, name):
        type(self).asked += 1
        return lambda *args: "foreign = 1"


def test_loaders_of_the_program_are_not_asked(registered):
    loader = Loader()
    registered["<lazy>"] = (lambda: Loader.get_source("x"),)
    registered["<odd>"] = "no entry"
    registered["<odder>"] = (1, None, None, "x")
    for name in ("<lazy>", "<odd>", "<odder>", "/srv/x.py"):
        assert context_of(name, {"__loader__": loader}, 1, 5) == NOTHING
    assert Loader.asked == 0


def test_odd_lines_in_linecache_are_blank(registered):
    registered["<odd>"] = (1, None, ["one\r\n", 5, "three"], "<odd>")
    assert context_of("<odd>", {}, 2, 5) == (["one"], "", ["three"])


def test_a_linecache_that_was_replaced_is_not_asked(monkeypatch):
    class Cache(dict):
        def get(self, key):
            raise AssertionError("asked the program's class")

    monkeypatch.setattr(linecache, "cache", Cache())
    assert context_of("<cell>", {}, 1, 5) == NOTHING


# The cache that files and places are kept in.


def test_a_cache_forgets_what_was_not_asked_for_longest():
    cache = BoundedCache(max_entries=8, max_cost=100)
    for number in range(100):
        cache.put(number, str(number), 1)
        assert cache.get(0) == "0"  # asked for again and again
        assert len(cache) <= 8
    assert cache.get(99) == "99"
    assert cache.get(50) is None


def test_a_cache_is_bounded_by_cost():
    cache = BoundedCache(max_entries=1000, max_cost=100)
    for number in range(100):
        cache.put(number, number, 10)
        assert len(cache) <= 10
    cache.put("large", 1, 51)
    assert cache.get("large") is None
    cache.put("half", 1, 50)
    assert cache.get("half") == 1
