"""The integrations of one client: which ones there are, and their life (CLI-12, INT-05 to INT-16).

A fault of an integration stays its own: it is named once, and the integration counts as not set up (ruling 38).
One for a library waits until the program has imported that; the file of one that nobody asked for is not even loaded
before (design decision 15, PAIN-34).
"""

from __future__ import annotations

import sys

from vedette._host import guests, late_imports, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from vedette._scopes.client import BaseClient

# Identifier, the library that is waited for ("" for none), and the class, loaded by name when its time has come: so
# integrations stay users of the public surface (design, rooms), and cost nothing where they have nothing to do.
DEFAULT_INTEGRATIONS: Final = (
    ("argv", "", "vedette.integrations._interpreter.ArgvIntegration"),
    ("asyncio", "asyncio", "vedette.integrations.asyncio.AsyncioIntegration"),
    ("atexit", "", "vedette.integrations._interpreter.AtexitIntegration"),
    ("excepthook", "", "vedette.integrations._interpreter.ExcepthookIntegration"),
    ("logging", "logging", "vedette.integrations.logging.LoggingIntegration"),
    ("modules", "", "vedette.integrations._interpreter.ModulesIntegration"),
    ("multiprocessing", "multiprocessing", "vedette.integrations.multiprocessing.MultiprocessingIntegration"),
    ("stdlib", "http.client", "vedette.integrations.stdlib.StdlibIntegration"),  # the first of both that is there
    ("stdlib", "subprocess", "vedette.integrations.stdlib.StdlibIntegration"),
    ("threading", "threading", "vedette.integrations.threading.ThreadingIntegration"),
    ("unraisablehook", "", "vedette.integrations._interpreter.UnraisablehookIntegration"),
)
AUTO_INTEGRATIONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("aiohttp", "aiohttp", "vedette.integrations.aiohttp.AioHttpIntegration"),
    ("celery", "celery.signals", "vedette.integrations.celery.CeleryIntegration"),
    ("django", "django", "vedette.integrations.django.DjangoIntegration"),
    ("fastapi", "fastapi", "vedette.integrations.fastapi.FastApiIntegration"),
    ("flask", "flask", "vedette.integrations.flask.FlaskIntegration"),
    ("httpx", "httpx", "vedette.integrations.httpx.HttpxIntegration"),
    ("loguru", "loguru", "vedette.integrations.loguru.LoguruIntegration"),
    ("redis", "redis", "vedette.integrations.redis.RedisIntegration"),
    ("rq", "rq", "vedette.integrations.rq.RqIntegration"),
    ("sqlalchemy", "sqlalchemy", "vedette.integrations.sqlalchemy.SqlalchemyIntegration"),
    ("starlette", "starlette", "vedette.integrations.starlette.StarletteIntegration"),
)


class IntegrationSet:
    """The integrations of a client: those of its options, then the default ones, then those for libraries."""

    def __init__(self, client: BaseClient, options: Mapping[str, Any]) -> None:
        self.client = client
        self.integrations: dict[str, Any] = {}
        """Those that are set up, by identifier."""
        self.preprocessors: tuple[Any, ...] = ()
        """The ``preprocess_event`` of those that have one of their own."""
        self.processors: tuple[Any, ...] = ()
        """The same for ``process_event``."""
        self.are_foreign: bool = False
        """Whether one of those is not vedette's own, so that what it makes of an event is to be looked at."""
        self._undos: list[Callable[[], None]] = []
        self._unwanted: set[str] = {each.identifier for each in options["disabled_integrations"] or ()}
        self._given: dict[str, Any] = {}
        self._is_ready = False

    def set_up(self, options: Mapping[str, Any]) -> None:
        """Set up what can be now, and have the others wait for their libraries."""
        for integration in options["integrations"]:
            name = integration.identifier
            if name not in self._unwanted and name not in self._given:
                self._given[name] = integration
                self._when_there(getattr(integration, "library", ""), _given(integration))
        if options["default_integrations"]:
            self._have_wait(DEFAULT_INTEGRATIONS)
            if options["auto_enabling_integrations"]:
                self._have_wait(AUTO_INTEGRATIONS)
        self._is_ready = True
        for integration in tuple(self.integrations.values()):
            _call(integration, "after_all_setup", self.client)

    def _have_wait(self, table: tuple[tuple[str, str, str], ...]) -> None:
        for name, library, path in table:
            if name not in self._unwanted and name not in self._given:
                self._when_there(library, _made_by(path))

    def _when_there(self, library: str, make: Callable[[], Any]) -> None:
        def add() -> None:
            self._add(make())

        if library:
            self._undos.append(late_imports.when_imported(library, add))
        else:
            add()

    def add(self, integration: Any) -> None:
        """Set up another one, now or once its library is there, unless there is one of its identifier by then."""
        self._when_there(getattr(integration, "library", ""), _given(integration))

    def _add(self, integration: Any) -> None:
        name = integration.identifier
        if name in self.integrations:
            return
        obstacle = _obstacle(integration)
        if obstacle:
            log.debug("integration %r is not set up: %s", name, obstacle)
            return
        if name not in _set_up_once:
            _set_up_once.add(name)
            _call(integration, "setup_once")
        if not _set_up(integration, self.client):
            return
        self.integrations[name] = integration
        log.debug("integration %r is set up", name)
        preprocesses, processes = (_has_its_own(integration, each) for each in ("preprocess_event", "process_event"))
        if (preprocesses or processes) and not _is_wholly_own(integration):
            self.are_foreign = True  # before they are asked: other threads capture meanwhile
        if preprocesses:
            self.preprocessors += (integration.preprocess_event,)
        if processes:
            self.processors += (integration.process_event,)
        if self._is_ready:
            _call(integration, "after_all_setup", self.client)

    def is_unwanted(self, name: str) -> bool:
        """Whether the integration of this identifier is disabled."""
        return name in self._unwanted

    def undo(self) -> None:
        """Let nothing wait any longer, and have every integration end what ``setup`` began."""
        for stop_waiting in self._undos:
            stop_waiting()
        for integration in tuple(self.integrations.values()):
            _call(integration, "close")


