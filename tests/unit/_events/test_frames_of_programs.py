"""Programs of each kind that there is, run for real: what their frames say (PAIN-37)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import zipapp
import zipfile

import pytest

REPORTING = """\
import json
import vedette
from vedette.testing import MemoryTransport

transport = MemoryTransport()
vedette.init("http://key@localhost/1", transport=transport, default_integrations=False)


def report():
    vedette.capture_exception()
    (value,) = transport.events[-1]["exception"]["values"]
    print(json.dumps(value["stacktrace"]["frames"]))
"""

FAILING = """\
from reporting import report


def fail(number):
    return 1 / number  # here


try:
    fail(0)
except ZeroDivisionError:
    report()
"""
HERE = "    return 1 / number  # here"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "reporting.py").write_text(REPORTING)
    (tmp_path / "app").mkdir()
    return tmp_path


def last_frame(place, *arguments, stdin=None, cwd=None):
    """The frame that raised, of a program that runs in the folder of the application."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
        cwd=cwd or place / "app",
        env={**os.environ, "PYTHONPATH": str(place / "lib"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)[-1]


def written(file, source):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(source))
    return file


@pytest.mark.spec("ERR-09", "EVT-37", "EVT-40", "EVT-44", "PAIN-37")
def test_a_script_that_moved_to_another_folder_shows_its_own_lines(place):
    script = written(place / "app" / "run.py", FAILING.replace("report\n", "report\nimport os\nos.chdir('/')\n", 1))
    frame = last_frame(place, "run.py")
    assert frame["context_line"] == HERE
    assert frame["filename"] == "run.py"
    assert frame["abs_path"] == str(script)
    assert frame["in_app"] is True
    assert frame["vars"] == {"number": "0"}


@pytest.mark.spec("EVT-37", "EVT-42", "PAIN-37")
def test_a_module_that_is_run_with_m_is_named_as_it_is_imported(place):
    written(place / "app" / "shop" / "tool.py", FAILING)
    frame = last_frame(place, "-m", "shop.tool")
    assert (frame["filename"], frame["module"]) == ("shop/tool.py", "__main__")
    assert frame["context_line"] == HERE
    assert frame["in_app"] is True


@pytest.mark.spec("ERR-10", "PAIN-37")
@pytest.mark.parametrize(
    ("arguments", "stdin", "name"), [(["-c", FAILING], None, "<string>"), (["-"], FAILING, "<stdin>")]
)
def test_code_without_a_file_has_frames_without_lines(place, arguments, stdin, name):
    frame = last_frame(place, *arguments, stdin=stdin)
    assert (frame["filename"], frame["abs_path"], frame["lineno"]) == (name, name, 5)
    assert "context_line" not in frame
    assert frame["in_app"] is True


@pytest.mark.spec("ERR-09", "PAIN-37")
@pytest.mark.parametrize("before", ["", "import sys, json\nsys.argv[:] = ['other']\n"])
def test_a_line_of_python_c_is_shown_with_what_it_names(place, before):
    line = "    total, people = 30, 0; total / people"
    source = f"{before}import reporting\ntry:\n{line}\nexcept ZeroDivisionError: reporting.report()"
    frame = last_frame(place, "-c", source)
    assert frame["context_line"] == line
    assert {name: frame["vars"][name] for name in ("total", "people")} == {"total": "30", "people": "0"}


@pytest.mark.spec("ERR-10", "PAIN-37")
def test_what_python_c_runs_with_exec_is_not_taken_for_its_own_line(place):
    source = "import reporting\ntry: exec('1 / 0')\nexcept ZeroDivisionError: reporting.report()"
    frame = last_frame(place, "-c", source)
    assert (frame["filename"], frame["lineno"]) == ("<string>", 1)
    assert "context_line" not in frame


def test_a_module_of_a_namespace_package_is_named_as_it_is_imported(place):
    written(place / "lib" / "acme" / "shop" / "cart.py", FAILING)
    frame = last_frame(place, "-c", "import acme.shop.cart")
    assert (frame["filename"], frame["module"]) == ("acme/shop/cart.py", "acme.shop.cart")
    assert frame["context_line"] == HERE


