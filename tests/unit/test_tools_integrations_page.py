"""docs/integrations.md: made from the classes and the tables, complete, and fresh."""

from __future__ import annotations

import importlib
import re

import pytest

from tools.integrations_page import PAGE, entries, main, public_path, render
from vedette._integration_set import AUTO_INTEGRATIONS, DEFAULT_INTEGRATIONS


def row_of(path: str) -> list[str]:
    short = path.removeprefix("vedette.integrations.")
    (row,) = [line for line in render().splitlines() if line.startswith(f"| `{short}` |")]
    return [cell.strip() for cell in row.strip("|").split("|")]


@pytest.mark.spec("PAIN-15", "FW-common-01")
def test_the_page_shows_each_integration_with_its_mode() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()
    for mode, table in (("default", DEFAULT_INTEGRATIONS), ("auto", AUTO_INTEGRATIONS)):
        for identifier, _, path in table:
            assert row_of(public_path(path))[1:3] == [f"`{identifier}`", mode]


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("vedette.integrations.flask.FlaskIntegration", "flask 2.0 or newer"),
        ("vedette.integrations.threading.ThreadingIntegration", "`threading`"),
        ("vedette.integrations.atexit.AtexitIntegration", ""),
    ],
)
def test_a_row_names_the_library_and_its_oldest_version(path: str, shown: str) -> None:
    assert row_of(path)[3] == shown


def test_what_is_wrapped_by_hand_is_there_too_and_links_to_its_page() -> None:
    row = row_of("vedette.integrations.wsgi.SentryWsgiMiddleware")
    assert row[2] == "by hand"
    assert row[5] == "[wsgi](integrations/wsgi.md)"


def test_an_option_is_told_with_its_default_also_where_the_base_class_describes_it() -> None:
    section = render().partition("### FastApiIntegration")[2].partition("\n### ")[0]
    assert "| `transaction_style` | `'url'` | `url` names a transaction" in section
    assert "| `failed_request_status_codes` | `{*range(500, 600)}` | Which `HTTPException` is captured" in section


def test_the_tables_agree_with_the_classes() -> None:
    for identifier, library, path in (*DEFAULT_INTEGRATIONS, *AUTO_INTEGRATIONS):
        module, _, name = path.rpartition(".")
        kind = getattr(importlib.import_module(module), name)
        assert kind.identifier == identifier
        assert kind.library in {"", library}


def test_every_class_says_what_it_does_and_every_page_is_linked() -> None:
    page = render()
    assert all(row_of(entry.path)[4] for entry in entries())
    for each in (PAGE.parent / "integrations").glob("*.md"):
        assert f"(integrations/{each.name})" in page, each.name


def test_no_row_of_the_spec_is_left_in_what_users_read() -> None:
    assert not re.findall(r"\((?:[A-Z]+-[\w-]*\d+|design decision|ruling)[^)]*\)", render())


def test_a_stale_page_fails_the_check(tmp_path, capsys) -> None:
    page = tmp_path / "integrations.md"
    assert main(["--check"], page) == 1
    assert main([], page) == 0
    assert main(["--check"], page) == 0
    page.write_text(page.read_text(encoding="utf-8").replace("flask 2.0", "flask 1.0"), encoding="utf-8")
    assert main(["--check"], page) == 1
    assert "docs/integrations.md is stale, run `make docs`" in capsys.readouterr().err
