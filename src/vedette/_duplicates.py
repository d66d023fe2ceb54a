"""Which exceptions were captured before: marks that they carry themselves (ruling 39, PAIN-13).

An exception is marked once its event was accepted, and unmarked if that event is dropped after all. The marks lie
in its instance dict, refer to nothing but numbers, so that nothing is kept alive (PAIN-01), and pickle to None.
"""

from __future__ import annotations

from vedette._events.reading_values import exception_dict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TypeAlias

    Sighting: TypeAlias = tuple[int, int, str]
    """Client number, process id, trace id: an exception seen with all three equal is a duplicate."""

_KEY: Final = "__vedette_seen__"
_MOST_CLIENTS: Final = 8
"""Of so many clients the marks on one exception are kept; with more, the oldest ones go."""


class Marks:
    """By which clients an exception was captured: the last time of each."""

    __slots__ = ("_sightings",)

    def __init__(self, first: Sighting) -> None:
        self._sightings: tuple[Sighting, ...] = (first,)

    def tell_of(self, sighting: Sighting) -> bool:
        """Whether the exception was captured under just these circumstances."""
        return sighting in self._sightings

    def tell_of_client(self, number: int, process: int) -> bool:
        """Whether this client captured the exception in this process, in whatever trace."""
        return any(each[:2] == (number, process) for each in self._sightings)

    def add(self, sighting: Sighting) -> None:
        """Replaces what is known of the same client: in another trace or process it is another event."""
        others = [each for each in self._sightings if each[0] != sighting[0]]
        self._sightings = (sighting, *others[: _MOST_CLIENTS - 1])

    def remove(self, sighting: Sighting) -> None:
        """The event was dropped: the next capture is the first."""
        self._sightings = tuple(each for each in self._sightings if each != sighting)

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()


def marks_on(exception: BaseException) -> Marks | None:
    """None where no client has captured it, which most exceptions are told by: a sighting costs 0.3 us to make."""
    marks = exception_dict(exception).get(_KEY)
    return marks if type(marks) is Marks else None


def mark(exception: BaseException, sighting: Sighting) -> Callable[[], None]:
    """Note on the exception that its event is on its way; what is returned takes that back."""
    marks = marks_on(exception)
    if marks is None:
        marks = exception_dict(exception)[_KEY] = Marks(sighting)
    else:
        marks.add(sighting)
    return lambda: marks.remove(sighting)
