"""What a program could do with an exception without an SDK, and the floor under all that one could do."""

from __future__ import annotations

import importlib
import io
import logging
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cost.contenders import LOGGING, LOGURU_EXCEPTION, TRACEBACK, WALK, NoSdk

if TYPE_CHECKING:
    from types import TracebackType

LOGURU = Path(sys.prefix) / "loguru"  # beside the environment's packages: the peer's `init` would import it


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


FLOOR_CLASSES = {WALK: BareWalk, TRACEBACK: TracebackException, LOGGING: Logging, LOGURU_EXCEPTION: Loguru}
