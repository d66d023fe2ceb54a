"""Where the program called into vedette."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType


def frame_and_level() -> tuple[FrameType | None, int]:
    """The innermost frame that is not vedette's, and the ``stacklevel`` by which the caller's warning points there."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - documented
    level = 1
    while frame is not None and _is_ours(frame):
        frame = frame.f_back
        level += 1
    return frame, level


def _is_ours(frame: FrameType) -> bool:
    name: object = frame.f_globals.get("__name__")
    return type(name) is str and name.partition(".")[0] == "vedette"
