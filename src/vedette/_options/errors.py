"""What is said about a wrong option: the exceptions, and how a message shows a value and finds the nearest name."""

from __future__ import annotations

from vedette._enumeration import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final


class OptionError(ValueError):
    """An option has a wrong name, type or range; the message names the fix. Raised by ``init`` and ``Client``."""


class UnknownOptionError(OptionError, TypeError):
    """There is no option of that name; the message names the nearest."""


class Unset(Enum):
    """Stands for "not passed", where ``None`` is a value of its own."""

    UNSET = "UNSET"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET


class WrongValueError(Exception):
    """Raised by a check. ``reason``: the sentence behind the option's name; empty for "must be" and its kind.

    ``path`` leads to a value inside the option's (``[0].name``), ``value`` is what stands there; ``is_name``: what is
    wrong is the name of a key.
    """

    def __init__(self, reason: str = "", *, path: str = "", value: object = UNSET, is_name: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_name = is_name
        self.path = path
        self.value = value


class UnknownKeyError(Exception):
    """Raised by a check of a nested option: it has no key of that name."""

    def __init__(self, key: object, known: Iterable[str], *, path: str = "") -> None:
        super().__init__(key)
        self.key = key
        self.known = tuple(known)
        self.path = path


_MOST_SHOWN: Final = 80


def shown(value: object) -> str:
    """A value as a message shows it, whatever its ``repr`` does."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - foreign code; the message matters more
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def nearest(name: object, known: Iterable[str]) -> str | None:
    """The known name that the unknown one was probably meant to be."""
    import difflib  # noqa: PLC0415 - only for the message of a mistake

    found = difflib.get_close_matches(name if type(name) is str else shown(name), list(known), n=1, cutoff=0.6)
    return found[0] if found else None
