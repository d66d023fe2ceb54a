"""The page of conformance says what the spec, the tests and `conformance.toml` say, and nothing else."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from tools import conformance
from tools.conformance import ConformanceError, Row, Status

if TYPE_CHECKING:
    from pathlib import Path

ROWS = {
    "CLI-01": Row("CLI-01", "MUST", "client.md"),
    "CLI-02": Row("CLI-02", "(MUST NOT)", "client.md"),
    "CLI-03": Row("CLI-03", "SHOULD", "client.md"),
    "FW-wsgi-01": Row("FW-wsgi-01", "spans", "framework.md"),
}


EXPECTED_PAGE = """
**MUST: 1 of 2 proven (0 open, 1 later, 0 n/a); SHOULD: 0 of 1 proven (1 open, 0 later, 0 n/a); all rows: 1 of 4 proven.**

## [client.md](spec/client.md)

MUST: 1 of 2 proven (0 open, 1 later, 0 n/a); SHOULD: 0 of 1 proven (1 open, 0 later, 0 n/a); all rows: 1 of 3 proven.

| ID | level | tests, or status |
|---|---|---|
| CLI-01 | MUST | `t::a` |
| CLI-02 | (MUST NOT) | later (sessions) |
| CLI-03 | SHOULD | open |

## [framework.md](spec/framework.md)

all rows: 0 of 1 proven.

