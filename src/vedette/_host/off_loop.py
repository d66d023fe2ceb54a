"""Waiting for something that blocks, without holding up an event loop.

Guarantees
- What blocks runs on a thread of its own; the loop runs on meanwhile.
- A task that is cancelled while it waits stops waiting at once. What was begun goes on to its own deadline, for a
  thread cannot be stopped; so does what a loop that is closed meanwhile had begun.
- Nothing is raised in the task but its own cancellation.

Relies on: ``loop.call_soon_threadsafe`` raising RuntimeError once the loop is closed. Raw threads are used, since
a loop's default executor would be joined at its end, past any deadline.
"""

from __future__ import annotations

import _thread
import sys

from vedette._host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable


async def wait_off_loop(blocking: Callable[[], None], otherwise: Callable[[], None]) -> None:
    """Run ``blocking`` on a thread and wait for its end; ``otherwise`` instead where no thread can be had.

    Under another kind of event loop than asyncio's ``blocking`` is simply called.
    """
    loop = _running_loop()
    if loop is None:
        blocking()
        return
    done: asyncio.Future[None] = loop.create_future()

    def finish() -> None:
        if not done.done():  # it is when the task was cancelled
            done.set_result(None)

    def run() -> None:
        try:
            blocking()
        except Exception:  # noqa: BLE001 - the border: the task that waits is the host's
            log.warn_once("off loop", "internal error in vedette - please report it", exc_info=True)
        try:
            loop.call_soon_threadsafe(finish)
        except RuntimeError:
            return  # the loop was closed: nobody waits any more

    try:
        _thread.start_new_thread(run, ())
    except (RuntimeError, MemoryError):
        otherwise()
        return
    await done


def _running_loop() -> asyncio.AbstractEventLoop | None:
    module = sys.modules.get("asyncio")
    try:
        return None if module is None else module.get_running_loop()
    except (RuntimeError, AttributeError):  # there is none; asyncio is just being imported
        return None
