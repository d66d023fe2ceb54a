"""FastAPI: as Starlette, which it is built on (FW-fastapi)."""

from __future__ import annotations

from vedette.integrations.starlette import StarletteIntegration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

__all__ = ["FastApiIntegration"]


class FastApiIntegration(StarletteIntegration):
    """Captures what applications raise, their middleware included, and answers by ``HTTPException`` that are failures.

    Its options are those of `StarletteIntegration`, and hold for FastAPI's applications; those of Starlette's own are
    that one's.
    """

    identifier: ClassVar[str] = "fastapi"
    library: ClassVar[str] = "fastapi"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 85)
