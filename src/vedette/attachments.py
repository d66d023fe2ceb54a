"""Attachments: files that go with events (``vedette.add_attachment``, ``hint["attachments"]``)."""

from __future__ import annotations

from vedette._protocol.attachment import Attachment

__all__ = ["Attachment"]
