"""The checks of values: each converts a value or refuses it, and says in words what it takes.

They ask ``type(value)`` rather than ``isinstance``, so that a value which lies about its class is refused with its
option's name instead of failing by itself. Numbers and booleans may be written as text, as they stand in the
environment and in configuration files.
"""

from __future__ import annotations

import os

from vedette._host import guests
from vedette._options.errors import UnknownKeyError, WrongValueError
from vedette._protocol.dsn import Dsn, is_http_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Final, TypeAlias

    Convert: TypeAlias = Callable[[Any], Any]


class Check:
    """What a value must be: in words (``kind``), and as the function that converts it or raises WrongValueError."""

    __slots__ = ("_convert", "kind", "optional")

    def __init__(self, kind: str, convert: Convert, *, optional: bool = False) -> None:
        self.kind = kind
        self.optional = optional
        """Whether None is a value."""
        self._convert = convert

    def __call__(self, value: object) -> Any:
        """The converted value. Raises WrongValueError or UnknownKeyError, BadDsn, or what a foreign value raises."""
        return None if value is None and self.optional else self._convert(value)

    def or_none(self) -> Check:
        """The same, and None."""
        return Check(self.kind, self._convert, optional=True)


def is_a(value: object, *classes: type) -> bool:
    """``isinstance`` that asks nothing of the value itself."""
    return issubclass(type(value), classes)


# --- booleans, numbers, texts --------------------------------------------------------------------------------

_TRUE: Final = frozenset({"1", "true", "t", "yes", "y", "on"})
_FALSE: Final = frozenset({"0", "false", "f", "no", "n", "off"})


def word_as_boolean(text: str) -> bool | None:
    """One of the words of ruling 35, in any case; None for any other."""
    word = text.strip().lower()
    return True if word in _TRUE else False if word in _FALSE else None


def _boolean(value: Any) -> bool:
    answer = value if type(value) is bool else word_as_boolean(value) if is_a(value, str) else None
    if answer is None:
        raise WrongValueError
    return bool(answer)


def number(low: float, high: float, unit: str = "") -> Check:
    """A finite number in this range; no bool, though Python counts it among the integers."""

    def convert(value: Any) -> float:
        if is_a(value, bool) or not is_a(value, int, float, str):
            raise WrongValueError
        try:
            found = float(value)
        except (ValueError, OverflowError):
            raise WrongValueError from None
        if not low <= found <= high:  # as neither NaN nor infinity is
            raise WrongValueError
        return found

    return Check(f"a number from {low} to {high}{unit}", convert)


def whole(low: int, high: int, unit: str = "") -> Check:
    """An integer in this range."""

    def convert(value: Any) -> int:
        if is_a(value, bool) or not is_a(value, int, str):
            raise WrongValueError
        try:
            found = int(value)
        except ValueError:
            raise WrongValueError from None
        if not low <= found <= high:
            raise WrongValueError
        return found

    return Check(f"a whole number from {low} to {high}{unit}", convert)


def plain_text(value: Any) -> str:
    """An exact str; members of an ``Enum`` of strings are what they are equal to."""
    if not is_a(value, str):
        raise WrongValueError
    return str.__str__(value)


def one_of(*choices: str) -> Check:
    """One of these strings."""

    def convert(value: Any) -> str:
        text = plain_text(value)
        if text not in choices:
            raise WrongValueError
        return text

    return Check(f"one of {', '.join(map(repr, choices))}", convert)


BOOLEAN: Final = Check("True or False (or one of the words 1 true t yes y on, 0 false f no n off)", _boolean)
TEXT: Final = Check("a string", plain_text)
RATE: Final = number(0.0, 1.0)
SECONDS: Final = number(0.0, 86_400.0, " (seconds)")


# --- texts that a server or the network has its rules for ------------------------------------------------------

_MOST_RELEASE: Final = 200  # bytes; these limits are Relay's: it takes the field out of the event (servers.md)
_MOST_ENVIRONMENT: Final = 64
_MOST_DIST: Final = 64
PROXY_SCHEMES: Final = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")
_DIST_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def _name_for_servers(value: Any, most: int, reserved: tuple[str, ...]) -> str | None:
    """Without blanks at the ends; None if nothing is left."""
    text = plain_text(value).strip()
    if text.lower() in reserved:
        message = f"must not be {text!r}: servers refuse that name"
        raise WrongValueError(message)
    if any(character in "/\\" or not character.isprintable() for character in text):
        message = "must not contain slashes, line breaks or other control characters: servers refuse it"
        raise WrongValueError(message)
    if len(text.encode()) > most:
        message = f"must not be longer than {most} bytes: servers refuse it"
        raise WrongValueError(message)
    return text or None


