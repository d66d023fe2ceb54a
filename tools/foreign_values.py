"""Keeps the built-ins that run a foreign object's code out of the modules that render foreign objects.

`isinstance` resolves a lazy proxy, `getattr` runs a property, `repr` a query (design decision 5). Where the
argument can only be an exact built-in, a comment on the line says so, with the word "exact". `len` is not in
the list, as vedette measures its own texts on every other line; tests that count calls of `__len__` watch it.

    python -m tools.foreign_values
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVENTS = ROOT / "src" / "vedette" / "_events"
RENDERER = ("*values*.py", "exceptions.py", "frames.py")
NAMES = frozenset(
    {
        "ascii",
        "callable",
        "delattr",
        "dir",
        "format",
        "getattr",
        "hasattr",
        "hash",
        "isinstance",
        "issubclass",
        "iter",
        "repr",
        "setattr",
        "vars",
    }
)
EXEMPT = re.compile(r"#.*\bexact\b")


def offences_in(source: str) -> list[tuple[int, str]]:
    """Line and name of each use without a reason; `str(x)` and `!r`, `!s`, `!a` in f-strings included."""
    lines = source.splitlines()
    found = [
        (node.lineno, name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.expr)
        and (name := _runs_foreign_code(node))
        and not EXEMPT.search(lines[node.lineno - 1])
    ]
    return sorted(found)


def _runs_foreign_code(node: ast.expr) -> str:
    if isinstance(node, ast.Name) and node.id in NAMES:
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str":
        return "str"
    if isinstance(node, ast.FormattedValue) and node.conversion != -1:
        return f"!{chr(node.conversion)}"
    return ""


def main() -> int:
    """Print the offences; the exit status."""
    offences = [
        f"{path.relative_to(ROOT)}:{line}: {name} runs the code of what it is given; say why it is exact here"
        for pattern in RENDERER
        for path in sorted(EVENTS.glob(pattern))
        for line, name in offences_in(path.read_text(encoding="utf-8"))
    ]
    print("\n".join(offences) or "the renderer calls nothing that runs foreign code")
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main())
