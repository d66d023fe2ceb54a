"""vedette's own log: the logger ``vedette``, silent unless the program logs or asked for ``debug=True``.

``logging`` is imported at the first message, never by ``import vedette``. A NullHandler keeps Python's
last-resort handler from printing warnings that nobody asked for (PAIN-16, PAIN-24).

Debug mode is the process's: there is one handler, while any client that asked for it is open, at the lowest
diagnostic level of theirs. A client that is closed, or replaced by ``init``, has no say any more. No lock is taken:
two clients opened and closed at the same instant may leave the level of either.
"""

from __future__ import annotations

import sys

from vedette._host import inside

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any, Final, TextIO

LOGGER_NAME = "vedette"
LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40, "fatal": 50}
"""The diagnostic levels, with the numbers of ``logging``, which is not imported yet (CFG-48)."""
_DEBUG: Final = LEVELS["debug"]
_INFO: Final = LEVELS["info"]
_WARNING: Final = LEVELS["warning"]
_MAX_REMEMBERED = 1000
_HANDLERS: Final = "vedette's own log"  # as what the program's handlers run, when they get a record of ours

_logger: logging.Logger | None = None
_debug_handler: logging.Handler | None = None
_debugging: dict[int, int] = {}  # the level by the number of the client that asked
_hosts_level = 0  # of the logger, before debug mode
_own_level = 0  # that debug mode gave it
_said: set[str] = set()


def logger() -> logging.Logger:
    """The logger ``vedette`` (imports ``logging`` when first asked)."""
    global _logger  # noqa: PLW0603 - one logger a process
    if _logger is None:
        import logging  # noqa: PLC0415 - 10 ms that a program which never hears of us should not pay

        found = logging.getLogger(LOGGER_NAME)
        found.addHandler(logging.NullHandler())
        _logger = found
    return _logger


def start_debug(client: int, level: str) -> None:
    """Write what vedette has to say to stderr, for the client of this number (CFG-40 to CFG-43, CFG-46)."""
    _debugging[client] = LEVELS[level]
    _set_handler()


def stop_debug(client: int) -> None:
    """Stop, unless another client asked for it as well."""
    if _debugging.pop(client, None) is not None:
        _set_handler()


def _set_handler() -> None:
    global _debug_handler, _hosts_level, _own_level  # noqa: PLW0603 - one handler a process
    target = logger()
    levels = list(_debugging.values())
    if _debug_handler is None:
        _debug_handler = _new_handler()
    if not levels:
        target.removeHandler(_debug_handler)
        if target.level == _own_level:  # else the host has set it meanwhile
            target.setLevel(_hosts_level)
        return
    if _debug_handler not in target.handlers:
        _hosts_level = target.level
        target.addHandler(_debug_handler)
    _own_level = min(levels)
    _debug_handler.setLevel(_own_level)
    target.setLevel(_own_level)


def _new_handler() -> logging.Handler:
    import logging  # noqa: PLC0415 - imported by logger() already

    class DebugHandler(logging.StreamHandler):  # type: ignore[type-arg]  # no generic class before Python 3.11
        """Writes to whatever ``sys.stderr`` is now; where that cannot be written to, nothing can be said."""

        @property
        def stream(self) -> TextIO:
            return sys.stderr

        @stream.setter
        def stream(self, value: TextIO) -> None:
            """The base class sets it once."""

        def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
            """A broken pipe is no reason for a traceback."""

    handler = DebugHandler()
    handler.setFormatter(logging.Formatter("[vedette] %(levelname)s: %(message)s"))
    return handler


def debug(message: str, *args: Any, exc_info: bool = False) -> None:
    """For whoever set ``debug=True``, or listens to the logger ``vedette``; costs a look-up otherwise."""
    if "logging" in sys.modules:
        _say(_DEBUG, message, args, exc_info=exc_info)


def info(message: str, *args: Any) -> None:
    """As ``debug``, for what is worth more."""
    if "logging" in sys.modules:
        _say(_INFO, message, args, exc_info=False)


def warning(message: str, *args: Any, exc_info: bool = False) -> None:
    """A loss or fault that a user should hear of at the default level."""
    _say(_WARNING, message, args, exc_info=exc_info)


def _say(level: int, message: str, args: tuple[Any, ...], *, exc_info: bool) -> None:
    if inside.is_inside(_HANDLERS):
        return  # a handler of the program came back to vedette, and would again
    try:
        inside.call(_HANDLERS, _write, level, message, args, exc_info)
    except Exception as error:  # no descriptors for the import, a foreign handler: nothing can be said
        if inside.is_control_flow(error):
            raise


def _write(level: int, message: str, args: tuple[Any, ...], exc_info: bool) -> None:  # noqa: FBT001 - `call` passes by place
    logger().log(level, message, *args, exc_info=exc_info)


def warn_once(key: str, message: str, *args: Any, exc_info: bool = False) -> None:
    """Warn the first time for this key; from then on only at debug level (ruling 4, PAIN-44)."""
    if key in _said:
        debug(message, *args, exc_info=exc_info)
        return
    _remember(key)
    warning(message, *args, exc_info=exc_info)


def debug_once(key: str, message: str, *args: Any) -> None:
    """Say it at debug level, once it is heard."""
    if "logging" in sys.modules and key not in _said and logger().isEnabledFor(_DEBUG):
        _remember(key)
        debug(message, *args)


def _remember(key: str) -> None:
    if len(_said) < _MAX_REMEMBERED:
        _said.add(key)


def forget_warnings() -> None:
    """Warn once anew (for tests)."""
    _said.clear()
