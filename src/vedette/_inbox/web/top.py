"""What stands above every page: tabs with counts, the search, the DSN, and notices of what was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vedette._inbox.web.kinds import LOGS, TRACES, counted, quantity, sum_of

if TYPE_CHECKING:
    from vedette._inbox.models import Stats
    from vedette._inbox.settings import Settings
    from vedette._inbox.store import Store

_MAX_REASONS: Final = 5
_MAX_CATEGORIES: Final = 5


@dataclass(frozen=True, slots=True)
class Tab:
    """A place, with the number of things there."""

    name: str
    path: str
    count: int


@dataclass(frozen=True, slots=True)
class Top:
    """The top bar of one page."""

    dsn: str
    tabs: tuple[Tab, ...]
    notices: tuple[str, ...]
    q: str = ""  # the search as typed
    path: str = "/"  # the tab one is in


def top_of(settings: Settings, store: Store, *, q: str = "", path: str = "/") -> Top:
    """The bar for a page below ``path``; tabs without anything are hidden, but for the issues."""
    stats, items = store.stats(), store.item_counts()
    logs, traces = sum_of(items, LOGS), sum_of(items, TRACES)
    tabs = (
        Tab("Issues", "/", stats.issues),
        Tab("Logs", "/logs", logs),
        Tab("Traces", "/traces", traces),
        Tab("Other", "/other", sum(items.values()) - logs - traces + store.refused_count()),
    )
    shown = tuple(tab for tab in tabs if tab.count or tab.path in {"/", path})
    return Top(settings.dsn, shown, tuple(_notices(stats)), q, path)


def _notices(stats: Stats) -> list[str]:
    by_size = sorted(stats.dropped_by_clients.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))
    found = [_dropped(reason, numbers) for reason, numbers in by_size[:_MAX_REASONS]]
    if len(by_size) > _MAX_REASONS:
        found.append(f"and for {counted(len(by_size) - _MAX_REASONS, 'other reason')}: /api/stats has them all")
    removed = [
        words
        for number, words in (
            (stats.removed_events, counted(stats.removed_events, "event")),
            (stats.removed_items, counted(stats.removed_items, "other item")),
        )
        if number
    ]
    if removed:
        were = "was" if stats.removed_events + stats.removed_items == 1 else "were"
        found.append(f"{' and '.join(removed)} {were} removed: the inbox keeps the newest (--keep)")
    return found


def _dropped(reason: str, numbers: dict[str, int]) -> str:
    by_size = sorted(numbers.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = [quantity(number, category) for category, number in by_size[:_MAX_CATEGORIES]]
    if len(by_size) > _MAX_CATEGORIES:
        parts.append("more")
    return f"a client dropped {', '.join(parts)}: {reason}"