def _release(value: Any) -> str | None:
    return _name_for_servers(value, _MOST_RELEASE, ("latest", ".", ".."))


def _environment(value: Any) -> str | None:
    return _name_for_servers(value, _MOST_ENVIRONMENT, ("none",))


def _dist(value: Any) -> str | None:
    text = plain_text(value).strip()
    if len(text) > _MOST_DIST or not _DIST_CHARACTERS.issuperset(text):
        message = f"must be at most {_MOST_DIST} letters, digits, '_', '.' or '-': servers refuse anything else"
        raise WrongValueError(message)
    return text or None


def _stripped(value: Any) -> str | None:
    return plain_text(value).strip() or None


def _dsn(value: Any) -> str:
    """Empty means: send nothing (CLI-14). Anything else must parse."""
    text = plain_text(value).strip()
    if text:
        Dsn(text)
    return text


def _url(value: Any) -> str:
    """Empty means: none."""
    text = plain_text(value)
    if text and not is_http_url(text):
        raise WrongValueError
    return text


def _proxy(value: Any) -> str:
    """Empty means: none, whatever the environment says."""
    text = plain_text(value)
    if text and not is_http_url(text, PROXY_SCHEMES):
        raise WrongValueError
    return text


def _path(value: Any) -> str:
    text = plain_text(os.fspath(value) if is_a(value, os.PathLike) else value)
    if text and not os.path.exists(text):
        message = "must name a file that exists"
        raise WrongValueError(message)
    return text


def _folder(value: Any) -> str:
    return plain_text(os.fspath(value) if is_a(value, os.PathLike) else value)


def _spotlight(value: Any) -> bool | str:
    if type(value) is bool:
        return value
    text = plain_text(value).strip()
    answer = word_as_boolean(text)
    return _url(text) if answer is None and text else bool(answer)


DSN: Final = Check("a string such as 'https://<key>@<host>/<project>'", _dsn)
RELEASE: Final = Check("a string", _release)
ENVIRONMENT: Final = Check("a string", _environment)
DIST: Final = Check("a string", _dist)
NAME: Final = Check("a string", _stripped)
PROXY: Final = Check("an http://, https:// or socks5:// URL", _proxy)
PATH: Final = Check("a path", _path)
FOLDER: Final = Check("a path", _folder)
SPOTLIGHT: Final = Check("True, False, or an http:// or https:// URL", _spotlight)


# --- functions and objects -----------------------------------------------------------------------------------


def _callback(value: Any) -> object:
    """A plain function: an async one could not be waited for without blocking (ruling 5)."""
    if not callable(value):
        raise WrongValueError
    if guests.is_async(value):
        message = "must be a plain function, not an async one: hooks run where the event is captured"
        raise WrongValueError(message)
    return value


def _scrubber(value: Any) -> object:
    if is_a(value, type) or not callable(getattr(value, "scrub_event", None)):
        raise WrongValueError
    return value


def _transport(value: Any) -> object:
    if is_a(value, type) or hasattr(value, "capture_envelope"):
        return value
    return _callback(value)


def _ssl_context(value: Any) -> object:
    """An ``ssl.SSLContext``, told by its class, so that ``ssl`` need not be imported for those who have none."""
    if not any((base.__module__, base.__name__) == ("ssl", "SSLContext") for base in type(value).__mro__):
        raise WrongValueError
    if value.protocol.name == "PROTOCOL_TLS_SERVER":
        message = "must be for a client: ssl.create_default_context(), or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)"
        raise WrongValueError(message)
    return value


CALLBACK: Final = Check("a function", _callback)
SSL_CONTEXT: Final = Check("an ssl.SSLContext", _ssl_context)
SCRUBBER: Final = Check("an EventScrubber, or have a method scrub_event", _scrubber)
TRANSPORT: Final = Check("a Transport, a subclass of it, or a function that takes an event", _transport)


# --- lists ---------------------------------------------------------------------------------------------------


def members(value: Any) -> tuple[Any, ...]:
    """The members of a list, tuple or set. A string is none: its letters are never what was meant."""
    if not is_a(value, list, tuple, set, frozenset):
        raise WrongValueError
    return tuple(value)


def list_of(kind: str, is_member: Callable[[Any], bool]) -> Check:
    """A list whose members are all of this kind."""

    def convert(value: Any) -> tuple[Any, ...]:
        found = members(value)
        if not all(map(is_member, found)):
            raise WrongValueError
        return found

    return Check(f"a list of {kind}", convert)


def is_text(value: object) -> bool:
    """Whether it is a string."""
    return is_a(value, str)


