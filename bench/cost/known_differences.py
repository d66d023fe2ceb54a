"""Where the events of both SDKs differ for the same failures, as a server (Relay) keeps them.

docs/performance.md shows it, tests/e2e/test_same_events.py holds both to it: this differs, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One place in the events; ``*`` stands for any place in a list, or any variable."""

    where: str
    kind: str
    """As the test says it: who has it alone, or in what the values differ."""
    how: str
    since: tuple[int, int] = (3, 10)
    """The first Python on which they differ so."""


VARS = "exception.values.*.stacktrace.frames.*.vars"

DIFFERENCES = (
    Difference(VARS, "only vedette", "all 20 local variables of a frame; the peer sends ten"),
    Difference(
        f"{VARS}.*",
        "shorter",
        "vedette divides the 2 KiB that a server keeps of a frame's variables among all of them, so of a long text, a "
        "long row of bytes or a large dict it sends less than the peer, which sends ten whole (an event of 9 MiB "
        "instead of 172 KiB for the 60 heavy frames) and leaves it to the server to cut: of each such frame that keeps "
        "2.2 KB of ten variables, and of vedette's 1.7 KB of all twenty",
    ),
    Difference(f"{VARS}.*", "text instead of JSON", "a dict or list is one text, as Python writes it"),
    Difference(
        f"{VARS}.*", "no address in memory", "an object is shown with its attributes, a function with its module"
    ),
    Difference(
        f"{VARS}.environ", "another value", "the WSGI environment has a key of vedette's own; the same for addresses"
    ),
    Difference(f"{VARS}.start_response", "another value", "the peer puts a function of its own in its place"),
    Difference(
        "exception.values.*.stacktrace.frames.*.colno", "only vedette", "the column, from Python 3.11 on", since=(3, 11)
    ),
    Difference(
        "exception.values.*.stacktrace.frames.*.filename", "another value", "relative to the import path, not absolute"
    ),
    Difference("exception.values.*.module", "only vedette", "`builtins` is said as well"),
    Difference("exception.values.*.thread_id", "only vedette", "the thread that raised, by its number in `threads`"),
    Difference("exception.values.*.mechanism.exception_id", "only vedette", "for a single exception as well"),
    Difference("exception.values.*.mechanism.handled", "only sentry-sdk", "for the causes in a chain, too"),
    Difference("exception.values.*.mechanism.parent_id", "only vedette", "which exception of a chain is whose cause"),
    Difference("exception.values.*.mechanism.source", "only vedette", "whether it is a cause or a context"),
    Difference("exception.values.*.mechanism.type", "another value", "`chained` for a cause, not `generic`"),
    Difference("threads", "only vedette", "the thread's name"),
    Difference("contexts.os", "only vedette", "the operating system"),
    Difference("contexts.device", "only vedette", "processors and memory"),
    Difference("transaction", "another value", "the path of a WSGI request; the peer says `generic WSGI request`"),
    Difference("transaction_info.source", "another value", "so it is a URL"),
    Difference("extra.sys.argv", "another value", "a DSN among the arguments is filtered"),
    Difference("sdk", "another value", "name, version and integrations"),
)
