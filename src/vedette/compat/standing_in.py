"""vedette under the name ``sentry_sdk``, for packages that import that one themselves.

Guarantees
- ``import sentry_sdk.x`` gives the very module ``vedette.x``: no class, and no state, is there twice. Only the top
  and ``consts`` are modules of their own, since their ``VERSION`` is another; they pass on everything else.
- What vedette does not have is not found, even if the real package is installed.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

__all__ = ["as_sentry_sdk"]

NAME: Final = "sentry_sdk"
MIRRORED_VERSION: Final = "2.68.0"
"""The edition of the unified API that vedette follows (docs/spec/public-api.md)."""

_OTHER_PLACES: Final = {f"{NAME}._types": "vedette.types"}


class _StandIn(ModuleType):
    """Passes everything on to a module of vedette, but for the version."""

    VERSION: str = MIRRORED_VERSION
    __version__: str = MIRRORED_VERSION

    def __init__(self, name: str, ours: str) -> None:
        original = importlib.import_module(ours)
        super().__init__(name, original.__doc__)
        self._vedette = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._vedette, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._vedette)})


class _Finder(MetaPathFinder):
    """Finds ``sentry_sdk`` and what is below it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != NAME:
            return None
        ours = _OTHER_PLACES.get(fullname, fullname.replace(NAME, "vedette", 1))
        found = importlib.util.find_spec(ours)
        if found is None:
            return None
        is_package = found.submodule_search_locations is not None
        return ModuleSpec(fullname, _Loader(ours), origin=ours, is_package=is_package)


class _Loader(Loader):
    """Gives a module of vedette under another name."""

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """The module itself; for those that state a version, one that stands in for it."""
        if self._ours in {"vedette", "vedette.consts"}:
            return _StandIn(spec.name, self._ours)
        module = importlib.import_module(self._ours)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is to be run; but the import has put its own spec on the module, which must keep its name."""
        if self._spec is not None:
            module.__spec__ = self._spec


def as_sentry_sdk() -> ModuleType:
    """Let every later ``import sentry_sdk``, here and in any package, find vedette; the module that is found.

    To be called before the first such import: raises RuntimeError if the real package has been imported.
    Under that name, ``VERSION`` is the edition of the unified API that vedette follows. Calling it again
    does no harm.
    """
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        imported = sorted(name for name in sys.modules if name.partition(".")[0] == NAME)
        if imported:
            raise RuntimeError(
                f"vedette.as_sentry_sdk() must come before the first import of {NAME}, and {imported[0]!r} was"
                " imported already: call it first thing in the program"
            )
        sys.meta_path.insert(0, _Finder())
    return importlib.import_module(NAME)
