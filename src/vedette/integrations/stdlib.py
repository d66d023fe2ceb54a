"""What programs do with the standard library: requests through ``http.client``, processes through ``subprocess``."""

from __future__ import annotations

from vedette.integrations import Integration, _stdlib_http, _stdlib_subprocess, when_imported
from vedette.integrations._http_client import FAILED_TARGETS, failed_requests, failed_requests_of
from vedette.integrations._patching import take_out
from vedette.integrations._web.statuses import SERVER_ERRORS, status_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from vedette._scopes.client import BaseClient
    from vedette.integrations._failed_requests import FailedRequests
    from vedette.integrations._http_client import StatusCodes, Targets

__all__ = ["StdlibIntegration"]


class StdlibIntegration(Integration):
    """Breadcrumbs of outgoing HTTP requests (also those of requests, urllib3, botocore) and of started processes.

    Args:
        capture_failed_requests: Whether answers that are failures are events as well.
        failed_request_status_codes: Which answers are: their codes, or ranges of them.
        failed_request_targets: Regular expressions; one of them must be found in the URL.

    Raises:
        ValueError: One of these is none, or there is no such status code.
        TypeError: The targets are no list of them.
    """

    identifier = "stdlib"

    def __init__(
        self,
        *,
        capture_failed_requests: bool = False,
        failed_request_status_codes: StatusCodes = SERVER_ERRORS,
        failed_request_targets: Targets = FAILED_TARGETS,
    ) -> None:
        statuses = status_codes(failed_request_status_codes, "StdlibIntegration")
        self.failed_requests: FailedRequests | None = failed_requests(
            capture_failed_requests, statuses, failed_request_targets
        )
        self._undos: list[Callable[[], None]] = []

    def setup(self, client: BaseClient) -> None:
        """Take over both modules, as soon as the program has imported them."""
        if self.failed_requests is None:
            self.failed_requests = failed_requests_of(client, "StdlibIntegration")
        self._undos += [
            when_imported("http.client", lambda: _stdlib_http.take_over(self)),
            when_imported("subprocess", lambda: _stdlib_subprocess.take_over(self)),
        ]

    def close(self) -> None:
        """Put back what was there."""
        while self._undos:
            self._undos.pop()()
        take_out(self)
