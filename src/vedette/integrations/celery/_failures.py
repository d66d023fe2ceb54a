"""What is captured of a task that failed, and which of Celery's log records say the same (PAIN-17)."""

from __future__ import annotations

import sys
import time
from contextvars import ContextVar

from vedette.api import get_client
from vedette.integrations.celery import _runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

__all__ = ["fail", "fail_internally", "forget_internal_error", "is_repeated"]

_ENDED_FROM_OUTSIDE: Final = ("SoftTimeLimitExceeded", "TimeLimitExceeded", "WorkerLostError")


def fail(told: dict[str, Any], *, propagates: bool) -> None:
    """Capture what ``task_failure`` tells of."""
    run, task = _runs.running.get(), told["sender"]
    if run is not None and run.task_id == told["task_id"]:
        # Celery hands round a substitute for what cannot be pickled, while it handles the original.
        _capture(run, task, sys.exc_info()[1] or told["exception"])
        return
    if told["task_id"] != _failed_internally.get() and not _is_second_time_limit(told):
        _capture_outside(task, told, propagates=propagates)


_timed_out: ContextVar[tuple[str, float]] = ContextVar("vedette_celery_timed_out", default=("", 0.0))


def _is_second_time_limit(told: dict[str, Any]) -> bool:
    """Whether a hard time limit was signalled before: Celery does it for the lost process, and for the limit."""
    error, now = told["exception"], time.monotonic()
    if type(error).__name__ != "TimeLimitExceeded":
        return False
    task_id, at = _timed_out.get()
    _timed_out.set((told["task_id"], now))
    limit: Any = error.args[0] if error.args else 0.0
    return bool(task_id == told["task_id"] and now - at < limit)  # another run takes longer


def fail_internally(told: dict[str, Any], *, propagates: bool) -> None:
    """Capture what ``task_internal_error`` tells of: Celery itself has failed around a task."""
    request = told.get("request")
    if request and request.get("is_eager"):
        return  # it is raised on, to whoever called the task
    if _failed_internally.get() != told["task_id"]:  # with the backend gone, Celery fails again where it says so
        _failed_internally.set(told["task_id"])
        _capture_outside(told["sender"], told, propagates=propagates)


# The task of the last one in this context: Celery signals it as a failure of the task as well.
_failed_internally: ContextVar[str | None] = ContextVar("vedette_celery_failed_internally", default=None)


def forget_internal_error() -> None:
    """The next task begins, which may be the same one again."""
    _failed_internally.set(None)


def _capture_outside(task: Any, told: dict[str, Any], *, propagates: bool) -> None:
    """A failure that is told of where the task is not running: in a worker's main process, or after its end."""
    run = _runs.Run(told["task_id"], None)
    scope = run.enter()
    try:
        _runs.describe(run, scope, task, told, propagates=propagates)
        error = told["exception"]
        _captured_outside.set(id(error))
        _capture(run, task, getattr(error, "exc", error) if type(error).__name__ == _CARRIER else error)
    finally:
        run.leave()


_CARRIER: Final = "ExceptionWithTraceback"  # billiard's, around what a process sent
# By number, for nothing may keep it alive; Celery logs it while it still holds it.
_captured_outside: ContextVar[int] = ContextVar("vedette_celery_captured_outside", default=0)


def _capture(run: _runs.Run, task: Any, error: BaseException) -> None:
    said: Any = sys.modules["celery.exceptions"]
    if isinstance(error, (said.Ignore, said.Reject, said.Retry)) or (task.throws and isinstance(error, task.throws)):
        return
    if run.job is not None and type(error).__name__ in _ENDED_FROM_OUTSIDE:
        # Where it was cut off says nothing of why: the stack is another each time, or Celery's own.
        run.job.fingerprint = ["celery", type(error).__name__, run.job.name]
    get_client().capture_uncaught(error, "celery")


# --- what Celery logs of it --------------------------------------------------------------------------------


def is_repeated(record: Any) -> bool:
    """Whether a record of Celery's own loggers says what was captured."""
    if record.name == "celery.app.trace":
        data: Any = record.__dict__.get("data")
        return issubclass(data.__class__, dict) and data.get("description") in _SIGNALLED
    said = str(record.msg)
    args: Any = record.args
    told: tuple[Any, ...] = args if issubclass(args.__class__, tuple) else ()
    if said.startswith(_TIME_LIMIT):
        return _signals_time_limits() or _timed_out.get()[0] in told
    if said.startswith(_TASK_FAILED):
        return bool(told) and id(told[0]) == _captured_outside.get()
    return said.startswith(_PROCESS_EXITED)  # and what it ran is lost, or was cut off


_SIGNALLED: Final = ("raised unexpected", "INTERNAL ERROR")
_TIME_LIMIT: Final = "Hard time limit"
_TASK_FAILED: Final = "Task handler raised error"
_PROCESS_EXITED: Final = "Process %r pid:%r exited with"


def _signals_time_limits() -> bool:
    """Whether this Celery signals a hard time limit whatever the pool is: 5.2 does for a process only."""
    request: Any = sys.modules.get("celery.worker.request")
    return "task_failure" in request.Request.on_timeout.__code__.co_names
