"""What the program's callbacks are asked, and what becomes of an item when one of them fails (HOOK-37 to HOOK-71).

A filter that failed half way may not have taken out what it should, so its item is dropped, for the reason that it
could have given itself; a sampler that fails counts as not configured. Nothing of a failure reaches the program.
"""

from __future__ import annotations

from vedette._events.reading_values import class_of
from vedette._host import guests
from vedette._protocol.categories import DiscardReason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._stages import Capture


def decide(
    capture: Capture, name: str, callback: Callable[[Any, Any], object], hint: object, reason: DiscardReason
) -> bool:
    """Let a callback change the event or drop it; False: it is dropped (HOOK-14, HOOK-22, HOOK-49, HOOK-57)."""
    capture.loss = reason
    answer = _dict_from(name, callback, "the event", capture.event, hint)
    if answer is None:
        return False
    capture.event = answer
    capture.loss = DiscardReason.INTERNAL_SDK_ERROR
    return True


def kept_breadcrumb(
    callback: Callable[[Any, Any], object], crumb: dict[str, Any], hint: dict[str, Any]
) -> dict[str, Any] | None:
    """What ``before_breadcrumb`` makes of a breadcrumb; None: it is dropped, without a report (HOOK-28, HOOK-55)."""
    return _dict_from("before_breadcrumb", callback, "the breadcrumb", crumb, hint)


def _dict_from(
    name: str, callback: Callable[[Any, Any], object], what: str, item: object, hint: object
) -> dict[str, Any] | None:
    answer: Any = guests.ask(name, callback, item, hint, so=f"{what} is dropped")
    if answer is None or answer is guests.FAILED:
        return None
    if not issubclass(type(answer), dict):
        guests.complain(name, callback, f"must return {what} or None; {what} is dropped")
        return None
    kept: dict[str, Any] = answer
    return kept


def rate_of(
    sampler: Callable[[Any, Any], object], event: dict[str, Any], hint: dict[str, Any], default: float
) -> float:
    """Which share of such errors is sent, by ``error_sampler``; the default where it fails (HOOK-31, HOOK-60).

    It sees copies: what it had changed before it failed must not be sent (HOOK-64).
    """
    own_hint = {**hint, "attachments": [*hint.get("attachments", ())]}
    answer: Any = guests.ask("error_sampler", sampler, _copied(event), own_hint, so="sample_rate is used")
    if answer is guests.FAILED:
        return default
    rate = _rate_in(answer)
    if rate is None:
        must = "must return True, False or a number from 0.0 to 1.0; sample_rate is used"
        guests.complain("error_sampler", sampler, must)
        return default
    return rate


def _rate_in(answer: Any) -> float | None:
    """True is 1.0 and False 0.0; None for what is no rate. Asks nothing of a foreign class."""
    kind = class_of(answer)
    if issubclass(kind, int):
        number = int.__int__(answer)
        return float(number) if number in {0, 1} else None
    if issubclass(kind, float):
        rate = float.__float__(answer)
        return rate if 0.0 <= rate <= 1.0 else None
    return None


def _copied(value: Any) -> Any:
    """A copy of exact built-ins that shares nothing that can change."""
    container = value
    if type(value) is dict:
        return {key: _copied(each) for key, each in container.items()}
    if type(value) is list:
        return [_copied(each) for each in container]
    return container
