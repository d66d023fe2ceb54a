"""Calls that interrupt a package at each of its byte codes, as signal handlers do (those at fewer of them)."""

from __future__ import annotations

import sys
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

_TOOL = 4  # of sys.monitoring: one that no debugger or profiler takes


class ByteCodes:
    """Inside of the ``with`` block of ``interrupted``, ``action`` is called once, before the ``at``-th byte code."""

    def __init__(self, *modules: ModuleType) -> None:
        self._codes = {code for module in modules for code in codes_of(module)}
        self._left = 0
        self._action: Callable[[], object] | None = None

    def __enter__(self) -> ByteCodes:  # noqa: PYI034 - Self is newer than Python 3.10
        if sys.version_info >= (3, 12):  # where settrace misses the first call of a function
            events = sys.monitoring.events
            sys.monitoring.use_tool_id(_TOOL, "interruptions")
            sys.monitoring.register_callback(_TOOL, events.INSTRUCTION, lambda *_: self._arrive())
            for code in self._codes:
                sys.monitoring.set_local_events(_TOOL, code, events.INSTRUCTION)
        return self

    def __exit__(self, *_: object) -> None:
        if sys.version_info >= (3, 12):
            for code in self._codes:
                sys.monitoring.set_local_events(_TOOL, code, 0)
            sys.monitoring.free_tool_id(_TOOL)

    def interrupt(self, at: int, action: Callable[[], object], call: Callable[[], Any]) -> tuple[Any, bool]:
        """What the call returned, and whether it was interrupted."""
        self._left, self._action = at, action
        before = sys.gettrace()
        if sys.version_info < (3, 12):
            sys.settrace(self._trace)
        try:
            returned = call()
        finally:
            if sys.version_info < (3, 12):
                sys.settrace(before)
            happened, self._action = self._action is None, None
        return returned, happened

    def _arrive(self) -> None:
        self._left -= 1
        action = self._action
        if self._left < 0 and action is not None:
            self._action = None
            action()

    def _trace(self, frame: Any, event: str, _: object) -> Any:
        if frame.f_code not in self._codes:
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        if event == "opcode":
            self._arrive()
        return self._trace


def codes_of(module: ModuleType) -> Iterator[CodeType]:
    for value in vars(module).values():
        members = vars(value).values() if isinstance(value, type) else [value]
        for member in members:
            function = getattr(member, "__func__", member)
            if isinstance(function, FunctionType) and function.__module__ == module.__name__:
                yield from _with_inner(function.__code__)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _with_inner(constant)
