"""The end of the program: what waits is sent, for at most ``shutdown_timeout`` seconds, silently (TRN-17, TRN-18)."""

from __future__ import annotations

import atexit
import time
import weakref

from vedette._host.ending import at_the_very_end
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
        self._seconds_left = 0.0
        self._undo: Callable[[], None] = _nothing

    def setup(self, client: BaseClient) -> None:
        """Have the client closed at exit.

        In two steps. What waits is sent before Python's finalizers run (``weakref.finalize``, where they are not older
        than us): urllib3 makes one for each server, and the worker must not be making it while Python goes through
        them. The client is closed at the very end: what finalizers and other exit handlers capture is still sent.
        """
        self._client = client
        self._undo = at_the_very_end(self._close_client)
        weakref.finalize(self, _nothing).detach()  # the first one of a process registers Python's own handler
        atexit.register(self._drain)

    def close(self) -> None:
        """Let the client go."""
        self._client = None
        atexit.unregister(self._drain)
        self._undo()

    def _drain(self) -> None:
        client, start = self._client, time.monotonic()
        if client is None:
            return
        self._seconds_left = client.options["shutdown_timeout"]
        try:
            client.flush(self._seconds_left, self.callback)
            self._seconds_left = max(0.0, self._seconds_left - (time.monotonic() - start))
        except BaseException:  # noqa: BLE001 - Ctrl-C, or a signal handler that ends the program: it is ending, now at once
            self._seconds_left = 0.0

    def _close_client(self) -> None:
        if self._client is None:
            return
        try:
            self._client.close(self._seconds_left)
        except BaseException:  # noqa: BLE001 - as above
            return


def _nothing() -> None:
    pass
