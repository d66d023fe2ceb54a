"""Values as the client in charge would send them, for the program's own use: behind `vedette.values`."""

from __future__ import annotations

from vedette._events.values import render_json, render_text
from vedette._scopes.scope import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

DEFAULT_BUDGET: Final = 2048
"""Bytes that all variables of one frame may have; here, one value."""


def render(value: object, *, budget: int = DEFAULT_BUDGET) -> str:
    """A value as the text that a frame's variables show, in at most ``budget`` bytes of UTF-8.

    No code of the value runs, but for ``custom_repr`` and what was registered. Containers show 10 items, four deep,
    a string 1024 characters (``max_value_length``); what is cut is shown by ``…``. What stands under a deny-listed
    name is ``[Filtered]``. The options are those of the client in charge, or the defaults if there is none.
    """
    return render_text(value, budget, Scope.get_client().event_settings)


def to_json(value: object) -> Any:
    """A value as exact ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` and None, as extras and contexts are.

    No code of the value runs, but for ``custom_repr`` and what was registered. Containers show 250 items, ten deep,
    a string 8192 characters (``max_value_length``), the whole takes about 256 KiB at most; what is cut is shown by
    ``…``. What stands under a deny-listed name is ``[Filtered]``.
    """
    return render_json(value, Scope.get_client().event_settings, hide=True)
