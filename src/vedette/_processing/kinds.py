"""The kinds of data that the processor takes: how urgent each is, how many wait, and how they travel (TP-76, TP-90)."""

from __future__ import annotations

from vedette._protocol.categories import DataCategory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

BATCH_SECONDS: Final = 5.0
"""How long an item waits for others to travel with it, from the first one on (TP-16)."""


class Kind:
    """One kind of data, by data category.

    ``item_type``: what its items are called in envelopes. ``weight``: its share of the turns while several kinds
    wait, from 5 (critical) to 1. ``is_event``: whether it is built like an event, with an envelope for each.
    ``any_order``: whether several may be on their way at once. ``most``: items that may wait, where the option
    ``transport_queue_size`` does not say less. ``batch``: items that travel together in one of ``content_type``.
    ``keeps_oldest``: whether the newcomer goes where there is no room, instead of the oldest.
    """

    __slots__ = (
        "any_order",
        "batch",
        "content_type",
        "is_event",
        "item_type",
        "keeps_oldest",
        "most",
        "seconds",
        "weight",
    )

    def __init__(
        self,
        item_type: str,
        weight: int,
        *,
        is_event: bool = False,
        any_order: bool = False,
        most: int | None = None,
        batch: int = 1,
        content_type: str | None = None,
        keeps_oldest: bool = False,
    ) -> None:
        self.item_type: str = item_type
        self.weight: int = weight
        self.is_event: bool = is_event
        self.any_order: bool = any_order
        self.most: int | None = most
        self.batch: int = batch
        self.content_type: str | None = content_type
        self.keeps_oldest: bool = keeps_oldest
        self.seconds: float = BATCH_SECONDS if batch > 1 else 0.0
        """How long an incomplete batch is waited for."""


def _batched(item_type: str, weight: int, content_type: str) -> Kind:
    """Of high volume: at most 1000 wait, 100 travel together, and what comes too late is dropped (TP-19, TP-93)."""
    return Kind(item_type, weight, most=1000, batch=100, content_type=content_type, keeps_oldest=True)


KINDS: Final[Mapping[DataCategory, Kind]] = {
    DataCategory.ERROR: Kind("event", 5, is_event=True, any_order=True),
    DataCategory.FEEDBACK: Kind("feedback", 5, is_event=True, any_order=True),
    DataCategory.SESSION: Kind("session", 4),
    DataCategory.MONITOR: Kind("check_in", 4),
    DataCategory.TRANSACTION: Kind("transaction", 3, is_event=True),
    DataCategory.LOG_ITEM: _batched("log", 2, "application/vnd.sentry.items.log+json"),
    DataCategory.TRACE_METRIC: _batched("trace_metric", 2, "application/vnd.sentry.items.trace-metric+json"),
}
"""Spans are not among them: they wait by trace, which takes another buffer."""

CAPTURED_TO_DISK: Final = DataCategory.ERROR
"""What is written to the journal, where there is one, before the capture returns."""
