"""What a frame says beside its variables: learned once for each instruction of a code object, and cached.

A place is found by the identity of its code object, which the cache holds; hashing a code object compares all
of it. What the source said when a place was first seen stays true for that code object, even if the file has
changed since. So no file is looked at again, and a warm capture opens and stats nothing.

No frame, traceback or value is held, and nothing of the program is run.
"""

from __future__ import annotations

import sys
from itertools import islice

from vedette._events.cache import BoundedCache
from vedette._events.in_app import origin_of
from vedette._events.reading_values import class_of, clean
from vedette._events.source import context_of, context_of_command, global_of, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any, Final

    from vedette._events.in_app import InAppRules

_OPTIMIZED: Final = 0x1  # inspect.CO_OPTIMIZED: the locals live in the frame, not in a dict
_HIDES: Final = (
    "__tracebackhide__"  # as pytest has it, but heeded in vedette's own code only: others may want to be seen
)
_OURS: Final = "vedette."
_LONGEST_NAME: Final = 1024  # characters of a function, module or file
_PLACE_BYTES: Final = 1500  # what a place takes beside its source lines and code
_CODE: Final = type((lambda: None).__code__)

_places = BoundedCache(max_entries=4096, max_cost=8 * 1024 * 1024)


class Place:
    """One instruction of one code object, as one client sees it."""

    __slots__ = (
        "after",
        "around",
        "before",
        "code",
        "facts",
        "global_names",
        "hidden",
        "is_function",
        "is_left_out",
        "is_module",
        "line",
        "lineno",
        "local_names",
        "module",
        "rules",
    )

    def __init__(
        self,
        frame: FrameType,
        lasti: int,
        lineno: int | None,
        module: str | None,
        rules: InAppRules,
        around: int,
    ) -> None:
        code = frame.f_code
        self.code = code
        self.rules = rules
        self.module = module
        self.lineno = lineno
        self.around = around
        filename = str.__str__(code.co_filename)  # exact, whatever code.replace() was given
        path = path_of(filename, frame.f_globals)
        self.before, self.line, self.after = (
            context_of_command(lineno)
            if filename == "<string>" and _is_command(frame)
            else context_of(filename, frame.f_globals, lineno, around)
        )
        self.facts = _facts(frame, filename, path, module, rules)
        self.is_function = bool(code.co_flags & _OPTIMIZED)
        self.is_left_out = _HIDES in code.co_varnames and module is not None and module.startswith(_OURS)
        """Whether it stands between the program's frames only because vedette put it there."""
        self.is_module = not self.is_function and str.__str__(code.co_name) == "<module>"
        self.local_names = frozenset((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
        self.hidden = frozenset(name for name in self.local_names if is_hidden(name))
        last_line = lineno
        if lineno is not None and lineno > 0:
            self.facts["lineno"] = lineno
            column, last_line = _extent(code, lasti, lineno, self.line)
            if column is not None:
                self.facts["colno"] = column
        self.global_names = self._globals_named((last_line or 0) - (lineno or 0))

    def _globals_named(self, more_lines: int) -> tuple[str, ...]:
        """The global names that the failing lines use, as far as the text tells."""
        text = "\n".join([self.line or "", *self.after[:more_lines]])
        return tuple(name for name in self.code.co_names if name not in self.local_names and _is_used(name, text))

    def size(self) -> int:
        """Bytes that the cache should count: with the code, which nobody else may hold any more."""
        lines = sum(map(len, self.before)) + len(self.line or "") + sum(map(len, self.after))
        return _PLACE_BYTES + lines + _size_of(self.code)


def place_of(frame: FrameType, lasti: int, lineno: int | None, rules: InAppRules, around: int) -> Place:
    """The place that a frame stands at, or stood at when the exception passed through it."""
    code = frame.f_code
    name = global_of(frame.f_globals, "__name__")
    module = name if type(name) is str else None
    key = (id(code), lasti)
    place: Place | None = _places.get(key)
    if (
        place is None
        or place.code is not code
        or place.module is not module
        or place.rules is not rules
        or place.around != around
        or place.lineno != lineno  # a traceback made by hand, as template engines do
    ):
        place = Place(frame, lasti, lineno, module, rules, around)
        _places.put(key, place, place.size())
    return place


def _size_of(code: CodeType) -> int:
    """Roughly the bytes of a code object, its texts, and the functions that it makes."""
    size = code.__sizeof__()
    for each in code.co_consts:
        kind = class_of(each)
        if kind is str or kind is bytes:
            size += len(each)
        elif kind is _CODE:
            size += _PLACE_BYTES
    return size


def is_hidden(name: str) -> bool:
    """Names of the interpreter's, not the programmer's: ``__class__``, the ``.0`` of a comprehension."""
    return name.startswith((".", "__")) and (name.endswith("__") or name.startswith("."))


def _is_command(frame: FrameType) -> bool:
    """Whether this ``<string>`` is what ``python -c`` was given: code that it runs with ``exec`` has a caller."""
    main = sys.modules.get("__main__")
    is_module = str.__str__(frame.f_code.co_name) == "<module>"
    return is_module and frame.f_back is None and type(main) is type(sys) and frame.f_globals is main.__dict__


def _facts(frame: FrameType, filename: str, path: str, module: str | None, rules: InAppRules) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "filename": _end_of(rules.short_name(module, filename, path)),
        "abs_path": _end_of(path),
        "function": _function_name(frame.f_code),
        "in_app": rules.is_in_app(module, origin_of(filename, path, module, frame.f_globals)),
    }
    if module is not None:
        facts["module"] = _start_of(module)
    return facts


def _start_of(name: str) -> str:
    return clean(name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…")


def _end_of(path: str) -> str:
    """Of a path the end says most."""
    return clean(path if len(path) <= _LONGEST_NAME else f"…{path[1 - _LONGEST_NAME :]}")


def _is_used(name: str, text: str) -> bool:
    """Whether the name stands in the text by itself, neither as a part of another nor as an attribute."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        before = text[start - 1 : start]
        after = text[end : end + 1]
        if not (before == "." or _continues_name(before) or _continues_name(after)):
            return True
        start = text.find(name, end)
    return False


def _continues_name(char: str) -> bool:
    return char.isalnum() or char == "_"


if sys.version_info >= (3, 11):

    def _function_name(code: CodeType) -> str:
        return _start_of(str.__str__(code.co_qualname))

    def _extent(code: CodeType, lasti: int, lineno: int, line: str | None) -> tuple[int | None, int]:
        """The column at which the failing expression starts, from 1, and the line it ends in (EVT-43)."""
        if lasti < 0:
            return None, lineno
        # A code unit has two bytes; each has an entry.
        first, last, start, _ = next(islice(code.co_positions(), lasti // 2, None), (None, None, None, None))
        if first != lineno or start is None:
            return None, lineno
        if line is not None and not line.isascii():
            # CPython counts bytes of UTF-8.
            start = len(line.encode("utf-8", "surrogatepass")[:start].decode("utf-8", "ignore"))
        return start + 1, last or lineno

else:

    def _function_name(code: CodeType) -> str:
        return _start_of(str.__str__(code.co_name))

    def _extent(
        code: CodeType,  # noqa: ARG001 - the same parameters
        lasti: int,  # noqa: ARG001
        lineno: int,
        line: str | None,  # noqa: ARG001
    ) -> tuple[int | None, int]:
        """Python 3.10 knows lines only."""
        return None, lineno
