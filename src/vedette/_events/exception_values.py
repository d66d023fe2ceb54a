"""What an exception says: its message and its notes.

CPython's own ``__str__`` would call ``str`` on the arguments, so where it is in force vedette formats the arguments
itself, to the same effect for plain ones. Only a ``__str__`` that somebody else wrote is called, under guard.
"""

from __future__ import annotations

import builtins

from vedette._events.builtin_values import fill_items
from vedette._events.dispatch_values import CUT, DEPTH, WIDTH, before_credentials, render
from vedette._events.reading_values import (
    HEAP_TYPE,
    class_items,
    class_of,
    clean,
    dict_items,
    exception_dict,
    flags_of,
    genuine,
    mro_of,
    plain_str,
    type_names,
)
from vedette._host import guests, log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._events.settings import EventSettings

    Formatter = Callable[[BaseException, int, EventSettings], str | None]

_MAX_NOTES = 20
_BYTES_A_CHARACTER = 4  # at most, in UTF-8

_args_of: Callable[[BaseException], tuple[object, ...]] = BaseException.__dict__["args"].__get__


def exception_text(exc: BaseException, limit: int, settings: EventSettings) -> str | None:
    """The message, as ``str(exc)`` gives it, and a line for each of its notes; at most ``limit`` characters.

    None for a group without a message (ERR-70, ERR-71, ERR-76; ruling 25). Runs no code but a ``__str__`` that
    is not CPython's own; what that raises is put aside, control flow excepted.
    """
    text = _message(exc, limit, settings)
    notes = _notes(exc, limit, settings)
    if notes:
        text = "\n".join((text, *notes) if text is not None else notes)
    if text is None:
        return None
    text = clean(text[: limit + 1])
    return text if len(text) <= limit else before_credentials(text[: max(limit - 1, 0)]) + CUT


def _message(exc: BaseException, limit: int, settings: EventSettings) -> str | None:
    cls = type(exc)
    for base in mro_of(cls):
        formatter = _FORMATTERS.get(id(base)) or _inherited(base)
        if formatter is not None:
            return formatter(exc, limit, settings)
        if any(name == "__str__" for name, _ in class_items(base)):
            if _is_group_of_backport(base):
                return _backported_group(exc, limit, settings)
            return _called(exc, limit, settings)
    return _from_args(exc, limit, settings)


def _inherited(cls: type) -> Formatter | None:
    """That of a built-in class without a ``__str__`` of its own, remembered: such classes are never freed.

    Most of what is raised is one of them, or is derived from one.
    """
    if flags_of(cls) & HEAP_TYPE:
        return None
    for base in mro_of(cls):
        formatter = _FORMATTERS.get(id(base))
        if formatter is not None:
            _FORMATTERS[id(cls)] = formatter
            return formatter
        if any(name == "__str__" for name, _ in class_items(base)):
            return None
    return None


def _called(exc: BaseException, limit: int, settings: EventSettings) -> str | None:
    try:
        said: object = guests.call("str(exception)", str, exc)
    except BaseException as error:
        if guests.is_control_flow(error):
            raise
        module, qualname = type_names(type(exc))
        log.warn_once(f"str of {module}.{qualname}", "__str__ of %s.%s raised: its args are sent", module, qualname)
        return _from_args(exc, limit, settings)
    return plain_str(said, limit + 1)


def _notes(exc: BaseException, limit: int, settings: EventSettings) -> list[str]:
    for name, notes in list(dict_items(exception_dict(exc))):
        if type(name) is str and name == "__notes__":
            kind = class_of(notes)
            if kind is list or kind is tuple:
                return [_shown(note, limit, settings) for note in notes[:_MAX_NOTES]]
            return []
    return []


# --- CPython's own __str__, on what the exception stores ---


def _shown(value: object, limit: int, settings: EventSettings) -> str:
    """What ``str(value)`` is for a string and for other plain values."""
    text = plain_str(value, limit + 1)
    return render(value, limit * _BYTES_A_CHARACTER, DEPTH, settings) if text is None else text


def _quoted(value: object, limit: int, settings: EventSettings) -> str:
    """What ``repr(value)`` is for plain values."""
    text = plain_str(value, limit)
    return render(value, limit * _BYTES_A_CHARACTER, DEPTH, settings) if text is None else repr(text)  # an exact str


def _from_args(exc: BaseException, limit: int, settings: EventSettings) -> str:
    args = _args_of(exc)
    if not args:
        return ""
    if len(args) == 1:
        return _shown(args[0], limit, settings)
    # Not as a tuple among values: ("token", 5) is a message here, no pair of name and value.
    return fill_items(args[:WIDTH], len(args), ("(", ", ", ")"), limit * _BYTES_A_CHARACTER, DEPTH, settings)


def _key_error(exc: BaseException, limit: int, settings: EventSettings) -> str:
    args = _args_of(exc)
    return _quoted(args[0], limit, settings) if len(args) == 1 else _from_args(exc, limit, settings)