| ID | level | tests, or status |
|---|---|---|
| FW-wsgi-01 | spans | n/a (not here) |
"""  # noqa: E501 - the page as it is written


@pytest.fixture
def project(tmp_path) -> Path:
    """A project that has one row, one test of it, and nothing set aside."""
    write(tmp_path, "docs/spec/client.md", "| CLI-01 | MUST | a |")
    write(tmp_path, "docs/conformance.toml", "")
    write(tmp_path, "tests/test_it.py", '@pytest.mark.spec("CLI-01")\ndef test_it(): ...')
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")


def test_rows_are_the_table_lines_that_start_with_an_id(tmp_path):
    write(
        tmp_path,
        "docs/spec/client.md",
        """\
        | ID | level | requirement |
        |---|---|---|
        | CLI-01 | MUST | either `a \\| b` or nothing. |
        See CLI-02 | MUST | in prose.
        """,
    )
    write(tmp_path, "docs/spec/pains.md", "| PAIN-04 | 37 | Lost at exit |\n| FW-wsgi-01 | aspect | text |\n")
    assert list(conformance.read_rows(tmp_path).values()) == [
        Row("CLI-01", "MUST", "client.md"),
        Row("PAIN-04", "37", "pains.md"),
        Row("FW-wsgi-01", "aspect", "pains.md"),
    ]


def test_an_id_that_stands_twice_is_refused(tmp_path):
    write(tmp_path, "docs/spec/one.md", "| CLI-01 | MUST | a |")
    write(tmp_path, "docs/spec/two.md", "| CLI-01 | MUST | b |")
    with pytest.raises(ConformanceError, match=r"two\.md: CLI-01 stands already in one\.md"):
        conformance.read_rows(tmp_path)


@pytest.mark.parametrize(
    ("level", "kind"),
    [
        ("MUST", "MUST"),
        ("(MUST)", "MUST"),
        ("(MUST NOT)", "MUST"),
        ("REQUIRED", "MUST"),
        ("SHOULD NOT", "SHOULD"),
        ("RECOMMENDED", "SHOULD"),
        ("MAY", ""),
        ("37", ""),
    ],
)
def test_a_level_counts_as_must_or_should_or_not_at_all(level, kind):
    assert Row("CLI-01", level, "client.md").kind == kind


def test_marks_are_found_on_functions_methods_classes_and_parameters(tmp_path):
    write(
        tmp_path,
        "tests/unit/test_it.py",
        """\
        @pytest.mark.spec("CLI-01", "CLI-02")
        async def test_plain(): ...

        @pytest.mark.spec("CLI-03")
        class TestGroup:
            @pytest.mark.parametrize("a", [pytest.param(1, marks=pytest.mark.spec("CLI-04"))])
            def test_inside(self, a): ...
        """,
    )
    assert conformance.read_marks(tmp_path) == {
        "CLI-01": ["tests/unit/test_it.py::test_plain"],
        "CLI-02": ["tests/unit/test_it.py::test_plain"],
        "CLI-03": ["tests/unit/test_it.py::TestGroup"],
        "CLI-04": ["tests/unit/test_it.py::TestGroup::test_inside"],
    }


@pytest.mark.parametrize(
    "source",
    [
        '@pytest.mark.spec("CLI-01")\ndef helper(): ...',
        '@pytest.mark.xfail(reason="x")\n@pytest.mark.spec("CLI-01")\ndef test_it(): ...',
        '@pytest.mark.skip\n@pytest.mark.spec("CLI-01")\ndef test_it(): ...',
    ],
)
def test_what_does_not_run_or_is_expected_to_fail_proves_nothing(tmp_path, source):
    write(tmp_path, "tests/test_it.py", source)
    assert conformance.read_marks(tmp_path) == {}


def test_only_what_pytest_collects_is_read(tmp_path):
    write(tmp_path, "tests/helpers.py", '@pytest.mark.spec("CLI-01")\ndef test_it(): ...')
    assert conformance.read_marks(tmp_path) == {}


def test_a_computed_id_is_refused_because_it_cannot_be_read(tmp_path):
    write(tmp_path, "tests/test_it.py", "@pytest.mark.spec(ROW)\ndef test_it(): ...")
    with pytest.raises(ConformanceError, match=r"test_it: spec\(\) takes literal IDs, got ROW"):
        conformance.read_marks(tmp_path)


def test_statuses_name_rows_singly_as_ranges_and_as_whole_families():
    text = """
        later = [{ reason = "sessions", rows = ["CLI-01..02"] }]
        "n/a" = [{ reason = "not here", rows = ["CLI-03", "FW-wsgi-*"] }]
        """
    assert conformance.read_statuses(text, ROWS) == {
        "CLI-01": Status("later", "sessions"),
        "CLI-02": Status("later", "sessions"),
        "CLI-03": Status("n/a", "not here"),
        "FW-wsgi-01": Status("n/a", "not here"),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('later = [{ reason = "r", rows = ["CLI-09"] }]', "'CLI-09' names no row of docs/spec: CLI-09"),
        ('later = [{ reason = "r", rows = ["CLI-03..05"] }]', "names no row of docs/spec: CLI-04, CLI-05"),
        ('later = [{ reason = "r", rows = ["ABC-*"] }]', r"'ABC-\*' names no row"),
        ('later = [{ reason = "r", rows = ["CLI-01", "CLI-01..02"] }]', "CLI-01 stands twice"),
        ('open = [{ reason = "r", rows = ["CLI-01"] }]', "status 'open' is neither 'later' nor 'n/a'"),
    ],
)
def test_a_wrong_status_is_refused(text, message):
    with pytest.raises(ConformanceError, match=message):
        conformance.read_statuses(text, ROWS)


def test_a_test_proves_its_row_even_if_it_was_meant_for_later():
    verdicts = conformance.judge(ROWS, {"CLI-01": ["t::b", "t::a", "t::b"]}, {"CLI-01": Status("later", "x")})
    assert verdicts["CLI-01"] == Status("proven", "`t::a`<br>`t::b`")
    assert verdicts["CLI-02"] == Status("open")


@pytest.mark.parametrize(("row_id", "message"), [("CLI-09", "t: CLI-09 is no row"), ("CLI-02", "t: CLI-02 is n/a")])
def test_a_test_of_an_unknown_or_inapplicable_row_is_refused(row_id, message):
    with pytest.raises(ConformanceError, match=message):
        conformance.judge(ROWS, {row_id: ["t"]}, {"CLI-02": Status("n/a", "r")})


def test_the_page_counts_and_lists_every_row():
    set_aside = {"CLI-02": Status("later", "sessions"), "FW-wsgi-01": Status("n/a", "not here")}
    page = conformance.render(ROWS, conformance.judge(ROWS, {"CLI-01": ["t::a"]}, set_aside))
    assert page == conformance.HEAD + EXPECTED_PAGE


def test_the_page_is_written_once_and_checked_ever_after(project, capsys):
    assert conformance.main(["--check"], project) == 1
    assert "stale, run `make docs`" in capsys.readouterr().err
    assert conformance.main([], project) == 0
    assert conformance.main(["--check"], project) == 0
    assert "MUST: 1 of 1 proven" in capsys.readouterr().out

    write(project, "tests/test_it.py", '@pytest.mark.spec("CLI-01")\ndef test_renamed(): ...')
    assert conformance.main(["--check"], project) == 1


def test_a_contradiction_fails_with_its_place_and_writes_nothing(project, capsys):
    write(project, "docs/conformance.toml", '"n/a" = [{ reason = "r", rows = ["CLI-01"] }]')
    assert conformance.main([], project) == 1
    assert "tests/test_it.py::test_it: CLI-01 is n/a" in capsys.readouterr().err
    assert not (project / "docs/conformance.md").exists()


def test_our_own_spec_and_statuses_agree():
    rows = conformance.read_rows()
    text = (conformance.ROOT / "docs/conformance.toml").read_text(encoding="utf-8")
    verdicts = conformance.judge(rows, conformance.read_marks(), conformance.read_statuses(text, rows))
    assert set(verdicts) == set(rows)
