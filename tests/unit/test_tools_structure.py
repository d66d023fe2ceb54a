"""The figures of the structure table are counted as they say, and the two gates shut."""

from __future__ import annotations

import ast
import textwrap

import pytest

from tools import structure
from tools.foreign_values import offences_in


def parsed(source: str) -> ast.Module:
    return ast.parse(textwrap.dedent(source))


def test_the_length_of_a_function_includes_its_decorators():
    tree = parsed("""\
        @one
        @two(
            3,
        )
        def decorated():
            pass

        async def short(): pass
        """)
    assert [structure.lines_of(function) for function in structure.functions_of(tree)] == [6, 1]


def test_public_functions_are_those_without_an_underscore_on_the_way():
    tree = parsed("""\
        def shown():
            def inner(): ...
        def _hidden(): ...
        class Shown:
            def method(self): ...
            def __enter__(self): ...
        class _Hidden:
            def method(self): ...
        """)
    assert [function.name for function in structure.public_functions_of(tree)] == ["shown", "method"]


def test_only_imports_of_the_package_inside_functions_are_reported():
    tree = parsed("""\
        import vedette
        def late():
            import json
            import vedette.api
            from vedette._protocol import dsn
            from vedettes import other
        """)
    assert structure.inner_imports_of(tree) == [4, 5]


@pytest.mark.parametrize(
    ("imports", "cycles"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"a"}}, [["a"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}, [["b", "c"]]),
        ({"a": {"b"}, "b": {"a"}, "c": {"d", "a"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
    ],
)
def test_modules_that_import_each_other_in_a_circle_are_one_group(imports, cycles):
    assert structure.cycles_of(imports) == cycles


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A source folder of one module, in place of ours; no other module is imported."""
    monkeypatch.setattr(structure, "SOURCE", tmp_path)
    monkeypatch.setattr(structure, "run_time_imports", lambda: {"vedette.one": set()})
    return tmp_path / "one.py"


def test_the_table_shows_the_figures_of_the_source(source, capsys):
    source.write_text('def one():\n    """Documented."""\n    return 1 if x else 2  # type: ignore[name]\n')
    assert structure.main() == 0
    printed = figures(capsys)
    assert printed["files / lines"] == "1 / 3"
    assert printed["file: median, 90th percentile, largest"] == "3, 3, 3"
    assert printed["functions over 50 lines"] == "0.0%"
    assert printed["complexity: mean, highest"] == "2.00, 2"
    assert printed["type: ignore, per 1000 lines"] == "1, 333.3"
    assert printed["public functions with docstring"] == "100%"


def figures(capsys) -> dict[str, str]:
    """The printed table: our column by the name of the figure."""
    lines = capsys.readouterr().out.splitlines()
    return {line[:40].strip(): line[40:57].strip() for line in lines}


def test_an_import_of_the_package_inside_a_function_fails(source, capsys):
    source.write_text("def late():\n    import vedette\n")
    assert structure.main() == 1
    assert "one.py:2: import of vedette inside a function" in capsys.readouterr().err


def test_the_command_line_may_import_late_what_an_extra_brings(source, capsys):
    source.with_name("_cli.py").write_text("def main():\n    import vedette._inbox\n")
    assert structure.main() == 0
    assert figures(capsys)["imports of the package inside functions"] == "0"


def test_an_import_cycle_fails(source, capsys, monkeypatch):
    source.write_text("def one(): ...\n")
    monkeypatch.setattr(structure, "run_time_imports", lambda: {"a": {"b"}, "b": {"a"}})
    assert structure.main() == 1
    assert "cycle: a <-> b" in capsys.readouterr().err


def test_our_own_imports_are_read_from_the_installed_package():
    imports = structure.run_time_imports()
    assert "vedette._protocol.version" in imports


@pytest.mark.parametrize(
    ("line", "offences"),
    [
        ("isinstance(x, int)", [(1, "isinstance")]),
        ("list(map(repr, xs))", [(1, "repr")]),
        ("str(x)", [(1, "str")]),
        ("f'{x!r}'", [(1, "!r")]),
        ("pass\ngetattr(x, 'a')", [(2, "getattr")]),
        ("repr(x)  # an exact str, by its dispatch", []),
        ("repr(x)  # because it is nicer", [(1, "repr")]),
        ("str.__getitem__(x, 0)", []),
        ("def f(x: str) -> str: return x.isinstance", []),
        ("f'{text}' + x.format()", []),
    ],
)
def test_what_runs_foreign_code_is_found_unless_the_line_says_why_it_is_exact(line, offences):
    assert offences_in(line) == offences