@pytest.mark.spec("ERR-09", "PAIN-37")
@pytest.mark.parametrize("relative", [True, False])
def test_a_zipapp_shows_its_lines(place, relative):
    written(place / "source" / "__main__.py", "import shop.cart\n")
    written(place / "source" / "shop" / "cart.py", FAILING)
    zipapp.create_archive(place / "source", place / "app" / "app.pyz")
    frame = last_frame(place, "app.pyz" if relative else place / "app" / "app.pyz")
    assert frame["context_line"] == HERE
    assert (frame["filename"], frame["module"]) == ("shop/cart.py", "shop.cart")
    assert frame["in_app"] is True


@pytest.mark.spec("ERR-09", "PAIN-37")
def test_a_module_imported_from_a_zip_file_shows_its_lines(place):
    with zipfile.ZipFile(place / "lib.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cart.py", FAILING)
    frame = last_frame(place, "-c", f"import sys; sys.path.insert(0, {str(place / 'lib.zip')!r}); import cart")
    assert frame["context_line"] == HERE
    assert frame["module"] == "cart"


@pytest.mark.spec("PAIN-37")
def test_code_that_was_registered_for_tracebacks_shows_its_lines(place):
    program = f"""\
    import linecache
    source = {FAILING!r}
    linecache.cache["<cell 7>"] = (len(source), None, source.splitlines(True), "<cell 7>")
    exec(compile(source, "<cell 7>", "exec"))
    """
    frame = last_frame(place, written(place / "app" / "run.py", program))
    assert frame["context_line"] == HERE
    assert (frame["filename"], frame["in_app"]) == ("<cell 7>", True)


AS_FROZEN = """\
import sys, reporting
reporting.vedette.capture_message("what is imported late is imported now")
sys.frozen = True
sys._MEIPASS = {unpacked!r}
sys.path[:] = [sys._MEIPASS]
"""
MODULE = """\
import types
module = types.ModuleType({module!r})
module.__file__ = {file!r}
exec(compile({source!r}, {filename!r}, "exec"), vars(module))
"""


@pytest.mark.spec("ERR-10", "EVT-37", "EVT-39", "PAIN-37")
@pytest.mark.parametrize(
    ("module", "filename", "in_app"),
    [("shop.cart", "shop/cart.py", True), ("__main__", "run.py", True), ("json.decoder", "json/decoder.py", False)],
)
def test_frames_of_a_frozen_program_have_names_that_no_run_changes(place, module, filename, in_app):
    """As PyInstaller does it: relative names in the code, a new folder for each run, and no source."""
    unpacked = str(place / "_MEI123456")
    file = f"{unpacked}/{filename}{'' if module == '__main__' else 'c'}"
    program = (AS_FROZEN + MODULE).format(
        unpacked=unpacked, module=module, filename=filename, file=file, source=FAILING
    )
    frame = last_frame(place, "-c", program)
    assert (frame["filename"], frame["module"], frame["in_app"]) == (filename, module, in_app)
    assert "context_line" not in frame
    assert frame["lineno"] == 5


@pytest.mark.spec("ERR-09", "ERR-10", "PAIN-37")
@pytest.mark.parametrize("with_source", [True, False])
def test_compiled_code_shows_the_lines_of_the_source_beside_it(place, with_source):
    """As Cython does it: the name of the source relative to where it was built, and a shared object as the module."""
    source = FAILING.replace("number", "numéro")
    if with_source:
        written(place / "lib" / "shop" / "fast.pyx", source)
    file = str(place / "lib" / "shop" / "fast.cpython-313-x86_64-linux-gnu.so")
    run = MODULE.format(module="shop.fast", filename="shop/fast.pyx", file=file, source=source)
    frame = last_frame(place, "-c", run)
    assert (frame["filename"], frame["module"]) == ("shop/fast.pyx", "shop.fast")
    assert frame["abs_path"] == str(place / "lib" / "shop" / "fast.pyx")
    assert frame.get("context_line") == (HERE.replace("number", "numéro") if with_source else None)


@pytest.mark.spec("PAIN-37")
def test_a_relative_name_is_looked_for_where_python_would_look(place):
    written(place / "lib" / "built" / "fast.pyx", FAILING)
    run = f"exec(compile({FAILING!r}, 'built/fast.pyx', 'exec'), {{'__name__': 'fast'}})"
    assert last_frame(place, "-c", run)["context_line"] == HERE
