"""Integrations: how vedette meets the standard library and other packages. One file each, and their interface.

An integration is set up by the client that was given it, undone when that client closes, and called by name
only: a fault of its own is isolated and warned of once (ruling 38).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

    from vedette._scopes.client import BaseClient

__all__ = ["DidNotEnable", "Integration"]


class DidNotEnable(Exception):
    """Raised by an integration that cannot work here, such as with a version of a library that is too old."""


class Integration:
    """What the client calls (INT-04). All methods are optional; ``identifier`` is not.

    ``setup_once`` runs for the first client of a process only (INT-05), ``setup`` for each client (INT-07),
    ``after_all_setup`` once all others are set up (INT-09), ``close`` when the client is closed: it undoes ``setup``.
    """

    identifier: ClassVar[str] = ""

    @staticmethod
    def setup_once() -> None:
        """Do what is to be done once in a process."""

    def setup(self, client: BaseClient) -> None:
        """Start working for a client."""

    def after_all_setup(self, client: BaseClient) -> None:
        """Do what needs the other integrations."""

    def close(self) -> None:
        """Undo ``setup``."""
