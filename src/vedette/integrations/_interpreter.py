"""What every program has: the hooks of the interpreter, and the facts about it. On in each, so they stand in one file.

Uncaught exceptions of the main thread, by ``sys.excepthook`` (ERR-01, ERR-03), and those that Python could raise
nowhere, by ``sys.unraisablehook``. The end of the program: what waits is sent, for at most ``shutdown_timeout``
seconds, silently (TRN-17, TRN-18). The arguments of the command line, as ``extra["sys.argv"]`` of error events
(FW-argv-02). The installed packages, as ``modules`` of an event (INT-25 to INT-27, FW-modules-02).

Programs import them from the modules of their names: ``vedette.integrations.excepthook`` and so on.
"""

from __future__ import annotations

import atexit
import sys
import time

from vedette._host.ending import at_the_very_end
from vedette._late import late, load
from vedette.api import get_client
from vedette.integrations import Integration, when_imported
from vedette.integrations._patching import look_like, put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType
    from typing import Any, Final

    from vedette._scopes.client import BaseClient
    from vedette.integrations import _packages as packages
else:
    packages = late("vedette.integrations._packages")

__all__ = [
    "ArgvIntegration",
    "AtexitIntegration",
    "ExcepthookIntegration",
    "ModulesIntegration",
    "UnraisablehookIntegration",
    "report",
]


def report(error: BaseException, integration: type[Integration], mechanism_type: str) -> None:
    """Capture an exception that nobody caught, if the client in charge wants it."""
    client = get_client()
    if client.get_integration(integration) is not None:
        client.capture_uncaught(error, mechanism_type)


class ExcepthookIntegration(Integration):
    """Captures what ends the program. ``always_run``: also in interactive sessions, where nothing ends."""

    __module__ = "vedette.integrations.excepthook"  # where programs import it from

    identifier = "excepthook"

    def __init__(self, always_run: bool = False) -> None:  # noqa: FBT001, FBT002 - the unified API's signature
        self.always_run = always_run

    def setup(self, client: BaseClient) -> None:
        """Put the hook in; which client captures is looked up when an error comes."""
        put_in(self, sys, "excepthook", _make_excepthook)

    def close(self) -> None:
        """Take the hook out."""
        take_out(self)


def _make_excepthook(previous: Callable[..., Any]) -> Callable[..., Any]:
    def excepthook(kind: type[BaseException], value: BaseException, traceback: TracebackType | None) -> None:
        integration = get_client().get_integration(ExcepthookIntegration)
        interactive = hasattr(sys, "ps1")
        if integration is not None and (integration.always_run or not interactive):
            report(value, ExcepthookIntegration, "auto.python.excepthook")
        previous(kind, value, traceback)

    return excepthook


class UnraisablehookIntegration(Integration):
    """Captures exceptions that Python can only print: of ``__del__``, weak references, generators being closed."""

    __module__ = "vedette.integrations.unraisablehook"  # where programs import it from

    identifier = "unraisablehook"

    def setup(self, client: BaseClient) -> None:
        """Put the hook in; which client captures is looked up when an error comes."""
        put_in(self, sys, "unraisablehook", _make_unraisablehook)

    def close(self) -> None:
        """Take the hook out."""
        take_out(self)


def _make_unraisablehook(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def unraisablehook(unraisable: sys.UnraisableHookArgs, /) -> Any:
        if unraisable.exc_value is not None:
            report(unraisable.exc_value, UnraisablehookIntegration, "auto.python.unraisablehook")
        return previous(unraisable)

    return unraisablehook


class AtexitIntegration(Integration):
    """Closes its client at exit (design decision 12).

    ``callback(pending, timeout)`` is called first if something is waiting; without one nothing is printed (PAIN-16).
    """

    __module__ = "vedette.integrations.atexit"  # where programs import it from

    identifier = "atexit"

    def __init__(self, callback: Callable[[int, float], object] | None = None) -> None:
        self.callback = callback
        self._client: BaseClient | None = None
        self._seconds_left = 0.0
        self._has_drained = False
        self._undos: list[Callable[[], None]] = []

    def setup(self, client: BaseClient) -> None:
        """Have the client closed at exit.

        In two steps. What waits is sent before Python's finalizers run (``weakref.finalize``, where they are not older
        than us): urllib3 makes one for each server, and the worker must not be making it while Python goes through
        them. The client is closed at the very end: what finalizers and other exit handlers capture is still sent.
        """
        self._client = client
        self._undos.append(at_the_very_end(self._close_client))
        atexit.register(self._drain)
        self._undos.append(when_imported("weakref", self._drain_before_finalizers))

    def _drain_before_finalizers(self) -> None:
        """Take a place behind Python's own handler, which is called later then: the one taken before stays, too.

        The worker may come here while the program is ending already, when nobody is called any more that registers now.
        """
        sys.modules["weakref"].finalize(self, _nothing).detach()  # the first one of a process registers that handler
        atexit.register(self._drain)

    def close(self) -> None:
        """Let the client go."""
        self._client = None
        atexit.unregister(self._drain)
        while self._undos:
            self._undos.pop()()

    def _drain(self) -> None:
        client, start = self._client, time.monotonic()
        if client is None or self._has_drained:
            return
        self._has_drained = True
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


_MOST_ARGUMENTS: Final = 100
_FILTERED: Final = "[Filtered]"


class ArgvIntegration(Integration):
    """Sends the arguments that the program was started with, without the values of options with deny-listed names.

    ``--password x``, ``--token=x`` and ``API_KEY=x`` are sent as ``--password [Filtered]`` and so on.
    """

    __module__ = "vedette.integrations.argv"  # where programs import it from

    identifier = "argv"

    def setup(self, client: BaseClient) -> None:
        """Have them added to the error events of this client, as they are now."""
        given = [each for each in sys.argv[:_MOST_ARGUMENTS] if type(each) is str]
        given = [_FILTERED if each == client.dsn else each for each in given]  # else scrubbed in each event
        client.add_extra("sys.argv", _without_secrets(given, client.event_settings.matches))


def _without_secrets(arguments: Sequence[str], matches: Callable[[str], bool]) -> list[str]:
    """The arguments, but for the values of options whose names ``matches`` finds sensitive."""
    shown: list[str] = []
    is_value = False  # of a sensitive option before it
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_option = name.startswith("-")
        if is_value and not is_option:
            shown.append(_FILTERED)
            is_value = False
        elif equals and matches(name.lstrip("-")):
            shown.append(f"{name}={_FILTERED}")
            is_value = False
        else:
            shown.append(argument)
            is_value = is_option and not equals and matches(name.lstrip("-"))
    return shown


class ModulesIntegration(Integration):
    """Sends which packages are installed, in which versions."""

    __module__ = "vedette.integrations.modules"  # where programs import it from

    identifier = "modules"

    def setup(self, client: BaseClient) -> None:
        """Have the packages added to the events of this client.

        They are read once in a process, on the worker and before the first event is sent, never where the program
        captures (PAIN-34). So hooks do not see ``modules``, unless they set it: what an event has already stays.
        """
        if client.options["warm"] or client.options["cache_dir"]:  # then an event is packed where it is captured
            load("vedette.integrations._packages")
        client.add_before_sending("modules", lambda: packages.installed_packages())  # noqa: PLW0108 - loads it then
