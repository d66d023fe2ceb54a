"""A received event, read field by field into plain, typed, safe values. Reading never fails, whatever it is.

The only door between what a client sent and what is laid out:

- a field of another type than it should have is left out and remarked by its path (``fields.py``);
- all text is made safe (``safe.py``), all lists are bounded;
- exceptions come as a tree (``exceptions.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vedette._inbox.event.exceptions import Failure, Stacks, Thread
from vedette._inbox.event.fields import MAX_REMARKS, Entry, Fields
from vedette._inbox.event.surroundings import (
    Context,
    Crumb,
    Message,
    Request,
    read_contexts,
    read_crumbs,
    read_message,
    read_more,
    read_request,
    read_sdk,
    read_user,
)

if TYPE_CHECKING:
    from vedette._inbox.models import StoredEvent


@dataclass(frozen=True, slots=True)
class Reading:
    """One event, fit to be laid out. What was not sent is empty."""

    at: float
    level: str
    title: str
    message: Message
    chain: tuple[Failure, ...]
    release: str
    environment: str
    person: str
    """The user in a word: ``user 42``."""
    transaction: str
    tags: tuple[Entry, ...]
    user: tuple[Entry, ...]
    crumbs: tuple[Crumb, ...]
    request: Request
    contexts: tuple[Context, ...]
    extra: tuple[Entry, ...]
    modules: tuple[Entry, ...]
    threads: tuple[Thread, ...]
    more: tuple[Entry, ...]
    sdk: str
    remarks: tuple[str, ...]

    @property
    def facts(self) -> tuple[str, ...]:
        """What tells this event from others, in words."""
        return tuple(filter(None, (self.release, self.environment, self.person, self.transaction)))


def read(event: StoredEvent) -> Reading:
    """Read an event. Never raises, whatever JSON it holds."""
    fields = Fields(event)
    data, stacks = fields.data, Stacks(fields)
    at = fields.time(data, ()) or event.received_at
    chain = stacks.chain()
    threads = stacks.threads()
    if not chain:
        chain, threads = _stack_of_message(threads)
        chain = chain or stacks.stack_of_event()
    message = read_message(fields)
    title = chain[-1].title if chain and chain[-1].title else "\\n".join(message.lines)
    person, user = read_user(fields)
    return Reading(
        at=at,
        level=fields.word(data, "level", ()).lower() or "error",
        title=title or "(an event without exception and message)",
        message=message,
        chain=chain,
        release=fields.word(data, "release", ()),
        environment=fields.word(data, "environment", ()),
        person=person,
        transaction=fields.word(data, "transaction", ()),
        tags=fields.entries(data, "tags", ()),
        user=user,
        crumbs=read_crumbs(fields),
        request=read_request(fields),
        contexts=read_contexts(fields),
        extra=fields.entries(data, "extra", (), indent=True),
        modules=fields.entries(data, "modules", ()),
        threads=tuple(threads),
        more=read_more(fields),
        sdk=read_sdk(fields),
        remarks=(*fields.remarks, *fields.notes.rest())[:MAX_REMARKS],
    )


def _stack_of_message(threads: list[Thread]) -> tuple[tuple[Failure, ...], list[Thread]]:
    """The stack that was sent with a message, of the current thread or the first that has one; and the others."""
    for index, thread in enumerate(threads):
        if thread.frames:
            stack = Failure("", (), thread.frames, (thread.note,) if thread.note else ())
            return (stack,), threads[:index] + threads[index + 1 :]
    return (), threads
