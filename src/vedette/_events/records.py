"""What a program says through a logging library: one record as an event, and its text.

The text is made as ``logging`` makes it, by ``%``, but of rendered parameters: no code of theirs runs (decision 5).
"""

from __future__ import annotations

from vedette._events.build import current_thread, event_from_exception, event_from_message, log_entry
from vedette._events.exception_values import exception_text
from vedette._events.exceptions import ends_program
from vedette._events.reading_values import class_of, clean, derives, dict_items, plain_str
from vedette._events.values import render_json, render_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import FrameType, TracebackType
    from typing import Any, Final

    from vedette._events.settings import EventSettings

_PLAIN: Final = frozenset({str, int, float, bool, bytes, type(None)})
_SHORTEST: Final = 4  # characters of an exception's text by which it is recognized: "1" is in many a message

_traceback_of: Callable[[BaseException], TracebackType | None] = BaseException.__dict__["__traceback__"].__get__


class Record:
    """One record of a logging library.

    Args:
        text: What was said, its parameters put in.
        level: One of the protocol's levels.
        logger: The name of the logger.
        template: What was said before that, if there was a template; it may be any object.
        params: A tuple, or a dict, of what was put in.
        extra: What was said besides, by name.
        timestamp: Seconds since 1970.
        caller: The frame that logged, if known.
        with_stack: Whether its stack is to be in an event that has no exception.
    """

    __slots__ = (
        "caller",
        "exception_is_a_guess",
        "extra",
        "level",
        "logger",
        "params",
        "template",
        "text",
        "timestamp",
        "with_stack",
    )

    def __init__(
        self,
        text: str,
        level: str,
        *,
        logger: str | None = None,
        template: object = None,
        params: object = (),
        extra: dict[str, Any] | None = None,
        timestamp: float | None = None,
        caller: FrameType | None = None,
        with_stack: bool = False,
    ) -> None:
        self.text: str = text
        self.level: str = level
        self.logger: str | None = logger
        self.template: object = template
        self.params: object = params
        self.extra: dict[str, Any] | None = extra
        self.timestamp: float | None = timestamp
        self.caller: FrameType | None = caller
        self.with_stack: bool = with_stack
        self.exception_is_a_guess: bool = False
        """Whether the exception stands in the event only because the record was logged where it was caught."""

    def exception_among(self, handled: BaseException, settings: EventSettings) -> BaseException | None:
        """The exception being handled, if the record, which names none, is about it (PAIN-17).

        It is, if it was given to the logger as the message, a parameter or an extra value, or if its own text is part
        of what was said. It is taken to be, with ``exception_is_a_guess``, if the function that caught it is the one
        that logs. Exceptions by which a program ends are nobody's failure.
        """
        if ends_program(handled):
            return None
        given = (self.template, *_items(self.params), *_items(self.extra))
        if any(each is handled for each in given):
            return handled
        said = (exception_text(handled, settings.text_limit, settings) or "").partition("\n")[0]
        if len(said) >= _SHORTEST and said in self.text:
            return handled
        traceback = _traceback_of(handled)
        if traceback is None or self.caller is None or traceback.tb_frame is not self.caller:
            return None
        self.exception_is_a_guess = True
        return handled


def event_from_record(
    record: Record, exception: BaseException | None, settings: EventSettings, mechanism: dict[str, Any]
) -> dict[str, Any]:
    """The event of an exception, or of a message, with what the record says besides (FW-logging-07, FW-logging-08)."""
    params: Any = record.params
    template = record.template if _items(params) else None
    if exception is None:
        frame = record.caller if record.with_stack else None
        event = event_from_message(
            record.text, record.level, settings, template=template, params=params, stack_frame=frame
        )
        event.setdefault("threads", {"values": [current_thread()]})
    else:
        event = event_from_exception(exception, settings, mechanism)
        event["level"] = record.level
        log_entry(event, record.text, settings, template=template, params=params)
    if record.logger:
        event["logger"] = clean(record.logger[: settings.text_limit])
    if record.extra:
        event["extra"] = render_json(record.extra, settings)
    if type(record.timestamp) is float:  # of a record made by hand it may be anything
        event["timestamp"] = record.timestamp
    return event


def format_message(template: object, params: object, settings: EventSettings) -> str:
    """``template % params`` as ``logging`` has it; the template alone where they do not fit each other."""
    text = _text(template, settings)
    if not _items(params):
        return text
    filling: Any = params
    if type(params) is dict:
        filling = {name: _fit(value, settings) for name, value in dict_items(params) if type(name) is str}
    else:
        filling = tuple(_fit(value, settings) for value in _items(params))
    try:
        filled: str = text % filling
    except (TypeError, ValueError, KeyError, OverflowError, MemoryError):
        return text
    return filled


def _items(params: Any) -> Iterable[object]:
    """Of a tuple or dict; of anything else none."""
    if class_of(params) is tuple:
        return params  # type: ignore[no-any-return]  # a tuple
    return [value for _, value in dict_items(params)] if type(params) is dict else ()


def _text(value: object, settings: EventSettings) -> str:
    text = plain_str(value, settings.text_limit)
    if text is not None:
        return text
    if derives(class_of(value), BaseException):
        return exception_text(value, settings.text_limit, settings) or ""  # type: ignore[arg-type]  # it is one
    return render_text(value, settings.text_limit, settings)


def _fit(value: object, settings: EventSettings) -> object:
    """A parameter that ``%`` may call."""
    return value if type(value) in _PLAIN else _Shown(_text(value, settings))


class _Shown(str):
    """The text of a parameter: with ``%r``, too, for it looks like a ``repr`` already."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str.__str__(self)
