"""What the hooks for uncaught exceptions share: what they report."""

from __future__ import annotations

from vedette.api import get_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vedette.integrations import Integration

__all__ = ["report"]


def report(error: BaseException, integration: type[Integration], mechanism_type: str) -> None:
    """Capture an exception that nobody caught, if the client in charge wants it."""
    client = get_client()
    if client.get_integration(integration) is not None:
        client.capture_uncaught(error, mechanism_type)
