"""What servers and frameworks raise where a client has hung up: no errors, wherever they come to light."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__all__ = ["is_hang_up"]

# By module and name, so that nothing is imported.
_HANG_UPS: Final = frozenset(
    {
        ("django.http.request", "UnreadablePostError"),
        ("starlette.requests", "ClientDisconnect"),
        ("starlette.websockets", "WebSocketDisconnect"),
        ("uvicorn.protocols.utils", "ClientDisconnected"),
    }
)
_GROUPS: Final = frozenset({"BaseExceptionGroup", "ExceptionGroup"})


def is_hang_up(error: BaseException) -> bool:
    """Whether the client has hung up, and nothing else has failed: task groups wrap what they end with."""
    if type(error).__name__ in _GROUPS:
        inner: tuple[BaseException, ...] = getattr(error, "exceptions", ())
        return bool(inner) and all(map(is_hang_up, inner))
    return (type(error).__module__, type(error).__name__) in _HANG_UPS
