"""Check-ins and sessions, without either: jobs run as if nobody watched them."""

from __future__ import annotations

from vedette._noops import not_built

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Final, TypeVar

    from vedette._protocol.types import MonitorConfig

    F = TypeVar("F", bound=Callable[..., Any])

_CHECK_INS: Final = "check-ins are"
_SESSIONS: Final = "sessions are"


class MonitorStatus:
    """How a job stands."""

    IN_PROGRESS: Final = "in_progress"
    OK: Final = "ok"
    ERROR: Final = "error"


class monitor:  # noqa: N801 - the unified API's name
    """A decorator that returns the function itself, a context manager that does nothing: no check-ins are sent yet.

    An exception of the job goes on to the caller, as it does with check-ins.
    """

    def __init__(self, monitor_slug: str | None = None, monitor_config: MonitorConfig | None = None) -> None:
        not_built(_CHECK_INS, "monitor")

    def __call__(self, fn: F) -> F:
        return fn

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass


def capture_checkin(
    monitor_slug: str | None = None,
    check_in_id: str | None = None,
    status: str | None = None,
    duration: float | None = None,
    monitor_config: MonitorConfig | None = None,
) -> str:
    """The id that was given, else an empty text: no check-ins are sent yet."""
    not_built(_CHECK_INS, "capture_checkin")
    return check_in_id or ""


def start_session(session_mode: str = "application") -> None:
    """Do nothing: sessions are not built yet."""
    not_built(_SESSIONS, "start_session")


def end_session() -> None:
    """Do nothing: sessions are not built yet."""
    not_built(_SESSIONS, "end_session")
