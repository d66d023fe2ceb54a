"""Integrations: how vedette meets the standard library and other packages. One file each, and their interface.

An integration is set up by the client that was given it, undone when that client closes, and called by name
only: a fault of its own is isolated and warned of once (ruling 38).
"""

from __future__ import annotations

from vedette._host.late_imports import when_imported

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

    from vedette._scopes.client import BaseClient

__all__ = ["DidNotEnable", "Integration", "when_imported"]


class DidNotEnable(Exception):
    """Raised by an integration that cannot work here, such as with a version of a library that is too old."""


class Integration:
    """What the client calls (INT-04). All methods are optional; ``identifier`` is not.

    ``setup_once`` runs for the first client of a process only (INT-05), ``setup`` for each client (INT-07),
    ``after_all_setup`` once all others are set up (INT-09), ``close`` when the client is closed: it undoes ``setup``.
    An integration whose ``library`` the program has not imported yet is set up when it has; nothing imports it before.
    """

    identifier: ClassVar[str] = ""
    """Its name in options, events and docs."""

    library: ClassVar[str] = ""
    """The module that it works with, by its full name; none: it is set up at once."""

    distribution: ClassVar[str] = ""
    """What installs the library, where that has another name."""

    minimum_version: ClassVar[tuple[int, ...]] = ()
    """Of the library. With an older one the integration is not set up."""

    @staticmethod
    def setup_once() -> None:
        """Do what is to be done once in a process."""

    def setup(self, client: BaseClient) -> None:
        """Start working for a client. Raises `DidNotEnable` where it cannot."""

    def after_all_setup(self, client: BaseClient) -> None:
        """Do what needs the other integrations."""

    def preprocess_event(self, event: Any, hint: Any, client: BaseClient) -> None:
        """Change an event before any event processor sees it (INT-10, INT-11)."""

    def process_event(self, event: Any, hint: Any, client: BaseClient) -> Any:
        """Change an event, and return it; None drops it (INT-12, INT-13)."""
        return event

    def close(self) -> None:
        """Undo ``setup``."""
