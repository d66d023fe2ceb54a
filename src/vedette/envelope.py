"""Envelopes and their items, as a transport gets them."""

from __future__ import annotations

from vedette._protocol.envelope import Envelope, EnvelopeError, Item, PayloadRef

__all__ = ["Envelope", "EnvelopeError", "Item", "PayloadRef"]
