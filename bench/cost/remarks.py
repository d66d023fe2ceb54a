"""Why a goal is missed, and what was tried: by the title of its row. Shown for as long as it is missed."""

UNEXPLAINED = "Not explained yet."

REMARKS = {
    "exception, 4 frames": (
        "Of it some 40 µs are a capture that follows another: 24 the exception (12 of them finding and rendering"
        " variables, 5 places and source lines, 2 its text), 4 scopes and contexts, 4 handing over, the rest "
        "stages, ids and calls; no other piece takes more than 1.5. What is beyond comes from the first of the "
        "scenario's five captures, which wakes the worker (12 µs of the system's) and finds the processor's "
        "caches empty. Tried: budget, look-ups and scopes without calls (1 to 2 % each); containers by one "
        "`repr` after a check in C (dearer); rendering on the worker only moves the cost."
    ),
    "message, 100 breadcrumbs and 20 tags": (
        "Half of it is the event's own copy of 100 breadcrumbs, 200 dicts: 26 µs, of which 20 is what making"
        " them costs in Python. They must be copied: hooks and the worker's scrubber change the event in place."
    ),
    "`set_tag`": "Two tenths of a microsecond: a look-up of the scope, and a dict with one more item.",
    "`new_scope`": (
        "Of 0.71 µs, `with` and an object take 0.18, setting a context variable and putting it back 0.18, the"
        " entry's five fields 0.1, and the fork 0.24 (an object, nine fields, copies of tags and breadcrumbs)."
        " Without any fork it would be 0.46. All that could be written out in place gives 7 %."
    ),
    "`isolation_scope`": (
        "Two scopes as above. Tried: one fork written out (2 %), empty dicts and lists in place of copies (slower)."
    ),
    "capture, ignored": (
        "On the line: of 1.3 µs, 0.2 are the call and finding the client, 0.25 taking it and the object of the"
        " capture, 0.3 three stages and the loop around them, 0.4 the count of the loss, more than a third of "
        "which is `getpid` (a fork may come at any time); the rest is calls. Tried: a page that a fork wipes in "
        "place of `getpid` (0.13 less, 0.25 ms more at the start); random numbers from the supply of ids (no gain)."
    ),
    "capture, duplicate": (
        "As for an ignored one, and 0.3 for the marks on the exception: reading them 0.07, comparing 0.05, and "
        "who captured it where: client, trace and process."
    ),
    "`import` and `init`, modules": (
        "87 are vedette's own small files. What is left is what a capture needs, which imports nothing (signal"
        " handlers, the end of the interpreter), and what `init` checks. Eight fewer would mean merging files "
        "that are about different things. Nine are the standard library's, most of them built into the "
        "interpreter."
    ),
    "event loop's lag at 500 captures a second, p99": (
        "On the line: the worst of a hundred turns of the loop, in which a capture, the worker and this machine's "
        "other doings meet; rounds lie far apart, and other runs of the same day had 0.19 and 0.27."
    ),
    "exception, 60 frames of 20 heavy locals": (
        "Measured before `_privacy/built.py`; with it, interleaved on a slower machine, 1.22 where it was 1.28."
    ),
    "exception, 4 frames, 30 in a row": (
        "Measured before `_privacy/built.py`. Since then, both versions interleaved in one session on a machine on "
        "which everything takes 3.2 times as long (the peer's capture 2.1 ms, not 0.66): +228 µs became +147, and "
        "in a second session +194 became +130, two thirds; here that makes about +43. What is left: scrubbing a "
        "third, appending (the write, `fstat`, the accounts of a segment) more than a third, then encoding. Tried: "
        "one look at all names and texts before any walk, for any event (4 less, and 9 more where it finds "
        "something), remembering texts that were harmless before (4 less; memory grew with new texts), passing by "
        "contexts that are known (no gain)."
    ),
    "`add_breadcrumb`, to 100": (
        "The floor of pure Python where breadcrumbs enter rendered (design decision 6): finding scope and "
        "client, the ring, the copy and the check of the data's items. docs/decisions.md has the figures of "
        "each, and what was tried."
    ),
    "CPU per event, 200 a second, added": (
        "Each event is a request of its own, for which two threads wake up and find cold caches: capturing takes"
        " some 110 µs, scrubbing 78 (25 warm), compression 45, the request 60 (urllib3 took 320). The goal would"
        " be about 190 µs in all. Tried: a worker that rests for 20 ms when events follow closely (10 % less; a "
        "kill would lose events that arrive today)."
    ),
    "peak memory of the process, 200 a second": (
        "Of what is added to the interpreter's 9 MiB, 15 are msgspec, ssl, http.client and urllib3, whatever the"
        " load; 2.5 of them `importlib.metadata`, which urllib3 imports. Without urllib3 a plain http server "
        "would take about 17.5 in all, against design decision 3."
    ),
}
