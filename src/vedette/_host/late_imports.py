"""Being told when the program has imported a module, without importing it (design decision 15).

Guarantees
- A module that is there is told of at once, one that comes later when its outermost import has ended: what imports
  it may be half done, the module and whatever it imported of those waited for is not.
- Nothing is imported, found or loaded that the program does not import. While nobody waits, nothing of this is in
  ``sys.meta_path``.
- An import gives what it gives without us: the same module, with the loader and spec that it would have, and the same
  exceptions.
- What is called back runs guarded, on the thread that imported; its failure is its own.

How: one finder at the front of ``sys.meta_path``. For the exact names that are waited for it asks the finders behind it
and hands on their spec with a copy of the loader, whose ``exec_module`` tells us; the copy gives its place back to the
loader that it was made of before the module runs. Of a module whose import is under way when somebody asks, its spec
tells us, in which importlib notes that it has ended.

Assumes: the program's threads import as they like. Names and callbacks change by single operations on dicts and lists;
no lock is taken.
"""

from __future__ import annotations

import sys
from _thread import get_ident

from vedette._host import guests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any, Final

_waiting: Final[dict[str, list[Callable[[], object]]]] = {}
_importing: Final[dict[int, list[str]]] = {}
"""By thread: the names waited for whose modules have run inside the outermost import that is under way."""
_searching: Final[set[tuple[int, str]]] = set()
_being_told: Final[set[str]] = set()
"""Modules that have run, though the import system still counts them as being initialized."""


def when_imported(name: str, callback: Callable[[], object]) -> Callable[[], None]:
    """Call back once the module of this full name has been imported: now, if it is there.

    Returns: the undo, after which there is no call any more.
    """
    if _is_there(name):
        guests.ask_own(f"when {name!r} is there", callback)
        return _nothing
    _waiting.setdefault(name, []).append(callback)
    _watch_if_under_way(name)
    if _finder not in sys.meta_path:
        sys.meta_path.insert(0, _finder)

    def undo() -> None:
        callbacks = _waiting.get(name)
        if callbacks is None or callback not in callbacks:
            return
        callbacks.remove(callback)
        if not callbacks:
            _waiting.pop(name, None)
            _leave_if_done()

    return undo


def _is_there(name: str) -> bool:
    if name in _being_told:
        return True
    try:
        module: Any = sys.modules[name]
        return module is not None and not getattr(
            getattr(module, "__spec__", None), "_initializing", False
        )  # None: forbidden
    except Exception:  # noqa: BLE001 - not there, or something in its place that makes what it is asked for
        return False


def _watch_if_under_way(name: str) -> None:
    try:
        spec: Any = sys.modules[name].__spec__
        kind: Any = spec.__class__
        is_under_way = kind.__name__ == "ModuleSpec" and spec._initializing  # noqa: SLF001 - importlib's only word for it
    except Exception:  # noqa: BLE001 - as above
        return
    if not is_under_way:
        return

    class Telling(kind):  # type: ignore[misc]  # importlib.machinery is not imported for it
        def __setattr__(self, field: str, value: object) -> None:
            kind.__setattr__(self, field, value)
            if field == "_initializing" and not value:
                self.__class__ = kind
                if name in sys.modules:  # it has not failed
                    _has_run(name)

    spec.__class__ = Telling


def _has_run(name: str) -> None:
    """Tell of it, unless it is part of an import that will tell."""
    done = _importing.get(get_ident())
    if done is None:
        _tell(name)
    else:
        done.append(name)


def _leave_if_done() -> None:
    if not _waiting:
        try:
            sys.meta_path.remove(_finder)
        except ValueError:  # the program has put others in its place
            return


class _Finder:
    """What `sys.meta_path` gets. It finds nothing by itself."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in _waiting:
            return None
        key = get_ident(), fullname
        if key in _searching:  # a finder behind us asks `importlib` for the same name
            return None
        _searching.add(key)
        try:
            spec = _found_behind(self, fullname, path, target)
        finally:
            _searching.discard(key)
        if spec is not None and spec.loader is not None:
            spec.loader = _telling(spec.loader, fullname)
        return spec


def _found_behind(
    finder: _Finder, fullname: str, path: Sequence[str] | None, target: ModuleType | None
) -> ModuleSpec | None:
    for other in tuple(sys.meta_path):
        if other is finder:
            continue
        find_spec: Any = getattr(other, "find_spec", None)
        spec: ModuleSpec | None = None if find_spec is None else find_spec(fullname, path, target)
        if spec is not None:
            return spec
    return None


def _telling(loader: Any, name: str) -> Any:
    """A copy of the loader, which tells us when the module has run; the loader itself, where it cannot be copied."""
    kind: Any = loader.__class__
    if kind is type or not hasattr(kind, "exec_module"):
        return loader  # a class is its own loader for built-in and frozen modules: those are there from the start
    try:
        copy = kind.__new__(kind)
        copy.__dict__.update(loader.__dict__)
    except (TypeError, AttributeError):
        return loader

    def exec_module(module: ModuleType) -> None:
        __tracebackhide__ = True
        if module.__spec__ is not None:
            module.__spec__.loader = loader
        if getattr(module, "__loader__", None) is copy:
            module.__loader__ = loader
        ident = get_ident()
        done = _importing.get(ident)
        is_outermost = done is None
        if done is None:
            done = _importing[ident] = []
        try:
            loader.exec_module(module)
            done.append(name)
        finally:
            if is_outermost:
                _importing.pop(ident, None)
        if is_outermost:
            _tell_all(done)

    copy.exec_module = exec_module
    return copy


def _tell_all(names: list[str]) -> None:
    _being_told.update(names)  # one that is called back may wait for them itself
    try:
        for name in names:
            _tell(name)
    finally:
        _being_told.difference_update(names)


def _tell(name: str) -> None:
    for callback in _waiting.pop(name, ()):
        guests.ask_own(f"after the import of {name!r}", callback)
    _leave_if_done()


def _nothing() -> None:
    """Undoes a call that was made already."""


_finder: Final = _Finder()
