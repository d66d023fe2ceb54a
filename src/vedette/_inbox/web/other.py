"""``/other``: what is no error and has no place of its own, and what was refused. Nothing that arrived is invisible."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.routing import Route

from vedette._inbox.asked import PER_PAGE, number_in_query
from vedette._inbox.limits import Refused
from vedette._inbox.web.kinds import NOT_OTHER, OTHER

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from vedette._inbox.models import Item
    from vedette._inbox.web.renderer import Renderer

_REFUSED: Final = "refused"
_UNRECOGNIZED: Final = "unrecognized"
_NEWEST_REFUSED: Final = 10  # above the items, on the page of everything


@dataclass(frozen=True, slots=True)
class Choice:
    """A link that narrows the page to some types."""

    name: str
    words: str
    count: int


class OtherPage:
    """The items, newest first, below the refused envelopes; ``type`` narrows, ``before`` pages."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._store = renderer.store

    def routes(self) -> list[Route]:
        """The page."""
        return [Route("/other", self._page, methods=["GET"])]

    def _page(self, request: Request) -> Response:
        chosen, before = request.query_params.get("type", ""), number_in_query(request, "before")
        choices = self._choices()
        if chosen and chosen not in {_REFUSED, _UNRECOGNIZED, *OTHER}:
            raise Refused(404, "not_found", f"no kind of item is called {chosen[:40]!a} here")
        items, refused = self._found(chosen, before)
        shown = refused if chosen == _REFUSED else items
        following = ""
        if len(shown) > PER_PAGE:
            query = {**({"type": chosen} if chosen else {}), "before": shown[PER_PAGE - 1].row_id}
            following = f"/other?{urlencode(query)}"
        return self._renderer.page(
            "other.html",
            "/other",
            choices=choices,
            chosen=chosen,
            items=items[:PER_PAGE],
            refused=refused[:PER_PAGE],
            refused_count=self._store.refused_count(),
            is_first=before is None,
            first=f"/other?{urlencode({'type': chosen})}" if chosen else "/other",
            following=following,
        )

    def _found(self, chosen: str, before: int | None) -> tuple[list[Item], list[Item]]:
        """The items and the refused envelopes of a page; one more than fits, if another page follows."""
        store, limit = self._store, PER_PAGE + 1
        if chosen == _REFUSED:
            return [], store.items(_REFUSED, limit, before)
        if chosen == _UNRECOGNIZED:
            return store.items_but((*NOT_OTHER, *OTHER), limit, before), []
        if chosen:
            return store.items_among((chosen,), limit, before), []
        refused = store.items(_REFUSED, _NEWEST_REFUSED) if before is None else []
        return store.items_but(NOT_OTHER, limit, before), refused

    def _choices(self) -> list[Choice]:
        counts = {kind: number for kind, number in self._store.item_counts().items() if kind not in NOT_OTHER}
        found = [Choice(kind, words, counts[kind]) for kind, words in OTHER.items() if kind in counts]
        rest = sum(number for kind, number in counts.items() if kind not in OTHER)
        if rest:
            found.append(Choice(_UNRECOGNIZED, "unrecognized", rest))
        refused = self._store.refused_count()
        if refused:
            found.append(Choice(_REFUSED, "refused", refused))
        return found