_set_up_once: Final[set[str]] = set()


def _given(integration: Any) -> Callable[[], Any]:
    return lambda: integration


def _made_by(path: str) -> Callable[[], Any]:
    def make() -> Any:
        return _load(path)()  # only now is the file of the integration loaded

    return make


def _load(path: str) -> Any:
    module, _, name = path.rpartition(".")
    __import__(module)
    return getattr(sys.modules[module], name)


def _obstacle(integration: Any) -> str:
    """Why the library that is here is not the right one, if so."""
    wanted = getattr(integration, "minimum_version", ())
    if not wanted:
        return ""
    versions = _load("vedette.integrations._versions.version_of")
    library = integration.library
    found = guests.ask_own(f"the version of {library}", versions, library, integration.distribution)
    if found is guests.FAILED or found is None or found >= wanted:
        return ""  # of an unknown version it is tried: most likely it is a new one
    return f"it takes {library} {'.'.join(map(str, wanted))}, and this is {'.'.join(map(str, found))}"


def _set_up(integration: Any, client: BaseClient) -> bool:
    """Call ``setup``; one that says that it cannot work here has not failed."""
    refusals: list[str] = []

    def setup() -> None:
        try:
            integration.setup(client)
        except _load("vedette.integrations.DidNotEnable") as refusal:
            refusals.append(str(refusal))

    if getattr(integration, "setup", None) is None:
        return True
    name = f"integration {integration.identifier!r}: setup"
    if _asking(integration)(name, setup, so="it is not set up") is guests.FAILED:
        return False
    if refusals:
        log.debug("integration %r is not set up: %s", integration.identifier, refusals[0])
    return not refusals


def _has_its_own(integration: Any, method: str) -> bool:
    kind: Any = integration.__class__
    of_interface = _load("vedette.integrations.Integration").__dict__[method]
    return getattr(kind, method, of_interface) is not of_interface


def _call(integration: Any, method: str, *args: object) -> None:
    """Call a method, all of which are optional."""
    name = f"integration {integration.identifier!r}: {method}"
    ask = _asking(integration)
    found: Any = ask(name, getattr, integration, method, None)
    if found is not None and found is not guests.FAILED:
        ask(name, found, *args)


def _asking(integration: Any) -> Any:
    """How it is called: vedette's own are no guests."""
    return guests.ask_own if _is_own(integration) else guests.ask


def _is_own(integration: Any) -> bool:
    module: str = type(integration).__module__
    return module.startswith("vedette.integrations.")


def _is_wholly_own(integration: Any) -> bool:
    """Whether it does to events what vedette wrote: the program has put no function of its own in the place of that."""
    modules = (getattr(integration, each).__module__ for each in ("preprocess_event", "process_event"))
    return _is_own(integration) and all(f"{module}.".startswith("vedette.integrations.") for module in modules)
