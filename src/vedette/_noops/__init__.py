"""What programs of the unified API call and vedette does not do yet: tracing, logs, metrics, check-ins, profiles.

Each of these names lets the program run on unchanged. It keeps nothing, sends nothing, and says so once in
debug mode. A feature that is built takes its names from here.
"""

from __future__ import annotations

import sys

from vedette._host import log

_DEBUG = 10  # as logging has it, which is imported only if somebody listens
_said: set[str] = set()


def not_built(feature: str, name: str) -> None:
    """Say in debug mode that ``name`` did nothing, unless that was said of the feature before.

    While nobody listens it does not count as said: decorators are often applied before ``init``.
    """
    if feature in _said:
        return
    logging = sys.modules.get("logging")
    if logging is None or not logging.getLogger(log.LOGGER_NAME).isEnabledFor(_DEBUG):
        return
    _said.add(feature)
    log.debug("%s does nothing: %s not built yet (docs/differences.md)", name, feature)
