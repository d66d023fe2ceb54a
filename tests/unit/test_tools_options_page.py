"""docs/options.md: made from the table, complete, and fresh."""

from __future__ import annotations

import pytest

from tools.options_page import PAGE, main, render
from vedette._options import OPTIONS
from vedette._options.surroundings import PLATFORM_VARIABLES


@pytest.mark.spec("CFG-34", "PAIN-15")
def test_the_page_shows_each_option_and_each_variable() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == render()
    for option in OPTIONS:
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{option.name}` |") and option.help in line]
        assert row.count(" | ") == 3
        for variable in (option.env, *option.also):
            assert f"`{variable}`" in row or not variable
    for variable in PLATFORM_VARIABLES:
        assert f"| `{variable}` | `release` |" in page


@pytest.mark.spec("CFG-44", "CFG-51")
def test_the_page_advises_against_debug_in_production_and_names_the_default_level() -> None:
    section = render().partition("## Debug mode")[2].partition("\n## ")[0]
    assert "**Do not leave debug mode on in production.**" in section
    assert "The default of `diagnostic_level` is `debug`" in section
    assert "| `diagnostic_level` | one of 'debug', 'info', 'warning', 'error', 'fatal' | `'debug'` |" in section


def test_a_stale_page_fails_the_check(tmp_path, capsys) -> None:
    page = tmp_path / "options.md"
    assert main(["--check"], page) == 1
    assert main([], page) == 0
    assert main(["--check"], page) == 0
    page.write_text(page.read_text(encoding="utf-8").replace("1000", "100"), encoding="utf-8")
    assert main(["--check"], page) == 1
    assert "docs/options.md is stale, run `make docs`" in capsys.readouterr().err
