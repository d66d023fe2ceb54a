"""The integration with Celery: it listens to Celery's signals.

Guarantees
- It does not matter where ``init`` is called, as long as the processes that run tasks have a client. Where they have
  none, because they were forked before, this is said once.
- A fault of ours is no business of Celery's, which would log it as an error of the program.
"""

from __future__ import annotations

import os
import sys

from vedette._host import guests, log
from vedette.api import get_client, get_current_scope
from vedette.integrations import Integration
from vedette.integrations._patching import look_like
from vedette.integrations.celery import _failures, _runs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, ClassVar, Final

    from vedette._scopes.client import BaseClient

__all__ = ["CeleryIntegration"]

_FROM_BEAT: Final = "celery_beat_task"


class CeleryIntegration(Integration):
    """Captures what fails in Celery tasks, and time limits and lost processes of workers.

    ``propagate_traces`` has a task continue the trace of the code that queued it; the header
    ``sentry-propagate-traces`` of one ``apply_async`` overrides it. ``monitor_beat_tasks`` and ``exclude_beat_tasks``
    are for check-ins, which vedette does not send yet.
    """

    identifier = "celery"
    library = "celery.signals"  # which `celery` itself imports only when it is used
    distribution = "celery"
    minimum_version: ClassVar[tuple[int, ...]] = (5, 2, 1)

    def __init__(
        self,
        propagate_traces: bool = True,  # noqa: FBT001, FBT002 - the unified API's signature
        monitor_beat_tasks: bool = False,  # noqa: FBT001, FBT002 - as above
        exclude_beat_tasks: list[str] | None = None,
    ) -> None:
        self.propagate_traces = propagate_traces
        self.monitor_beat_tasks = monitor_beat_tasks
        self.exclude_beat_tasks = exclude_beat_tasks

    def setup(self, client: BaseClient) -> None:
        """Listen to Celery; for which client is looked up when it speaks."""
        signals: Any = sys.modules["celery.signals"]
        for name, receiver in _RECEIVERS.items():
            getattr(signals, name).connect(receiver, weak=False, dispatch_uid=f"vedette.{name}")
        _users.append(self)
        if _beat_is_beginning():
            _note_beat()
        if self.monitor_beat_tasks:
            log.debug("CeleryIntegration: monitor_beat_tasks has no effect yet, vedette sends no check-ins")
        if _pool_is_running():
            log.warn_once(
                "celery: init came late",
                "vedette.init was called in a Celery worker whose processes are running: what fails in their tasks is "
                "not captured. Call it in the app's module, or in celeryd_init, worker_init or worker_process_init",
            )

    def close(self) -> None:
        """Stop listening, if no other client does."""
        _users[:] = [each for each in _users if each is not self]
        if _users:
            return
        signals: Any = sys.modules["celery.signals"]
        for name in _RECEIVERS:
            getattr(signals, name).disconnect(dispatch_uid=f"vedette.{name}")

    def repeats(self, record: Any) -> bool:
        """Whether a record of Celery's own loggers says what it has signalled, too (PAIN-17)."""
        return _failures.is_repeated(record)


_users: Final[list[CeleryIntegration]] = []


def _pool_is_running() -> bool:
    """Whether this is the main process of a prefork worker that has forked already."""
    billiard: Any = sys.modules.get("billiard")
    return "celery.concurrency.prefork" in sys.modules and bool(billiard.active_children())


def _receiver(function: Callable[[CeleryIntegration, dict[str, Any]], None]) -> Callable[..., None]:
    """Celery's signals as ours: while a client wants them, and a fault of ours stays ours."""

    @look_like(function)
    def receive(**told: Any) -> None:
        try:
            integration = get_client().get_integration(CeleryIntegration)
            if integration is not None:
                function(integration, told)
        except Exception as error:  # the border: Celery would log it as an error of the program
            if guests.is_control_flow(error):  # a soft time limit
                raise
            log.warn_once("celery", "internal error in vedette's integration with Celery", exc_info=True)

    del receive.__wrapped__, receive.__annotations__  # type: ignore[attr-defined]  # Celery looks for **kwargs
    return receive


@_receiver
def _begin(integration: CeleryIntegration, told: dict[str, Any]) -> None:
    _failures.forget_internal_error()
    _runs.begin(told["task"], told, propagates=integration.propagate_traces)


@_receiver
def _end(_: CeleryIntegration, told: dict[str, Any]) -> None:
    _runs.end(told["task_id"])


@_receiver
def _fail(integration: CeleryIntegration, told: dict[str, Any]) -> None:
    _failures.fail(told, propagates=integration.propagate_traces)


@_receiver
def _fail_internally(integration: CeleryIntegration, told: dict[str, Any]) -> None:
    _failures.fail_internally(told, propagates=integration.propagate_traces)


@_receiver
def _publish(integration: CeleryIntegration, told: dict[str, Any]) -> None:
    headers: Any = told.get("headers")
    if not hasattr(headers, "get") or _runs.TRACE_HEADERS[0] in headers:
        return  # of a task that is tried again, or the program's own
    wanted = headers.get(_runs.PROPAGATES)
    if not (integration.propagate_traces if wanted is None else wanted) or _is_beats(headers):
        return
    for name, value in get_current_scope().iter_trace_propagation_headers():
        theirs = headers.get(name)
        headers[name] = f"{theirs},{value}" if theirs else value


_beat_process: int = 0


@_receiver
def _begin_beat(_: CeleryIntegration, _told: dict[str, Any]) -> None:
    _note_beat()


def _note_beat() -> None:
    global _beat_process  # noqa: PLW0603 - one a process
    _beat_process = os.getpid()


def _beat_is_beginning() -> bool:
    """Whether ``init`` is called by a receiver of ``beat_init``: who listens from then on is not told of it any more.

    Only versions that do not mark what beat publishes need to know.
    """
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented
    while frame is not None:
        if frame.f_globals.get("__name__") == "celery.beat":
            return True
        frame = frame.f_back
    return False


def _is_beats(headers: dict[str, Any]) -> bool:
    """Whether beat is publishing: what it schedules in the weeks of its life is not one trace."""
    return _FROM_BEAT in headers or (_runs.running.get() is None and _beat_process == os.getpid())


@_receiver
def _end_process(_: CeleryIntegration, _told: dict[str, Any]) -> None:
    get_client().flush()  # it goes by os._exit, without finalizers or exit handlers


_RECEIVERS: Final = {
    "before_task_publish": _publish,
    "task_prerun": _begin,
    "task_postrun": _end,
    "task_failure": _fail,
    "task_internal_error": _fail_internally,
    "worker_process_shutdown": _end_process,
    "beat_init": _begin_beat,
    "beat_embedded_init": _begin_beat,
}
