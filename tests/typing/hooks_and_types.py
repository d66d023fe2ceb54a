"""Read by mypy and basedpyright in `make test`, never run: hooks, and the dicts that they get, keep their types."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

import vedette
from vedette.envelope import Envelope, Item, PayloadRef
from vedette.transport import Transport
from vedette.types import (
    Breadcrumb,
    BreadcrumbHint,
    BreadcrumbProcessor,
    Event,
    EventProcessor,
    ExcInfo,
    Frame,
    Hint,
    LogLevel,
    MonitorConfig,
)


def before_send(event: Event, hint: Hint) -> Event | None:
    assert_type(event.get("level"), LogLevel | None)
    assert_type(event.get("tags"), dict[str, Any] | None)
    assert_type(event.get("release", ""), str)
    assert_type(hint.get("exc_info"), ExcInfo | None)
    exception = event.get("exception")
    for value in exception["values"] if exception else ():
        assert_type(value.get("type"), str | None)
        assert_type(value.get("stacktrace", {}).get("frames"), list[Frame] | None)
    event["level"] = "loud"  # type: ignore[typeddict-item]
    event["no_such_field"] = 1  # type: ignore[typeddict-unknown-key]
    return event if "exception" in event else None


def before_breadcrumb(crumb: Breadcrumb, hint: BreadcrumbHint) -> Breadcrumb | None:
    assert_type(crumb.get("data"), dict[str, Any] | None)
    assert_type(crumb.get("category"), str | None)
    return {"message": "another", "level": "info"}


def too_few(event: Event) -> Event:
    return event


def processors() -> None:
    processor: EventProcessor = before_send
    crumb_processor: BreadcrumbProcessor = before_breadcrumb
    wrong: EventProcessor = too_few  # type: ignore[assignment]
    vedette.init(before_send=processor, before_breadcrumb=crumb_processor)
    with vedette.new_scope() as scope:
        scope.add_event_processor(processor)
        scope.add_event_processor(too_few)  # type: ignore[arg-type]
    del wrong


def configs() -> None:
    config: MonitorConfig = {"schedule": {"type": "crontab", "value": "0 * * * *"}, "max_runtime": 30}
    vedette.monitor(monitor_slug="nightly", monitor_config=config)
    wrong: MonitorConfig = {"max_runtime": "long"}  # type: ignore[typeddict-item]
    del wrong


class Kept(Transport):
    def capture_envelope(self, envelope: Envelope) -> None:
        assert_type(envelope.items, list[Item])
        assert_type(envelope.get_event(), Event | None)
        assert_type(envelope.items[0].payload, PayloadRef)
        assert_type(envelope.serialize(), bytes)


def transports() -> None:
    vedette.init(transport=Kept)
    vedette.init(transport=Kept())
