"""Writes `docs/integrations.md`: the text of `integrations_page.in.md` around what the classes say of themselves.

Which integrations there are is found: the tables in `vedette._integration_set` say which are default and auto, and
whatever else the modules of `vedette.integrations` export is opt-in, or an object to be used by hand. A page of its own
(`docs/integrations/NAME.md`, named as the module) is linked if there is one.

`python -m tools.integrations_page` writes the page; with `--check` it compares and fails where the page is stale.
"""

from __future__ import annotations

import enum
import importlib
import inspect
import pkgutil
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vedette.integrations
from vedette._integration_set import AUTO_INTEGRATIONS, DEFAULT_INTEGRATIONS
from vedette.integrations import Integration

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).resolve().parent.parent / "docs" / "integrations.md"
TEMPLATE = Path(__file__).with_suffix(".in.md")

MODES = ("default", "auto", "opt-in", "by hand")
BY_THE_CLIENT = {"vedette.integrations.dedupe.DedupeIntegration"}  # which does it itself; the class turns it off


@dataclass(frozen=True)
class Entry:
    """A class that a module of `vedette.integrations` exports."""

    path: str
    kind: type
    mode: str
    libraries: tuple[str, ...]
    """The modules that it waits for."""

    @property
    def module(self) -> str:
        """``flask`` of ``vedette.integrations.flask.FlaskIntegration``; its page is called so, too."""
        return self.path.split(".")[2]

    @property
    def name(self) -> str:
        """The class, without the module."""
        return self.path.rpartition(".")[2]


def entries() -> list[Entry]:
    """All of them, in the order of the page: by mode, then by path."""
    waiting: dict[str, tuple[str, list[str]]] = {path: ("default", []) for path in BY_THE_CLIENT}
    for mode, table in (("default", DEFAULT_INTEGRATIONS), ("auto", AUTO_INTEGRATIONS)):
        for _, library, path in table:
            waiting.setdefault(public_path(path), (mode, []))[1].append(library)
    found: list[Entry] = []
    for path, kind in _exported_classes():
        otherwise = ("opt-in", [kind.library]) if issubclass(kind, Integration) else ("by hand", [])
        mode, libraries = waiting.get(path) or otherwise
        found.append(Entry(path, kind, mode, tuple(filter(None, libraries))))
    return sorted(found, key=lambda entry: (MODES.index(entry.mode), entry.path))


def public_path(path: str) -> str:
    """Where programs import the class of this path from."""
    module, _, name = path.rpartition(".")
    if not module.startswith("vedette.integrations._"):
        return path
    return f"{getattr(importlib.import_module(module), name).__module__}.{name}"


def _exported_classes() -> Iterator[tuple[str, type]]:
    """What can be set up or put in; exceptions and constants are neither."""
    for info in pkgutil.iter_modules(vedette.integrations.__path__):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"vedette.integrations.{info.name}")
        for name in module.__all__:
            kind = getattr(module, name)
            is_class = isinstance(kind, type) and not issubclass(kind, (BaseException, enum.Enum))
            if is_class and kind.__module__.startswith(module.__name__):
                yield f"{module.__name__}.{name}", kind


def render(page: Path = PAGE) -> str:
    """The whole page."""
    found = entries()
    pages = _pages(found, page.parent / "integrations")
    others = sorted({each.stem for each in (page.parent / "integrations").glob("*.md")} - {*pages.values()})
    links = ", ".join(f"[{name}](integrations/{name}.md)" for name in others)
    return TEMPLATE.read_text(encoding="utf-8").format(
        table=_table(found, pages),
        more=f"More to read: {links}.\n\n" if links else "",
        options="\n\n".join(_section(entry) for entry in found if _told(entry.kind)[0] or _parameters(entry.kind)),
    )


def _pages(found: list[Entry], folder: Path) -> dict[str, str]:
    """The page about a class, by its path: the one that is named as its module, else the first that names the class."""
    texts = {each.stem: each.read_text(encoding="utf-8") for each in sorted(folder.glob("*.md"))}
    pages: dict[str, str] = {}
    for entry in found:
        naming = [entry.module] if entry.module in texts else [name for name in texts if entry.name in texts[name]]
        if naming:
            pages[entry.path] = naming[0]
    return pages


