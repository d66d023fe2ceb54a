"""An event with a text in every field that the inbox shows, and the same with another text in all of them."""

from __future__ import annotations

from typing import Any

from tests.unit._inbox.event.events import chained, frame


def whole() -> dict[str, Any]:
    """An event with a text in every field that the page shows."""
    data = chained(
        logentry={"message": "said %s", "params": ["x"], "formatted": "said x"},
        request={
            "method": "POST",
            "url": "http://shop.example/add",
            "query_string": "a=1",
            "headers": {"Accept": "*/*"},
            "cookies": {"c": "1"},
            "env": {"REMOTE_ADDR": "::1"},
            "data": {"k": ["v"]},
        },
        contexts={"stock": {"left": "2"}},
        extra={"note": {"deep": ["x"]}},
        modules={"rich": "13"},
        threads={"values": [{"id": "7", "name": "nightly", "stacktrace": {"frames": [frame("b.py:1", "g", "y = 2")]}}]},
        transaction="/add",
        server_name="box",
        logger="shop",
        dist="d",
        sdk={"name": "other", "version": "1"},
        fingerprint=["one", "{{ default }}"],
        platform="python",
    )
    data["breadcrumbs"]["values"].append({"type": "http", "data": {"url": "http://a/", "method": "GET", "x": "y"}})
    data["_meta"] = {"extra": {"note": {"": {"rem": [["!limit", "x"]]}}}, "odd": {"": {"err": ["bad"]}}}
    return data


def hostile(value: Any, text: str) -> Any:
    """The same with hostile text in the place of every text, names included, but for what carries the structure."""
    kept = {"timestamp", "event_id", "in_app", "lineno", "exception_id", "parent_id", "_meta", "rem", "err", "values"}
    if isinstance(value, dict):
        structure = {
            *("exception", "values", "stacktrace", "frames", "breadcrumbs", "request", "contexts", "extra", "threads"),
            *("mechanism", "vars", "data", "type", "value", "function", "filename", "abs_path", "context_line", "user"),
            *("pre_context", "post_context", "message", "formatted", "params", "logentry", "tags", "modules", "sdk"),
            *("headers", "cookies", "env", "url", "method", "query_string", "name", "version", "level", "category"),
            *("module", "source", "release", "environment", "transaction", "server_name", "logger", "dist", "platform"),
            *("fingerprint", "id"),
        }
        return {
            key if key in structure | kept else text: child if key in kept - {"values"} else hostile(child, text)
            for key, child in value.items()
        }
    if isinstance(value, list):
        return [hostile(child, text) for child in value]
    return text if isinstance(value, str) else value
