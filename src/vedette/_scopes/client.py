"""The client as scopes know it: its interface, and the client that does nothing."""

from __future__ import annotations

from types import MappingProxyType

from vedette._events.settings import EventSettings
from vedette._events.values import render_json
from vedette._host.stats import Stats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType, TracebackType
    from typing import Any, Final

    from typing_extensions import Self

    from vedette._protocol.dsn import Dsn
    from vedette._protocol.types import Event, ExcInfo, Hint
    from vedette._scopes.scope import Scope
    from vedette._spotlight.pipeline import Spotlight

DEFAULT_MAX_BREADCRUMBS: Final = 100  # BRC-12

_DEFAULT_SETTINGS: Final = EventSettings()


class BaseClient:
    """What every client can do; here, all of it does nothing.

    Deciding once what a disabled SDK does, by putting another object in place, spares each call a question
    (CLI-05, CLI-16).
    """

    options: Mapping[str, Any] = MappingProxyType({})
    """The options in force, by name; where nothing was configured, the defaults."""

    spotlight: Spotlight | None = None
    """Where all that is captured is shown besides: the local side-car of the option ``spotlight``."""

    max_breadcrumbs: int = DEFAULT_MAX_BREADCRUMBS
    """How many breadcrumbs a scope keeps."""

    event_settings: EventSettings = _DEFAULT_SETTINGS
    """What values are rendered with."""

    event_defaults: Mapping[str, Any] = {}
    """What each event of this client says alike, such as ``release``."""

    trace_fields: Mapping[str, str] = {}
    """What is said of each trace that begins here (DSC-04, DSC-12)."""

    plain_text_limit: int = 0
    """How many characters an ASCII text in a breadcrumb may have that is kept without asking `record_breadcrumb`, for
    the renderer would not cut it; 0: it is to be asked. Not above 0 unless breadcrumbs are kept."""

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        if options is not None:
            self.options = options

    @property
    def dsn(self) -> str | None:
        """The DSN as it was given, if any."""
        return None

    @property
    def parsed_dsn(self) -> Dsn | None:
        """The DSN in its parts, if there is one."""
        return None

    def is_active(self) -> bool:
        """Whether captured events go anywhere (CLI-18)."""
        return False

    @property
    def organization(self) -> str | None:
        """The id of the organization that events go to, if it is known (PROP-30 to PROP-32)."""
        return None

    def should_send_default_pii(self) -> bool:
        """Whether personal data may be collected without being asked for (the option ``send_default_pii``)."""
        return bool(self.options.get("send_default_pii"))

    def capture_event(self, event: Event, hint: Hint | None = None, scope: Scope | None = None) -> str | None:
        """Send an event that was built by hand.

        Args:
            event: The event; what it holds wins over all scopes (SCO-29).
            hint: What hooks and processors are told beside the event.
            scope: Data of this call, merged on top of the active scopes (SCO-26).

        Returns: the event id, or None if the event was dropped.
        """

    def capture_exception(
        self,
        exception: BaseException | ExcInfo | None = None,
        scope: Scope | None = None,
        *,
        mechanism: Mapping[str, Any] | None = None,
    ) -> str | None:
        """Send an exception: the one given, or the one being handled. Otherwise as `capture_event`."""

    def capture_uncaught(self, exception: BaseException, mechanism_type: str) -> str | None:
        """Send an exception that nobody caught, unless it is a way in which programs end themselves (ruling 32)."""

    def capture_message(self, message: str, level: str | None = None, scope: Scope | None = None) -> str | None:
        """Send a message, of level ``info`` unless given. Otherwise as `capture_event`."""

    def capture_record(
        self,
        text: str,
        *,
        level: str,
        logger: str | None = None,
        template: object = None,
        params: object = (),
        extra: dict[str, Any] | None = None,
        timestamp: float | None = None,
        exception: BaseException | None = None,
        handled: BaseException | None = None,
        caller: FrameType | None = None,
        with_stack: bool = False,
        mechanism_type: str = "logging",
        hint: Hint | None = None,
    ) -> str | None:
        """Send what was said through a logging library, for integrations with such.

        Args:
            text: What was said, its parameters put in.
            level: One of the protocol's levels.
            logger: The name of the logger.
            template: What was said before its parameters were put in, if there are any.
            params: These parameters, as a tuple or a dict; they become strings.
            extra: What was said besides, by name; becomes ``extra``, and tags where ``context_tags`` names it (CFG-24).
            timestamp: Seconds since 1970.
            exception: What the record is about, if it names an exception.
            handled: The exception that was being handled meanwhile. A record that names none may be about it (PAIN-17).
            caller: The frame that logged.
            with_stack: Whether its stack goes with an event without an exception.
            mechanism_type: The name of the library.
            hint: What hooks and processors are told beside the event.

        Returns: the event id, or None if the event was dropped.
        """

    def has_captured(self, exception: BaseException) -> bool:
        """Whether this exception became an event of this client in this process, in whatever trace."""
        return False

    def format_message(self, template: object, params: object) -> str:
        """``template % params`` without running code of the parameters: what is no plain value is rendered."""
        return ""

    def capture_feedback(
        self, feedback: dict[str, Any], hint: Hint | None = None, scope: Scope | None = None
    ) -> str | None:
        """Send what a user said, a dict with at least ``message``. Otherwise as `capture_event`."""

    def record_breadcrumb(self, crumb: dict[str, Any], hint: dict[str, Any]) -> dict[str, Any] | None:
        """Run ``before_breadcrumb`` over a breadcrumb that this client may keep, and render what comes back.

        Returns: a dict of exact built-ins that nobody else holds, or None if the breadcrumb is not to be
        recorded: by the hook's choice, or because the SDK is disabled (BRC-13, CLI-09).
        """

    def render(self, value: object) -> Any:
        """A value that is set on a scope, as bounded exact built-ins that nobody else holds."""
        return render_json(value, self.event_settings)

    def add_extra(self, name: str, value: object) -> None:
        """Have all error events of this client say this in ``extra``, unless they say something else there.

        For facts of the process: it is rendered now, and costs events nothing more than being copied.
        """

    def add_before_sending(self, name: str, read: Callable[[], object]) -> None:
        """Give error events that have no such field what ``read()`` returns.

        It is called on the worker, for each event, just before that is sent: for facts that are slow to read and that
        no hook needs. What it returns must be bounded, of exact built-ins, and the event's own.
        """

    def get_integration(self, name_or_class: str | type) -> Any:
        """The integration of this name or class, if it is set up with this client; else None."""

    def on(self, name: str, callback: Callable[..., object]) -> Callable[[], None]:
        """Have ``callback`` called whenever ``name`` is emitted; what is returned undoes it. For integrations.

        It gets the very objects that the event is about, and may change them. What it returns is not used, and
        what it raises is logged. vedette itself emits ``before_envelope`` (envelope), on the thread that sends
        it, as the last chance to change it; other names are between those who use them.

        Raises: TypeError, if it cannot be called, or is async: nobody would wait for it.
        """
        return _do_nothing

    def emit(self, name: str, *args: Any) -> None:
        """Call those who registered for this name, in the order in which they did (HOOK-04, HOOK-05)."""

    def stats(self) -> Stats:
        """How many items were captured, and what became of them."""
        return Stats()

    def flush(self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
        """Wait until what was captured is delivered, for at most ``timeout`` seconds."""

    async def flush_async(
        self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None
    ) -> None:
        """As `flush`, without holding up the event loop: the waiting, and ``callback``, take another thread."""

    def close(self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None) -> None:
        """Flush, then stop working for good."""

    async def close_async(
        self, timeout: float | None = None, callback: Callable[[int, float], object] | None = None
    ) -> None:
        """As `close`, without holding up the event loop. A task that is cancelled meanwhile stops waiting only."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.close_async()


def _do_nothing() -> None:
    """Undoes what was never done."""


class NoOpClient(BaseClient):
    """The client before ``init``: there, so that ``get_client()`` never returns None, and idle (CLI-06)."""
