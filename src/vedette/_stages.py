"""The stages of the event pipeline, in the order in which ``EVENT_PIPELINE`` (``_client.py``) walks through them.

A stage takes the client and the capture on its way. It returns None to let it go on, the reason for which it
was dropped, or ``UNCOUNTED``. Stages that cost little stand first, so that an event which does not leave the
process is never built (ruling 1, PAIN-05).
"""

from __future__ import annotations

import os
import time

from vedette._duplicates import mark, marks_on
from vedette._enumeration import Enum
from vedette._events.build import event_from_exception, event_from_message
from vedette._events.contexts import add_contexts
from vedette._events.reading_values import class_of, derives, type_names
from vedette._events.records import event_from_record
from vedette._host import callers, guests, log
from vedette._late import late
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._protocol.ids import new_event_id, read_uuid
from vedette._scopes import merge
from vedette._scopes.context import attachments_of
from vedette._scopes.normal import is_exactly, level_of, name_of, tag_key_of
from vedette._scopes.scope import GLOBAL, Scope, entry_in_force

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Any, Final, TypeAlias

    from vedette import _attaching as attaching
    from vedette import _feedback as feedback
    from vedette import _hooks as hooks
    from vedette._client import Client
    from vedette._events.records import Record
    from vedette._protocol import attachment as attachments
    from vedette._protocol.attachment import Attachment
    from vedette._protocol.envelope import Item
    from vedette._protocol.types import Event
    from vedette._scopes.merge import ScopeData
    from vedette._scopes.scope import Work

    Verdict: TypeAlias = "DiscardReason | Uncounted | None"
    Stage: TypeAlias = Callable[["Client", "Capture"], Verdict]
else:
    attaching = late("vedette._attaching")
    attachments = late("vedette._protocol.attachment")
    feedback = late("vedette._feedback")
    hooks = late("vedette._hooks")


class Uncounted(Enum):
    """The verdict on a capture that ends without a trace: there is nobody to report it to."""

    UNCOUNTED = "uncounted"


UNCOUNTED: Final = Uncounted.UNCOUNTED


class Capture:
    """One capture on its way: what the caller gave, and what the stages made of it so far."""

    __slots__ = (
        "attachments",
        "category",
        "event",
        "event_id",
        "exception",
        "extra",
        "hint",
        "is_built",
        "level",
        "loss",
        "mechanism",
        "message",
        "pid",
        "record",
        "scopes",
        "told",
    )

    hint: dict[str, Any]
    """What hooks get beside the event, from `apply_scopes` on: what was told, the exception, the attachments."""

    def __init__(self, exception: BaseException | None, told: dict[str, Any] | None, extra: Scope | None) -> None:
        # Who captures sets what else there is. To take all of it by name would cost each refusal 0.16 us, a tenth.
        self.exception: BaseException | None = exception
        self.mechanism: Mapping[str, Any] | None = None
        self.message: object = None
        self.record: Record | None = None
        self.level: str | None = None
        self.event: Any = None  # of the caller's own making, until `build_event` completes it
        # Whether vedette alone has written its exceptions and threads, so that their form is known to who scrubs them.
        self.is_built: bool = False
        self.event_id: str | None = None  # None until `build_event` has completed the event
        self.told: dict[str, Any] | None = told  # of the hint, by the caller
        self.extra: Scope | None = extra
        self.category: DataCategory = DataCategory.ERROR
        self.scopes: ScopeData | None = None
        # As what it is counted if something is raised now; None once the processor has it and keeps the account.
        self.loss: DiscardReason | None = DiscardReason.INTERNAL_SDK_ERROR
        self.attachments: Sequence[Item] = ()
        # This process, where the stage that drops it has just asked: to do so once more costs 0.15 us, a tenth of it.
        self.pid: int | None = None


def category_of(event: Event) -> DataCategory:
    """What an event of the caller's own making counts as."""
    kind: Any = _get(event, "type")
    return _CATEGORIES.get(kind, DataCategory.ERROR) if type(kind) is str else DataCategory.ERROR


# By the `type` of an event; errors and messages have none.
_CATEGORIES: Final[Mapping[str, DataCategory]] = {
    "transaction": DataCategory.TRANSACTION,
    "feedback": DataCategory.FEEDBACK,
}


# Of the built-in class itself, whatever a subclass says.
_get: Callable[[Any, str], object] = dict[str, object].get
_traceback_of: Callable[[BaseException], TracebackType | None] = BaseException.__dict__["__traceback__"].__get__


def exception_in(told: dict[str, Any] | None) -> BaseException | None:
    """The exception that a caller's own event is about, where the hint has a proper ``exc_info``."""
    exc_info: Any = None if told is None else told.get("exc_info")
    if not is_exactly(tuple, exc_info) or len(exc_info) != _PARTS_OF_EXC_INFO:
        return None
    exception: Any = exc_info[1]
    return exception if derives(class_of(exception), BaseException) else None


