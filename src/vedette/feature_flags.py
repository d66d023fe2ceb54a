"""Feature flags: which of them were evaluated before an error, and to what."""

from __future__ import annotations

from vedette._scopes.context import add_feature_flag
from vedette._scopes.flags import FlagBuffer

__all__ = ["FlagBuffer", "add_feature_flag"]
