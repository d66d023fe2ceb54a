"""The beginning of a process, measured in it: a script, for nothing else may have been imported before.

python bench/cost/fresh.py vedette import DSN   import
python bench/cost/fresh.py vedette init DSN     import and init, with default options
python bench/cost/fresh.py vedette hosted DSN   the same, after much of the standard library
python bench/cost/fresh.py vedette first DSN    the first capture of an exception after `init`, as its caller sees it

Prints figures as JSON.
"""

import os
import sys
import time

del sys.path[0]  # the folder of this file
name, what, dsn = sys.argv[1:]


def memory():  # noqa: ANN201 - typing is an import
    """Bytes of the resident set."""
    with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


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

memory_before, modules_before = memory(), len(sys.modules)
cpu_before, begun = time.process_time(), time.perf_counter()
sdk = __import__(name)
if what != "import":
    sdk.init(dsn, release="shop@1.0", environment="bench")
if what == "first":
    try:
        fail("three")
    except ValueError as error:
        cpu_before, begun = time.thread_time(), time.perf_counter()
        sdk.capture_exception(error)
        cpu = time.thread_time() - cpu_before
        seconds = time.perf_counter() - begun
else:
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu_before
modules, added = len(sys.modules) - modules_before, memory() - memory_before
print(f'{{"seconds": {seconds}, "cpu_seconds": {cpu}, "modules": {modules}, "memory": {added}}}', flush=True)
os._exit(0)  # leaving is not what is measured here
