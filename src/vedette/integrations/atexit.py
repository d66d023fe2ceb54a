"""The end of the program: what waits is sent, for at most ``shutdown_timeout`` seconds, silently (TRN-17, TRN-18)."""

from __future__ import annotations

import atexit

from vedette.integrations import Integration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from vedette._scopes.client import BaseClient

__all__ = ["AtexitIntegration"]


class AtexitIntegration(Integration):
    """Closes its client at exit (design decision 12).

    ``callback(pending, timeout)`` is called first if something is waiting; without one nothing is printed (PAIN-16).
    """

    identifier = "atexit"

    def __init__(self, callback: Callable[[int, float], object] | None = None) -> None:
        self.callback = callback
        self._client: BaseClient | None = None

    def setup(self, client: BaseClient) -> None:
        """Have the client closed at exit."""
        self._client = client
        atexit.register(self._at_exit)

    def close(self) -> None:
        """Let the client go."""
        self._client = None
        atexit.unregister(self._at_exit)

    def _at_exit(self) -> None:
        if self._client is None:
            return
        try:
            self._client.close(callback=self.callback)
        except BaseException:  # noqa: BLE001 - Ctrl-C, or a signal handler that ends the program: it is ending, now at once
            return
