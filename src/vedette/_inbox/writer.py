"""The one thread that turns request bodies into rows.

Guarantees
- A request is answered after the commit that holds what it brought: a kill loses nothing answered 200.
- Up to 200 waiting requests share a commit; each fails alone. Requests are stored in the order of ``submit``.
- At most one body is being decompressed, while at most 4 MiB of bodies and the events decoded from them wait for
  their commit: the queue holds bodies as they were sent, which the receiver bounds. Once answered, none is held.
- ``stop`` returns when everything submitted before it is committed.

Relies on: ``queue.SimpleQueue``; ``submit`` being called on one event loop; ``Store`` being thread-safe.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from vedette._inbox.access import check_key, key_and_project
from vedette._inbox.arrival import Arrival, arrival_of, read_store_body
from vedette._inbox.decoding import Body, decode_body
from vedette._inbox.limits import KEPT_REFUSAL_BYTES, MIB, Refused
from vedette._inbox.reading import read_envelope
from vedette._inbox.recording import Recorded, Refusal
from vedette._inbox.store import Store, StoreError

if TYPE_CHECKING:
    from vedette._inbox.retention import Retention

_BATCH_REQUESTS: Final = 200
_BATCH_BYTES: Final = 4 * MIB  # decoded, events take 25 times as much at worst

Announce: TypeAlias = Callable[[Recorded | Refused], None]
Answer: TypeAlias = "str | Refused"  # the id that the sender is told, or why not


@dataclass(frozen=True, slots=True)
class Submission:
    """A body as it was sent, with what the request said about it."""

    kind: Literal["envelope", "store", "spotlight"]
    project: str
    body: Body
    encoding: str
    key: str  # in header or query; empty without


_Waiting: TypeAlias = "tuple[Submission | Refusal, asyncio.Future[Answer]]"


class Writer:
    """Stores submissions in batches.

    After its commit ``announce`` is called for each event, in order, and ``committed`` once for the batch. They
    run on the writer's thread: neither may block.
    """

    def __init__(
        self,
        store: Store,
        retention: Retention,
        *,
        key: str | None = None,
        announce: Announce | None = None,
        committed: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._retention = retention
        self._key = key
        self._announce = announce
        self._committed = committed
        self._queue: queue.SimpleQueue[_Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="vedette-inbox-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after what was submitted is stored."""
        self._queue.put(None)
        self._thread.join()

    async def submit(self, work: Submission | Refusal) -> Answer:
        """Store it, and wait for the commit."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.put((work, future))
        return await future

    def _run(self) -> None:
        while self._round():
            pass  # nothing of a round is held while waiting for the next

    def _round(self) -> bool:
        news, running = self._batch()
        if self._committed is not None:
            self._committed()
        if self._announce is not None:
            for one in news:
                self._announce(one)
        with contextlib.suppress(StoreError):  # the disk is full or locked: the next batch will say so
            self._store.retain(self._retention)
        self._store.tidy()
        return running

    def _batch(self) -> tuple[list[Recorded | Refused], bool]:
        """Wait for work, store it with what else is waiting, and answer.

        What to show of it; and False if the thread was asked to stop.
        """
        waiting: list[asyncio.Future[Answer]] = []
        work: list[Arrival | Refusal] = []
        size, running = 0, True
        while len(work) < _BATCH_REQUESTS and size < _BATCH_BYTES:
            try:
                following = self._queue.get(block=not work)
            except queue.Empty:
                break
            if following is None:
                running = False
                break
            submitted, future = following
            waiting.append(future)
            work.append(self._prepared(submitted))
            size += len(work[-1].body)
        if not work:
            return [], running
        answers, news = self._stored(work)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            waiting[0].get_loop().call_soon_threadsafe(_resolve, waiting, answers)
        return news, running

    def _prepared(self, work: Submission | Refusal) -> Arrival | Refusal:
        if isinstance(work, Refusal):
            return work
        try:
            return self._read(work)
        except Refused as refused:
            reason = refused.with_traceback(None)  # kept for a while; the frames hold the body
        except Exception as error:  # noqa: BLE001 - hostile data met a fault of ours: kept, and the thread lives
            cause = f"{type(error).__name__}: {ascii(str(error))[:200]}"
            reason = Refused(500, "internal", "vedette failed to read this: a bug, please report it", (cause,))
        return Refusal(work.project, bytes(work.body[:KEPT_REFUSAL_BYTES]), len(work.body), reason)

    def _read(self, work: Submission) -> Arrival:
        body, remarks = decode_body(work.body, work.encoding)
        if work.kind == "store":
            check_key(work.key, self._key)
            return read_store_body(work.project, body, remarks)
        envelope = read_envelope(body)
        key, project = key_and_project(envelope.headers.get("dsn"))
        check_key(work.key or key, self._key, required=work.kind == "envelope")
        if work.key and key and work.key != key:
            remarks.append("the key in the envelope header's dsn is another than the request's")
        if work.project and project and work.project != project:
            remarks.append("the project in the envelope header's dsn is another than the URL's")
        return arrival_of(work.project or project or "0", body, envelope, remarks)

    def _stored(self, work: Sequence[Arrival | Refusal]) -> tuple[list[Answer], list[Recorded | Refused]]:
        """What to answer to each, and what to show."""
        try:
            results = self._store.record(work)
        except Exception as error:  # noqa: BLE001 - disk full, locked, or a fault of ours: the thread lives
            return [_not_stored(error) for _ in work], [_not_stored(error)]
        answers: list[Answer] = []
        news: list[Recorded | Refused] = []
        for part, result in zip(work, results, strict=True):
            if isinstance(result, StoreError):
                answers.append(_not_stored(result))
            elif isinstance(part, Refusal):
                answers.append(part.refused)
                news.append(part.refused)
            else:
                answers.append(part.event_id)
                news += result
        return answers, news


def _not_stored(error: Exception) -> Refused:
    return Refused(503, "not_stored", "the inbox could not store this", (str(error),))


def _resolve(futures: list[asyncio.Future[Answer]], answers: list[Answer]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if not future.done():  # a request that was cancelled meanwhile
            future.set_result(answer)
