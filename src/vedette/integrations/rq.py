"""RQ: what fails in jobs, and work horses that are lost.

RQ has no hook around a job, and a program's own exception handlers end the chain that one of ours would stand in; so
three methods of its workers are wrapped.

Guarantees
- Each job runs in an isolation scope and a trace of its own, without the breadcrumbs of before.
- A job that RQ will run again has not failed yet: nothing is captured until it does for good.
- What was captured in a work horse is sent before it ends, by ``os._exit``, for at most ``shutdown_timeout`` seconds.
"""

from __future__ import annotations

import os
import sys

from vedette._host import guests, log
from vedette.api import get_client, get_isolation_scope, isolation_scope
from vedette.integrations import DidNotEnable, Integration
from vedette.integrations._jobs import Job, function_at, parameters_of
from vedette.integrations._patching import look_like, put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Final

    from vedette._scopes.client import BaseClient
    from vedette.scope import Scope

__all__ = ["RqIntegration"]


class RqIntegration(Integration):
    """Captures what fails in RQ jobs, and work horses that are lost."""

    identifier = "rq"
    library = "rq"
    minimum_version: ClassVar[tuple[int, ...]] = (1, 8)

    def setup(self, client: BaseClient) -> None:
        """Wrap what runs jobs; for which client is looked up when one runs."""
        worker: Any = getattr(sys.modules["rq"], "Worker", None)
        if worker is None:
            raise DidNotEnable("rq has no Worker")
        for name, replacement in _REPLACEMENTS.items():
            owner = next((each for each in worker.__mro__ if name in each.__dict__), None)
            if owner is not None:  # the one about work horses is younger than others
                put_in(self, owner, name, replacement)

    def close(self) -> None:
        """Restore RQ's own methods."""
        take_out(self)

    def repeats(self, record: Any) -> bool:
        """Whether a record of RQ's own logger says what was captured, or put off, too (PAIN-17)."""
        return "job_id" in record.__dict__


class WorkHorseLost(Exception):
    """The process that ran a job ended without a word, such as by a signal."""


class _Work:
    """A job that is running, or was: the work of an isolation scope.

    Its fields are read where RQ stores them, for its properties would unpickle what the program has not asked for yet.
    """

    __slots__ = ("_job", "is_cut_off", "is_tried_again")

    def __init__(self, job: Any) -> None:
        self._job = job
        left = job.__dict__.get("retries_left")
        self.is_tried_again = type(left) is int and left > 0
        """Whether RQ will run the job again if it fails. Read first: some versions count before they tell of it."""
        self.is_cut_off = ""
        """By what, where the stack does not tell."""

    def is_of(self, job: Any) -> bool:
        return self._job is job

    def end(self) -> None:
        """Let go of the job."""
        self._job = None

    def describe(self, event: dict[str, Any], client: BaseClient) -> None:
        """Add what the event does not say yet (``Scope.work``)."""
        job = self._job
        if job is None:
            return
        stored = job.__dict__
        name = _name_of(stored)
        found = Job(
            name,
            "rq-job",
            facts={"job_id": job.id, "func": name, "queue": job.origin},
            tags={"rq_job_id": job.id},
        )
        found.was_given(stored.get("_args"), stored.get("_kwargs"), parameters_of(function_at(name)))
        if self.is_cut_off:
            found.fingerprint = ["rq", self.is_cut_off, name]
        found.describe(event, client)


def _name_of(stored: dict[str, Any]) -> str:
    """The function's dotted path; of a job that nobody has unpickled yet, as its description begins."""
    name = stored.get("_func_name")
    if type(name) is str:
        return name
    description = stored.get("description")
    called, bracket, _ = description.partition("(") if type(description) is str else ("", "", "")
    return called if bracket and called.replace(".", "_").isidentifier() else "unknown"


# --- jobs --------------------------------------------------------------------------------------------------


def _is_on() -> bool:
    return get_client().get_integration(RqIntegration) is not None


def _make_perform_job(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def perform_job(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not _is_on():
            return previous(self, job, *args, **kwargs)
        with isolation_scope() as scope:
            work = _begin(scope, job)
            try:
                return previous(self, job, *args, **kwargs)
            finally:
                work.end()
                _deliver(self)

    return perform_job


def _begin(scope: Scope, job: Any) -> _Work:
    scope.clear_breadcrumbs()
    scope.set_new_propagation_context()
    work = scope.work = _Work(job)
    return work


def _deliver(worker: Any) -> None:
    """A work horse ends by ``os._exit``, without finalizers or exit handlers."""
    if worker.is_horse:
        get_client().flush()


# --- failures ----------------------------------------------------------------------------------------------


def _make_handle_exception(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def handle_exception(self: Any, job: Any, *exc_info: Any) -> Any:
        __tracebackhide__ = True
        if _is_on():
            _guard(_fail, self, job, exc_info)
        return previous(self, job, *exc_info)

    return handle_exception


def _make_handle_work_horse_killed(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def handle_work_horse_killed(self: Any, job: Any, *told: Any) -> Any:
        __tracebackhide__ = True
        if _is_on():
            _guard(_lose, job, told)
        return previous(self, job, *told)

    return handle_work_horse_killed


def _guard(capture: Callable[..., None], *args: Any) -> None:
    try:
        capture(*args)
    except Exception as error:  # the border: the job's failure is to be handled, whatever becomes of ours
        if guests.is_control_flow(error):
            raise
        log.warn_once("rq", "internal error in vedette's integration with RQ", exc_info=True)


def _fail(worker: Any, job: Any, exc_info: tuple[Any, ...]) -> None:
    work = get_isolation_scope().work
    if type(work) is _Work and work.is_of(job):
        _capture(work, exc_info[1])
    else:
        _capture_outside(job, exc_info[1])  # `init` came while the job was running
        _deliver(worker)


def _lose(job: Any, told: tuple[Any, ...]) -> None:
    _capture_outside(job, WorkHorseLost(f"the work horse {_end_of(told[1] if len(told) > 1 else None)}"))


def _end_of(wait_status: object) -> str:
    if type(wait_status) is not int:
        return "is gone"
    code = os.waitstatus_to_exitcode(wait_status)
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _capture_outside(job: Any, error: BaseException) -> None:
    with isolation_scope() as scope:
        work = _begin(scope, job)
        _capture(work, error)
        work.end()


def _capture(work: _Work, error: BaseException) -> None:
    if work.is_tried_again:
        return
    if type(error).__name__ in _CUT_OFF:
        work.is_cut_off = type(error).__name__
    get_client().capture_uncaught(error, "rq")


_CUT_OFF: Final = ("JobTimeoutException", "WorkHorseLost")

_REPLACEMENTS: Final = {
    "perform_job": _make_perform_job,
    "handle_exception": _make_handle_exception,
    "handle_work_horse_killed": _make_handle_work_horse_killed,
}
