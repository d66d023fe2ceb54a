"""FastAPI: as Starlette, which it is built on (FW-fastapi)."""

from __future__ import annotations

from vedette.integrations._frames import hide_variables
from vedette.integrations.starlette import StarletteIntegration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar

__all__ = ["FastApiIntegration"]


class FastApiIntegration(StarletteIntegration):
    """Captures what applications raise, their middleware included, and answers by ``HTTPException`` that are failures.

    Its options are those of `StarletteIntegration`, and hold for FastAPI's applications; those of Starlette's own are
    that one's.
    """

    identifier: ClassVar[str] = "fastapi"
    library: ClassVar[str] = "fastapi"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 85)

    def process_event(self, event: Any, hint: Any, client: Any) -> Any:
        """Hide what dependencies have found, such as the token of a request: FastAPI keeps it without its name."""
        hide_variables(event, _DEPENDENCIES, _is_found)
        return event


_DEPENDENCIES = ("fastapi.dependencies.",)


def _is_found(name: str) -> bool:
    return name in {"solved", "solved_result"} or name.endswith("dependency_cache")
