"""What the integrations of feature flags share: how an evaluation is noted."""

from __future__ import annotations

from vedette._host import guests
from vedette.api import get_client
from vedette.feature_flags import add_feature_flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vedette.integrations import Integration

__all__ = ["note"]


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
