"""Threads of the operating system and their locks, also where gevent or eventlet have put green ones in their place.

Purpose: what delivers must run whatever the program's greenlets do. A greenlet belongs to the event loop of the
thread that started it, and never runs again once that thread is busy or has no more use for a loop: a worker that
was started from gevent's thread pool, say. And what a real thread waits for with a green lock, or starts as a
greenlet, stands still as long as it does not run a loop of its own.

How: the functions of ``_thread`` itself. Where they were replaced before vedette was imported, they are taken from a
second instance of that built-in module. Nothing of gevent or eventlet is touched or imported. Sockets stay what the
program made of them: on a thread of its own a green one waits for that thread alone.

Who waits on a thread of the *program's* takes ``_thread.allocate_lock`` as it is at that moment, so that other
greenlets run on meanwhile; `is_green` tells what it got.
"""

from __future__ import annotations

import _frozen_importlib
import _thread
import sys
import time

if sys.version_info < (3, 13):
    # The thread that imports it first counts as the main thread there. Were that our worker, the program would wait at
    # its end for the worker as for itself (seen on 3.10).
    __import__("threading")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final


def _unpatched() -> Any:
    start: object = _thread.start_new_thread
    if type(start) is type(len):  # a function of C
        return _thread
    machinery: Any = _frozen_importlib
    spec = machinery.BuiltinImporter.find_spec("_thread")
    module = machinery.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_native: Any = _unpatched()
start_new_thread: Callable[[Callable[..., object], tuple[Any, ...]], int] = _native.start_new_thread
allocate_lock: Callable[[], _thread.LockType] = _native.allocate_lock
get_ident: Callable[[], int] = _native.get_ident
get_native_id: Callable[[], int] = _native.get_native_id
_ORIGINAL: Final[object] = start_new_thread
_NATIVE_LOCK: Final = type(allocate_lock())


def are_patched() -> bool:
    """Whether what the program knows as threads are greenlets by now."""
    return _thread.start_new_thread is not _ORIGINAL


def is_green(lock: object) -> bool:
    """Whether a lock is one of gevent's or eventlet's."""
    return type(lock) is not _NATIVE_LOCK


LEAVING_SECONDS: Final = 0.05
LOOK_SECONDS: Final = 0.000_5


def wait_until_gone(threads: Callable[[], int]) -> None:
    """Wait until ``threads`` counts none any more that was told to leave and has nothing more to do, for up to 50 ms.

    CPython before 3.14 ends a thread that still wants to run while the interpreter is torn down by ``pthread_exit``.
    glibc loads libgcc for that, and aborts the whole process where it cannot: with no descriptor or no memory left.
    """
    deadline = time.monotonic() + LEAVING_SECONDS
    pause = _thread.allocate_lock()
    pause.acquire()
    while threads() and time.monotonic() < deadline:
        pause.acquire(timeout=LOOK_SECONDS)
