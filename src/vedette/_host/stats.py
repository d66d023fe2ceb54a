"""What the host is told about everything that it captured."""

from __future__ import annotations

from types import MappingProxyType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn


class Stats:
    """How many items were captured and what became of them: an immutable snapshot.

    Each attribute maps a data category (``"error"``) to a number of items; ``dropped`` maps it to a mapping
    of discard reason to number. Once nothing is in motion, per category:
    captured + adopted = delivered + refused + dropped + waiting + kept.

    ``adopted``: taken over from a process that ended before (``cache_dir``). ``delivered``: answered 2xx, or a
    user's transport returned. ``refused``: answered 429, which the server has counted itself. ``waiting``: in
    memory or in flight. ``kept``: on disk, and not in flight.
    """

    __slots__ = ("adopted", "captured", "delivered", "dropped", "kept", "refused", "waiting")

    captured: Mapping[str, int]
    adopted: Mapping[str, int]
    delivered: Mapping[str, int]
    refused: Mapping[str, int]
    dropped: Mapping[str, Mapping[str, int]]
    waiting: Mapping[str, int]
    kept: Mapping[str, int]

    def __init__(
        self,
        *,
        captured: Mapping[str, int] | None = None,
        adopted: Mapping[str, int] | None = None,
        delivered: Mapping[str, int] | None = None,
        refused: Mapping[str, int] | None = None,
        dropped: Mapping[str, Mapping[str, int]] | None = None,
        waiting: Mapping[str, int] | None = None,
        kept: Mapping[str, int] | None = None,
    ) -> None:
        put = object.__setattr__
        put(self, "captured", MappingProxyType(dict(captured or {})))
        put(self, "adopted", MappingProxyType(dict(adopted or {})))
        put(self, "delivered", MappingProxyType(dict(delivered or {})))
        put(self, "refused", MappingProxyType(dict(refused or {})))
        frozen = {category: MappingProxyType(dict(reasons)) for category, reasons in (dropped or {}).items()}
        put(self, "dropped", MappingProxyType(frozen))
        put(self, "waiting", MappingProxyType(dict(waiting or {})))
        put(self, "kept", MappingProxyType(dict(kept or {})))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        message = f"Stats is a snapshot and cannot be changed (setting {name!r})"
        raise AttributeError(message)

    def __repr__(self) -> str:
        fields = ("captured", "adopted", "delivered", "refused", "waiting", "kept")
        parts = [f"{name}={dict(getattr(self, name))}" for name in fields]
        parts.insert(4, f"dropped={ {category: dict(why) for category, why in self.dropped.items()} }")
        return f"Stats({', '.join(parts)})"
