"""OpenFeature: which flags were evaluated before an error, and to what, by a hook of its API."""

from __future__ import annotations

from vedette.integrations import Integration
from vedette.integrations._flags import note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from openfeature.flag_evaluation import FlagEvaluationDetails
    from openfeature.hook import Hook, HookContext, HookHints

    from vedette._scopes.client import BaseClient

__all__ = ["OpenFeatureIntegration"]


class OpenFeatureIntegration(Integration):
    """Adds the feature flags that were evaluated to events: of any type, and the default where an evaluation failed."""

    identifier = "openfeature"
    library = "openfeature.api"
    distribution = "openfeature-sdk"
    minimum_version = (0, 7)

    def __init__(self) -> None:
        self._hook: Hook | None = None

    def setup(self, client: BaseClient) -> None:
        """Add a hook to the API, for all clients of OpenFeature and all providers."""
        from openfeature import api  # noqa: PLC0415 - the program has imported it

        self._hook = _hook_of(self)
        api.add_hooks([self._hook])

    def close(self) -> None:
        """Take the hook out."""
        if self._hook is None:
            return
        from openfeature import api  # noqa: PLC0415 - as above

        hooks = api.get_hooks()  # those in force: `clear_hooks`, the other way, would take away the program's for a moment
        if self._hook in hooks:  # the program may have cleared them itself
            hooks.remove(self._hook)
        self._hook = None


def _hook_of(integration: OpenFeatureIntegration) -> Hook:
    from openfeature import hook  # noqa: PLC0415 - as above

    class NotingHook(hook.Hook):
        """Notes what an evaluation came to."""

        def after(self, hook_context: HookContext, details: FlagEvaluationDetails[Any], hints: HookHints) -> None:
            """Called with the value."""
            note(integration, details.flag_key, details.value)

        def error(self, hook_context: HookContext, exception: Exception, hints: HookHints) -> None:
            """Called when a provider or another hook failed: the program gets the default."""
            note(integration, hook_context.flag_key, hook_context.default_value)

    return NotingHook()
