"""Scenario: the failures whose events are compared, in one program. The receiver has them, in this order."""

from __future__ import annotations

from bench.cost.deep_workload import deep_error, heavy_error
from bench.cost.scopes import TAGS, leave_breadcrumbs
from bench.cost.web_requests import fail, wrapped, wsgi_request
from bench.cost.workload import chained_error, shallow_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bench.cost.contenders import Sdk

FAILURES = ("4 frames", "60 frames", "60 heavy frames", "chain", "message", "request")


def failures(contender: Sdk, dsn: str) -> dict[str, float]:
    """With tags, breadcrumbs, a user, a context and extra data on the scope."""
    contender.init(dsn)
    sdk = contender.sdk
    for number, tag in enumerate(TAGS[:3]):
        sdk.set_tag(tag, f"value {number}")
    leave_breadcrumbs(sdk, 3)
    sdk.set_user({"id": "7", "username": "ada"})
    sdk.set_context("order", {"id": 48151623, "lines": [{"sku": "A-100", "quantity": 2}]})
    sdk.set_extra("attempt", 3)
    for error in (shallow_error(), deep_error(), heavy_error(), chained_error()):
        sdk.capture_exception(error)
        contender.flush()  # one by one, so that they arrive in order
    sdk.capture_message("The payment provider did not answer", level="warning")
    contender.flush()
    try:
        wsgi_request(wrapped(contender, "wsgi", "SentryWsgiMiddleware", fail))()
    except ValueError:
        contender.flush()
    return {}
