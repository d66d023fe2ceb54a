from __future__ import annotations

import pytest

from tests.unit._scopes.recording import RecordingClient
from vedette._scopes.context import get_global_scope, use_isolation_scope
from vedette._scopes.scope import Scope, ScopeType


@pytest.fixture(autouse=True)
def client():
    """A client on the global scope, and scopes of the test's own; nothing stays behind."""
    recording = RecordingClient()
    before = get_global_scope().client
    get_global_scope().set_client(recording)
    with use_isolation_scope(Scope(ScopeType.ISOLATION)):
        yield recording
    get_global_scope().set_client(before)
    get_global_scope().clear()
