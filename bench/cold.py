"""One figure of a fresh process, in seconds, on standard output. `caller.py` starts it many times.

python bench/cold.py vedette init perf_counter    import and init, with default options
python bench/cold.py vedette hosted perf_counter  the same, after much of the standard library
python bench/cold.py vedette first perf_counter   the first capture of an exception after `init`
"""

import os
import sys
import time

name, what, clock_name = sys.argv[1:]
clock = getattr(time, clock_name)


def fail(value):  # noqa: ANN001, ANN201 - what an error of a script looks like
    return convert(value)


def convert(value):  # noqa: ANN001, ANN201
    return {"number": parse(value)}


def parse(value):  # noqa: ANN001, ANN201
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

started = clock()
sdk = __import__(name)
sdk.init("http://key@127.0.0.1:9/1", **options)
if what == "first":
    try:
        fail("three")
    except ValueError as error:
        started = clock()
        sdk.capture_exception(error)
elapsed = clock() - started
print(elapsed, flush=True)
os._exit(0)  # leaving is not what is measured here
