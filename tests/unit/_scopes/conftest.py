from __future__ import annotations

import pytest

from tests.unit._scopes.recording import RecordingClient
from vedette._scopes.context import get_global_scope


@pytest.fixture(autouse=True)
def client():
    """A client on the global scope, where every context finds it."""
    recording = RecordingClient()
    get_global_scope().set_client(recording)
    return recording