_PARTS_OF_EXC_INFO: Final = 3  # class, exception, traceback


def refuse_disabled(client: Client, capture: Capture) -> Verdict:
    """No transport or no DSN: nothing happens (CLI-07, CLI-33). Closed: nothing but that the loss is counted.

    With a journal, an error that comes too late waits there for the next process (design decision 12).
    """
    if client.is_active():
        return None
    if client.transport is None:
        return UNCOUNTED
    if client.processor.keeps(capture.category):
        return None
    log.debug_once("closed", "a capture after the client was closed is lost")
    return DiscardReason.NETWORK_ERROR


def refuse_from_inside(_client: Client, _capture: Capture) -> Verdict:
    """A capture made by a hook, a processor or a transport would recurse (ruling 4a, PAIN-25)."""
    name = guests.inside()
    if name is None:
        return None
    log.debug_once(f"inside {name}", "a capture from inside %s is dropped, and so are all further ones", name)
    return DiscardReason.INTERNAL_SDK_ERROR


def drop_ignored_errors(client: Client, capture: Capture) -> Verdict:
    """``ignore_errors``: by class, by name, or by pattern (ruling 36, CLI-34, CLI-35)."""
    ignored = client.ignored_errors
    if ignored is None or capture.exception is None:
        return None
    if not ignored.match(capture.exception, client.event_settings):
        return None
    return DiscardReason.EVENT_PROCESSOR if capture.record is None else _refuse_record(capture, capture.record)


def _refuse_record(capture: Capture, record: Record) -> Verdict:
    """Drop a log record for its exception; but one that only happened to be near that goes on without it."""
    if not record.exception_is_a_guess:
        return DiscardReason.EVENT_PROCESSOR
    capture.exception = None
    if capture.told is not None:
        capture.told.pop("exc_info", None)
    return None


def drop_duplicates(client: Client, capture: Capture) -> Verdict:
    """The same exception object, seen before by this client in this trace and process (ruling 39, PAIN-13).

    Not if ``DedupeIntegration`` is disabled.
    """
    if capture.exception is None or not client.drops_duplicates:
        return None
    marks = marks_on(capture.exception)
    if marks is None:
        return None
    sighting = client.sighting(capture.scopes)
    if not marks.tell_of(sighting):
        return None
    if capture.record is not None:
        return _refuse_record(capture, capture.record)
    capture.pid = sighting[1]
    return DiscardReason.EVENT_PROCESSOR


def sample(client: Client, capture: Capture) -> Verdict:
    """``error_sampler``, else ``sample_rate``; for error events only (CLI-49 to CLI-51, CFG-58, HOOK-32 to HOOK-36).

    A sampler wants to see the event: only where there is one is it built so early (ruling 3).
    """
    if capture.category is not DataCategory.ERROR:
        return None
    rate, sampler = client.options["sample_rate"], client.options["error_sampler"]
    if sampler is not None:
        build_event(client, capture)
        apply_scopes(client, capture)
        capture.loss = DiscardReason.SAMPLE_RATE
        rate = hooks.rate_of(sampler, capture.event, capture.hint, rate)
        capture.loss = DiscardReason.INTERNAL_SDK_ERROR
    return None if rate >= 1.0 or (rate > 0.0 and _random() < rate) else DiscardReason.SAMPLE_RATE


def _random() -> float:
    """A number in [0.0, 1.0), safe after a fork; ``random`` would cost every program its import."""
    return int.from_bytes(os.urandom(6), "big") / (1 << 48)


def drop_rate_limited(client: Client, capture: Capture) -> Verdict:
    """The server asked for silence about this category (RATE-02, TP-12); with a journal an error waits (ruling 7)."""
    processor = client.processor
    if not processor.is_limited(capture.category) or processor.keeps(capture.category):
        return None
    return DiscardReason.RATELIMIT_BACKOFF


def build_event(client: Client, capture: Capture) -> Verdict:
    """Turn the exception or message into an event, or complete the one that was given (CLI-63, CLI-64)."""
    if capture.event_id is not None:
        return None  # for `error_sampler`
    settings = client.event_settings
    if capture.event is not None:
        event = _given_event(client, capture)
    elif capture.record is not None:
        event = _event_of_record(client, capture, capture.record)
    elif capture.exception is not None:
        event = event_from_exception(capture.exception, settings, client.render_mechanism(capture.mechanism))
    else:
        frame = callers.frame_and_level()[0] if client.options["attach_stacktrace"] else None
        capture.level = level_of(capture.level) if capture.level is not None else None
        event = event_from_message(capture.message, capture.level or "info", settings, stack_frame=frame)
    capture.is_built = capture.event is None
    if "event_id" not in event:
        event["event_id"] = new_event_id()
    capture.event_id = event["event_id"]
    event.setdefault("timestamp", time.time())
    for name, value in client.event_defaults.items():
        event.setdefault(name, value)
    if "sdk" not in event:
        event["sdk"] = client.sdk_info()
    capture.event = event
    return None


