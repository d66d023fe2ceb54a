"""What the integrations of feature flags share: how an evaluation is noted."""

from __future__ import annotations

from vedette._host import guests
from vedette.api import get_client
from vedette.feature_flags import add_feature_flag
from vedette.integrations._patching import look_like

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette.integrations import Integration

__all__ = ["note", "noting"]


def note(integration: Integration, flag: Any, value: Any) -> None:
    """Remember an evaluation on the current scope, if the client in charge has this integration (INT-131).

    It never raises: a library may take a failing hook for a failing evaluation, and the program gets another value.
    """
    if get_client().get_integration(type(integration)) is not integration:
        return
    try:
        add_feature_flag(flag, value)
    except Exception as error:
        if guests.is_control_flow(error):
            raise
        guests.complain(f"integration {integration.identifier!r}", note, "raised", exc_info=True)


def noting(
    kind: type[Integration], position: int, keyword: str, value_of: Callable[[Any], Any] = bool
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """For `put_in`: wraps a method that evaluates the flag of this argument; ``value_of`` reads what it returns."""

    def replacement(previous: Callable[..., Any]) -> Callable[..., Any]:
        @look_like(previous)
        def evaluate(self: object, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            found = previous(self, *args, **kwargs)
            integration: Integration | None = get_client().get_integration(kind)
            if integration is not None:
                flag = args[position] if len(args) > position else kwargs.get(keyword)
                note(integration, flag, guests.ask(f"integration {kind.identifier!r}", value_of, found))
            return found

        return evaluate

    return replacement
