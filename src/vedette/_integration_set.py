"""The integrations of one client: which ones there are, and their life (CLI-12, INT-05 to INT-09).

A fault of an integration stays its own: it is named once, and the integration counts as not set up (ruling 38).
"""

from __future__ import annotations

import sys

from vedette._host import guests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

# Loaded by name when a client is made, so that the integrations stay users of the public surface (design, rooms).
DEFAULT_INTEGRATIONS: Final = (
    "vedette.integrations.atexit.AtexitIntegration",
    "vedette.integrations.excepthook.ExcepthookIntegration",
    "vedette.integrations.modules.ModulesIntegration",
    "vedette.integrations.threading.ThreadingIntegration",
)
_set_up_once: Final[set[str]] = set()


def set_up(client: BaseClient, options: Mapping[str, Any], integrations: dict[str, Any]) -> None:
    """Set up the integrations of the options, then the default ones that are wanted; noted by identifier."""
    unwanted = {each.identifier for each in options["disabled_integrations"] or ()}
    defaults = _default_ones() if options["default_integrations"] else ()
    for integration in (*options["integrations"], *defaults):
        name = integration.identifier
        if name in integrations or name in unwanted:
            continue
        if name not in _set_up_once:
            _set_up_once.add(name)
            _call(integration, "setup_once")
        if _call(integration, "setup", client, so="it is not set up"):
            integrations[name] = integration
    for integration in tuple(integrations.values()):
        _call(integration, "after_all_setup", client)


def undo(integrations: Mapping[str, Any]) -> None:
    """Have every integration end what ``setup`` began."""
    for integration in tuple(integrations.values()):
        _call(integration, "close")


def _default_ones() -> Iterable[Any]:
    for path in DEFAULT_INTEGRATIONS:
        module, _, name = path.rpartition(".")
        __import__(module)
        yield getattr(sys.modules[module], name)()


def _call(integration: Any, method: str, *args: object, so: str = "") -> bool:
    """Call a method, all of which are optional; False if it raised."""
    name = f"integration {integration.identifier!r}: {method}"
    found: Any = guests.ask(name, getattr, integration, method, None)
    return found is None or (found is not guests.FAILED and guests.ask(name, found, *args, so=so) is not guests.FAILED)
