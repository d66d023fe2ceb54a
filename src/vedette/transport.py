"""Transports: the interface for your own, and the one that sends by HTTP."""

from __future__ import annotations

from vedette._transport.http import HttpTransport
from vedette._transport.interface import Transport

__all__ = ["HttpTransport", "Transport"]