def _members(base: type, *names: str) -> list[Callable[[Any], Any]]:
    return [base.__dict__[name].__get__ for name in names]


_errno, _strerror, _filename, _filename2 = _members(OSError, "errno", "strerror", "filename", "filename2")


def _os_error(exc: BaseException, limit: int, settings: EventSettings) -> str:
    number, text = _errno(exc), _strerror(exc)
    first, second = _filename(exc), _filename2(exc)
    start = f"[Errno {_shown(number, limit, settings)}] {_shown(text, limit, settings)}"
    if first is not None:
        start += f": {_quoted(first, limit, settings)}"
        return start if second is None else f"{start} -> {_quoted(second, limit, settings)}"
    # A field that was never set reads as None; two to five arguments set them.
    if (number is not None and text is not None) or 2 <= len(_args_of(exc)) <= 5:  # noqa: PLR2004
        return start
    return _from_args(exc, limit, settings)


_import_message = ImportError.__dict__["msg"].__get__


def _import_error(exc: BaseException, limit: int, settings: EventSettings) -> str:
    message = _import_message(exc)
    return message[: limit + 1] if type(message) is str else _from_args(exc, limit, settings)


_syntax_message, _syntax_file, _syntax_line = _members(SyntaxError, "msg", "filename", "lineno")


def _syntax_error(exc: BaseException, limit: int, settings: EventSettings) -> str:
    message = _shown(_syntax_message(exc), limit, settings)
    path, line = plain_str(_syntax_file(exc), limit), _syntax_line(exc)
    where: list[str] = []
    if path is not None:
        where.append(path.rpartition("/")[2])
    if type(line) is int:
        where.append(f"line {line}")
    return f"{message} ({', '.join(where)})" if where else message


def _unicode_formatter(base: Any, verb: str, unit: str) -> Formatter:
    object_of, start_of, end_of, reason_of = _members(base, "object", "start", "end", "reason")
    encoding_of = base.__dict__["encoding"].__get__ if verb != "translate" else None
    length_of = bytes.__len__ if unit == "byte" else str.__len__

    def format_unicode_error(exc: BaseException, limit: int, settings: EventSettings) -> str:
        data: Any = object_of(exc)
        if data is None:  # its __init__ was never called
            return ""
        start, end = start_of(exc), end_of(exc)
        codec = "" if encoding_of is None else f"'{_shown(encoding_of(exc), limit, settings)}' codec "
        reason = _shown(reason_of(exc), limit, settings)
        if end != start + 1 or not 0 <= start < length_of(data):
            return f"{codec}can't {verb} {unit}s in position {start}-{end - 1}: {reason}"
        bad = f"0x{bytes.__getitem__(data, start):02x}" if unit == "byte" else _escaped(data, start)
        return f"{codec}can't {verb} {unit} {bad} in position {start}: {reason}"

    return format_unicode_error


def _escaped(text: str, position: int) -> str:
    code = ord(str.__getitem__(text, position))
    if code <= 0xFF:  # noqa: PLR2004 - what \x, \u and \U can say
        return f"'\\x{code:02x}'"
    return f"'\\u{code:04x}'" if code <= 0xFFFF else f"'\\U{code:08x}'"  # noqa: PLR2004


def _group_formatter(base: Any) -> Formatter:
    message_of = base.__dict__["message"].__get__

    def format_group(exc: BaseException, limit: int, _settings: EventSettings) -> str | None:
        return plain_str(message_of(exc), limit + 1) or None  # without " (2 sub-exceptions)" (ERR-70)

    return format_group


def _is_group_of_backport(base: type) -> bool:
    """Whether this is the group of the package ``exceptiongroup``, for Python 3.10."""
    names = type_names(base)
    return names[1] == "BaseExceptionGroup" and names[0].startswith("exceptiongroup") and genuine(base, *names)


def _backported_group(exc: BaseException, limit: int, _settings: EventSettings) -> str | None:
    args = _args_of(exc)
    return (plain_str(args[0], limit + 1) or None) if args else None


# By the identity of the class that has the __str__; one that a subclass wrote comes before it in the MRO.
_FORMATTERS: dict[int, Formatter] = {
    id(BaseException): _from_args,
    id(KeyError): _key_error,
    id(OSError): _os_error,
    id(ImportError): _import_error,
    id(SyntaxError): _syntax_error,
    id(UnicodeEncodeError): _unicode_formatter(UnicodeEncodeError, "encode", "character"),
    id(UnicodeDecodeError): _unicode_formatter(UnicodeDecodeError, "decode", "byte"),
    id(UnicodeTranslateError): _unicode_formatter(UnicodeTranslateError, "translate", "character"),
}
_native_group = vars(builtins).get("BaseExceptionGroup")  # of the exact module
if _native_group is not None:  # from 3.11 on
    _FORMATTERS[id(_native_group)] = _group_formatter(_native_group)
