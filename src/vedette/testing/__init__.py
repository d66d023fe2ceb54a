"""For tests of programs that use vedette, and for vedette's own: see what is captured, without a server.

``capture_events`` and ``capture_envelopes`` look at a block of code, ``MemoryTransport`` at a client of your own; the
fixture ``vedette_events`` and the strict mode of the pytest plugin come with the package (docs/testing.md).
"""

from __future__ import annotations

from vedette.testing.capturing import CapturedAttachment, CapturedEvents, capture_envelopes, capture_events
from vedette.testing.memory import MemoryTransport

__all__ = ["CapturedAttachment", "CapturedEvents", "MemoryTransport", "capture_envelopes", "capture_events"]
