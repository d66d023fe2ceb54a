"""Connections that wait for the next request, and what becomes of them when the process is forked (PAIN-02).

Guarantees
- Nothing here takes a lock: urllib3 keeps idle connections in a ``queue.LifoQueue``, and a child forked while a
  thread of its parent held that queue's lock waited for it for ever, at its end at the latest.
- A child writes nothing to its parent's connections, and none of their descriptors is closed late: the program may
  have closed it by then (as daemons do) and have a file of its own under the same number. They are closed before
  the child's program goes on; where the process was forked past Python's hooks, they are left open.

Relies on: ``deque.append`` and ``pop`` being safe together, with and without the GIL. Connections in use at the fork
belong to threads that a child does not have; nobody closes them.
"""

from __future__ import annotations

import os
import weakref

from vedette._host import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_all: dict[int, weakref.ref[IdleConnections]] = {}


class IdleConnections:
    """Newest first; with those methods of ``queue.LifoQueue`` that urllib3 calls. It never waits."""

    def __init__(self, maxsize: int) -> None:
        self._most = maxsize
        self._connections: deque[Any] = deque()
        self._pid = os.getpid()
        number = id(self)
        _all[number] = weakref.ref(self, lambda _: _all.pop(number, None))

    def put(self, connection: Any, block: bool = False, timeout: float | None = None) -> None:  # noqa: FBT001, FBT002 - as in queue
        """Keep a connection, or the None that stands for one yet to be made. Raises queue.Full."""
        if not self.keep(connection):
            from queue import Full  # noqa: PLC0415 - urllib3 has imported it

            raise Full

    def keep(self, connection: Any) -> bool:
        """The same; False where there is no room."""
        has_room = len(self._connections) < self._most
        if has_room:
            self._connections.append(connection)
        return has_room

    def get(self, block: bool = False, timeout: float | None = None) -> Any:  # noqa: FBT001, FBT002 - as in queue
        """The one that was used last. Raises queue.Empty."""
        try:
            return self._connections.pop()
        except IndexError:
            from queue import Empty  # noqa: PLC0415 - as above

            raise Empty from None

    def take_connected(self) -> Any:
        """The one that was used last, if it can be used as it is; else None, and it is left where it was."""
        if not self._connections:
            return None
        connection = self.get()
        if connection is not None and connection.is_connected:
            return connection
        self._connections.append(connection)
        return None

    def qsize(self) -> int:
        """How many there are."""
        return len(self._connections)

    def is_inherited(self) -> bool:
        """Whether the parent of this process made it."""
        return self._pid != os.getpid()


def leave_to_parent(*, close: bool) -> None:
    """In a child: give up the connections that it inherited, and close or keep their descriptors."""
    for reference in tuple(_all.values()):
        idle = reference()
        if idle is None or not idle.is_inherited():
            continue
        while idle.qsize():
            connection = idle.get()
            if connection is not None and connection.sock is not None:
                if not close:
                    connection.sock.detach()
                connection.close()


def _close_in_child() -> None:
    leave_to_parent(close=True)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