def _event_of_record(client: Client, capture: Capture, record: Record) -> dict[str, Any]:
    """What a logging library said; its values of ``context_tags`` are tags (CFG-24)."""
    capture.level = record.level
    mechanism = client.render_mechanism(capture.mechanism)
    event = event_from_record(record, capture.exception, client.event_settings, mechanism)
    extra, render = record.extra or {}, client.render
    tags = {
        tag_key_of(key, render): name_of(extra[key], render) for key in client.options["context_tags"] if key in extra
    }
    if tags:
        event["tags"] = tags
    return event


def _given_event(client: Client, capture: Capture) -> dict[str, Any]:
    """An event of the caller's making, without what a server would refuse the whole event for."""
    event = client.render_event(capture.event)
    event_id = read_uuid(event.pop("event_id", None))
    if event_id is not None:
        event["event_id"] = event_id
    capture.level = event.get("level")
    if capture.level is None and capture.category is DataCategory.ERROR:
        event["level"] = "error"  # as servers do (EVT-12), unless a scope says otherwise
    return event


def apply_scopes(client: Client, capture: Capture) -> Verdict:
    """Global, isolation and current scope, then what came with the call (CLI-36, SCO-26)."""
    if capture.scopes is not None:
        return None  # for `error_sampler`
    entry = entry_in_force()
    isolation, limit = entry.isolation, client.max_breadcrumbs
    data = merge.merged(entry.current, isolation, GLOBAL, capture.extra, max_breadcrumbs=limit)
    merge.apply(data, capture.event, level_given=capture.level is not None)
    work = isolation.work
    if work is not None and capture.category is DataCategory.ERROR:
        capture.is_built = capture.is_built and _is_own(work)  # asked first: a job forgets, when it ends, what it is in
        describe_work(work, client, capture.event)
    if client.extra_defaults and capture.category is DataCategory.ERROR:
        merge.add_extra(capture.event, client.extra_defaults)
    if "user" in capture.event:
        capture.event["user"] = client.render_user(capture.event["user"])
    add_contexts(capture.event["contexts"])
    capture.hint = hint = {} if capture.told is None else capture.told
    exception = capture.exception
    if exception is not None and "exc_info" not in hint:
        hint["exc_info"] = (type(exception), exception, _traceback_of(exception))
    attached = _attachments_in(hint)
    if "attachments" in data.state:
        attached += [each for _, each in data.state["attachments"] if _goes_with(each, capture)]
    hint["attachments"] = attached
    capture.scopes = data
    return None


def describe_work(work: Work, client: Client, event: dict[str, Any]) -> None:
    """Have the request, task or job say what it is (EVT-60, DAT-123)."""
    has_request = "request" in event
    guests.ask("the description of a request, task or job", work.describe, event, client)
    if "request" in event and not has_request:
        event["request"] = client.render_request(event["request"])


def _is_own(work: Any) -> bool:
    """Whether nobody but vedette has a say in this description; that of a job goes on with what the job runs in."""
    while work is not None:
        if not type_names(class_of(work))[0].startswith("vedette."):
            return False
        work = getattr(work, "outer", None)
    return True


def _goes_with(attachment: Attachment, capture: Capture) -> bool:
    """Not with transactions, unless it says so (ATT-39)."""
    return capture.category is not DataCategory.TRANSACTION or attachment.add_to_transactions


def run_event_processors(client: Client, capture: Capture) -> Verdict:
    """Integrations first, then scoped ones, then global ones, in order of registration (CLI-37 to CLI-40, INT-10)."""
    data, integrations = capture.scopes, client.integration_set
    if data is None or not (
        data.processors or data.error_processors or integrations.preprocessors or integrations.processors
    ):
        return None
    reason, hint = DiscardReason.EVENT_PROCESSOR, capture.hint
    for preprocess in integrations.preprocessors:
        guests.ask("an integration's preprocess_event", preprocess, capture.event, hint, client)
    for process in integrations.processors:
        answer: Any = guests.ask("an integration's process_event", process, capture.event, hint, client)
        if answer is None:
            return reason
        if answer is not guests.FAILED:  # else the event goes on (ruling 38)
            capture.event = answer
    if not (data.processors or data.error_processors or integrations.are_foreign):
        return None
    capture.is_built = False
    for processor in data.error_processors if capture.exception is not None else ():
        if not hooks.decide(capture, "an error processor", processor, hint["exc_info"], reason):
            return reason
    for processor in data.processors:
        if not hooks.decide(capture, "an event processor", processor, hint, reason):
            return reason
    capture.event = client.render_event(capture.event)
    return None


