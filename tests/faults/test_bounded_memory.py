"""What vedette remembers about a program is bounded: programs that never run out of new code, lines, names and classes.

Each is a process of its own whose events are built, scrubbed and encoded, and go nowhere. What it occupies is read near
its begin, when all is remembered that may be, and after three times as much: by then it has not grown any more.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import vedette
from tests.programs import run_program

MIB = 1024 * 1024
PATIENCE_SECONDS = 580  # a million new lines take a minute of CPU time, and machines may be busy

PREPARE = """
    import gc, os, sys
    import vedette

    class Encode(vedette.Transport):
        def capture_envelope(self, envelope):
            envelope.serialize()

    vedette.init("http://key@127.0.0.1:9/1", transport=Encode, release="x", auto_enabling_integrations=False)

    def occupied():
        vedette.flush(30)
        gc.collect()
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def capture(code, variables):
        try:
            exec(code, variables)
        except Exception as error:
            if "forgetting" not in sys.argv:
                assert vedette.capture_exception(error) is not None

    def measured(step, count):
        for number in range(count):
            if number == 100:
                begun = occupied()
            if number == count // 3:
                third = occupied()
            step(number)
            if number % 50 == 0:
                vedette.flush(30)
        print(third - begun, occupied() - third)
"""

GENERATED_CODE = """
    def step(number):
        lines = (
            "class Order:",
            f"    def __init__(self): self.id = {number}",
            "def price(order, fields):",
            f"    note = 'number {number} {'n' * 2000}'",
            "    raise LookupError(order.id)",
            f"price(Order(), dict([('key ' + str({number}), note_of())]))",
        )
        blank = "\\n" * (number % 1000)
        code = compile(blank + "\\n".join(lines), f"/generated/template_{number}.py", "exec")
        capture(code, {"__name__": f"generated.t{number}", "note_of": lambda: {f"name {number}": number}})

    measured(step, 20_000)
"""

GENERATED_DATA = """
    def step(number):
        lines = ("def render():", f"    page = '{str(number) * 5000}'", "    raise LookupError(len(page))", "render()")
        capture(compile("\\n".join(lines), f"/generated/page_{number}.py", "exec"), {"__name__": "generated"})

    measured(step, 9_000)
"""

# In each of the files 50 levels of 400 functions, each on a line of its own; an exception goes through 50 lines
# that none went through before.
MILLION_LINES = """
    LEVELS, WIDTH, FILES = 50, 400, 50
    folder = sys.argv[1]
    vedette.init(
        "http://key@127.0.0.1:9/1", transport=Encode, release="x", include_local_variables=False,
        auto_enabling_integrations=False,
    )

    def write(number):
        lines = []
        for level in range(LEVELS):
            lines.append(f"level_{level} = [")
            call = f"level_{level + 1}[n](n)" if level + 1 < LEVELS else "1 // 0"
            lines += [f"    lambda n: {call}," for _ in range(WIDTH)]
            lines.append("]")
        path = os.path.join(folder, f"lines_{number}.py")
        with open(path, "w") as file:
            file.write("\\n".join(lines))
        return path

    variables = {}
    written = []

    def step(number):
        file, line = divmod(number, WIDTH)
        if line == 0:
            path = write(file)
            variables.clear()
            variables["__name__"] = f"lines_{file}"
            with open(path) as source:
                exec(compile(source.read(), path, "exec"), variables)
            written.append(path)
            if len(written) > 2:
                os.remove(written.pop(0))
        try:
            variables["level_0"][line](line)
        except ZeroDivisionError as error:
            assert vedette.capture_exception(error) is not None

    measured(step, WIDTH * FILES)
"""


def growth(program: str, *arguments: str) -> tuple[int, int]:
    """Bytes by which the process has grown while its caches filled, and after that."""
    ended = run_program(PREPARE + program, *arguments, timeout=PATIENCE_SECONDS)
    assert ended.code == 0, ended.stderr
    filling, later = map(int, ended.stdout.split())
    return filling, later


@pytest.mark.long
@pytest.mark.timeout(PATIENCE_SECONDS + 20)
def test_a_program_that_generates_code_for_ever_does_not_grow() -> None:
    filling, later = growth(GENERATED_CODE)
    assert filling < 24 * MIB
    assert later < 4 * MIB


@pytest.mark.long
@pytest.mark.timeout(PATIENCE_SECONDS + 20)
def test_nor_one_whose_generated_code_holds_large_texts() -> None:
    """The code objects that are remembered count by what they hold, not by the piece."""
    filling, later = growth(GENERATED_DATA)
    assert filling < 24 * MIB
    assert later < 4 * MIB


@pytest.mark.long
@pytest.mark.timeout(PATIENCE_SECONDS + 20)
def test_a_million_distinct_lines_leave_no_more_than_some_thousand(tmp_path: Path) -> None:
    filling, later = growth(MILLION_LINES, str(tmp_path))
    assert filling < 40 * MIB
    assert later < 8 * MIB


def test_the_page_on_architecture_lists_each_cache_with_its_bound() -> None:
    sources = Path(vedette.__file__).parent
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text()
    listed = page.partition("## What is remembered")[2].partition("\n## ")[0]
    owners = {
        path.relative_to(sources).as_posix()
        for path in sources.rglob("*.py")
        if re.search(r"^_?\w+.*= (BoundedCache|TypeCache)\(|>= MAX_REMEMBERED", path.read_text(), re.MULTILINE)
    }
    assert owners
    assert {owner for owner in owners if f"`{owner}`" not in listed} == set()
