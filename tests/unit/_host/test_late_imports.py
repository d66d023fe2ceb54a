"""Being told of imports: nothing is imported for it, and an import gives what it gives without us."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from vedette._host.late_imports import when_imported

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A folder on sys.path; what is imported from it is forgotten afterwards."""
    before, finders = set(sys.modules), list(sys.meta_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]
    assert sys.meta_path == finders, "a finder is left"


def test_a_module_that_is_there_is_told_of_at_once() -> None:
    calls: list[str] = []
    when_imported("json", lambda: calls.append("json"))()
    assert calls == ["json"]


@pytest.mark.spec("PAIN-34", "PAIN-33")
def test_one_that_comes_later_is_told_of_once_it_is_whole_and_is_as_without_us(modules) -> None:
    (modules / "shop_late.py").write_text("PRICE = 3\n")
    plain = importlib.util.find_spec("shop_late")
    seen: list[object] = []
    when_imported("shop_late", lambda: seen.append(sys.modules["shop_late"].PRICE))
    assert seen == []
    assert "shop_late" not in sys.modules
    module = importlib.import_module("shop_late")
    assert seen == [3]
    assert type(module.__loader__) is type(plain.loader)
    assert module.__spec__.loader is module.__loader__
    assert "exec_module" not in vars(module.__loader__)
    importlib.reload(module)
    assert seen == [3]


def test_what_is_imported_inside_another_one_that_is_waited_for_is_told_of_when_that_has_ended(modules) -> None:
    (modules / "shop_inner.py").write_text("import shop_outer\n")
    (modules / "shop_outer.py").write_text("import shop_inner\nDONE = True\n")
    seen: list[tuple[str, bool]] = []
    for name in ("shop_inner", "shop_outer"):
        when_imported(name, lambda name=name: seen.append((name, hasattr(sys.modules["shop_outer"], "DONE"))))
    importlib.import_module("shop_outer")
    assert sorted(seen) == [("shop_inner", True), ("shop_outer", True)]


@pytest.mark.parametrize("fails", [False, True])
def test_a_module_whose_import_is_under_way_is_told_of_when_that_has_ended(fails, modules) -> None:
    (modules / "shop_begun.py").write_text(f"""
from vedette._host.late_imports import when_imported
import shop_seen
def told():
    import shop_begun
    shop_seen.seen.append(shop_begun.DONE)
when_imported("shop_begun", told)
shop_seen.kinds.append(type(__spec__))
if {fails} and not shop_seen.kinds[1:]: raise ValueError("no stock")
DONE = True
""")
    (modules / "shop_seen.py").write_text("seen, kinds = [], []\n")
    shop: Any = importlib.import_module("shop_seen")
    if fails:
        with pytest.raises(ValueError, match="no stock"):
            importlib.import_module("shop_begun")
        assert shop.seen == []
    module = importlib.import_module("shop_begun")
    assert shop.seen == [True] * len(shop.kinds)
    assert type(module.__spec__) is importlib.machinery.ModuleSpec


def test_who_is_told_of_a_module_may_wait_for_it_again(modules) -> None:
    (modules / "shop_again.py").write_text("")
    seen: list[str] = []
    when_imported("shop_again", lambda: when_imported("shop_again", lambda: seen.append("inner")))
    importlib.import_module("shop_again")
    assert seen == ["inner"]


def test_submodules_are_told_of_by_their_full_names_only(modules) -> None:
    (modules / "shop_package").mkdir()
    (modules / "shop_package" / "__init__.py").write_text("")
    (modules / "shop_package" / "basket.py").write_text("")
    seen: list[str] = []
    when_imported("shop_package.basket", lambda: seen.append("basket"))
    importlib.import_module("shop_package")
    assert seen == []
    importlib.import_module("shop_package.basket")
    assert seen == ["basket"]


def test_an_import_that_fails_raises_what_it_raises_and_may_succeed_later(modules) -> None:
    (modules / "shop_broken.py").write_text(
        "import sys\nif not hasattr(sys, 'shop_mended'): raise ValueError('no stock')\n"
    )
    seen: list[str] = []
    undo = when_imported("shop_broken", lambda: seen.append("there"))
    with pytest.raises(ValueError, match="no stock"):
        importlib.import_module("shop_broken")
    assert seen == []
    sys.shop_mended = True
    try:
        importlib.import_module("shop_broken")
    finally:
        del sys.shop_mended
    assert seen == ["there"]
    undo()


def test_a_module_that_does_not_exist_is_still_none(modules) -> None:
    undo = when_imported("shop_nowhere", lambda: None)
    assert importlib.util.find_spec("shop_nowhere") is None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("shop_nowhere")
    undo()


def test_what_was_undone_is_not_called_and_leaves_no_finder(modules) -> None:
    (modules / "shop_undone.py").write_text("")
    undo = when_imported("shop_undone", lambda: pytest.fail("called"))
    undo()
    undo()
    importlib.import_module("shop_undone")


def test_a_callback_that_raises_disturbs_neither_the_import_nor_the_others(modules) -> None:
    (modules / "shop_raising.py").write_text("")
    seen: list[str] = []
    when_imported("shop_raising", lambda: 1 / 0)
    when_imported("shop_raising", lambda: seen.append("second"))
    importlib.import_module("shop_raising")
    assert seen == ["second"]


def test_threads_that_import_at_once_are_told_of_once(modules) -> None:
    (modules / "shop_shared.py").write_text("")
    seen: list[str] = []
    when_imported("shop_shared", lambda: seen.append("there"))
    threads = [threading.Thread(target=importlib.import_module, args=["shop_shared"]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == ["there"]


def test_a_finder_that_asks_importlib_for_the_same_name_is_asked_once(modules) -> None:
    (modules / "shop_asked.py").write_text("")

    class Asking:
        @staticmethod
        def find_spec(name: str, path: object = None, target: object = None) -> object:
            return importlib.util.find_spec(name) if name == "shop_asked" and not Asking.is_asking() else None

        asked = 0

        @classmethod
        def is_asking(cls) -> bool:
            cls.asked += 1
            return cls.asked > 1

    seen: list[str] = []
    when_imported("shop_asked", lambda: seen.append("there"))
    sys.meta_path.insert(1, Asking)
    try:
        importlib.import_module("shop_asked")
    finally:
        sys.meta_path.remove(Asking)
    assert seen == ["there"]
