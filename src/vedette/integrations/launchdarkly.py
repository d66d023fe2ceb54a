"""LaunchDarkly: which flags were evaluated before an error, and to what, by a hook of its client."""

from __future__ import annotations

import sys

from vedette.integrations import DidNotEnable, Integration
from vedette.integrations._flags import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from vedette._scopes.client import BaseClient

__all__ = ["LaunchDarklyIntegration"]


class LaunchDarklyIntegration(Integration):
    """Adds the feature flags that were evaluated to events, of any type.

    The hook cannot be taken out of LaunchDarkly's client again: after ``close`` it does nothing.

    Args:
        ld_client: LaunchDarkly's client. None: that of ``ldclient.get()``, which connects; ``ldclient.set_config`` must
            have been called before ``vedette.init``.
    """

    identifier = "launchdarkly"
    library = "ldclient.hook"
    distribution = "launchdarkly-server-sdk"
    minimum_version: ClassVar[tuple[int, ...]] = (9, 8)

    def __init__(self, ld_client: Any = None) -> None:
        self._ld_client: Any = ld_client

    def setup(self, client: BaseClient) -> None:
        """Add a hook to the client."""
        of_library = self._ld_client
        if of_library is None:
            try:
                of_library = sys.modules["ldclient"].get()
            except Exception as error:  # noqa: BLE001 - it raises nothing more special
                raise DidNotEnable(f"ldclient.get() raised {error!r}: call ldclient.set_config before") from None
        of_library.add_hook(_hook_of(self))


def _hook_of(integration: LaunchDarklyIntegration) -> Any:
    hooks: Any = sys.modules["ldclient.hook"]
    base: Any = hooks.Hook

    class NotingHook(base):  # type: ignore[misc]  # which is known when the library is there
        """Notes what an evaluation came to."""

        @property
        def metadata(self) -> Any:
            """The name of the hook."""
            return hooks.Metadata(name="vedette-flags")

        def before_evaluation(self, series_context: Any, data: Any) -> Any:
            """Nothing."""
            return data

        def after_evaluation(self, series_context: Any, data: Any, detail: Any) -> Any:
            """Called with what the evaluation came to."""
            note(integration, series_context.key, detail.value)
            return data

    return NotingHook()
