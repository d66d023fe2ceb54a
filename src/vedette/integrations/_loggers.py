"""Which loggers are not to be reported, for all integrations with logging libraries (PAIN-17, FW-logging-10)."""

from __future__ import annotations

import re
import sys

from vedette.integrations._web.hang_ups import is_hang_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from logging import LogRecord
    from types import FrameType
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

__all__ = ["IGNORED", "ignore_logger", "is_ignored", "level_name", "only_repeats", "unignore_logger"]

IGNORED: Final[set[str]] = {"vedette", "urllib3.connectionpool"}
"""Names, or patterns of names with ``*``."""

# By name: the integration that reports what this logger repeats. Where it has a method ``repeats``, that says of which
# records this is so; else the logger says nothing else at the level of errors.
_REPEATED: Final = {
    "aiohttp.server": "aiohttp",
    "celery.app.trace": "celery",
    "celery.worker.request": "celery",
    "django.request": "django",
    "django.server": "django",
    "multiprocessing": "celery",  # where billiard, too, logs
    "rq.worker": "rq",
}
# Those of servers and runners, which log whatever reaches them, after the scopes of its request are gone.
_LAST_TO_KNOW: Final = frozenset(
    {
        "asyncio",
        "concurrent.futures",
        "daphne.server",
        "django.request",
        "gunicorn.error",
        "hypercorn.error",
        "tornado.application",
        "uvicorn.error",
        "waitress",
        "werkzeug",
        *_REPEATED,
    }
)
_LEVELS: Final = ((50, "fatal"), (40, "error"), (30, "warning"), (20, "info"))

_ENDINGS: Final = (GeneratorExit, KeyboardInterrupt, SystemExit)  # by which programs end, and are no errors (ruling 32)

_SENDS: Final = "urllib3."  # by which vedette sends,
_REQUESTS: Final = ("vedette._transport.", "vedette._spotlight.")  # from here

_pattern: re.Pattern[str] | None = None


def ignore_logger(name: str) -> None:
    """Let records of a logger be neither events nor breadcrumbs: of this very name, where ``*`` is any text."""
    IGNORED.add(name)
    _compile()


def unignore_logger(name: str) -> None:
    """Undo `ignore_logger`, of the same name or pattern."""
    IGNORED.discard(name)
    _compile()


def _compile() -> None:
    global _pattern  # noqa: PLW0603 - one set a process
    patterns = [name for name in tuple(IGNORED) if "*" in name]
    texts = (".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns)
    _pattern = re.compile("|".join(texts), re.DOTALL) if patterns else None


def is_ignored(name: str) -> bool:
    """Whether what a logger of this name says now is left out."""
    if name in IGNORED or (_pattern is not None and _pattern.fullmatch(name) is not None):
        return True
    return name.startswith(_SENDS) and _is_about_own_request()


def _is_about_own_request() -> bool:
    """Whether it is about a request of vedette's, which would be followed by another one."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented
    while frame is not None:
        module: object = frame.f_globals.get("__name__")
        if type(module) is str and module.startswith(_REQUESTS):
            return True
        frame = frame.f_back
    return False


def only_repeats(
    client: BaseClient, name: str, exception: BaseException | None, record: LogRecord | None = None
) -> bool:
    """Whether what this logger says at the level of errors is reported already, with its request, by somebody else.

    So it is if the integration of its framework is on; or if a server logs, as the last one to know, an exception that
    was captured, though that was in the trace of a request that is over (ruling 39 would make it another event), or a
    client that has hung up.
    """
    if name not in _LAST_TO_KNOW:
        return False
    framework = _REPEATED.get(name)
    integration = None if framework is None else client.get_integration(framework)
    if integration is not None and _repeats(integration, record):
        return True
    if exception is None:
        return False
    return isinstance(exception, _ENDINGS) or is_hang_up(exception) or client.has_captured(exception)


def _repeats(integration: Any, record: LogRecord | None) -> bool:
    """Of a record of another library than ``logging`` it cannot be asked."""
    knows = getattr(integration, "repeats", None)
    return knows is None or record is None or bool(knows(record))


def level_name(number: float) -> str:
    """The protocol's name for a level; one of the program's own counts as the next one below it."""
    for least, name in _LEVELS:
        if number >= least:
            return name
    return "debug"
