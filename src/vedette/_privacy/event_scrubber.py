"""The scrubber that users know from the unified API, and may put in the place of vedette's own."""

from __future__ import annotations

from vedette._privacy.built import scrub_built
from vedette._privacy.denylist import EXTENDED_TERMS, SENSITIVE_TERMS, DenyList
from vedette._privacy.scrub import STACKS, Walk, scrub_event, scrub_parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final

    from vedette._protocol.types import Event as _Event

    Event = _Event | dict[str, Any]

DEFAULT_DENYLIST: list[str] = [*SENSITIVE_TERMS]
"""The 17 terms that are filtered by default; ``DEFAULT_DENYLIST + ["my_secret"]`` is the way to add to them."""

DEFAULT_PII_DENYLIST: list[str] = [*EXTENDED_TERMS]
"""The terms that tell who a user is: filtered in names of headers and server variables without ``send_default_pii``."""

# What has a method of its own; `scrub_event` takes all other fields of an event together.
_REQUEST: Final = frozenset({"request"})
_EXTRA: Final = frozenset({"extra"})
_USER: Final = frozenset({"user"})
_BREADCRUMBS: Final = frozenset({"breadcrumbs"})
_SPANS: Final = frozenset({"spans"})
_NAMED: Final = _REQUEST | _EXTRA | _USER | _BREADCRUMBS | STACKS | _SPANS


class EventScrubber:
    """Replaces what stands under deny-listed names with ``[Filtered]``, in place; the names stay.

    The option ``event_scrubber`` puts one in the place of vedette's own: with other terms, or of a class derived from
    this one. It is called last, on the worker, after ``before_send``.

    Args:
        denylist: Terms instead of ``DEFAULT_DENYLIST``; case does not count. In the names of headers, cookies and
            query parameters a term counts anywhere; docs/privacy.md says what counts in names of data.
        recursive: Of no effect: vedette always looks into everything, whatever its depth.
        send_default_pii: Whether the terms of ``pii_denylist`` are not filtered.
        pii_denylist: Terms instead of ``DEFAULT_PII_DENYLIST``. Terms of your own count in all names.

    Raises:
        ValueError: A list of terms is no list of strings.

    The methods for one part take a whole event, look at that part alone and never raise for what it holds.
    """

    def __init__(
        self,
        denylist: Sequence[str] | None = None,
        recursive: bool = False,  # noqa: FBT001, FBT002 - the unified API's
        send_default_pii: bool = False,  # noqa: FBT001, FBT002
        pii_denylist: Sequence[str] | None = None,
    ) -> None:
        del recursive
        names = DEFAULT_DENYLIST if denylist is None else denylist
        pii_names = DEFAULT_PII_DENYLIST if pii_denylist is None else pii_denylist
        self._names = DenyList(_terms("denylist", names), _terms("pii_denylist", pii_names), bool(send_default_pii))

    def scrub_list(self, lst: Any) -> None:
        """Filter the items of a list, and what they hold; anything else is left alone."""
        if issubclass(type(lst), list):
            self._walk().over(lst, pairs=False)

    def scrub_dict(self, d: Any) -> None:
        """Filter the values of a dict, and what they hold; anything else is left alone."""
        if issubclass(type(d), dict):
            self._walk().over(d)

    def scrub_request(self, event: Event) -> None:
        """Filter ``request``: headers, cookies, query string, URL, body, server variables."""
        self._scrub(event, _REQUEST)

    def scrub_extra(self, event: Event) -> None:
        """Filter ``extra``."""
        self._scrub(event, _EXTRA)

    def scrub_user(self, event: Event) -> None:
        """Filter ``user``."""
        self._scrub(event, _USER)

    def scrub_breadcrumbs(self, event: Event) -> None:
        """Filter messages and data of the breadcrumbs."""
        self._scrub(event, _BREADCRUMBS)

    def scrub_frames(self, event: Event) -> None:
        """Filter exceptions and threads: the variables of their frames, their values and mechanisms."""
        self._scrub(event, STACKS)

    def scrub_spans(self, event: Event) -> None:
        """Filter ``spans``."""
        self._scrub(event, _SPANS)

    def scrub_event(self, event: Event) -> None:
        """Filter a whole event: each part by its method, then all other fields."""
        if type(self) is EventScrubber:
            self._scrub(event, frozenset(event))  # the same in one walk
            return
        self.scrub_request(event)
        self.scrub_extra(event)
        self.scrub_user(event)
        self.scrub_breadcrumbs(event)
        self.scrub_frames(event)
        self.scrub_spans(event)
        self._scrub(event, frozenset(event) - _NAMED)

    def _scrub(self, event: Any, parts: frozenset[str]) -> None:
        if not parts.isdisjoint(event):
            scrub_parts(event, parts.intersection(event), self._names)

    def _walk(self) -> Walk:
        return Walk(self._names, keeps_foreign=True)


def scrubber_of(names: DenyList) -> EventScrubber:
    """The scrubber that goes by this deny list."""
    scrubber = EventScrubber.__new__(EventScrubber)  # to build a deny list that is not used takes 0.1 ms
    scrubber._names = names  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - its own module
    return scrubber


def scrub_as(scrubber: EventScrubber, event: dict[str, Any], *, is_built: bool) -> None:
    """What ``scrub_event`` of this very class does, for an event of exact built-ins.

    ``is_built``: vedette has built its exceptions and threads, and nobody else has changed them.
    """
    names = scrubber._names  # noqa: SLF001 # pyright: ignore[reportPrivateUsage] - its own module
    if not (is_built and scrub_built(event, names)):
        scrub_event(event, names)


def deny_list_of(scrubber: object) -> DenyList | None:
    """The deny list of an EventScrubber, also of a class derived from it that forgot to call ``__init__``."""
    return getattr(scrubber, "_names", None) if isinstance(scrubber, EventScrubber) else None


def _terms(name: str, given: Any) -> tuple[str, ...]:
    if issubclass(type(given), (list, tuple, set, frozenset)) and all(isinstance(term, str) for term in given):
        return tuple(given)
    raise ValueError(f"{name!r} must be a list of strings, got {given!r}")
