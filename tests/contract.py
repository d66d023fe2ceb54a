"""docs/spec/public-api.md and docs/differences.md as data: what the unified API has, and where vedette departs."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent.parent / "docs"
ANY = object()  # a default that is no literal
REQUIRED = inspect.Parameter.empty
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

# The contract's own words (B4): `Client` is `_Client`, typed.
PLACES = {"client._Client": "client.Client"}


@dataclass(frozen=True)
class Name:
    """One name of the contract: its path without ``sentry_sdk.``, what it is, its signature if it has one."""

    path: str
    kind: str
    signature: str | None


def names() -> list[Name]:
    """All names of B1, B3 and B4, in the order of the page."""
    sections = _sections()
    return [*_top_level(sections["B1"]), *_scope_members(sections["B3"]), *_class_members(sections["B4"])]


def options() -> dict[str, object]:
    """The options of B2 with their defaults."""
    found = {}
    for cells in _rows(_sections()["B2"]):
        if len(cells) == 6 and cells[0].startswith("`"):
            found[_code(cells[0])] = _literal(_code(cells[2]))
    return found


def departures(heading: str) -> dict[str, str]:
    """The first column of the table under a heading of docs/differences.md, and the last: name and reason."""
    page = (DOCS / "differences.md").read_text()
    section = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = {}
    for cells in _rows(section):
        for name in re.findall(r"`([^`]+)`", cells[0]):
            assert name not in found, f"{name} is listed twice"
            found[name] = cells[-1]
    return found


def fault(name: Name) -> str | None:
    """What is wrong with vedette's counterpart of a name of the contract; None if it fits."""
    try:
        ours = _resolve(name.path)
    except (ImportError, AttributeError):
        return "absent"
    if name.signature is None:
        return None
    if name.kind == "class attr":
        _, _, value = name.signature.partition("=")
        wanted = _literal(value.strip())
        return None if wanted in (ANY, ours) else f"is {ours!r}, not {wanted!r}"
    if not callable(ours):
        return "cannot be called"
    if "async" in name.kind and not inspect.iscoroutinefunction(ours):
        return "is not async"
    return _misfit(_parameters(name.signature), _own_parameters(name, ours))


def covers(entries: dict[str, str], path: str) -> bool:
    """Whether a departure is listed: by its own name, or by that of its class or module."""
    parts = path.split(".")
    return any(".".join(parts[:length]) in entries for length in range(1, len(parts) + 1))


def same_default(theirs: object, mine: object) -> bool:
    """Whether two defaults mean the same: an empty list as an empty tuple, a number as another of its value."""
    if isinstance(theirs, (list, tuple)) and isinstance(mine, (list, tuple)):
        return list(theirs) == list(mine)
    return theirs == mine


def _misfit(wanted: dict[str, inspect.Parameter], ours: dict[str, inspect.Parameter]) -> str | None:
    if {p.kind for p in wanted.values()} == {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}:
        return None  # says nothing about its parameters
    takes_any_keyword = any(p.kind is p.VAR_KEYWORD for p in ours.values())
    positions = [n for n, p in ours.items() if p.kind in _POSITIONAL]
    for position, (name, parameter) in enumerate(wanted.items()):
        if parameter.kind is parameter.VAR_KEYWORD:
            if not takes_any_keyword:
                return f"lacks **{name}"
            continue
        mine = ours.get(name)
        if mine is None:
            return f"lacks {name}"
        if parameter.kind in _POSITIONAL and positions[position : position + 1] != [name]:
            return f"has {name} elsewhere"
        if parameter.default is not REQUIRED and mine.default is REQUIRED:
            return f"requires {name}"
        if parameter.default not in (REQUIRED, ANY) and not _same(parameter.default, mine.default):
            return f"has {name}={mine.default!r}, not {parameter.default!r}"
    extra = [n for n, p in ours.items() if n not in wanted and p.default is REQUIRED and p.kind in _POSITIONAL]
    return f"requires {', '.join(extra)}, too" if extra else None


def _same(theirs: object, mine: object) -> bool:
    return theirs == mine or "UNSET" in repr(mine)  # UNSET: "not passed" is told from None


def _own_parameters(name: Name, ours: Any) -> dict[str, inspect.Parameter]:
    found = dict(inspect.signature(ours).parameters)
    owner_path = name.path.rpartition(".")[0]
    is_member = bool(owner_path) and isinstance(_resolve(owner_path), type)
    if is_member and not inspect.ismethod(ours) and not name.kind.startswith("staticmethod"):
        found.pop(next(iter(found)))  # self
    return found