def _table(found: list[Entry], pages: dict[str, str]) -> str:
    lines = ["| class | identifier | mode | library | what it does | |", "|---|---|---|---|---|---|"]
    for entry in found:
        identifier = f"`{entry.kind.identifier}`" if issubclass(entry.kind, Integration) else ""
        named = pages.get(entry.path)
        start = f"[{named}](integrations/{named}.md)" if named else ""
        what = _cell(_as_markdown(_docstring(entry.kind)[0]))
        lines.append(f"| `{_short(entry.path)}` | {identifier} | {entry.mode} | {_library(entry)} | {what} | {start} |")
    return "\n".join(lines)


def _short(path: str) -> str:
    return path.removeprefix("vedette.integrations.")


def _library(entry: Entry) -> str:
    least: tuple[int, ...] = getattr(entry.kind, "minimum_version", ())
    if not least:
        return ", ".join(f"`{each}`" for each in entry.libraries)
    name = getattr(entry.kind, "distribution", "") or ", ".join(entry.libraries)
    return f"{name} {'.'.join(map(str, least))} or newer"


# --- sections -----------------------------------------------------------------------------------------------


def _section(entry: Entry) -> str:
    """The section of one class: what else its docstring says, and what its constructor takes."""
    prose, told = _told(entry.kind)
    title = f"### {entry.name}\n\n`from {entry.path.rpartition('.')[0]} import {entry.name}`"
    return "\n\n".join(part for part in (title, prose, _options(entry.kind, told)) if part)


def _options(kind: type, told: dict[str, str]) -> str:
    heads = ["option", "default", ""] if told else ["option", "default"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for parameter in _parameters(kind):
        default = "" if parameter.default is parameter.empty else f"`{_source(parameter.default)}`"
        cells = [f"`{parameter.name}`", _cell(default), _cell(told.get(parameter.name, ""))]
        lines.append(f"| {' | '.join(cells[: len(heads)])} |")
    return "\n".join(lines) if _parameters(kind) else ""


def _parameters(kind: type) -> list[inspect.Parameter]:
    if not any("__init__" in vars(each) for each in kind.__mro__[:-1]):
        return []
    every = inspect.signature(kind).parameters.values()
    return [each for each in every if each.kind not in {each.VAR_POSITIONAL, each.VAR_KEYWORD}]


def _told(kind: type) -> tuple[str, dict[str, str]]:
    """What a docstring says behind its first line, and of each parameter, where it does not leave that to its base."""
    prose, told = "", dict[str, str]()
    for each in (base for base in kind.__mro__ if base.__doc__ and base not in {Integration, object}):
        _, body, told = _docstring(each)
        prose = prose or body
        if told:
            break
    return _as_markdown(prose), {name: _as_markdown(text) for name, text in told.items()}


def _docstring(kind: type) -> tuple[str, str, dict[str, str]]:
    """First line, the paragraphs behind it, and the texts under ``Args:`` by name."""
    text = inspect.cleandoc(kind.__doc__ or "")
    first, _, rest = text.partition("\n")
    body = re.split(r"^(?:Args|Raises|Returns):$", rest, maxsplit=1, flags=re.MULTILINE)[0].strip()
    section = re.search(r"^Args:\n((?:[ ]{4}.*\n?|\n)*)", rest, re.MULTILINE)
    told: dict[str, str] = {}
    for found in re.finditer(r"^    (\w+): ((?:.*)(?:\n {8}.*)*)", section[1] if section else "", re.MULTILINE):
        told[found[1]] = " ".join(found[2].split())
    return first, body, told


def _source(value: Any) -> str:
    """A default as one would write it."""
    if isinstance(value, (set, frozenset)) and all(isinstance(each, int) for each in value):
        numbers: list[int] = sorted(value)
        if numbers == list(range(numbers[0], numbers[-1] + 1)):
            return f"{{*range({numbers[0]}, {numbers[-1] + 1})}}"
    if callable(value):
        return str(getattr(value, "__name__", type(value).__name__))
    return repr(value)


def _as_markdown(text: str) -> str:
    """Of a docstring, without the rows and decisions that it names for those who read the code."""
    return _FOR_READERS_OF_CODE.sub("", text).replace("``", "`")


_FOR_READERS_OF_CODE = re.compile(
    r"\s+\((?:(?:[A-Z]+(?:-\w+)?-\d+|(?:design )?decision \d+|rulings? \d+)(?:, | to | and )?)+\)"
)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Write the page, or with `--check` compare it; the exit status."""
    text = render(page)
    if "--check" not in arguments:
        page.write_text(text, encoding="utf-8")
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        print("integrations_page: docs/integrations.md is stale, run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
