"""Variables that a Python SDK sends as a structure: its leaves are rendered already, each as its ``repr``."""

from __future__ import annotations

from vedette._inbox.lenient_json import is_dict, is_list


def as_python(value: object) -> str:
    """The structure as Python writes it, ``{'id': 'A-17'}``: as JSON, there were quotes around the quotes.

    Recursive: how deep an event may be was checked on arrival.
    """
    if isinstance(value, str):
        return value
    if is_dict(value):
        return "{" + ", ".join(f"{key!r}: {as_python(item)}" for key, item in value.items()) + "}"
    if is_list(value):
        return "[" + ", ".join(map(as_python, value)) + "]"
    return repr(value)
