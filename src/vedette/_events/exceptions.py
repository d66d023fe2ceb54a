"""Exceptions, their chains and groups, as the ``values`` of an event's ``exception``.

Everything is read through the descriptors of ``BaseException`` and ``type``: a property, ``__getattr__`` or
metaclass of the program's is never asked. The one thing that may run is an exception's own ``__str__`` (see
``exception_text``).
"""

from __future__ import annotations

import builtins
import sys
from _thread import get_ident
from errno import errorcode

from vedette._events.frames import Budget, frames_of_traceback
from vedette._events.reading_values import derives, exception_dict, mro_of, type_names
from vedette._events.remarks import cut_remark, place_remark
from vedette._events.values import exception_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Final

    from vedette._events.remarks import Meta
    from vedette._events.settings import EventSettings

MAX_EXCEPTIONS: Final = 50
"""Exceptions of one event (ruling 25)."""

_cause: Callable[[BaseException], BaseException | None] = BaseException.__dict__["__cause__"].__get__
_context: Callable[[BaseException], BaseException | None] = BaseException.__dict__["__context__"].__get__
_suppress_context: Callable[[BaseException], bool] = BaseException.__dict__["__suppress_context__"].__get__
_traceback: Callable[[BaseException], TracebackType | None] = BaseException.__dict__["__traceback__"].__get__
_errno: Callable[[BaseException], object] = OSError.__dict__["errno"].__get__


_ENDS: Final = frozenset(
    {
        ("builtins", "KeyboardInterrupt"),
        ("builtins", "SystemExit"),
        ("builtins", "GeneratorExit"),
        ("asyncio.exceptions", "CancelledError"),
        ("trio", "Cancelled"),
    }
)
_MOST_MEMBERS: Final = 10_000


def ends_program(exc: BaseException) -> bool:
    """Whether this is Ctrl-C, exit or cancellation, or a group of nothing else (ruling 32)."""
    waiting, seen = [exc], 0
    while waiting and seen < _MOST_MEMBERS:
        seen += 1
        each = waiting.pop()
        members = _members(each)
        if members is not None:
            waiting += members
        elif not any(type_names(base) in _ENDS for base in mro_of(type(each))):
            return False
    return not waiting


class _Node:
    """One exception of the tree: its parent's number, and the parent's attribute that leads to it."""

    __slots__ = ("exc", "members", "parent", "source")

    def __init__(self, exc: BaseException, parent: int | None, source: str) -> None:
        self.exc = exc
        self.parent = parent
        self.source = source
        self.members = _members(exc)
        """The exceptions of a group; None if it is none."""


def exceptions_of(
    exc: BaseException, settings: EventSettings, mechanism: dict[str, Any]
) -> tuple[list[dict[str, Any]], Meta]:
    """All exceptions of a tree, by the flattening rule of errors.md, and the remarks on what was cut.

    The last value is ``exc`` itself. What ``mechanism`` says is said of it alone, over the defaults of a
    capture by the user (``generic``, handled), key by key. The others are ``chained``.
    """
    nodes, is_complete = _visit(exc)
    budget = Budget()
    meta: Meta = {}
    values: list[dict[str, Any]] = []
    for number, node in enumerate(nodes):
        value, cut = _value(node, number, settings, budget)
        values.append(value)
        if cut:
            meta[str(len(nodes) - 1 - number)] = cut  # an exact int
    root = values[0]
    root["mechanism"] = {"type": "generic", "handled": True, **root["mechanism"], **mechanism}
    if not mechanism.get("type"):
        root["mechanism"]["type"] = "generic"
    root["thread_id"] = get_ident()
    values.reverse()
    if not is_complete:
        place_remark(meta, (), cut_remark())
    return values, meta


def _visit(root: BaseException) -> tuple[list[_Node], bool]:
    """The tree depth first, parents before children, each exception once; and whether that is all of it."""
    nodes = [_Node(root, None, "")]
    if nodes[0].members is None and _cause(root) is None and (_suppress_context(root) or _context(root) is None):
        return nodes, True
    seen = {id(root)}
    path = [(_children(nodes[0]), 0)]
    while path:
        children, parent = path[-1]
        for source, exc in children:
            if id(exc) in seen:
                continue
            if len(nodes) == MAX_EXCEPTIONS:
                return nodes, False
            seen.add(id(exc))
            node = _Node(exc, parent, source)
            path.append((_children(node), len(nodes)))
            nodes.append(node)
            break
        else:
            path.pop()
    return nodes, True


def _children(node: _Node) -> Iterator[tuple[str, BaseException]]:
    """The chain link that Python's own traceback shows, then the members of a group."""
    exc = node.exc
    cause = _cause(exc)
    if cause is not None:
        yield "__cause__", cause
    elif not _suppress_context(exc):
        context = _context(exc)
        if context is not None:
            yield "__context__", context
    for index, member in enumerate(node.members or ()):
        yield f"exceptions[{index}]", member


if sys.version_info >= (3, 11):
    _Group = builtins.BaseExceptionGroup
    _exceptions: Callable[[BaseException], tuple[BaseException, ...]] = _Group.__dict__["exceptions"].__get__

    def _members(exc: BaseException) -> tuple[BaseException, ...] | None:
        """The exceptions of a group; None if it is none."""
        return _exceptions(exc) if derives(type(exc), _Group) else None

else:
    _get: Callable[[dict[str, Any], str], Any] = dict[str, object].get

    def _members(exc: BaseException) -> tuple[BaseException, ...] | None:
        """The exceptions of a group, as the package ``exceptiongroup`` stores them; None if it is none."""
        if "exceptiongroup" not in sys.modules:
            return None
        for base in mro_of(type(exc)):
            module, name = type_names(base)
            if name == "BaseExceptionGroup" and module.partition(".")[0] == "exceptiongroup":
                members: tuple[Any, ...] | None = _get(exception_dict(exc), "_exceptions")
                if type(members) is not tuple:
                    return ()
                return tuple(member for member in members if _is_exception(member))
        return None

    def _is_exception(value: object) -> bool:
        return derives(type(value), BaseException)


def _value(node: _Node, number: int, settings: EventSettings, budget: Budget) -> tuple[dict[str, Any], Meta]:
    exc = node.exc
    meta: Meta = {}
    module, name = type_names(type(exc))
    # As Python prints it, but for the function that a class was defined in.
    value: dict[str, Any] = {"type": name.rpartition("<locals>.")[2], "module": module}
    text = exception_text(exc, settings.text_limit, settings)
    if text:
        value["value"] = text
        if len(text) >= settings.text_limit and text.endswith("…"):
            meta["value"] = cut_remark(None, len(text) - 1, len(text))
    frames, cut = frames_of_traceback(
        _traceback(exc), settings, budget, full_stack=settings.add_full_stack and number == 0
    )
    if frames:
        value["stacktrace"] = {"frames": frames}
        if cut:
            meta["stacktrace"] = {"frames": cut}
    value["mechanism"] = _links(node, number)
    return value, meta


def _links(node: _Node, number: int) -> dict[str, Any]:
    """The parts of a mechanism that place an exception in the tree (ERR-55 to ERR-69)."""
    links: dict[str, Any] = {"exception_id": number}
    if node.parent is not None:
        links["type"] = "chained"
        links["parent_id"] = node.parent
        links["source"] = node.source
    if node.members is not None:
        links["is_exception_group"] = True
    code = _errno(node.exc) if derives(type(node.exc), OSError) else None
    if type(code) is int:
        error: dict[str, Any] = {"number": code}
        if code in errorcode:
            error["name"] = errorcode[code]
        links["meta"] = {"errno": error}
    return links
