"""Exceptions as programs raise them, and the events made of them."""

from __future__ import annotations

import sys

from vedette._events.build import event_from_exception
from vedette._events.exceptions import exceptions_of
from vedette._events.frames import Budget, frames_of_traceback
from vedette._events.settings import EventSettings
from vedette._privacy.denylist import DenyList

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup, ExceptionGroup
else:
    from builtins import BaseExceptionGroup, ExceptionGroup

__all__ = [
    "BaseExceptionGroup",
    "ExceptionGroup",
    "caught",
    "event_of",
    "frames_of",
    "ran",
    "settings_of",
    "values_of",
]


def settings_of(**options):
    return EventSettings(denylist=DenyList(), **options)


def caught(func, *args):
    """What the function raises, without the frame of this helper."""
    try:
        func(*args)
    except BaseException as exc:
        return exc.with_traceback(exc.__traceback__.tb_next)
    raise AssertionError("nothing was raised")


def ran(source, filename="<test>", **names):
    """What the source raises when it runs as a module of this file, without the frame of this helper."""
    exc = caught(exec, compile(source, filename, "exec"), {"__name__": "shop.cart", **names})
    assert exc.__traceback__.tb_frame.f_code.co_filename == filename
    return exc


def frames_of(exc, **options):
    frames, _ = frames_of_traceback(exc.__traceback__, settings_of(**options), Budget())
    return frames


def values_of(exc, mechanism=None, **options):
    values, _ = exceptions_of(exc, settings_of(**options), mechanism or {})
    return values


def event_of(exc, mechanism=None, **options):
    return event_from_exception(exc, settings_of(**options), mechanism or {})
