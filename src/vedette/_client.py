"""The client: what turns captures into events and hands them on. To read vedette, start at EVENT_PIPELINE.

    your code -> api -> Client.capture_* -> EVENT_PIPELINE -> TelemetryProcessor -> Transport -> the server

Guarantees
- ``capture_*`` never raises an Exception of vedette's own into the host and never blocks it (design decision 13).
- The client holds configuration, transport and integrations, no contextual data (CLI-01, CLI-02).
- Everything captured while the client is active is accounted for in ``stats()``.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from _collections_abc import Mapping  # `collections` would take a millisecond, and this is here already
from types import MappingProxyType

from vedette import _stages as stages
from vedette._configured import (
    event_defaults_of,
    event_settings_of,
    ignored_errors_of,
    open_journal,
    policy_of,
    trace_fields_of,
    transport_of,
)
from vedette._duplicates import marks_on
from vedette._events.exceptions import ends_program
from vedette._events.reading_values import tuple_slice
from vedette._events.records import Record, format_message
from vedette._events.values import render_json
from vedette._host import guests, log
from vedette._host.ending import Closing
from vedette._host.lifecycle import Lifecycle
from vedette._integration_set import IntegrationSet
from vedette._late import late, load
from vedette._options import OPTIONS, UNSET, OptionError, resolve, speak
from vedette._processing.processor import TelemetryProcessor
from vedette._processing.sending import sender_for
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._protocol.dsn import Dsn
from vedette._protocol.version import SDK_NAME, VERSION
from vedette._scopes.breadcrumbs import LONGEST_PLAIN
from vedette._scopes.client import BaseClient, NoOpClient
from vedette._scopes.normal import dict_of, shown
from vedette._scopes.scope import entry_in_force
from vedette._stages import UNCOUNTED, Capture

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, ClassVar, Final

    from typing_extensions import Self, Unpack

    from vedette import _feedback as given_feedback
    from vedette import _given_events as given_events
    from vedette import _hooks as hooks
    from vedette._configured import IgnoredErrors
    from vedette._duplicates import Sighting
    from vedette._events.settings import EventSettings
    from vedette._host import off_loop
    from vedette._host.stats import Stats
    from vedette._options import Remark, Unset
    from vedette._options.typed import Options
    from vedette._privacy import event_scrubber
    from vedette._privacy.policy import Policy
    from vedette._processing import packing
    from vedette._protocol.types import Event, ExcInfo, Hint
    from vedette._scopes.merge import ScopeData
    from vedette._scopes.scope import Scope
    from vedette._spotlight import pipeline as showing
    from vedette._stages import Stage
    from vedette._transport.interface import Transport
    from vedette._transport.journal import Journal
else:
    event_scrubber = late("vedette._privacy.event_scrubber")
    given_events = late("vedette._given_events")
    given_feedback = late("vedette._feedback")
    hooks = late("vedette._hooks")
    off_loop = late("vedette._host.off_loop")
    packing = late("vedette._processing.packing")
    showing = late("vedette._spotlight.pipeline")

# The way of an event (CLI-31, CLI-32; ruling 1): cheap refusals first, so that what is dropped is never built.
EVENT_PIPELINE: Final[tuple[Stage, ...]] = (
    stages.refuse_disabled,  # CLI-33: no transport, no DSN, or closed
    stages.refuse_from_inside,  # ruling 4a: a hook that captures
    stages.drop_ignored_errors,  # CLI-34, CLI-35
    stages.drop_duplicates,  # ruling 39
    stages.sample,  # CLI-49 to CLI-51
    stages.drop_rate_limited,  # RATE-02
    stages.build_event,  # CLI-63, CLI-64
    stages.apply_scopes,  # CLI-36
    stages.run_event_processors,  # CLI-37 to CLI-40
    stages.run_before_send,  # CLI-41 to CLI-44
    stages.check_feedback,  # FBK-10, FBK-30
    stages.take_attachments,  # ATT-32, ATT-36
    stages.deliver,  # CLI-52
)


def run_pipeline(client: Client, capture: Capture) -> str | None:
    """Walk one capture through the stages; its event id, or None where it was dropped."""
    try:
        for stage in EVENT_PIPELINE:
            verdict = stage(client, capture)
            if verdict is not None:
                if verdict is not UNCOUNTED:
                    stages.count_loss(client, capture, verdict)
                    if client.spotlight is not None:
                        rest = EVENT_PIPELINE[EVENT_PIPELINE.index(stage) + 1 :]
                        client.spotlight.show_dropped(client, capture, verdict, rest)
                return None
    except BaseException as error:  # noqa: BLE001 - what is the host's is raised on, below
        try:
            if capture.loss is not None:
                stages.count_loss(client, capture, capture.loss)
            if not isinstance(error, Exception) or guests.is_control_flow(error):  # Ctrl-C, a signal handler
                raise
            if not isinstance(error, RecursionError):
                log.warn_once("capture", "internal error in vedette - please report it", exc_info=True)
        except RecursionError:  # the host stands at its limit: there is no room even to count
            return None
        return None
    return str(capture.event["event_id"])


class Client(BaseClient):
    """Captures errors and messages and delivers them to the server that its DSN names.

    ``Client(dsn, **options)``, ``Client({...})`` or ``Client.from_config({...})`` (CLI-61). Raises OptionError
    for a wrong option and BadDsn for a malformed DSN. An empty DSN makes a client that does nothing (CLI-14), or, with
    ``spotlight``, nothing but that (ruling 37).
    ``init`` is the usual way to make one; a client made by hand is bound with ``scope.set_client`` (CLI-30), or
    used by its own methods. Its integrations are set up at once. ``with`` and ``async with`` close it.

    ``options`` holds the finished options, with what vedette found out by itself: ``release``, ``environment``,
    ``server_name``, ``project_root``. With ``debug``, debug mode is on until this client is closed.
    """

    _of_new_ones: ClassVar[tuple[Transport, list[Callable[[], None]]] | None] = None

    def __init__(self, dsn: str | Mapping[str, Any] | Unset | None = UNSET, **options: Unpack[Options]) -> None:
        given: dict[str, Any] = {**dsn, **options} if isinstance(dsn, Mapping) else {"dsn": dsn, **options}
        remarks: list[Remark] = []
        found = resolve(given, remarks=remarks)
        self.options: Mapping[str, Any] = MappingProxyType(found)
        self._dsn = Dsn(found["dsn"]) if found["dsn"] else None
        self._number = next(_numbers)
        self.policy: Policy = policy_of(found, remarks)
        """What may be collected, and which names are filtered."""
        self.event_settings: EventSettings = event_settings_of(found, self.policy)
        self.max_breadcrumbs: int = found["max_breadcrumbs"]
        self.integration_set: IntegrationSet = IntegrationSet(self, found)
        self.integrations: Mapping[str, Any] = self.integration_set.integrations
        self.ignored_errors: IgnoredErrors | None = ignored_errors_of(found)
        self.drops_duplicates: bool = not self.integration_set.is_unwanted("dedupe")
        self.event_defaults: Mapping[str, Any] = event_defaults_of(found)
        self.extra_defaults: dict[str, Any] = {}
        self.trace_fields: Mapping[str, str] = trace_fields_of(self._dsn, self.event_defaults)
        self.added_before_sending: dict[str, Callable[[], object]] = {}
        """What `add_before_sending` was given."""
        self._lifecycle = Lifecycle()
        self._closing = Closing()
        self.transport: Transport | None = transport_of(found) if self._dsn is not None else None
        self.processor: TelemetryProcessor = self._processor_for(self.transport, has_journal=True)
        self._active = self.transport is not None or bool(found["spotlight"])
        is_plain = self._active and found["before_breadcrumb"] is None and self.max_breadcrumbs > 0
        self.plain_text_limit: int = min(self.event_settings.text_limit, LONGEST_PLAIN) if is_plain else 0
        if found["debug"]:
            log.start_debug(self._number, found["diagnostic_level"])
        speak(remarks)
        log.debug(
            "vedette %s sends to %s, as release %r in environment %r",
            VERSION,
            "nobody: it has no DSN" if self._dsn is None else self._dsn.host,
            found["release"],
            found["environment"],
        )
        if found["spotlight"]:
            showing.attach(self)
        is_warm = found["warm"] or found["cache_dir"] or "uwsgi" in sys.modules
        # So that a capture imports nothing, not even while Python is shutting down or a signal handler raises.
        if self._active and any(found[name] is not None for name in HOOKS):
            load("vedette._hooks")
        if self._active and (is_warm or found["before_send"] is not None):
            load("vedette._given_events")
        if self._active and is_warm:
            self.processor.prepare()  # uWSGI forks without telling; with a journal each capture encodes (decision 3)
        if Client._of_new_ones is not None and found["transport"] is None:
            transport, undos = Client._of_new_ones
            undos.append(self.redirect(transport))
        self.processor.adopt()
        self.integration_set.set_up(found)

    def _processor_for(self, transport: Transport | None, *, has_journal: bool = False) -> TelemetryProcessor:
        return TelemetryProcessor(
            sender_for(transport),
            self._new_packer,
            capacity=self.options["transport_queue_size"],
            max_connections=self.options["max_connections"],
            exit_seconds=self.options["shutdown_timeout"],
            send_reports=self.options["send_client_reports"],
            lifecycle=self._lifecycle,
            open_journal=self._open_journal if has_journal else None,
            max_kept=self.options["cache_max_items"],
        )

    def _new_packer(self) -> packing.Packer:
        scrubber = self.options["event_scrubber"]
        return packing.Packer(
            trace=self.trace_fields,
            scrubber=event_scrubber.scrubber_of(self.policy.denylist) if scrubber is None else scrubber,
            text_limit=self.event_settings.text_limit,
            later=self.added_before_sending,
        )

    def _open_journal(self, on_evicted: Callable[[DataCategory, int], None]) -> Journal | None:
        return open_journal(self.options, self._dsn, on_evicted)

    @classmethod
    def from_config(cls, options: Mapping[str, Any]) -> Self:
        """A client from a mapping of options (CLI-61)."""
        kind: type = type(options)
        if not issubclass(kind, Mapping):
            message = f"Client.from_config takes a mapping of options, got {kind.__qualname__}"
            raise OptionError(message)
        return cls(options)

    def should_send_default_pii(self) -> bool:
        """Whether who the user is may be collected: ``send_default_pii``, or ``user_info`` of ``data_collection``."""
        return self.policy.user_info

    # --- capturing -------------------------------------------------------------------------------------

    def capture_event(self, event: Event, hint: Hint | None = None, scope: Scope | None = None) -> str | None:
        """Merge an event with scope data, run the pipeline, dispatch it (CLI-62); its id, or None if dropped.

        ``hint`` is what hooks are told beside it; with an ``exc_info`` the event counts as that of an exception,
        for ``ignore_errors``, error processors and duplicates. ``scope`` is merged on top of the active scopes.
        """
        given: Any = event
        if not issubclass(type(given), dict):
            self._refuse("capture_event takes a dict, and got %s; nothing is sent", given)
            return None
        told = None if hint is None else dict_of(hint, "a hint")
        capture = Capture(None, told, scope)
        capture.event, capture.category = event, stages.category_of(event)
        if capture.category is DataCategory.ERROR:
            capture.exception = stages.exception_in(told)
        return run_pipeline(self, capture)

    def capture_exception(
        self,
        exception: BaseException | ExcInfo | None = None,
        scope: Scope | None = None,
        *,
        mechanism: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Capture an exception (CLI-63): the one given, that of an ``exc_info`` tuple, or the one being handled.

        ``mechanism`` overrides ``{"type": "generic", "handled": True}`` key by key (ERR-42). Where there is no
        exception, nothing is captured and None returned.
        """
        found: Any = exception
        if not issubclass(type(found), BaseException):
            if issubclass(type(found), tuple):
                found = (*tuple_slice(found, slice(1, 2)), None)[0]
            if found is None:
                found = sys.exc_info()[1]
            if found is None:
                log.debug("capture_exception: no exception was given and none is being handled")
                return None
            if not issubclass(type(found), BaseException):
                self._refuse("capture_exception takes an exception, and got %s; nothing is sent", found)
                return None
        capture = Capture(found, None, scope)
        capture.mechanism = mechanism
        return run_pipeline(self, capture)

    def capture_uncaught(self, exception: BaseException, mechanism_type: str) -> str | None:
        """Capture an exception that nobody caught, unless it is a way in which programs end themselves (ruling 32).

        ``mechanism_type`` names the hook that saw it (ERR-36, ERR-37, ERR-41).
        """
        if ends_program(exception):
            return None
        return self.capture_exception(exception, mechanism={"type": mechanism_type, "handled": False})

    def capture_message(self, message: str, level: str | None = None, scope: Scope | None = None) -> str | None:
        """Capture a message (CLI-64), of level ``info`` unless told otherwise (ruling 27)."""
        capture = Capture(None, None, scope)
        capture.message, capture.level = message, level
        return run_pipeline(self, capture)

    def capture_record(
        self,
        text: str,
        *,
        level: str,
        logger: str | None = None,
        template: object = None,
        params: object = (),
        extra: dict[str, Any] | None = None,
        timestamp: float | None = None,
        exception: BaseException | None = None,
        handled: BaseException | None = None,
        caller: FrameType | None = None,
        with_stack: bool = False,
        mechanism_type: str = "logging",
        hint: Hint | None = None,
    ) -> str | None:
        """Capture what was said through a logging library (FW-logging-04, FW-logging-07, PAIN-17)."""
        record = Record(
            text,
            level,
            logger=logger,
            template=template,
            params=params,
            extra=extra,
            timestamp=timestamp,
            caller=caller,
            with_stack=with_stack or self.options["attach_stacktrace"],
        )
        if exception is None and handled is not None:
            exception = record.exception_among(handled, self.event_settings)
        mechanism = {"type": mechanism_type, "handled": True}
        told = None if hint is None else dict_of(hint, "a hint")
        capture = Capture(exception, told, None)
        if exception is None:
            capture.exception = stages.exception_in(told)
        capture.record, capture.mechanism = record, mechanism
        return run_pipeline(self, capture)

    def has_captured(self, exception: BaseException) -> bool:
        """Whether this exception became an event of this client in this process, in whatever trace."""
        marks = marks_on(exception)
        return marks is not None and marks.tell_of_client(self._number, os.getpid())

    def format_message(self, template: object, params: object) -> str:
        """``template % params`` without running code of the parameters: what is no plain value is rendered."""
        return format_message(template, params, self.event_settings)

    def capture_feedback(
        self, feedback: dict[str, Any], hint: Hint | None = None, scope: Scope | None = None
    ) -> str | None:
        """Send what a user said: a dict with at least ``message`` (FBK-38 to FBK-41); its id, or None if dropped.

        Further keys: ``contact_email``, ``name``, ``url``, ``associated_event_id``, ``replay_id``. A longer
        message than 4096 characters is cut; without one the feedback is dropped as ``invalid``, never raised.
        """
        event: Any = given_feedback.feedback_event(feedback)
        told = None if hint is None else dict_of(hint, "a hint")
        capture = Capture(None, told, scope)
        capture.event, capture.category = event, DataCategory.FEEDBACK
        if event is not None:
            return run_pipeline(self, capture)
        log.warn_once("feedback", "a feedback without a message is dropped")
        if self._is_configured():  # also once it is closed: nothing is lost silently
            stages.count_loss(self, capture, DiscardReason.INVALID)
        return None

    def _is_configured(self) -> bool:
        """Whether what is captured goes anywhere, or did until it was closed."""
        return self.transport is not None or self.spotlight is not None

    def _refuse(self, message: str, given: object) -> None:
        if self._is_configured():
            log.warn_once(message, message, shown(given))
            self.processor.count_drop(DiscardReason.INVALID, DataCategory.ERROR)

    # --- life cycle ------------------------------------------------------------------------------------

    def is_active(self) -> bool:
        """Whether there is a transport, or a Spotlight, and the client was not closed (CLI-18, ruling 37)."""
        return self._active

    def flush(self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
        """Send what waits, for at most ``timeout`` seconds (default: ``shutdown_timeout``); stay usable.

        ``callback(pending, timeout)`` is called first if anything is pending. Implements CLI-22, CLI-24.
        """
        if self._active:
            self.processor.flush(self._seconds(timeout), callback)

    async def flush_async(
        self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None
    ) -> None:
        """As `flush`, without holding up the event loop: the waiting, and ``callback``, take another thread.

        A task that is cancelled meanwhile stops waiting; the sending goes on. Where no thread can be had, it
        returns at once. Under another kind of event loop than asyncio's it is `flush`.
        """
        if self._active:
            seconds = self._seconds(timeout)
            await off_loop.wait_off_loop(
                lambda: self.processor.flush(seconds, callback), lambda: self.processor.flush(0.0, callback)
            )

    def close(self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
        """Flush for at most ``timeout`` seconds (default: ``shutdown_timeout``), then be disabled (CLI-20 to CLI-23).

        Later captures are lost, and counted in ``stats()``. Integrations are undone in the end. Closing twice is fine:
        the second call waits for the first, if that goes on in another thread, as long as its own ``timeout``. What a
        signal handler raises meanwhile ends the waiting: what was not sent is counted, or kept on disk, all the same.
        """
        self._close(self._seconds(timeout), callback)

    async def close_async(
        self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None
    ) -> None:
        """As `close`, without holding up the event loop. Otherwise as `flush_async`."""
        seconds = self._seconds(timeout)
        self._stop_capturing()
        await off_loop.wait_off_loop(lambda: self._close(seconds, callback), lambda: self._close(0.0, callback))

    def _close(self, seconds: float, callback: Callable[[int, float], object] | None) -> None:
        self._stop_capturing()
        if not self._closing.begin():
            self._closing.wait(seconds)
            return
        is_done = False
        try:
            try:
                self.processor.close(seconds, callback)
                self.stop_debug()
            finally:  # the end of the program waits for a client that still has its AtexitIntegration
                self.integration_set.undo()
            is_done = True
        finally:
            self._closing.end(is_done=is_done)

    def stop_debug(self) -> None:
        """Have no say in debug mode any more: another client has taken this one's place."""
        log.stop_debug(self._number)

    def redirect(self, transport: Transport) -> Callable[[], None]:
        """For tests (``vedette.testing``): have another transport get all that is captured, until the undo is called.

        Hooks, scopes and integrations stay as they are. What was captured before goes its old way, and ``stats()``
        counts anew in between. A client without a DSN is active meanwhile. Returns: the undo.
        """
        before = self.transport, self.processor, self._active
        self.transport, self.processor, self._active = transport, self._processor_for(transport), True

        def undo() -> None:
            self.transport, self.processor, was_active = before
            self._active = was_active and not self._closing.has_begun()

        return undo

    @classmethod
    def redirect_new(cls, transport: Transport) -> Callable[[], None]:
        """For tests: do the same with every client that is made meanwhile without a transport of its own.

        A program's own ``init``, called inside a test, then sends nothing either. Returns: the undo, for all of them.
        """
        before = Client._of_new_ones
        undos: list[Callable[[], None]] = []
        Client._of_new_ones = transport, undos

        def undo() -> None:
            Client._of_new_ones = before
            for each in undos:
                each()

        return undo

    def stats(self) -> Stats:
        """How many items were captured, and what became of them."""
        return self.processor.stats()

    def _stop_capturing(self) -> None:
        self._active = False
        self.plain_text_limit = 0

    def _seconds(self, timeout: Any) -> float:
        """A time-out that can be waited for; what is none is the default, for nobody's shutdown may fail on it."""
        if issubclass(type(timeout), (int, float)):
            return float(max(0.0, min(timeout, MOST_SECONDS)))  # of NaN, 0.0
        if timeout is not None:
            log.debug("a timeout is a number of seconds: shutdown_timeout is used instead of what was given")
        return float(self.options["shutdown_timeout"])

    # --- hooks and integrations ------------------------------------------------------------------------

    def on(self, name: str, callback: Callable[..., object]) -> Callable[[], None]:
        """Have ``callback`` called whenever ``name`` is emitted; what is returned undoes it (HOOK-01 to HOOK-11)."""
        return self._lifecycle.on(name, callback)

    def emit(self, name: str, *args: Any) -> None:
        """Call those who registered for this name, in the order in which they did (HOOK-04, HOOK-05)."""
        self._lifecycle.emit(name, *args)

    def add_extra(self, name: str, value: object) -> None:
        """Have all error events of this client say this in ``extra``, unless they say something else there."""
        self.extra_defaults[name] = self.render(value)

    def add_before_sending(self, name: str, read: Callable[[], object]) -> None:
        """Give error events that have no such field what ``read()`` returns, on the worker before sending."""
        self.added_before_sending[name] = read

    def get_integration(self, name_or_class: str | type) -> Any | None:
        """The integration of that identifier or class, if it is set up."""
        name: Any = name_or_class if isinstance(name_or_class, str) else getattr(name_or_class, "identifier", None)
        return self.integrations.get(name)

    # --- for the stages and the scopes -----------------------------------------------------------------

    @property
    def dsn(self) -> str | None:
        """The DSN as given, or None."""
        found: str | None = self.options["dsn"]
        return found

    @property
    def parsed_dsn(self) -> Dsn | None:
        """The DSN in its parts, or None."""
        return self._dsn

    @property
    def organization(self) -> str | None:
        """The id of the organization: the option ``org_id``, else that of the DSN's host (PROP-30 to PROP-32)."""
        given = self.options.get("org_id")
        if given is not None:
            return str(given)
        return None if self._dsn is None else self._dsn.org_id

    def sighting(self, scopes: ScopeData | None) -> Sighting:
        """By what an exception is known to have been captured: client, process and trace (ruling 39).

        The trace is that of the event, whatever hooks did meanwhile, once it has its ``scopes``.
        """
        trace = (
            entry_in_force().isolation.get_active_propagation_context()
            if scopes is None
            else scopes.propagation_context
        )
        return self._number, os.getpid(), trace.trace_id

    def render(self, value: object) -> Any:
        """A value as bounded exact built-ins (design decision 6)."""
        return render_json(value, self.event_settings)

    def render_event(self, event: object) -> dict[str, Any]:
        """An event that foreign code made or had in its hands, as bounded exact built-ins (design decision 6).

        What no event may lack is there, whatever the code took away (EVT-05, EVT-07, EVT-101).
        """
        right = given_events.put_right(event, self.event_settings)
        right.setdefault("timestamp", time.time())
        right.setdefault("platform", self.event_defaults["platform"])
        if "sdk" not in right:
            right["sdk"] = self.sdk_info()
        return right

    def render_mechanism(self, mechanism: Mapping[str, Any] | None) -> dict[str, Any]:
        """What the caller says of a capture, in the form that servers take (ERR-31, ERR-42)."""
        if mechanism is None:
            return {}
        rendered = self.render(dict_of(mechanism, "mechanism"))
        return given_events.right_mechanism(rendered, given_events.Faults(), ("mechanism",)) if rendered else {}

    def render_user(self, user: object) -> dict[str, Any] | None:
        """A user, in the form that servers take (ruling 33)."""
        return given_events.right_user(user, given_events.Faults(), self.event_settings)

    def render_request(self, request: object) -> dict[str, Any] | None:
        """A request, in the form that servers take (EVT-61 to EVT-70)."""
        return given_events.right_request(self.render(request), given_events.Faults(), self.event_settings)

    def sdk_info(self) -> dict[str, Any]:
        """Who sends the event, and with what (EVT-101 to EVT-105); the event's own, for hooks may change it."""
        return {
            "name": SDK_NAME,
            "version": VERSION,
            "packages": [{"name": "pypi:vedette", "version": VERSION}],
            "integrations": list(self.integrations),
        }

    def record_breadcrumb(self, crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
        """What is kept of a breadcrumb: rendered, after ``before_breadcrumb``; None if it is dropped (HOOK-28)."""
        if not self._active or guests.is_inside("before_breadcrumb"):
            return None
        before_breadcrumb = self.options["before_breadcrumb"]
        kept = crumb if before_breadcrumb is None else hooks.kept_breadcrumb(before_breadcrumb, crumb, hint)
        if kept is None:
            return None
        rendered: dict[str, Any] = self.render(kept)
        return rendered


HOOKS: Final = ("before_send", "before_send_feedback", "before_breadcrumb", "error_sampler")
"""Options by which a program has a say in what is sent."""
MOST_SECONDS: Final = 86_400.0
"""The longest time-out of flush and close."""

NoOpClient.options = MappingProxyType({option.name: option.default for option in OPTIONS})

_numbers: Final = itertools.count(1)