def _parameters(signature: str) -> dict[str, inspect.Parameter]:
    function: Any = ast.parse(f"def f{signature}: ...").body[0]
    given, found = function.args, {}
    kinds = inspect.Parameter
    defaults = [None] * (len(given.args) - len(given.defaults)) + given.defaults
    for argument, default in zip(given.args, defaults, strict=True):
        found[argument.arg] = kinds(argument.arg, kinds.POSITIONAL_OR_KEYWORD, default=_default(default))
    if given.vararg:
        found[given.vararg.arg] = kinds(given.vararg.arg, kinds.VAR_POSITIONAL)
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        found[argument.arg] = kinds(argument.arg, kinds.KEYWORD_ONLY, default=_default(default))
    if given.kwarg:
        found[given.kwarg.arg] = kinds(given.kwarg.arg, kinds.VAR_KEYWORD)
    return found


def _default(node: ast.expr | None) -> object:
    return REQUIRED if node is None else _literal(ast.unparse(node))


def _literal(text: str) -> object:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return frozenset() if text == "frozenset()" else ANY


def _resolve(path: str) -> Any:
    """``transport.Transport.flush`` as an object of vedette; raises ImportError, AttributeError."""
    for theirs, ours in PLACES.items():
        if path == theirs or path.startswith(f"{theirs}."):
            path = ours + path[len(theirs) :]
    found: Any = importlib.import_module("vedette")
    walked = "vedette"
    for part in path.split("."):
        walked += f".{part}"
        if inspect.ismodule(found):
            try:
                found = getattr(found, part)
            except AttributeError:
                found = importlib.import_module(walked)
        else:
            found = _member(found, part)
    return found


def _member(owner: Any, name: str) -> Any:
    if any(name in vars(cls).get("__annotations__", {}) for cls in owner.__mro__) and not hasattr(owner, name):
        return None  # an attribute of instances
    return getattr(owner, name)


def _sections() -> dict[str, str]:
    page = (DOCS / "spec" / "public-api.md").read_text()
    parts = re.split(r"^### (B\d)\..*$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _top_level(section: str) -> list[Name]:
    found = []
    for cells in _rows(section):
        path = _code(cells[0]).removeprefix("sentry_sdk.")
        if not cells[0].startswith("`"):
            continue
        signature = next((_code(cell) for cell in cells[1:3] if _code(cell).startswith("(")), None)
        kind = cells[1] if len(cells) == 5 else "function"
        found.append(Name(path, kind, signature))
    others = section.partition("Other public import paths")[2].partition("\n\n")[0]
    for code in re.findall(r"`([^`]+)`", others):
        if code.startswith("sentry_sdk."):
            module = code.removeprefix("sentry_sdk.").partition("(")[0]
            found.append(Name(module, "path", None))
        else:
            found += [Name(f"{module}.{each.strip()}", "name of it", None) for each in code.split(",")]
    return found


def _scope_members(section: str) -> list[Name]:
    return [
        Name(f"Scope.{_code(cells[0])}", cells[1], _code(cells[2]) if "method" in cells[1] else None)
        for cells in _rows(section)
        if cells[0].startswith("`")
    ]


def _class_members(section: str) -> list[Name]:
    found, owner = [], ""
    for line in section.splitlines():
        if heading := re.match(r"\*\*`sentry_sdk\.([\w.]+)`\*\*", line):
            owner = heading[1]
            found.append(Name(owner, "class", None))
        elif member := re.match(r"- ([\w ()]+): `(\w+)(.*)`$", line):
            kind, name, rest = member.groups()
            has_signature = (
                any(word in kind for word in ("method", "abstract", "class attr")) and "property" not in kind
            )
            found.append(Name(f"{owner}.{name}", kind, rest if has_signature else None))
    return found


def _rows(section: str) -> list[list[str]]:
    """The cells of table rows; ``\\|`` is no border."""
    rows = []
    for line in section.splitlines():
        if line.startswith("| ") and not line.startswith("|---"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            rows.append([cell.replace("\\|", "|").strip() for cell in cells])
    return rows


def _code(cell: str) -> str:
    """What stands in backticks at the beginning of a cell."""
    found = re.match(r"`([^`]+)`", cell)
    return found[1] if found else cell
