"""Why a goal is missed, and what was tried: by the title of its row. Shown for as long as it is missed."""

UNEXPLAINED = "Not explained yet."

REMARKS = {
    "`add_breadcrumb`, to 100": (
        "The floor of pure Python where breadcrumbs enter rendered (design decision 6): finding scope and client, "
        "the ring, the copy and the check of the data's items. docs/decisions.md has the figures of each, and what "
        "was tried."
    ),
    "CPU per event, 200 a second, added": (
        "Each event is a request of its own, and of its CPU 0.44 ms are urllib3's (0.24 ms with `http.client`, 0.03 ms "
        "by hand on a socket), for both SDKs: 0.15 of the peer would be less than that alone."
    ),
    "peak memory of the process, 200 a second": (
        "Of what is added to the interpreter's 9 MiB, 17 are `ssl`, `http.client`, `urllib3` and `msgspec` with a TLS "
        "context, which sending loads, whatever the load."
    ),
}
