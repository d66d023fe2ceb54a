"""A lock that nobody waits for in earnest."""

from __future__ import annotations

import threading
import time

import pytest

from vedette._host.patient_lock import PatientLock


class Held:
    """A lock that another thread holds inside of the ``with`` block."""

    def __init__(self, lock: PatientLock) -> None:
        self._release = threading.Event()
        self._holding = threading.Event()
        self._thread = threading.Thread(target=lock.run, args=(self._hold,))

    def _hold(self) -> None:
        self._holding.set()
        self._release.wait(20)

    def __enter__(self) -> None:
        self._thread.start()
        assert self._holding.wait(5)

    def __exit__(self, *_: object) -> None:
        self._release.set()
        self._thread.join()


@pytest.mark.spec("PAIN-18")
def test_one_after_the_other() -> None:
    lock = PatientLock()
    inside = most = 0

    def enter() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        threading.Event().wait(0.001)  # lets others try
        inside -= 1

    threads = [threading.Thread(target=lambda: [lock.run(enter) for _ in range(5)]) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == 1


@pytest.mark.spec("PAIN-18")
def test_a_call_may_interrupt_itself() -> None:
    lock = PatientLock()
    assert lock.run(lambda: lock.run(lambda: "inner")) == "inner"


@pytest.mark.spec("PAIN-18")
def test_who_holds_it_for_ever_holds_nobody_up_for_long() -> None:
    lock = PatientLock()
    with Held(lock):
        started = time.monotonic()
        assert lock.run(lambda: "done") == "done"
        assert time.monotonic() - started < 5


@pytest.mark.spec("PAIN-18")
def test_what_is_only_tried_is_left_to_whoever_is_at_it() -> None:
    lock = PatientLock()
    done: list[str] = []
    with Held(lock):
        lock.try_to_run(lambda: done.append("beside another thread"))
    lock.run(lambda: lock.try_to_run(lambda: done.append("inside of itself")))
    assert done == []
    lock.try_to_run(lambda: done.append("alone"))
    assert done == ["alone"]


@pytest.mark.spec("PAIN-18")
def test_it_is_let_go_whatever_is_raised() -> None:
    lock = PatientLock()

    def fail() -> None:
        raise KeyboardInterrupt

    for call in (lock.run, lock.try_to_run):
        with pytest.raises(KeyboardInterrupt):
            call(fail)
    tried: list[str] = []
    other = threading.Thread(target=lock.try_to_run, args=(lambda: tried.append("it is free"),))
    other.start()
    other.join()
    assert tried == ["it is free"]
