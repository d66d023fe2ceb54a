"""The very last step of the program, before Python takes itself apart.

Exit handlers run in falling order of their registration. This module takes its place with the import of vedette, so
that what must come last comes behind the handlers of everybody who could know vedette: what they capture is sent.

Relies on: items of a dict being set and popped atomically.
"""

from __future__ import annotations

import atexit
import itertools

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_steps: dict[int, Callable[[], None]] = {}
_numbers = itertools.count()


def at_the_very_end(step: Callable[[], None]) -> Callable[[], None]:
    """Have ``step`` called there, the last one to come first; it must not raise. Returns: the undo."""
    number = next(_numbers)
    _steps[number] = step

    def undo() -> None:
        _steps.pop(number, None)

    return undo


def _run() -> None:
    for number in sorted(_steps, reverse=True):
        step = _steps.pop(number, None)
        if step is not None:
            step()


atexit.register(_run)