# Each kind of item has a hook of its own, and passes through no other (HOOK-15 to HOOK-19).
BEFORE_SEND_OPTIONS: Final[Mapping[DataCategory, str]] = {
    DataCategory.ERROR: "before_send",
    DataCategory.FEEDBACK: "before_send_feedback",
}


def run_before_send(client: Client, capture: Capture) -> Verdict:
    """``before_send``, or the hook of that kind of item (CLI-41 to CLI-44, HOOK-15)."""
    name = BEFORE_SEND_OPTIONS.get(capture.category)
    before_send = client.options[name] if name is not None else None
    if name is None or before_send is None:
        return None
    capture.is_built = False
    reason = DiscardReason.BEFORE_SEND
    if not hooks.decide(capture, name, before_send, capture.hint, reason):
        return reason
    capture.event = client.render_event(capture.event)
    return None


def check_feedback(_client: Client, capture: Capture) -> Verdict:
    """A feedback has a message, of at most 4096 characters, whatever hooks made of it (FBK-10, FBK-30)."""
    if capture.category is not DataCategory.FEEDBACK or feedback.put_right(capture.event):
        return None
    log.warn_once("feedback", "a feedback without a message is dropped")
    return DiscardReason.INVALID


def take_attachments(client: Client, capture: Capture) -> Verdict:
    """Make items of what the scopes, the caller and the hooks attached; what cannot be sent is left out (ATT-36)."""
    given = _attachments_in(capture.hint)
    if not given:
        return None
    if client.processor.is_limited(DataCategory.ATTACHMENT):  # ruling 11
        left_out = attaching.all_left_out(given, DiscardReason.RATELIMIT_BACKOFF, "the server takes none now")
    else:
        capture.attachments, left_out = attaching.taken(given, client.options["max_attachment_size"])
    for each in left_out:
        log.debug("the attachment %r is left out: %s", each.filename, each.why)
        attachments.note_left_out(capture.event, each.filename, each.why)
        for category, quantity in each.quantities():
            client.processor.count_drop(each.reason, category, quantity)
    return None


def _attachments_in(hint: object) -> list[object]:
    """The attachments of a hint, as a list of its own: hooks may have put anything there."""
    if not issubclass(type(hint), dict):
        return []
    known: Any = hint
    attachments: Any = _get(known, "attachments")
    given: list[object] | tuple[object, ...] | None = attachments
    if type(given) is list or type(given) is tuple:
        return list(given)
    if given is not None:
        log.debug("the attachments of a hint must be a list: ignored")
    return []


def count_loss(client: Client, capture: Capture, reason: DiscardReason) -> None:
    """Account for a capture that is dropped, and for the attachments that would have gone with it (ATT-04)."""
    capture.loss = None  # what a signal handler raises from here on must not have it counted a second time
    client.processor.count_drop(reason, capture.category, 1, capture.pid)
    if capture.scopes is None and capture.told is None and not Scope.has_attached:
        return  # as most: to look for attachments costs 0.2 us, a tenth of a refusal
    lost: Sequence[Item | attaching.LeftOut] = capture.attachments
    if not lost:
        given = _attachments_not_taken(capture)
        if not given:
            return
        lost = attaching.all_left_out(given, reason, "its event was dropped")
    for each in lost:
        for category, quantity in each.quantities():
            client.processor.count_drop(reason, category, quantity)


def _attachments_not_taken(capture: Capture) -> list[object]:
    """What `take_attachments` would have got: of a capture that was dropped before, also what the scopes attach."""
    if capture.scopes is not None:
        return _attachments_in(capture.hint)
    of_scopes = [each for each in attachments_of(capture.extra) if _goes_with(each, capture)]
    return [*_attachments_in(capture.told), *of_scopes]


def deliver(client: Client, capture: Capture) -> Verdict:
    """Hand the event to the processor, which buffers it for the worker (CLI-52)."""
    event = capture.event
    event_id = event.get("event_id")
    if event_id is not capture.event_id:  # a hook has changed it, or taken it away; to read it anyhow costs 0.3 us
        event_id = event["event_id"] = read_uuid(event_id) or new_event_id()
    capture.loss = None
    on_loss = None
    if capture.exception is not None:
        on_loss = mark(capture.exception, client.sighting(capture.scopes))
    client.processor.add(capture.category, event, capture.attachments, on_loss, is_built=capture.is_built)
    if capture.category is not DataCategory.FEEDBACK:  # so that more can be said of the same event
        entry_in_force().isolation.set_last_event_id(event_id)
    return None
