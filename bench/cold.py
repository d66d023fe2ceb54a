"""One figure of a fresh process, in seconds, on standard output. `caller.py` starts it many times.

    python bench/cold.py vedette init    import and init, with default options
    python bench/cold.py vedette hosted  the same, where the program has imported much of the standard library
    python bench/cold.py vedette first   the first capture of an exception after that
"""

import os
import sys
import time

name, what = sys.argv[1:]


def fail(value):  # noqa: ANN001, ANN201, D103 - what an error of a script looks like
    return convert(value)


def convert(value):  # noqa: ANN001, ANN201, D103
    return {"number": parse(value)}


def parse(value):  # noqa: ANN001, ANN201, D103
    return int(value)


if what == "hosted":
    # What nearly any web application has imported anyway: here the difference is the SDKs' own.
    import asyncio  # noqa: F401
    import concurrent.futures  # noqa: F401
    import email.message  # noqa: F401
    import http.client  # noqa: F401
    import json  # noqa: F401
    import logging  # noqa: F401
    import ssl  # noqa: F401
    import urllib.request  # noqa: F401
    import uuid  # noqa: F401

options = {}
if what == "first":
    transport = __import__(f"{name}.transport", fromlist=["Transport"]).Transport

    class Drop(transport):  # noqa: D101
        def capture_envelope(self, envelope):  # noqa: ANN001, ANN201, D102
            pass

    options["transport"] = Drop

started = time.perf_counter()
sdk = __import__(name)
sdk.init("http://key@127.0.0.1:9/1", **options)
if what == "first":
    try:
        fail("three")
    except ValueError as error:
        started = time.perf_counter()
        sdk.capture_exception(error)
elapsed = time.perf_counter() - started
print(elapsed, flush=True)
os._exit(0)  # leaving is not what is measured here
