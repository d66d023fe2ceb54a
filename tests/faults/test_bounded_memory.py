"""What vedette remembers about a program is bounded: programs that never run out of new code, lines, names and classes.

Each is a process of its own with a transport that scrubs nothing away: events are built, cleaned and encoded. What it
occupies is read once all that may be remembered is, and again after several times as much: it must not have grown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.programs import run_program

if TYPE_CHECKING:
    from pathlib import Path

MIB = 1024 * 1024

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
            assert vedette.capture_exception(error) is not None

    def measured(step, count):
        for number in range(count):
            if number == count // 3:
                before = occupied()
            step(number)
            if number % 50 == 0:
                vedette.flush(30)
        print(occupied() - before)
"""

GENERATED_CODE = """
    def step(number):
        lines = (
            f"class Order{number}:",
            f"    def __init__(self): self.id = {number}",
            f"def price_{number}(order, quantity_{number}=3):",
            f"    note_{number} = '{'n' * 2000}{number}'",
            f"    raise LookupError(order.id)",
            f"price_{number}(Order{number}())",
        )
        code = compile("\\n".join(lines), f"/generated/template_{number}.py", "exec")
        capture(code, {"__name__": f"generated.t{number}"})

    measured(step, 30_000)
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

    def step(number):
        file, line = divmod(number, WIDTH)
        if line == 0:
            path = write(file)
            variables.clear()
            variables["__name__"] = f"lines_{file}"
            with open(path) as source:
                exec(compile(source.read(), path, "exec"), variables)
            os.remove(path) if file > 2 else None
        try:
            variables["level_0"][line](line)
        except ZeroDivisionError as error:
            assert vedette.capture_exception(error) is not None

    measured(step, WIDTH * FILES)
"""


def growth(program: str, *arguments: str) -> int:
    """Bytes by which the process has grown in the last two thirds."""
    ended = run_program(PREPARE + program, *arguments, timeout=280)
    assert ended.code == 0, ended.stderr
    return int(ended.stdout)


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.spec("PAIN-05")
def test_a_program_that_generates_code_for_ever_does_not_grow() -> None:
    assert growth(GENERATED_CODE) < 8 * MIB


@pytest.mark.long
@pytest.mark.timeout(300)
def test_nor_one_whose_generated_code_holds_large_texts() -> None:
    """The code objects that are remembered count by what they hold, not by the piece."""
    assert growth(GENERATED_DATA) < 16 * MIB


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_million_distinct_lines_leave_no_more_than_some_thousand(tmp_path: Path) -> None:
    assert growth(MILLION_LINES, str(tmp_path)) < 8 * MIB
