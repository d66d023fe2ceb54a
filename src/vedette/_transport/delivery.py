"""What became of one envelope, as a value: the sender reports it, whoever keeps the accounts counts it."""

from __future__ import annotations

from vedette._enumeration import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from vedette._protocol.categories import DataCategory, DiscardReason
    from vedette._protocol.envelope import Item

    Loss = tuple[DiscardReason, DataCategory, int]

_MAX_DETAIL: Final = 500


class Outcome(Enum):
    """The three ways in which sending ends."""

    DELIVERED = "delivered"
    """The server answered 2xx (OFF-02)."""
    REFUSED = "refused"
    """The server answered 429: gone, but counted by the server, so by no client report (OFF-11, OFF-12)."""
    LOST = "lost"
    """Anything else; ``Delivery.reason`` says why, and is owed to a client report."""


class Delivery:
    """What became of one envelope. Immutable by convention, compared by value."""

    __slots__ = (
        "also_lost",
        "detail",
        "in_doubt",
        "met_nobody",
        "outcome",
        "reason",
        "status",
        "too_large",
        "unreadable",
    )

    def __init__(
        self,
        outcome: Outcome,
        *,
        reason: DiscardReason | None = None,
        status: int | None = None,
        detail: str = "",
        unreadable: Item | None = None,
        also_lost: tuple[Loss, ...] = (),
        in_doubt: bool = False,
        met_nobody: bool = False,
    ) -> None:
        self.outcome: Outcome = outcome
        self.reason: DiscardReason | None = reason
        """Why it is lost; None if it is not."""
        self.status: int | None = status
        """The HTTP status, if there was an answer."""
        self.too_large: bool = status == 413  # noqa: PLR2004 - the one status that has its own rule
        """Refused for its size (413): worth sending once more when shrunk (ruling 12)."""
        self.detail: str = detail[:_MAX_DETAIL]
        """For people: what server or network said; at most 500 characters, not to be parsed (OFF-10)."""
        self.unreadable: Item | None = unreadable
        """Nothing was sent because the file of this item cannot be read: worth sending without it (ENV-97)."""
        self.also_lost: tuple[Loss, ...] = also_lost
        """What did not arrive of attachments, though the envelope did."""
        self.in_doubt: bool = in_doubt
        """The request went out, and no answer could be read: it may have arrived nevertheless."""
        self.met_nobody: bool = met_nobody
        """There was no connection, so nothing of it can have arrived."""

    def __eq__(self, other: object) -> bool:
        return self._values() == other._values() if isinstance(other, Delivery) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._values())

    def _values(self) -> tuple[object, ...]:
        return self.outcome, self.reason, self.status, self.detail

    def __repr__(self) -> str:
        shown = [self.outcome.value]
        if self.reason is not None:
            shown.append(self.reason.value)
        if self.status is not None:
            shown.append(str(self.status))
        if self.detail:
            shown.append(repr(self.detail))
        return f"<Delivery {' '.join(shown)}>"
