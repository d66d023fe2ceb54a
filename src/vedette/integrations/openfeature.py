"""OpenFeature: which flags were evaluated before an error, and to what, by a hook of its API."""

from __future__ import annotations

import sys

from vedette.integrations import Integration
from vedette.integrations._flags import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from vedette._scopes.client import BaseClient

__all__ = ["OpenFeatureIntegration"]


class OpenFeatureIntegration(Integration):
    """Adds the feature flags that were evaluated to events: of any type, and the default where an evaluation failed."""

    identifier = "openfeature"
    library = "openfeature.api"
    distribution = "openfeature-sdk"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 7)

    def __init__(self) -> None:
        self._hook: Any = None

    def setup(self, client: BaseClient) -> None:
        """Add a hook to the API, for all clients of OpenFeature and all providers."""
        self._hook = _hook_of(self)
        sys.modules["openfeature.api"].add_hooks([self._hook])

    def close(self) -> None:
        """Take the hook out."""
        # In place: by `clear_hooks`, the program's would be gone for a moment.
        hooks = sys.modules["openfeature.api"].get_hooks()
        if self._hook in hooks:  # the program may have cleared them itself
            hooks.remove(self._hook)


def _hook_of(integration: OpenFeatureIntegration) -> Any:
    base: Any = sys.modules["openfeature.hook"].Hook

    class NotingHook(base):  # type: ignore[misc]  # which is known when the library is there
        """Notes what an evaluation came to."""

        def after(self, hook_context: Any, details: Any, hints: Any) -> None:
            """Called with the value."""
            note(integration, details.flag_key, details.value)

        def error(self, hook_context: Any, exception: Exception, hints: Any) -> None:
            """Called when a provider or another hook failed: the program gets the default."""
            note(integration, hook_context.flag_key, hook_context.default_value)

    return NotingHook()
