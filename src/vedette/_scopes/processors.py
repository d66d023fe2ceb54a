"""Running processors over an event by hand, for `Scope.apply_to_event` and its like; captures have a stage for it."""

from __future__ import annotations

from vedette._host import guests, log
from vedette._scopes.normal import is_exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def run(name: str, processors: Iterable[Callable[[Any, Any], Any]], event: Any, argument: object) -> Any | None:
    """The event that the last of the processors returns; None as soon as one of them drops it, or fails (ruling 4)."""
    for processor in processors:
        try:
            event = guests.call(name, processor, event, argument)
        except BaseException as error:
            if guests.is_control_flow(error):
                raise
            log.warn_once(name, "%s raised; the event is dropped", name, exc_info=True)
            return None
        if not is_exactly(dict, event):
            return None
    return event
