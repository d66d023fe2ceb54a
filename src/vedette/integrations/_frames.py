"""Variables of a library's own frames that hold what a client has sent, under names that tell nothing of it.

The deny list goes by names. Where a library keeps a token or the key of a session among ``params``, no name helps;
its integration knows the places.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Final

__all__ = ["hide_variables"]

_FILTERED: Final = "[Filtered]"


def hide_variables(event: Any, modules: tuple[str, ...], is_hidden: Callable[[str], bool]) -> None:
    """Replace the values of some variables in the frames of these modules and of those below them."""
    for frame in _frames(event):
        module, variables = frame.get("module"), frame.get("vars")
        if type(module) is str and type(variables) is dict and f"{module}.".startswith(modules):
            for name in variables:  # pyright: ignore[reportUnknownVariableType]
                if is_hidden(name):  # pyright: ignore[reportUnknownArgumentType]
                    variables[name] = _FILTERED


def _frames(event: Any) -> Iterable[dict[str, Any]]:
    for kind in ("exception", "threads"):
        values: list[dict[str, Any]] = event.get(kind, {}).get("values", ())
        for each in values:
            stacktrace: dict[str, Any] = each.get("stacktrace") or {}
            yield from stacktrace.get("frames") or ()
