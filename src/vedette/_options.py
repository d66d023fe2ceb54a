"""Every option once: type, default, environment variable, check, one line of help (CFG rows, ruling 8a).

``resolve`` turns what was passed to ``init`` into the finished options. Explicit beats environment, which
beats the default; ``None`` passed explicitly is a value, not "not passed" (CFG-35, CFG-36). A wrong value in
code raises; a wrong value in the environment warns once and is ignored: an operator's typo must not
take the host down. The DSN raises wherever it comes from.
"""

from __future__ import annotations

import os
from enum import Enum

from vedette._host import log
from vedette._privacy.collection import DataCollection, PolicyError
from vedette._protocol.dsn import BadDsn, Dsn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final, TypeAlias

    Check: TypeAlias = Callable[[object], Any]


class OptionError(ValueError):
    """An option has a wrong name, type or range; the message names the fix. Raised by ``init`` and ``Client``."""


class UnknownOptionError(OptionError, TypeError):
    """There is no option of that name; the message names the nearest."""


class Unset(Enum):
    """Stands for "not passed", where ``None`` is a value of its own."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


class _WrongValueError(Exception):
    """Raised by a check; says what the value must be."""


class Option:
    """One row of the table of options."""

    __slots__ = ("check", "default", "env", "help", "name")

    def __init__(self, name: str, check: Check, default: object, help: str, env: str | None = None) -> None:  # noqa: A002 - it is the help text
        self.name = name
        self.check = check
        self.default = default
        self.help = help
        self.env = env


_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})


def _boolean(value: object) -> bool:
    """A bool, or one of the words of ruling 35 in any case."""
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else None
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    must = "must be True or False (or one of the words 1 true t yes y on, 0 false f no n off)"
    raise _WrongValueError(must)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    must = "must be a string"
    raise _WrongValueError(must)


def _optional(check: Check) -> Check:
    def checked(value: object) -> Any:
        return None if value is None else check(value)

    return checked


def _number(low: float, high: float, unit: str) -> Check:
    def checked(value: object) -> float:
        number = value
        if isinstance(value, str):
            try:
                number = float(value)
            except ValueError:
                number = None
        if isinstance(number, (int, float)) and not isinstance(number, bool) and low <= number <= high:
            return float(number)
        must = f"must be a number from {low} to {high}{unit}"
        raise _WrongValueError(must)

    return checked


def _whole(low: int, high: int) -> Check:
    def checked(value: object) -> int:
        number = value
        if isinstance(value, str) and value.strip().lstrip("-").isdigit():
            number = int(value)
        if isinstance(number, int) and not isinstance(number, bool) and low <= number <= high:
            return number
        must = f"must be a whole number from {low} to {high}"
        raise _WrongValueError(must)

    return checked


def _callback(value: object) -> object:
    """A plain function: an async one could not be waited for without blocking (ruling 5)."""
    if not callable(value):
        must = "must be a function"
        raise _WrongValueError(must)
    flags = getattr(getattr(value, "__func__", value), "__code__", None)
    call = getattr(type(value), "__call__", None)  # noqa: B004 - its code is wanted, for callable objects
    for code in (flags, getattr(call, "__code__", None)):
        if code is not None and code.co_flags & (0x80 | 0x200):  # CO_COROUTINE, CO_ASYNC_GENERATOR
            must = "must be a plain function, not an async one: hooks run where the event is captured"
            raise _WrongValueError(must)
    return value


def _members(value: Any, must: str) -> tuple[Any, ...]:
    if issubclass(type(value), (list, tuple, set, frozenset)):
        return tuple(value)
    raise _WrongValueError(must)


def _strings(value: object) -> tuple[str, ...]:
    must = "must be a list of strings"
    members = _members(value, must)
    if all(isinstance(each, str) for each in members):
        return members
    raise _WrongValueError(must)


def _error_matchers(value: object) -> tuple[object, ...]:
    """Exception classes, names (``ValueError``, ``shop.OrderError``) or compiled patterns (ruling 36)."""
    must = "must be a list of exception classes, names, or compiled patterns"
    members = _members(value, must)
    if all(isinstance(each, (str, type)) or hasattr(each, "search") for each in members):
        return members
    raise _WrongValueError(must)


def _sequence(value: object) -> tuple[object, ...]:
    return _members(value, "must be a list")


def _integrations(value: object) -> tuple[object, ...]:
    """Instances; where they are to be left out, classes will do."""
    must = "must be a list of integrations, such as [ExcepthookIntegration()]"
    members = _members(value, must)
    if all(isinstance(getattr(each, "identifier", None), str) for each in members):
        return members
    raise _WrongValueError(must)


def _integration_instances(value: object) -> tuple[object, ...]:
    members = _integrations(value)
    if any(isinstance(each, type) for each in members):
        must = "must be a list of instances, such as [ExcepthookIntegration()], not of classes"
        raise _WrongValueError(must)
    return members


def _headers(value: Any) -> dict[str, str]:
    if issubclass(type(value), dict) and all(isinstance(text, str) for pair in value.items() for text in pair):
        return dict(value)
    must = "must be a dict of strings"
    raise _WrongValueError(must)


def _data_collection(value: object) -> object:
    """Checked field by field where the value is made that it stands for."""
    try:
        DataCollection(value)
    except PolicyError as error:
        raise _WrongValueError(str(error)) from None
    return value


def _scrubber(value: object) -> object:
    if hasattr(value, "scrub_event") and not isinstance(value, type):
        return value
    must = "must be an EventScrubber, or have a method scrub_event"
    raise _WrongValueError(must)


def _one_of(*choices: str) -> Check:
    def checked(value: object) -> str:
        if isinstance(value, str) and value in choices:
            return value
        must = f"must be one of {', '.join(map(repr, choices))}"
        raise _WrongValueError(must)

    return checked


def _dsn(value: object) -> str:
    """Empty means: send nothing (CLI-14). Anything else must parse."""
    text = _text(value).strip()
    if text:
        Dsn(text)
    return text


def _transport(value: object) -> object:
    if callable(value) or hasattr(value, "capture_envelope"):
        return value
    must = "must be a Transport, a subclass of it, or a function that takes an event"
    raise _WrongValueError(must)


_RATE: Final = _number(0.0, 1.0, "")
_SECONDS: Final = _number(0.0, 86_400.0, " (seconds)")

OPTIONS: Final = (
    Option("dsn", _optional(_dsn), None, "where to send to; empty sends nothing", "SENTRY_DSN"),
    Option("debug", _optional(_boolean), False, "write what vedette does to stderr", "SENTRY_DEBUG"),
    Option("release", _optional(_text), None, "version of your program", "SENTRY_RELEASE"),
    Option(
        "environment",
        _optional(_text),
        None,
        "production, staging, ... (None: production)",
        "SENTRY_ENVIRONMENT",
    ),
    Option("dist", _optional(_text), None, "variant of a release"),
    Option("server_name", _optional(_text), None, "name of this host (None: asked of the system)"),
    Option("sample_rate", _RATE, 1.0, "share of error events that is sent", "SENTRY_SAMPLE_RATE"),
    Option("max_breadcrumbs", _whole(0, 10_000), 100, "breadcrumbs kept, the newest"),
    Option("shutdown_timeout", _SECONDS, 2.0, "seconds that the end of the program may wait for delivery"),
    Option("integrations", _integration_instances, (), "integrations besides the default ones"),
    Option("default_integrations", _boolean, True, "whether the default integrations are set up"),
    Option("disabled_integrations", _optional(_integrations), None, "integrations, or their classes, to leave out"),
    Option("transport", _optional(_transport), None, "your own Transport (instance or class), or a function"),
    Option("transport_queue_size", _whole(1, 1_000_000), 1000, "error events that may wait in memory"),
    Option("send_client_reports", _boolean, True, "tell the server how many items were dropped, and why"),
    Option("send_default_pii", _optional(_boolean), None, "whether personal data may be sent"),
    Option("event_scrubber", _optional(_scrubber), None, "an EventScrubber of your own (see vedette.scrubber)"),
    Option("data_collection", _optional(_data_collection), None, "what is collected, by category"),
    Option(
        "max_attachment_size", _whole(0, 1 << 40), 20 * 1024 * 1024, "bytes of one attachment; larger ones are dropped"
    ),
    Option("ignore_errors", _error_matchers, (), "exception classes, names or patterns that are not sent"),
    Option("before_send", _optional(_callback), None, "called with (event, hint); None drops the event"),
    Option("before_send_feedback", _optional(_callback), None, "called with (feedback event, hint); None drops it"),
    Option("error_sampler", _optional(_callback), None, "called with (event, hint); the share of such errors sent"),
    Option("before_breadcrumb", _optional(_callback), None, "called with (crumb, hint); None drops the crumb"),
    Option("attach_stacktrace", _boolean, False, "send the stack with messages"),
    Option("add_full_stack", _boolean, False, "also send the frames that called the one which handled the error"),
    Option(
        "max_stack_frames",
        _optional(_whole(1, 1000)),
        100,
        "frames kept of a stack: the oldest 20, the newest",
    ),
    Option("include_local_variables", _optional(_boolean), True, "send the variables of each frame"),
    Option("include_source_context", _optional(_boolean), True, "send the source lines around each frame's line"),
    Option("in_app_include", _strings, (), "modules (and what is below them) that are yours"),
    Option("in_app_exclude", _strings, (), "modules (and what is below them) that are not yours"),
    Option("project_root", _optional(_text), None, "folder of your code (None: the working directory)"),
    Option(
        "max_value_length",
        _optional(_whole(16, 1_000_000)),
        None,
        "characters of one string (None: 1024, messages 8192)",
    ),
    Option("custom_repr", _optional(_callback), None, "called with a value of yours; returns its text or None"),
    Option(
        "compression", _one_of("gzip", "br", "zstd"), "gzip", "how bodies are compressed; br and zstd need an extra"
    ),
    Option("http_proxy", _optional(_text), None, "proxy for http", None),
    Option("https_proxy", _optional(_text), None, "proxy for https", None),
    Option("proxy_headers", _optional(_headers), None, "headers for the proxy"),
    Option("ca_certs", _optional(_text), None, "file of CA certificates"),
    Option("cert_file", _optional(_text), None, "client certificate", "CLIENT_CERT_FILE"),
    Option("key_file", _optional(_text), None, "key of the client certificate", "CLIENT_KEY_FILE"),
    Option("keep_alive", _optional(_boolean), None, "TCP keep-alive probes", "SENTRY_KEEP_ALIVE"),
    Option("socket_options", _optional(_sequence), None, "(level, name, value) for each connection's socket"),
)
_BY_NAME: Final = {option.name: option for option in OPTIONS}


def resolve(given: Mapping[str, object], environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The finished options: every name of the table with its checked value.

    ``given`` maps names to what was passed; a value of ``UNSET`` counts as not passed. Raises
    UnknownOptionError, OptionError, or BadDsn.
    """
    env = os.environ if environ is None else environ
    for name, value in given.items():
        if type(name) is not str or name not in _BY_NAME:
            raise UnknownOptionError(_unknown(name, value))
    finished: dict[str, Any] = {}
    for option in OPTIONS:
        value = given.get(option.name, UNSET)
        if value is not UNSET:
            finished[option.name] = _checked(option, value)
        else:
            finished[option.name] = _from_environment(option, env)
    return finished


