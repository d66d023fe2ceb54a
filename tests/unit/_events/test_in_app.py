from __future__ import annotations

import json
import ntpath
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.unit._events.raising import frames_of, ran, settings_of
from vedette._events import in_app, source
from vedette._events.in_app import InAppRules, rules_of

STANDARD = str(Path(json.__file__).parent)
LIBRARY = "/venv/lib/python3.13/site-packages"


def frame_of(filename, module, *, root="/srv/shop", **options):
    return frames_of(ran("1 / 0", filename, __name__=module), project_root=root, **options)[0]


@pytest.mark.spec("ERR-05", "ERR-06", "EVT-47")
@pytest.mark.parametrize(
    ("filename", "module", "is_ours"),
    [
        ("/srv/shop/shop/cart.py", "shop.cart", True),
        ("/srv/shop/manage.py", "__main__", True),
        ("/srv/shop/.venv/lib/python3.13/site-packages/six.py", "six", False),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", "yaml", False),
        (f"{LIBRARY}/flask/app.py", "flask.app", False),
        (f"{STANDARD}/decoder.py", "json.decoder", False),
        ("<frozen importlib._bootstrap>", "importlib._bootstrap", False),
        ("json/decoder.py", "json.decoder", False),
        ("shop/cart.py", "shop.cart", True),
        ("/opt/elsewhere/run.py", "__main__", True),
        ("<string>", "__main__", True),
        ("<stdin>", "__main__", True),
        ("<ipython-input-1-abc>", "__main__", True),
        ("<string>", None, True),
        ("/srv/shopping/cart.py", "cart", True),
    ],
)
def test_frames_of_the_application_are_told_from_those_of_libraries(filename, module, is_ours):
    assert frame_of(filename, module)["in_app"] is is_ours


def test_code_generated_in_a_library_is_the_librarys():
    exc = ran("1 / 0", "<string>", __name__="flask.app", __file__=f"{LIBRARY}/flask/app.py")
    assert frames_of(exc)[0]["in_app"] is False
    exc = ran("1 / 0", "<string>", __name__="shop.cart", __file__="/srv/shop/shop/cart.py")
    assert frames_of(exc)[0]["in_app"] is True
    exc = ran("1 / 0", "<string>", __name__="shop.cart", __file__=5)
    assert frames_of(exc)[0]["in_app"] is True


@pytest.mark.spec("ERR-07", "ERR-08")
@pytest.mark.parametrize(
    ("module", "include", "exclude", "is_ours"),
    [
        ("foo", ("foo",), (), True),
        ("foo.bar", ("foo",), (), True),
        ("foobar", ("foo",), (), False),
        ("foo.bar", (), ("foo.bar",), False),
        ("foo.bar.baz", ("foo.bar",), ("foo",), True),
        ("foo.bar.baz", ("foo",), ("foo.bar",), False),
        ("foo", ("foo",), ("foo",), True),
    ],
)
def test_the_longest_prefix_by_whole_parts_decides(module, include, exclude, is_ours):
    file = f"{LIBRARY}/{module.replace('.', '/')}.py"
    assert frame_of(file, module, in_app_include=include, in_app_exclude=exclude)["in_app"] is is_ours


def test_a_prefix_can_exclude_a_part_of_the_application():
    assert frame_of("/srv/shop/shop/vendor/x.py", "shop.vendor.x")["in_app"] is True
    frame = frame_of("/srv/shop/shop/vendor/x.py", "shop.vendor.x", in_app_exclude=("shop.vendor",))
    assert frame["in_app"] is False


def test_vedettes_own_frames_are_never_the_applications():
    assert frame_of("/srv/shop/vedette/api.py", "vedette.api")["in_app"] is False


def test_of_root_and_standard_library_the_longer_path_decides():
    assert frame_of(f"{STANDARD}/decoder.py", "json.decoder", root="/")["in_app"] is False
    assert frame_of("/app/run.py", "__main__", root="/")["in_app"] is True
    assert frame_of(f"{LIBRARY}/shop/cart.py", "shop.cart", root="/")["in_app"] is False
    # The application itself is installed there.
    assert frame_of(f"{LIBRARY}/shop/cart.py", "shop.cart", root=f"{LIBRARY}/shop")["in_app"] is True
    assert frame_of(f"{STANDARD}/mine.py", "json.mine", root=STANDARD)["in_app"] is True


