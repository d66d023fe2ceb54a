"""The side-car of one client: where it is, and what is on its way to it.

Guarantees
- Nothing here blocks or raises in the program's captures; `finish` alone waits, no longer than it is told.
- A forked child starts empty, with a thread and connections of its own, however it was forked.
"""

from __future__ import annotations

import marshal
import os
import time

from vedette._host import log
from vedette._processing import fork
from vedette._protocol.envelope import Item, PayloadRef
from vedette._spotlight.outbox import Outbox
from vedette._spotlight.reach import Reach
from vedette._transport.http import HttpTransport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any, Final

    from vedette._processing.packing import Packer
    from vedette._protocol.categories import DataCategory, DiscardReason

SHARE: Final = 0.25
"""Of the time for a flush or the end of the program: so long is Spotlight waited for once the server had its own."""
SHARE_ALONE: Final = 0.5
"""The same, where there is no server."""


class Sidecar:
    """Shows what a client captures in the Spotlight at ``url``.

    It is asked directly: no proxy (it is local), no redirects, no key, no client certificate.
    """

    def __init__(
        self, options: Mapping[str, Any], packer: Packer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.url: str = options["spotlight"]
        self.share: float = SHARE if options["dsn"] else SHARE_ALONE
        self._exit_seconds = self.share * options["shutdown_timeout"]
        self._transport = HttpTransport({"proxy": "", "ca_certs": options["ca_certs"]}, url=self.url)
        self._packer = packer
        self._clock = clock
        self._outbox = self._new_outbox()
        self._outboxes = {self._outbox.pid: self._outbox}
        fork.watch(self)

    @property
    def place(self) -> str:
        """The URL without what a user name and a password may stand in."""
        scheme, separator, rest = self.url.partition("://")
        netloc, slash, path = rest.partition("/")
        return f"{scheme}{separator}{netloc.rpartition('@')[2]}{slash}{path.partition('?')[0]}"

    def show(self, category: DataCategory, payload: dict[str, Any], attachments: Sequence[Item]) -> None:
        """Have an item of exact built-ins shown, which is Spotlight's from now on."""
        outbox = self._outbox_here()
        if not outbox.is_running():
            fork.deliver_at_childs_end()
        outbox.add(category, payload, attachments)

    def count_drop(self, reason: DiscardReason, category: DataCategory, quantity: int) -> None:
        """Have the next envelope tell of captured items that were dropped, as the server is told."""
        self._outbox_here().losses.count_drop(reason, category, quantity)

    def start(self) -> None:
        """Have what waits sent, while the caller does something else."""
        outbox = self._outbox_here()
        if outbox.has_work():
            outbox.wake()

    def finish(self, seconds: float) -> None:
        """Wait until all was sent that can be, for up to so many seconds."""
        outbox = self._outbox_here()
        if outbox.has_work():
            outbox.drain(self._clock() + seconds)

    def prepare(self) -> None:
        """Import what sending needs, now (option ``warm``)."""
        fork.import_safely(self._transport.ensure_imported)

    def close(self) -> None:
        """Show nothing more."""
        self._outbox_here().close()
        self._transport.kill()

    # --- forks and ends of processes (fork.py of the room _processing) --------- --------------------------------

    def before_fork(self) -> None:
        """Have the thread leave if it has nothing to do, and start none."""
        self._outbox.pause()

    def threads(self) -> int:
        """How many threads of its own live, or are just about to end."""
        return self._outbox.threads()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._outbox.resume()

    def after_fork_in_child(self) -> None:
        """Start anew; a capture in a hook of the program's, which ran before this one, may have done so."""
        self._outbox_here()

    def drain_at_exit(self) -> None:
        """Send what waits, within the time that the end of the program may take."""
        self.finish(self._exit_seconds)

    def _outbox_here(self) -> Outbox:
        """That of this process; threads of a child that come here at once must find the same."""
        outbox, pid = self._outbox, os.getpid()
        if outbox.pid == pid:
            return outbox
        outbox = self._outboxes.setdefault(pid, self._new_outbox())
        self._outbox, self._outboxes = outbox, {pid: outbox}
        return outbox

    def _new_outbox(self) -> Outbox:
        return Outbox(self._transport, self._packer, Reach(self.place, self._clock), self._clock)


def copy_of(payload: dict[str, Any], attachments: Iterable[Item]) -> tuple[dict[str, Any], list[Item]] | None:
    """An item that shares nothing that changes with the one it is a copy of; None if it cannot be copied."""
    try:
        # Exact built-ins only, which marshal copies fastest, without code of theirs (see Item.pack).
        return marshal.loads(marshal.dumps(payload)), [_copied(each) for each in attachments]  # noqa: S302 - from here
    except (ValueError, MemoryError):
        log.debug_once("spotlight copy", "an item is not shown in Spotlight: it cannot be copied")
        return None


def _copied(attachment: Item) -> Item:
    """With headers and payload of its own; bytes don't change, and files are not read here (see `Outbox`)."""
    given = attachment.payload
    payload = PayloadRef(given.bytes, given.path, given.json)
    payload.file = given.file
    return Item(payload, attachment.headers)