def is_pattern(value: object) -> bool:
    """Whether it is a compiled pattern, of ``re`` or a library like it."""
    return not is_a(value, type) and callable(getattr(value, "search", None))


def _is_error_matcher(value: Any) -> bool:
    if is_a(value, type):
        return issubclass(value, BaseException)
    return is_text(value) or is_pattern(value)


def _is_integration(value: object) -> bool:
    return is_text(getattr(value, "identifier", None))


_INTEGRATIONS: Final = "integrations, such as [ExcepthookIntegration()]"


def _integration_instances(value: Any) -> tuple[object, ...]:
    found: tuple[object, ...] = INTEGRATIONS(value)
    if any(is_a(each, type) for each in found):
        message = "must be a list of instances, such as [ExcepthookIntegration()], not of classes"
        raise WrongValueError(message)
    return found


_LARGEST_C_INT: Final = (1 << 31) - 1


def _is_c_int(value: Any) -> bool:
    return is_a(value, int) and -_LARGEST_C_INT - 1 <= int.__index__(value) <= _LARGEST_C_INT


def _is_socket_option(value: Any) -> bool:
    parts = 3  # level, name, value, as socket.setsockopt takes them
    return (
        is_a(value, tuple, list)
        and len(value) == parts
        and all(map(_is_c_int, value[:2]))
        and (_is_c_int(value[2]) or is_a(value[2], bytes))
    )


_STATUS_CODES: Final = range(100, 600)


def _is_status(value: Any) -> bool:
    return is_a(value, int) and not is_a(value, bool) and value in _STATUS_CODES


def _status_codes(value: Any) -> frozenset[int]:
    found = members(value)
    if not all(map(_is_status, found)):
        raise WrongValueError
    return frozenset(found)


def _is_status_range(value: Any) -> bool:
    return _is_status(value) or (type(value) is range and bool(value) and value[0] in _STATUS_CODES)


STRINGS: Final = list_of("strings", is_text)
TARGETS: Final = list_of("strings or compiled patterns", lambda value: is_text(value) or is_pattern(value))
ERROR_MATCHERS: Final = list_of("exception classes, names, or compiled patterns", _is_error_matcher)
INTEGRATIONS: Final = list_of(_INTEGRATIONS, _is_integration)
INTEGRATION_INSTANCES: Final = Check(f"a list of {_INTEGRATIONS}", _integration_instances)
SOCKET_OPTIONS: Final = list_of("(level, name, value), as socket.setsockopt takes them", _is_socket_option)
STATUS_CODES: Final = Check("a set of HTTP status codes, 100 to 599", _status_codes)
STATUS_RANGES: Final = list_of("HTTP status codes, 100 to 599, and ranges of them: range(500, 600)", _is_status_range)


# --- dicts ---------------------------------------------------------------------------------------------------


def plain_dict(value: Any) -> dict[Any, Any]:
    """What a dict holds, whatever a class derived from it makes of that."""
    if not is_a(value, dict):
        raise WrongValueError
    return dict(_items_of_dict(value))


_items_of_dict: Callable[[dict[Any, Any]], Iterable[tuple[Any, Any]]] = dict[object, object].items


def _headers(value: Any) -> dict[str, str]:
    given = plain_dict(value)
    if not all(is_text(text) for pair in given.items() for text in pair):
        raise WrongValueError
    headers = {str.__str__(name): str.__str__(text) for name, text in given.items()}
    if not all(_can_be_header(name, text) for name, text in headers.items()):
        message = "must be a dict of headers: names of ASCII letters, and values without line breaks"
        raise WrongValueError(message)
    return headers


def _can_be_header(name: str, text: str) -> bool:
    is_name = name.isascii() and name.isprintable() and bool(name) and not set(name) & {" ", ":"}
    return is_name and max(text, default="") <= "\xff" and not set(text) & {"\r", "\n", "\0"}


def fields(value: Any, checks: Mapping[str, Check]) -> dict[str, Any]:
    """A dict that may hold these keys and no others, each with its own check."""
    found: dict[str, Any] = {}
    for key, part in plain_dict(value).items():
        if type(key) is not str or key not in checks:
            raise UnknownKeyError(key, checks)
        found[key] = at(f".{key}", checks[key], part)
    return found


def at(path: str, check: Check, value: object) -> Any:
    """The checked part of a nested option; an error tells where it stands."""
    try:
        return check(value)
    except WrongValueError as error:
        inner = error.value if error.path else value
        reason = error.reason or f"must be {check.kind}"
        raise WrongValueError(reason, path=path + error.path, value=inner) from None
    except UnknownKeyError as error:
        raise UnknownKeyError(error.key, error.known, path=path + error.path) from None


HEADERS: Final = Check("a dict of strings to strings", _headers)
