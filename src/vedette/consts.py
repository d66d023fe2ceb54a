"""vedette's version, and names for code that makes spans."""

from __future__ import annotations

from vedette._noops.names import INSTRUMENTER, OP, SPANDATA, SPANSTATUS, SPANTEMPLATE
from vedette._protocol.version import VERSION

__all__ = ["INSTRUMENTER", "OP", "SPANDATA", "SPANSTATUS", "SPANTEMPLATE", "VERSION"]