@pytest.mark.spec("EVT-37", "EVT-38", "EVT-39")
@pytest.mark.parametrize(
    ("filename", "module", "name"),
    [
        # a module of a package: as it is imported, wherever the release lies
        ("/srv/shop/shop/cart.py", "shop.cart", "shop/cart.py"),
        ("/srv/releases/20261124/src/shop/cart.py", "shop.cart", "shop/cart.py"),
        ("/srv/shop/shop/views/__init__.py", "shop.views", "shop/views/__init__.py"),
        # a library: without the version of Python
        (f"{LIBRARY}/flask/app.py", "flask.app", "flask/app.py"),
        (f"{LIBRARY}/six.py", "six", "six.py"),
        (f"{STANDARD}/decoder.py", "json.decoder", "json/decoder.py"),
        # a script of the project: relative to its root
        ("/srv/shop/manage.py", "__main__", "manage.py"),
        ("/srv/shop/jobs/a/run.py", "__main__", "jobs/a/run.py"),
        ("/srv/shop/jobs/b/run.py", "__main__", "jobs/b/run.py"),
        ("/srv/shop/tests/test_cart.py", "test_cart", "tests/test_cart.py"),
        # `python -m shop.tool`
        ("/srv/shop/shop/tool.py", "__main__", "shop/tool.py"),
        # elsewhere: relative to the import path, never a mere name for a script
        ("/opt/jobs/a/run.py", "__main__", "a/run.py"),
        ("/opt/jobs/a/helper.py", "helper", "helper.py"),
        ("/opt/jobs/a/deep/run.py", "__main__", "deep/run.py"),
        ("/nowhere/known/run.py", "__main__", "/nowhere/known/run.py"),
        ("<string>", "shop.cart", "<string>"),
        ("<frozen runpy>", "runpy", "<frozen runpy>"),
    ],
)
def test_file_names_are_short_stable_and_distinct(monkeypatch, filename, module, name):
    monkeypatch.setattr(sys, "path", ["/opt", "/opt/jobs/a", b"/bytes", "", LIBRARY, *sys.path])
    frame = frame_of(filename, module, root="/srv/shop")
    assert frame["filename"] == name
    assert frame["abs_path"] == filename


def test_without_a_root_the_current_folder_is_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rules = InAppRules((), (), None)
    assert rules.short_name("__main__", "run.py", str(tmp_path / "jobs" / "run.py")) == "jobs/run.py"
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert InAppRules((), (), None).is_in_app("__main__", "/srv/run.py") is True


def test_rules_are_shared_by_value():
    assert rules_of(settings_of(project_root="/srv")) is rules_of(settings_of(project_root="/srv"))
    assert rules_of(settings_of(project_root="/srv")) is not rules_of(settings_of(project_root="/opt"))


@pytest.fixture
def windows(monkeypatch):
    """Paths as Windows has them; the rules ask `os` for nothing else."""
    on_windows = SimpleNamespace(path=ntpath, sep="\\", getcwd=lambda: "C:\\srv\\shop")
    monkeypatch.setattr(in_app, "os", on_windows)
    monkeypatch.setattr(source, "os", on_windows)
    monkeypatch.setattr(in_app, "_STANDARD_LIBRARY", "C:/Python313/Lib/")
    monkeypatch.setattr(sys, "path", ["C:\\srv\\shop", "C:\\venv\\Lib\\site-packages"])


@pytest.mark.spec("ERR-06", "EVT-37", "EVT-38", "EVT-47")
@pytest.mark.parametrize(
    ("filename", "module", "name", "is_ours"),
    [
        ("C:\\srv\\shop\\shop\\cart.py", "shop.cart", "shop/cart.py", True),
        ("c:\\SRV\\shop\\jobs\\run.py", "__main__", "jobs/run.py", True),
        ("C:\\venv\\Lib\\site-packages\\flask\\app.py", "flask.app", "flask/app.py", False),
        ("C:\\Python313\\Lib\\json\\decoder.py", "json.decoder", "json/decoder.py", False),
        ("D:\\elsewhere\\run.py", "__main__", "D:/elsewhere/run.py", True),
        ("\\\\server\\share\\shop\\cart.py", "shop.cart", "shop/cart.py", True),
    ],
)
def test_paths_of_windows_follow_the_same_rules(windows, filename, module, name, is_ours):
    rules = InAppRules((), (), "C:\\srv\\shop")
    path = source.path_of(filename, {})
    assert rules.short_name(module, filename, path) == name
    assert rules.is_in_app(module, in_app.origin_of(filename, path, module, {})) is is_ours


def test_byte_code_from_windows_keeps_its_names_elsewhere():
    frame = frame_of("C:\\build\\shop\\cart.py", "shop.cart")
    assert frame["filename"] == "shop/cart.py"
    assert frame["abs_path"] == "C:\\build\\shop\\cart.py"
    frame = frame_of("C:\\venv\\Lib\\site-packages\\flask\\app.py", "flask.app")
    assert (frame["filename"], frame["in_app"]) == ("flask/app.py", False)