def _checked(option: Option, value: object, source: str = "") -> Any:
    try:
        return option.check(value)
    except _WrongValueError as error:
        message = f"option {option.name!r} {error}, got {_shown(value)}{source}"
        raise OptionError(message) from None
    except BadDsn as error:
        message = f"option 'dsn'{source}: {error}"
        raise BadDsn(message) from None


def _from_environment(option: Option, env: Mapping[str, str]) -> Any:
    text = env.get(option.env) if option.env else None
    if option.env is None or text is None or (text == "" and option.name != "dsn"):
        return option.default
    try:
        return _checked(option, text, f" (from the environment variable {option.env})")
    except OptionError as error:
        log.warn_once(f"environment {option.env}", "%s; ignored, using %r", error, option.default)
        return option.default


def _unknown(name: str, value: object) -> str:
    import difflib  # noqa: PLC0415 - only for the message of a mistake

    message = f"unknown option {name!r} (got {_shown(value)})."
    nearest = difflib.get_close_matches(str(name), _BY_NAME, n=1, cutoff=0.6)
    if nearest:
        return f"{message}\n    Did you mean {nearest[0]!r}?"
    return f"{message}\n    The options are: {', '.join(_BY_NAME)}."


_MOST_SHOWN: Final = 80


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - foreign code; the message matters more
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."
