"""Why a goal is missed, and what was tried: by the title of its row. Shown for as long as it is missed."""

UNEXPLAINED = "Not explained yet."
_REFUSED = (
    "No frame is looked at. What is left are the pipeline's stages up to the one that refuses, the object of "
    "the capture, and the count of what was lost; the peer is cheap here as well."
)

REMARKS = {
    "exception, 4 frames": (
        "Most of it is looking at the frames and rendering their variables, which is near the floor of "
        "Python: a variable costs 0.3 µs, a small dict 1.2. Tried: containers by one `repr` after a check in "
        "C (1.4 µs became 2.5). Done: ids drawn 64 at a time (a sixth less). What is left to try is rendering"
        " on the worker, which only moves the cost."
    ),
    "message, 100 breadcrumbs and 20 tags": "On the line: most of it is the event's own copy of the breadcrumbs.",
    "`set_tag`": "Two tenths of a microsecond: a look-up of the scope, and a dict with one more item.",
    "`new_scope`": (
        "An object, a context variable set and put back, and copies of references; a guarantee each (threads,"
        " tasks, foreign exits, signal handlers) holds it up."
    ),
    "`isolation_scope`": "Two scopes as above.",
    "capture, sampled out": _REFUSED,
    "capture, ignored": _REFUSED,
    "capture, duplicate": _REFUSED,
    "`import` and `init`, modules": (
        "Of the 114 that are loaded 99 are vedette's own files, small ones; what only sending needs is loaded"
        " by the worker."
    ),
    "`add_breadcrumb`, to 100": (
        "The floor of pure Python where breadcrumbs enter rendered (design decision 6): finding scope and "
        "client, the ring, the copy and the check of the data's items. docs/decisions.md has the figures of "
        "each, and what was tried."
    ),
    "CPU per event, 200 a second, added": (
        "Each event is a request of its own, and of its CPU 0.44 ms are urllib3's (0.24 ms with "
        "`http.client`, 0.03 ms by hand on a socket), for both SDKs: 0.15 of the peer would be less than that"
        " alone."
    ),
    "peak memory of the process, 200 a second": (
        "Of what is added to the interpreter's 9 MiB, 17 are `ssl`, `http.client`, `urllib3` and `msgspec` "
        "with a TLS context, which sending loads, whatever the load."
    ),
}
