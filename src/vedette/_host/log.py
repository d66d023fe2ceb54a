"""vedette's own log: the logger ``vedette``, silent unless the program logs or asked for ``debug=True``.

``logging`` is imported at the first message, never by ``import vedette``. A NullHandler keeps Python's
last-resort handler from printing warnings that nobody asked for (PAIN-16, PAIN-24).
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from typing import Any

LOGGER_NAME = "vedette"
_MAX_REMEMBERED = 1000
_DEBUG = 10  # as logging has them, which is not imported yet
_WARNING = 30

_logger: logging.Logger | None = None
_debug_handler: logging.Handler | None = None
_warned: set[str] = set()


def logger() -> logging.Logger:
    """The logger ``vedette`` (imports ``logging`` when first asked)."""
    global _logger  # noqa: PLW0603 - one logger a process
    if _logger is None:
        import logging  # noqa: PLC0415 - 10 ms that a program which never hears of us should not pay

        found = logging.getLogger(LOGGER_NAME)
        found.addHandler(logging.NullHandler())
        _logger = found
    return _logger


def set_debug(*, enabled: bool) -> None:
    """Write everything vedette has to say to stderr, or stop doing so (CFG-40 to CFG-43)."""
    global _debug_handler  # noqa: PLW0603 - one handler a process
    if not enabled:
        if _debug_handler is not None and _logger is not None:
            _logger.removeHandler(_debug_handler)
            _logger.setLevel(0)
            _debug_handler = None
        return
    target = logger()
    target.setLevel(_DEBUG)
    if _debug_handler is None:
        import logging  # noqa: PLC0415 - imported by logger() already

        _debug_handler = logging.StreamHandler(sys.stderr)
        _debug_handler.setFormatter(logging.Formatter("[vedette] %(levelname)s: %(message)s"))
        target.addHandler(_debug_handler)


def debug(message: str, *args: Any, exc_info: bool = False) -> None:
    """For whoever set ``debug=True``, or listens to the logger ``vedette``; costs a look-up otherwise."""
    if "logging" in sys.modules:
        _say(_DEBUG, message, args, exc_info=exc_info)


def warning(message: str, *args: Any, exc_info: bool = False) -> None:
    """A loss or fault that a user should hear of at the default level."""
    _say(_WARNING, message, args, exc_info=exc_info)


def _say(level: int, message: str, args: tuple[Any, ...], *, exc_info: bool) -> None:
    try:
        logger().log(level, message, *args, exc_info=exc_info)
    except Exception:  # noqa: BLE001, S110 - no descriptors for the import, a foreign handler: nothing can be said
        pass


def warn_once(key: str, message: str, *args: Any, exc_info: bool = False) -> None:
    """Warn the first time for this key; from then on only at debug level (ruling 4, PAIN-44)."""
    if key in _warned:
        debug(message, *args, exc_info=exc_info)
        return
    if len(_warned) < _MAX_REMEMBERED:
        _warned.add(key)
    warning(message, *args, exc_info=exc_info)


def forget_warnings() -> None:
    """Warn once anew (for tests)."""
    _warned.clear()
