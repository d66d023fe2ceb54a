"""What stands above every page: tabs with counts, the search, the DSN, and notices of what was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vedette._inbox.models import Stats
    from vedette._inbox.settings import Settings


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


def top_of(settings: Settings, stats: Stats, *, q: str = "", path: str = "/") -> Top:
    """The bar for a page below ``path``; tabs without anything are hidden, but for the issues."""
    others = stats.items + sum(stats.refused.values())
    tabs = (Tab("Issues", "/", stats.issues), Tab("Other", "/other", others))
    shown = tuple(tab for tab in tabs if tab.count or tab.path in {"/", path})
    return Top(settings.dsn, shown, tuple(_notices(stats)), q, path)


def _notices(stats: Stats) -> list[str]:
    found = [
        f"a client dropped {sum(numbers.values())} of what it captured: {reason}"
        for reason, numbers in sorted(stats.dropped_by_clients.items())
    ]
    if stats.removed_events:
        found.append(f"{stats.removed_events} events were removed: the inbox keeps the newest (--keep)")
    return found
