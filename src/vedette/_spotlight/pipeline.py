"""What Spotlight gets of a client: a copy of all that goes to the server, and what is kept from the server alone.

Nothing here changes what the server gets (INT-93). Hooks and processors are asked once for each capture: what they
changed is shown as they changed it, and what they dropped is not shown. Sampling and rate limits are the server's, and
don't count here (INT-98).
"""

from __future__ import annotations

import copy
import time

from vedette import _stages as stages
from vedette._configured import event_settings_of, policy_for_spotlight
from vedette._duplicates import mark, marks_on
from vedette._host import guests, log
from vedette._host.stats import Stats
from vedette._privacy.denylist import FILTERED
from vedette._privacy.event_scrubber import scrubber_of
from vedette._processing.packing import Packer
from vedette._protocol.categories import DataCategory, DiscardReason
from vedette._protocol.ids import new_event_id, read_uuid
from vedette._scopes.context import get_isolation_scope
from vedette._spotlight.sidecar import Sidecar, copy_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Final

    from vedette._client import Client
    from vedette._processing.processor import TelemetryProcessor
    from vedette._protocol.envelope import Item
    from vedette._stages import Capture, Stage

ONLY_THE_SERVERS: Final = frozenset({DiscardReason.SAMPLE_RATE, DiscardReason.RATELIMIT_BACKOFF})
"""Why a capture is dropped that Spotlight gets nevertheless."""
_NOT_HERE: Final = frozenset({stages.sample, stages.drop_rate_limited, stages.deliver})


def attach(client: Client) -> None:
    """Have all that a client captures shown in Spotlight from now on; where it has no server, there alone."""
    client.spotlight = Spotlight(client)
    client.processor = client.spotlight.processor


class Spotlight:
    """``client.spotlight``: where a client shows what it captures, ``url``."""

    def __init__(self, client: Client) -> None:
        policy = policy_for_spotlight(client.options)
        packer = Packer(
            trace={name: value for name, value in client.trace_fields.items() if name != "public_key"},
            scrubber=scrubber_of(policy.denylist),
            text_limit=client.event_settings.text_limit,
            later=client.added_before_sending,
        )
        sidecar = Sidecar(client.options, packer)
        self.url: str = sidecar.url
        # The client as those see it that work for Spotlight alone.
        twin = self._twin = copy.copy(client)
        twin.policy = policy
        twin.event_settings = event_settings_of(client.options, policy)
        alone: Any = Processor(sidecar, None, twin)
        twin.processor = alone
        self.processor: Any = Processor(sidecar, None if client.transport is None else client.processor, twin)
        log.debug("all that is captured is shown in Spotlight at %s", sidecar.place)

    def show_dropped(self, client: Client, capture: Capture, reason: DiscardReason, rest: Sequence[Stage]) -> None:
        """Take a dropped capture through the ``rest`` of the stages, if only the server is not to get it."""
        if reason not in ONLY_THE_SERVERS or client.processor is not self.processor:  # redirected, by a test
            return
        try:
            if self._is_new(client, capture) and all(
                stage(self._twin, capture) is None for stage in rest if stage not in _NOT_HERE
            ):
                self._show(capture)
        finally:
            capture.loss = None  # it is counted already, whatever was raised

    def _is_new(self, client: Client, capture: Capture) -> bool:
        """Whether no event of the same exception was shown alone before: the server's marks know nothing of those."""
        if capture.exception is None:
            return True
        number, process, trace = client.sighting(capture.scopes)
        sighting = -number, process, trace
        marks = marks_on(capture.exception)
        if marks is not None and marks.tell_of(sighting):
            return False
        mark(capture.exception, sighting)
        return True

    def _show(self, capture: Capture) -> None:
        event = capture.event
        event["event_id"] = read_uuid(event.get("event_id")) or new_event_id()  # a hook may have taken it away
        self._twin.processor.add(capture.category, event, capture.attachments)


