"""``/logs`` and ``/traces``: plain lists of what arrived, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from starlette.routing import Route

from vedette._inbox.asked import PER_PAGE, number_in_query
from vedette._inbox.telemetry.fields import MAX_PAYLOAD, MAX_RECORDS, UnreadableError
from vedette._inbox.telemetry.logs import LogRecord, log_records
from vedette._inbox.telemetry.traces import Timed, timed_of
from vedette._inbox.web.kinds import LOGS, TRACES

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from vedette._inbox.models import Item
    from vedette._inbox.web.renderer import Renderer

_RECORDS_A_PAGE: Final = MAX_RECORDS
_Record = TypeVar("_Record", LogRecord, Timed)


@dataclass(frozen=True, slots=True)
class Batch(Generic[_Record]):
    """What one item brought; ``note`` says what of it isn't shown."""

    item: Item
    records: list[_Record]
    note: str = ""


class TelemetryPages:
    """Records of items, a page of at most 50 items and (but for one item's) 200 records at a time."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._store = renderer.store

    def routes(self) -> list[Route]:
        """The two lists."""
        return [Route("/logs", self._logs, methods=["GET"]), Route("/traces", self._traces, methods=["GET"])]

    def _logs(self, request: Request) -> Response:
        return self._page(request, "/logs", LOGS, log_records)

    def _traces(self, request: Request) -> Response:
        return self._page(request, "/traces", TRACES, timed_of)

    def _page(
        self,
        request: Request,
        path: str,
        types: tuple[str, ...],
        read: Callable[[Item, bytes], tuple[list[_Record], int]],
    ) -> Response:
        before = number_in_query(request, "before")
        items = self._store.items_among(types, PER_PAGE + 1, before)
        batches: list[Batch[_Record]] = []
        shown = 0
        for item in items[:PER_PAGE]:
            batch = self._batch(item, read)
            if batches and shown + len(batch.records) > _RECORDS_A_PAGE:
                break
            batches.append(batch)
            shown += len(batch.records)
        has_more = len(batches) < len(items)
        return self._renderer.page(
            f"{path[1:]}.html",
            path,
            batches=batches,
            is_first=before is None,
            first=path,
            following=f"{path}?before={batches[-1].item.row_id}" if has_more else "",
        )

    def _batch(self, item: Item, read: Callable[[Item, bytes], tuple[list[_Record], int]]) -> Batch[_Record]:
        if item.size > MAX_PAYLOAD:
            return Batch(item, [], "more than 1 MiB: it is not read here, but can be downloaded")
        try:
            records, number = read(item, self._store.item_payload(item.row_id) or b"{}")
        except UnreadableError as error:
            return Batch(item, [], str(error))
        note = f"{len(records)} of {number} records shown" if number > len(records) else ""
        return Batch(item, records, note)
