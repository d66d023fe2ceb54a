"""What faces the host process: vedette's own log, and the border to code that is not vedette's.

``deque`` is had from here, and not from ``collections``: that module takes a millisecond, which a small program may
not have paid yet.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections import deque
else:
    from _collections import deque

__all__ = ["deque"]
