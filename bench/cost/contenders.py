"""Who is measured: both SDKs by the public names that they share, and the same program without one.

What this module imports is in the memory of each process that is measured: next to nothing.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Contender(Protocol):
        """What a scenario drives."""

        def init(self, dsn: str, **options: Any) -> None:
            """Begin, with the default options but for these."""

        def capture_exception(self, error: BaseException) -> None:
            """What stands in an ``except`` block."""

        def flush(self) -> None:
            """Have everything sent that waits."""


OURS, PEER, JOURNAL, NONE = "vedette", "sentry-sdk", "vedette, cache_dir", "no SDK"
WALK, TRACEBACK, LOGGING, LOGURU_EXCEPTION = "bare walk", "TracebackException", "logging.exception", "loguru"
FLOORS = (WALK, TRACEBACK, LOGGING, LOGURU_EXCEPTION)


FLUSH_SECONDS = 30.0
# Said, so that neither has to find out: the peer would start git for its release.
OPTIONS = {"release": "shop@1.0", "environment": "bench"}


class Sdk:
    """One of the two SDKs; whatever both have is found on ``sdk``."""

    delivers = True

    def __init__(self, module: str) -> None:
        self.sdk: Any = module_of(module)
        self.capture_exception = self.sdk.capture_exception

    def init(self, dsn: str, **options: Any) -> None:
        """As programs do."""
        self.sdk.init(dsn, **OPTIONS, **options)

    def flush(self) -> None:
        """Wait until all is sent."""
        self.sdk.flush(FLUSH_SECONDS)

    def module(self, name: str) -> Any:
        """A module of its package."""
        return module_of(f"{self.sdk.__name__}.{name}")


class WithJournal(Sdk):
    """vedette with ``cache_dir``."""

    def init(self, dsn: str, **options: Any) -> None:
        """In a folder that goes when the process does."""
        from tempfile import TemporaryDirectory

        self._folder = TemporaryDirectory(prefix="vedette-bench-")
        super().init(dsn, cache_dir=self._folder.name, **options)


class NoSdk:
    """The same program without any: what is raised is caught, and forgotten."""

    delivers = False

    def init(self, dsn: str, **options: Any) -> None:
        """There is nothing to begin."""

    def capture_exception(self, error: BaseException) -> None:
        """Forgotten."""

    def flush(self) -> None:
        """Nothing waits."""


def contender(name: str) -> Any:
    """The one of that name; nothing of the others is imported."""
    if name == NONE:
        return NoSdk()
    if name == OURS:
        return Sdk("vedette")
    if name == PEER:
        return Sdk("sentry_sdk")
    if name == JOURNAL:
        return WithJournal("vedette")
    from bench.cost.floors import FLOOR_CLASSES

    return FLOOR_CLASSES[name]()


def module_of(name: str) -> Any:
    """``importlib.import_module``, which is an import itself."""
    __import__(name)
    return sys.modules[name]
