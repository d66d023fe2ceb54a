"""The client, the interface that it shares with the one that does nothing, and that one."""

from __future__ import annotations

from vedette._client import Client
from vedette._scopes.client import BaseClient
from vedette._scopes.client import NoOpClient as NonRecordingClient

__all__ = ["BaseClient", "Client", "NonRecordingClient"]
