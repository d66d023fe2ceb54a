"""Unleash: which flags were evaluated before an error, and to what."""

from __future__ import annotations

import sys

from vedette.integrations import Integration, when_imported
from vedette.integrations._flags import noting
from vedette.integrations._patching import put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, ClassVar, Final

    from vedette._scopes.client import BaseClient

__all__ = ["UnleashIntegration"]

_ASYNC: Final = "UnleashClient.clients.async_unleash_client"


class UnleashIntegration(Integration):
    """Adds the feature flags that were evaluated to events: whether a flag, or its variant, is enabled."""

    identifier = "unleash"
    library = "UnleashClient"
    minimum_version: ClassVar[tuple[int, ...]] = (6, 0)

    def __init__(self) -> None:
        self._stop_waiting: Callable[[], None] | None = None

    def setup(self, client: BaseClient) -> None:
        """Wrap the methods of Unleash's clients; only who makes such a client can have it tell of evaluations."""
        self._wrap("UnleashClient", "UnleashClient")
        # Imported by whoever wants it only: it needs aiohttp.
        self._stop_waiting = when_imported(_ASYNC, lambda: self._wrap(_ASYNC, "AsyncUnleashClient"))

    def close(self) -> None:
        """Put the methods back."""
        if self._stop_waiting is not None:
            self._stop_waiting()
        take_out(self)

    def _wrap(self, module: str, name: str) -> None:
        owner = sys.modules[module].__dict__[name]
        put_in(self, owner, "is_enabled", _is_enabled)
        put_in(self, owner, "get_variant", _get_variant)


def _variant_is_enabled(variant: Any) -> bool:
    return bool(variant["enabled"])


_is_enabled: Final = noting(UnleashIntegration, 0, "feature_name")
_get_variant: Final = noting(UnleashIntegration, 0, "feature_name", _variant_is_enabled)
