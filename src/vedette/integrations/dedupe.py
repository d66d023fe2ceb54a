"""Whether an exception that was captured before is captured again (ruling 39)."""

from __future__ import annotations

from vedette.integrations import Integration

__all__ = ["DedupeIntegration"]


class DedupeIntegration(Integration):
    """Drops an exception that was captured before, in the same trace and process.

    The client does so by itself; this class is the switch: name it in ``disabled_integrations`` to have every capture
    of an exception sent.
    """

    identifier = "dedupe"
