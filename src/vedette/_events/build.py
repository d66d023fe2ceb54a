"""An exception or a message as an event: what happened, and where. Later stages add all else."""

from __future__ import annotations

import sys
from _thread import get_ident

from vedette._events.exceptions import exceptions_of
from vedette._events.frames import Budget, frames_of_stack
from vedette._events.reading_values import clean, derives, plain_str
from vedette._events.remarks import cut_remark, place_remark
from vedette._events.values import render_json, render_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

    from vedette._events.remarks import Meta
    from vedette._events.settings import EventSettings

_LONGEST_NAME = 200  # characters of a thread's

_length_of_str: Callable[[Any], int] = str.__len__  # whatever a subclass says


def event_from_exception(exc: BaseException, settings: EventSettings, mechanism: dict[str, Any]) -> dict[str, Any]:
    """``exception``, ``threads``, ``level`` and the ``_meta`` of what was cut (ERR-51, ERR-53, ERR-80).

    The exception's ``thread_id`` points at the current thread, which has no stack of its own (EVT-54,
    EVT-55), and has ``crashed`` if nobody caught the exception (EVT-56).
    """
    values, cut = exceptions_of(exc, settings, mechanism)
    thread = current_thread()
    if values[-1]["mechanism"].get("handled") is False:
        thread["crashed"] = True
    event: dict[str, Any] = {
        "level": "error",
        "exception": {"values": values},
        "threads": {"values": [thread]},
    }
    if cut:
        event["_meta"] = {"exception": {"values": cut}}
    return event


def event_from_message(
    text: object,
    level: str,
    settings: EventSettings,
    *,
    template: object = None,
    params: tuple[object, ...] | dict[Any, object] = (),
    stack_frame: FrameType | None = None,
) -> dict[str, Any]:
    """``logentry``, ``level``, ``threads`` if there is a stack, and the ``_meta`` of what was cut (EVT-77).

    Args:
        text: The full message; what is no str is rendered.
        level: One of the protocol's levels.
        settings: How to render.
        template: The message before its parameters were put in, if there was one.
        params: These parameters; they become strings.
        stack_frame: The newest frame of this thread's stack (``attach_stacktrace``, EVT-33, ruling 26).
    """
    event: dict[str, Any] = {"level": level}
    log_entry(event, text, settings, template=template, params=params)
    if stack_frame is not None:
        frames, cut = frames_of_stack(stack_frame, settings, Budget())
        thread = current_thread()
        thread["stacktrace"] = {"frames": frames}
        event["threads"] = {"values": [thread]}
        if cut:
            place_remark(event.setdefault("_meta", {}), ("threads", "values", 0, "stacktrace", "frames"), cut)
    return event


def log_entry(
    event: dict[str, Any],
    text: object,
    settings: EventSettings,
    *,
    template: object = None,
    params: tuple[object, ...] | dict[Any, object] = (),
) -> None:
    """Put ``logentry`` into an event, and into its ``_meta`` what was cut. As `event_from_message`."""
    whole = text if template is None else template
    entry: dict[str, Any] = {"message": _text(whole, settings), "formatted": _text(text, settings)}
    for field, value in (("message", whole), ("formatted", text)):
        cut = _cut_of(value, settings)
        if cut:
            place_remark(event.setdefault("_meta", {}), ("logentry", field), cut)
    if type(params) is dict:
        entry["params"] = render_json(params, settings)
    elif params:
        entry["params"] = [_text(param, settings) for param in params]
    event["logentry"] = entry


def _text(value: object, settings: EventSettings) -> str:
    """A text, cut before it is copied: it may be of any size."""
    limit = settings.text_limit
    text = plain_str(value, limit)
    if text is None:
        return render_text(value, limit, settings)
    if _length_of_str(value) > limit:
        text = text[: limit - 1] + "…"
    return clean(text)


def _cut_of(value: object, settings: EventSettings) -> Meta:
    """The remark on a text that `_text` cut; of other values the text itself shows it."""
    limit = settings.text_limit
    length = _length_of_str(value) if derives(type(value), str) else 0
    return cut_remark(length, limit - 1, limit) if length > limit else {}


def current_thread() -> dict[str, Any]:
    """The thread as ``threading`` knows it, if it does; a subclass's ``name`` may be a property."""
    ident = get_ident()
    facts: dict[str, Any] = {"id": ident, "current": True}
    threading = sys.modules.get("threading")
    thread: object = threading._active.get(ident) if threading is not None else None  # noqa: SLF001 - current_thread() may register a new one
    if threading is not None and thread is not None:
        if thread is threading._main_thread:  # noqa: SLF001 - main_thread(), without a frame
            facts["main"] = True
        fields: dict[str, object] = threading.Thread.__dict__["__dict__"].__get__(thread)
        name = fields.get("_name")
        if type(name) is str and name:
            facts["name"] = clean(name[:_LONGEST_NAME])
    return facts
