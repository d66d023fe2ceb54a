"""What the integration for child processes leaves alone in the process that starts them; tests/faults has the rest."""

from __future__ import annotations

import gc
import inspect
import multiprocessing
import multiprocessing.process
import multiprocessing.util  # what it waits for
import traceback
import weakref
from functools import partial

import pytest

import vedette
from vedette.integrations.multiprocessing import MultiprocessingIntegration
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"
UNPATCHED = multiprocessing.process.BaseProcess.start, traceback.print_exc


def configure() -> None:
    vedette.init(DSN, transport=MemoryTransport())


def client(**options) -> vedette.Client:
    integration = MultiprocessingIntegration(**options)
    return vedette.Client(DSN, transport=MemoryTransport(), integrations=[integration])


def patchable() -> tuple[object, object]:
    return multiprocessing.process.BaseProcess.start, traceback.print_exc


@pytest.mark.spec("PAIN-33")
def test_without_child_init_nothing_is_patched() -> None:
    with client():
        assert patchable() == UNPATCHED


@pytest.mark.spec("PAIN-33")
def test_with_it_start_keeps_its_looks_is_wrapped_once_and_is_restored_with_the_last_client() -> None:
    original = UNPATCHED[0]
    clients = [client(child_init=configure) for _ in "ab"]
    patched = multiprocessing.process.BaseProcess.start
    assert patched is not original
    assert patched.__wrapped__ is original  # type: ignore[attr-defined]
    assert (patched.__name__, patched.__doc__) == (original.__name__, original.__doc__)
    assert inspect.signature(patched) == inspect.signature(original)
    clients[0].close()
    assert multiprocessing.process.BaseProcess.start is patched
    clients[1].close()
    assert patchable() == UNPATCHED


def test_a_child_init_that_children_cannot_import_is_refused_at_once() -> None:
    def inner() -> None:
        """Stands in a function."""

    for refused in (inner, lambda: None):
        with pytest.raises(TypeError, match="child_init must be a function that children can import"):
            MultiprocessingIntegration(child_init=refused)
    assert MultiprocessingIntegration(child_init=partial(configure)).child_init is not None


@pytest.mark.spec("PAIN-01", "PAIN-33")
def test_a_client_that_is_closed_leaves_nothing_with_multiprocessing() -> None:
    integration = MultiprocessingIntegration()
    gone = weakref.ref(integration)
    vedette.Client(DSN, transport=MemoryTransport(), integrations=[integration]).close()
    del integration
    gc.collect()
    assert gone() is None  # neither a finalizer nor what is called in children refers to it
