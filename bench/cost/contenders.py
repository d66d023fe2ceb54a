"""Who is measured: both SDKs by the public names that they share, and what a program could do without one."""

from __future__ import annotations

import importlib
import io
import logging
import sys
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from types import TracebackType

FLUSH_SECONDS = 30.0
LOGURU = Path(sys.prefix) / "loguru"  # beside the environment's packages: the peer's `init` would import it
# Said, so that neither has to find out: the peer would start git for its release.
OPTIONS = {"release": "shop@1.0", "environment": "bench"}


class Contender(Protocol):
    """What a scenario drives."""

    def init(self, dsn: str, **options: Any) -> None:
        """Begin, with the default options but for these."""

    def capture_exception(self, error: BaseException) -> None:
        """What stands in an ``except`` block."""

    def flush(self) -> None:
        """Have everything sent that waits."""


class Sdk:
    """One of the two SDKs; whatever both have is found on ``sdk``."""

    delivers = True

    def __init__(self, module: str) -> None:
        self.sdk: Any = importlib.import_module(module)
        self.capture_exception = self.sdk.capture_exception

    def init(self, dsn: str, **options: Any) -> None:
        """As programs do."""
        self.sdk.init(dsn, **OPTIONS, **options)

    def flush(self) -> None:
        """Wait until all is sent."""
        self.sdk.flush(FLUSH_SECONDS)

    def module(self, name: str) -> Any:
        """A module of its package."""
        return importlib.import_module(f"{self.sdk.__name__}.{name}")


class WithJournal(Sdk):
    """vedette with ``cache_dir``."""

    def init(self, dsn: str, **options: Any) -> None:
        """In a folder that goes when the process does."""
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


class BareWalk(NoSdk):
    """The floor: visit each frame, and have what any report is made of, with nothing rendered."""

    def init(self, dsn: str, *, include_local_variables: bool = True, **options: Any) -> None:
        """With local variables, or without."""
        self._with_locals = include_local_variables

    def capture_exception(self, error: BaseException) -> None:
        """A tuple for each frame."""
        entry: TracebackType | None = error.__traceback__
        found = []
        while entry is not None:
            frame = entry.tb_frame
            code = frame.f_code
            values = dict(frame.f_locals) if self._with_locals else None
            found.append((code.co_filename, code.co_name, entry.tb_lineno, values))
            entry = entry.tb_next


class TracebackException(BareWalk):
    """What the standard library has for tracebacks with local variables."""

    def capture_exception(self, error: BaseException) -> None:
        """As text."""
        "".join(traceback.TracebackException.from_exception(error, capture_locals=self._with_locals).format())


class Logging(NoSdk):
    """``logger.exception`` of the standard library, to a string: a traceback without local variables."""

    def init(self, dsn: str, **options: Any) -> None:
        """With the format that programs have."""
        self._logger = logging.getLogger("shop")
        self._logger.propagate = False
        self._handler = logging.StreamHandler(io.StringIO())
        self._handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        self._logger.addHandler(self._handler)

    def capture_exception(self, error: BaseException) -> None:
        """What ``exception`` does, outside of an ``except`` block."""
        self._logger.error("unhandled", exc_info=error)

    def flush(self) -> None:
        """The text is forgotten, as a file would take it away."""
        self._handler.setStream(io.StringIO())


class Loguru(NoSdk):
    """``logger.exception`` of loguru as it comes, with ``diagnose``: what a user would pick to see values."""

    def init(self, dsn: str, **options: Any) -> None:
        """One sink that takes text."""
        sys.path.append(str(LOGURU))
        self._logger: Any = importlib.import_module("loguru").logger
        self._logger.remove()
        self._logger.add(lambda text: None, diagnose=True, backtrace=True)

    def capture_exception(self, error: BaseException) -> None:
        """What ``exception`` does, outside of an ``except`` block."""
        self._logger.opt(exception=error).error("unhandled")


OURS, PEER, JOURNAL, NONE = "vedette", "sentry-sdk", "vedette, cache_dir", "no SDK"
WALK, TRACEBACK, LOGGING, LOGURU_EXCEPTION = "bare walk", "TracebackException", "logging.exception", "loguru"
FLOORS = (WALK, TRACEBACK, LOGGING, LOGURU_EXCEPTION)


def contender(name: str) -> Any:
    """The one of that name; nothing of the others is imported."""
    match name:
        case "vedette":
            return Sdk("vedette")
        case "sentry-sdk":
            return Sdk("sentry_sdk")
        case "vedette, cache_dir":
            return WithJournal("vedette")
        case _:
            return {
                NONE: NoSdk,
                WALK: BareWalk,
                TRACEBACK: TracebackException,
                LOGGING: Logging,
                LOGURU_EXCEPTION: Loguru,
            }[name]()
