"""The scope of a task: entered when Celery says that it begins, left when it says that it has ended.

Guarantees
- Each task runs in an isolation scope of its own, in a worker without the breadcrumbs of before and in its own trace.
- Celery sends ``task_postrun`` whatever ends a task; should that be missed, the scope is left before the next begins.

Relies on: ``task_prerun``, the task and ``task_postrun`` of one run being in the same context.
"""

from __future__ import annotations

from contextvars import ContextVar

from vedette.api import isolation_scope
from vedette.integrations._jobs import Job, parameters_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Any, Final

    from vedette.scope import Scope

__all__ = ["PROPAGATES", "TRACE_HEADERS", "Run", "begin", "describe", "end", "running"]

TRACE_HEADERS: Final = ("sentry-trace", "baggage")
PROPAGATES: Final = "sentry-propagate-traces"
"""The header by which a program says of one message whether the trace is to be continued (FW-celery-06)."""


class Run:
    """A task that is running in this context, above the one that called it, if any."""

    __slots__ = ("_scopes", "job", "outer", "task_id")

    def __init__(self, task_id: str | None, outer: Run | None) -> None:
        self.task_id: str | None = task_id
        self.outer: Run | None = outer
        self.job: Job | None = None
        self._scopes: AbstractContextManager[Scope] = isolation_scope()

    def enter(self) -> Scope:
        """Its isolation scope, in force from now on."""
        return self._scopes.__enter__()

    def leave(self) -> None:
        """Leave that, and let go of the arguments."""
        self._scopes.__exit__(None, None, None)
        if self.job is not None:
            self.job.end()


running: ContextVar[Run | None] = ContextVar("vedette_celery_task", default=None)


def begin(task: Any, told: dict[str, Any], *, propagates: bool) -> None:
    """Enter the scope of a task."""
    if not task.request.is_eager:
        _leave_all()  # a worker runs one task at a time in a context
    run = Run(told["task_id"], running.get())
    running.set(run)  # first, for a signal handler may come before the next line is done
    describe(run, run.enter(), task, told, propagates=propagates)


def end(task_id: str | None) -> None:
    """Leave it, and what was entered above it."""
    run = running.get()
    while run is not None and run.task_id != task_id:
        run = run.outer
    if run is not None:
        _leave_up_to(run)


def _leave_up_to(last: Run) -> None:
    run = running.get()
    while run is not None:
        running.set(run.outer)
        run.leave()
        run = None if run is last else run.outer


def _leave_all() -> None:
    while (run := running.get()) is not None:
        _leave_up_to(run)


def describe(run: Run, scope: Scope, task: Any, told: dict[str, Any], *, propagates: bool) -> None:
    """Have the events of this scope tell of the task; in a worker, with its own trace and breadcrumbs."""
    request = task.request
    is_eager = bool(request.is_eager)
    if not is_eager:
        scope.clear_breadcrumbs()
        scope.generate_propagation_context(_trace_of(request, propagates=propagates))
    job = Job(
        task.name,
        "celery-job",
        facts={"task_name": task.name, "id": told["task_id"], "retries": request.retries},
        tags={"celery_task_id": told["task_id"]},
        outer=scope.work if is_eager else None,
    )
    job.was_given(told["args"], told["kwargs"], parameters_of(task.run))
    run.job = scope.work = job


def _trace_of(request: Any, *, propagates: bool) -> dict[str, Any] | None:
    """The headers by which a message continues a trace, if it is to be continued."""
    wanted = request.get(PROPAGATES)
    if not (propagates if wanted is None else wanted):
        return None
    return {name: request.get(name) for name in TRACE_HEADERS if request.get(name)}
