"""Cases: one record of a logging library."""

from __future__ import annotations

import logging
from typing import Any


def log_record(level: int) -> Any:
    """One record of ``logging`` that a handler formats: below the level of breadcrumbs, or a breadcrumb."""

    class Formatting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            self.format(record)

    logger = logging.getLogger("shop")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(Formatting())
    return lambda: logger.log(level, "order %s", 5)


def loguru_record(sdk: Any) -> Any:
    """One message of loguru that a sink takes: a breadcrumb."""
    from loguru import logger

    logger.remove()
    logger.add(lambda message: None)
    return lambda: logger.info("order {}", 5)


def structlog_event(sdk: Any) -> Any:
    """One event of structlog: a breadcrumb, by vedette's processor; the peer has none."""
    import structlog

    processors: list[Any] = [lambda logger, name, event: str(event)]
    if sdk is not None and sdk.__name__ == "vedette":
        from vedette.integrations.structlog import StructlogProcessor

        processors.insert(0, StructlogProcessor())
    logger = structlog.wrap_logger(structlog.testing.ReturnLogger(), processors=processors)
    return lambda: logger.info("order", number=5)
