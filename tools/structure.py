"""Prints the figures by which the shape of `src/vedette` can be judged at a glance.

They are no gate, with two exceptions: an import cycle, and an import of the package inside a function, fail.
Beside them stand the figures of the core of sentry-python 2.68.0 (at 064542dd2, without its integrations),
counted in the same way in August 2026.

    python -m tools.structure
"""

from __future__ import annotations

import ast
import re
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import grimp
from radon.complexity import cc_visit

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "vedette"
MAY_IMPORT_LATE = {
    "__init__.py",  # the lazy names of the public surface
    "_cli.py",  # commands need extras that may not be installed
}
LONG_FUNCTION = 50
TYPE_IGNORE = re.compile(r"#\s*(?:type|pyright):\s*ignore")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions_of(tree: ast.AST) -> list[Function]:
    """Every function and method, nested ones too."""
    return [node for node in ast.walk(tree) if isinstance(node, Function)]


def lines_of(function: Function) -> int:
    """Physical lines from the first decorator or `def` to the end."""
    first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)])
    return (function.end_lineno or first) - first + 1


def public_functions_of(node: ast.Module | ast.ClassDef) -> Iterator[Function]:
    """Functions and methods that a user may call: no underscore in their own or their class's name."""
    for child in node.body:
        if isinstance(child, Function | ast.ClassDef) and not child.name.startswith("_"):
            if isinstance(child, ast.ClassDef):
                yield from public_functions_of(child)
            else:
                yield child


def inner_imports_of(tree: ast.AST, package: str = "vedette") -> list[int]:
    """The lines on which a function imports the package itself."""
    return sorted(
        {
            node.lineno
            for function in functions_of(tree)
            for node in ast.walk(function)
            if isinstance(node, ast.Import | ast.ImportFrom)
            and any(name.split(".")[0] == package for name in _names_of(node))
        }
    )


def _names_of(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""]


def cycles_of(imports: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules that import each other in a circle: each is what remains reachable both ways."""
    reach = {module: _reachable(module, imports) for module in imports}
    groups = {
        tuple(sorted(other for other in reach[module] if module in reach.get(other, ())))
        for module in imports
        if module in reach[module]
    }
    return [list(group) for group in sorted(groups)]


def _reachable(module: str, imports: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        for imported in imports.get(waiting.pop(), ()):
            if imported not in seen:
                seen.add(imported)
                waiting.append(imported)
    return seen


def run_time_imports(package: str = "vedette") -> dict[str, set[str]]:
    """Who imports whom within the package, without what only type checkers import."""
    graph = grimp.build_graph(package, exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def main() -> int:
    """Print the table; the exit status."""
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(SOURCE.rglob("*.py"))}
    trees = {path: ast.parse(text) for path, text in sources.items()}
    sizes = {path: text.count("\n") for path, text in sources.items()}
    functions = [function for tree in trees.values() for function in functions_of(tree)]
    long = [function for function in functions if lines_of(function) > LONG_FUNCTION]
    public = [function for tree in trees.values() for function in public_functions_of(tree)]
    documented = [function for function in public if ast.get_docstring(function)]
    blocks = [
        (block.complexity, f"{path.relative_to(SOURCE)}:{block.fullname}")
        for path, text in sources.items()
        for block in cc_visit(text)
        if block.letter != "C"
    ]
    ignores = sum(len(TYPE_IGNORE.findall(text)) for text in sources.values())
    cycles = cycles_of(run_time_imports())
    inner = [
        f"{place}:{line}"
        for path, tree in trees.items()
        if (place := str(path.relative_to(SOURCE))) not in MAY_IMPORT_LATE
        for line in inner_imports_of(tree)
    ]

    lengths = sorted(sizes.values())
    largest = max(sizes, key=sizes.__getitem__)
    worst, where = max(blocks)
    total = sum(lengths)
    table = [
        ("", "vedette", "peer's core"),
        ("files / lines", f"{len(lengths)} / {total}", "44 / 21004"),
        (
            "file: median, 90th percentile, largest",
            f"{statistics.median(lengths):.0f}, {lengths[len(lengths) * 9 // 10]}, {sizes[largest]}",
            "185, 1512, 2241",
        ),
        (f"functions over {LONG_FUNCTION} lines", f"{len(long) / len(functions):.1%}", "4.5%"),
        ("complexity: mean, highest", f"{statistics.mean(n for n, _ in blocks):.2f}, {worst}", "3.23, 51"),
        ("type: ignore, per 1000 lines", f"{ignores}, {ignores / total * 1000:.1f}", "60, 2.9"),
        ("public functions with docstring", f"{len(documented) / len(public):.0%}", "39%"),
        ("imports of the package inside functions", f"{len(inner)}", "10"),
        ("import cycles", f"{len(cycles)}", "1, of 34 modules"),
    ]
    for figure, ours, theirs in table:
        print(f"{figure:40} {ours:>16} {theirs:>16}")
    print(f"largest file: {largest.relative_to(SOURCE)}; most complex: {where}")
    for cycle in cycles:
        print(f"cycle: {' <-> '.join(cycle)}", file=sys.stderr)
    for place in inner:
        print(f"{place}: import of vedette inside a function", file=sys.stderr)
    return 1 if cycles or inner else 0


if __name__ == "__main__":
    sys.exit(main())
