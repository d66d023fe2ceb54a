"""Statsig: which gates were evaluated before an error, and to what."""

from __future__ import annotations

import sys

from vedette.integrations import Integration
from vedette.integrations._flags import noting
from vedette.integrations._patching import put_in, take_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Final

    from vedette._scopes.client import BaseClient

__all__ = ["StatsigIntegration"]


class StatsigIntegration(Integration):
    """Adds the feature gates that were checked to events."""

    identifier = "statsig"
    library = "statsig.statsig_server"
    distribution = "statsig"
    minimum_version: ClassVar[tuple[int, ...]] = (0, 55)

    def setup(self, client: BaseClient) -> None:
        """Wrap the method of the server, which its functions at module level call, too."""
        put_in(self, sys.modules["statsig.statsig_server"].StatsigServer, "check_gate", _check_gate)

    def close(self) -> None:
        """Put it back."""
        take_out(self)


_check_gate: Final = noting(StatsigIntegration, 1, "gate_name")