class Processor:
    """What a client with Spotlight has in place of its TelemetryProcessor, ``server``: all goes both ways.

    Without a ``server`` it goes to Spotlight alone, which is in no accounts: they are of what a server is to get.
    """

    def __init__(self, sidecar: Sidecar, server: TelemetryProcessor | None, twin: Client) -> None:
        self._sidecar = sidecar
        self._server = server
        self._twin = twin

    def add(
        self,
        category: DataCategory,
        payload: dict[str, Any],
        attachments: Sequence[Item] = (),
        on_loss: Callable[[], None] | None = None,
        *,
        is_built: bool = False,
    ) -> None:
        """Take an item, as a TelemetryProcessor does. The copy is made first, for the server's is scrubbed in place."""
        if self._server is None:
            self._show(category, payload, attachments)
            return
        copied = None
        try:
            copied = copy_of(payload, attachments)
        finally:  # also when a signal handler raises
            self._server.add(category, payload, attachments, on_loss, is_built=is_built)
        if copied is not None:
            self._show(category, *copied, lacks_persons=category is DataCategory.ERROR)

    def _show(
        self, category: DataCategory, payload: dict[str, Any], items: Sequence[Item], *, lacks_persons: bool = False
    ) -> None:
        try:
            if lacks_persons:
                self._add_persons(payload)
            self._sidecar.show(category, payload, items)
        except Exception as error:  # the border: whatever fails here affects nothing else (INT-116)
            if guests.is_control_flow(error):
                raise
            log.warn_once("spotlight", "internal error in vedette with Spotlight - please report it", exc_info=True)

    def _add_persons(self, event: dict[str, Any]) -> None:
        """Add to the copy what the server is not to know of the request and its user (INT-99, INT-100)."""
        work = get_isolation_scope().work
        if work is None:
            return
        told = {name: value for name, value in event.items() if name not in {"request", "user"}}
        stages.describe_work(work, self._twin, told)
        if "request" in told:
            event["request"] = _filled(event.get("request"), told["request"])
        if "user" in told and "user" not in event:
            event["user"] = self._twin.render_user(told["user"])

    def count_drop(
        self, reason: DiscardReason, category: DataCategory, quantity: int = 1, pid: int | None = None
    ) -> None:
        """Account for what the server does not get; Spotlight is told, too (INT-96)."""
        self._sidecar.count_drop(reason, category, quantity)
        if self._server is not None:
            self._server.count_drop(reason, category, quantity, pid)

    def prepare(self) -> None:
        """Import what sending needs, now (option ``warm``)."""
        self._sidecar.prepare()
        if self._server is not None:
            self._server.prepare()

    def adopt(self) -> None:
        """Have delivered what earlier processes left in the journal."""
        if self._server is not None:
            self._server.adopt()

    def keeps(self, category: DataCategory) -> bool:
        """Whether what is captured of a category waits on disk while it cannot be sent."""
        return self._server is not None and self._server.keeps(category)

    def is_limited(self, category: DataCategory) -> bool:
        """Whether the server asked for silence about this category."""
        return self._server is not None and self._server.is_limited(category)

    def stats(self) -> Stats:
        """How many items were captured for the server, and what became of them."""
        return Stats() if self._server is None else self._server.stats()

    def flush(self, timeout: float, callback: Callable[[int, float], object] | None = None) -> None:
        """Send all that waits: the server has all of the time, Spotlight meanwhile, and a share of it behind."""
        deadline = time.monotonic() + timeout
        self._sidecar.start()
        if self._server is not None:
            self._server.flush(timeout, callback)
        self._sidecar.finish(min(self._sidecar.share * timeout, deadline - time.monotonic()))

    def close(self, timeout: float, callback: Callable[[int, float], object] | None = None) -> None:
        """The same, and nothing goes out any more."""
        deadline = time.monotonic() + timeout
        try:
            self._sidecar.start()
            if self._server is not None:
                self._server.close(timeout, callback)
            self._sidecar.finish(min(self._sidecar.share * timeout, deadline - time.monotonic()))
        finally:  # also when a signal handler raises
            self._sidecar.close()


def _filled(given: Any, told: Any) -> Any:
    """What was given, with what is missing or filtered there taken from what was told."""
    if {type(given), type(told)} != {dict}:
        return told if told is not None and given in (None, FILTERED) else given
    return {**told, **{name: _filled(value, told.get(name)) for name, value in given.items()}}
