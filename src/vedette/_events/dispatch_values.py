"""From a value to the function that renders it: one look-up by ``id(type(value))``.

A renderer is called with the value, the bytes of UTF-8 that its text may have, how many levels of containers may
still be opened, and the settings. Built-in types are in a table; any other type is looked at once, by the planners
that `vedette._events.values` lists, and the outcome remembered.
"""

from __future__ import annotations

from vedette._events.reading_values import TypeCache
from vedette._events.registered_values import call_when_changed, custom_text, registered_text, renderer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from vedette._events.settings import EventSettings

    Renderer = Callable[[Any, int, int, EventSettings], str]
    Planner = Callable[[type], Renderer | None]

WIDTH: Final = 10  # items of one container (ruling 24)
DEPTH: Final = 4  # containers inside each other
CUT: Final = "…"
_CUT_BYTES = len(CUT.encode())
_ENDS_AUTHORITY: Final = frozenset("/@?# \n\t'\"<>")

RENDERERS: dict[int, Renderer] = {}
"""Renderers of exact built-in types. Those types live as long as the process, so their ids stay theirs."""

ATOMS: set[int] = set()
"""Those of them that ``custom_repr`` is not asked about: None, bool, int, float, complex, str, bytes."""

PLANNERS: list[Planner] = []
"""Asked in this order for any other type; the last one knows an answer for all."""

_plans = TypeCache()


def render(value: object, room: int, depth: int, settings: EventSettings) -> str:
    """The value as text of at most ``room`` bytes."""
    cls = type(value)
    if settings.custom_repr is not None and id(cls) not in ATOMS:
        custom = custom_text(value, room, settings)
        if custom is not None:
            return fit(custom, room)
    renderer: Renderer = RENDERERS.get(id(cls)) or _plans.get(cls) or _plan(cls)
    return renderer(value, room, depth, settings)


def _plan(cls: type) -> Renderer:
    plans = _plans  # before looking: what is registered meanwhile puts another cache in place
    for planner in PLANNERS:
        renderer = planner(cls)
        if renderer is not None:
            if renderer_of(cls) is not None:
                renderer = _asking_first(renderer)
            plans.remember(cls, renderer)
            return renderer
    raise AssertionError  # the last planner has an answer


def _forget_plans() -> None:
    global _plans  # noqa: PLW0603 - one cache a process
    _plans = TypeCache()


call_when_changed(_forget_plans)


def _asking_first(renderer: Renderer) -> Renderer:
    """For a class that the program registered a function for."""

    def render_registered(value: object, room: int, depth: int, settings: EventSettings) -> str:
        said = registered_text(value, room)
        return renderer(value, room, depth, settings) if said is None else fit(said, room)

    return render_registered


def fit(text: str, room: int, closing: str = "") -> str:
    """The text in at most ``room`` bytes of UTF-8; what is cut is shown by ``…``, before ``closing``."""
    if len(text) <= room and text.isascii():
        return text
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= room:
        return data.decode("utf-8")
    keep = room - _CUT_BYTES - len(closing)
    if keep < 0:
        return CUT if room >= _CUT_BYTES else ""
    return before_credentials(data[:keep].decode("utf-8", "ignore")) + CUT + closing


def before_credentials(start: str) -> str:
    """The start of a text that is cut there, without what may be the half of a password in a URL.

    Whole, ``scheme://user:password@host`` is recognized and filtered at the end; cut before the ``@`` it is not.
    """
    authority = start.rfind("://") + 3
    if authority >= 3 and ":" in start[authority:] and _ENDS_AUTHORITY.isdisjoint(start[authority:]):  # noqa: PLR2004
        return start[:authority]
    return start
