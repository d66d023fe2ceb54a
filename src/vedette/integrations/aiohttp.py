"""aiohttp, both of its sides: what applications are asked (`_aiohttp_server`), programs ask (`_aiohttp_client`)."""

from __future__ import annotations

from vedette.integrations import Integration, _aiohttp_client, _aiohttp_server, when_imported
from vedette.integrations._http_client import FAILED_TARGETS, failed_requests, failed_requests_of
from vedette.integrations._patching import take_out
from vedette.integrations._web.statuses import SERVER_ERRORS, status_codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import LogRecord
    from typing import ClassVar, Final

    from vedette._scopes.client import BaseClient
    from vedette.integrations._failed_requests import FailedRequests
    from vedette.integrations._http_client import StatusCodes, Targets

__all__ = ["AioHttpIntegration"]

TRANSACTION_STYLES: Final = ("handler_name", "method_and_path_pattern")


class AioHttpIntegration(Integration):
    """Captures what handlers of applications raise; breadcrumbs of requests sent with aiohttp's client.

    Each request gets a scope of its own. Answers by ``HTTPException`` are captured if their status is a failure.

    Args:
        transaction_style: How requests to an application are named: ``handler_name``, ``method_and_path_pattern``.
        failed_request_status_codes: Which answers are failures, on both sides: their codes, or ranges of them.
        capture_failed_requests: Whether such answers to requests of the client are events as well.
        failed_request_targets: Regular expressions; one of them must be found in the URL of such a request.

    Raises:
        ValueError: One of these is none, or there is no such style or status code.
        TypeError: The targets are no list of them.
    """

    identifier = "aiohttp"
    library = "aiohttp"
    minimum_version: ClassVar[tuple[int, ...]] = (3, 9)

    def __init__(
        self,
        transaction_style: str = "handler_name",
        *,
        failed_request_status_codes: StatusCodes = SERVER_ERRORS,
        capture_failed_requests: bool = False,
        failed_request_targets: Targets = FAILED_TARGETS,
    ) -> None:
        if transaction_style not in TRANSACTION_STYLES:
            known = " or ".join(map(repr, TRANSACTION_STYLES))
            raise ValueError(f"AioHttpIntegration: transaction_style is {known}, got {transaction_style!r}")
        self.transaction_style = transaction_style
        self._stop_waiting: Callable[[], None] | None = None
        self.failed_request_status_codes: frozenset[int] = status_codes(
            failed_request_status_codes, "AioHttpIntegration"
        )
        self.failed_requests: FailedRequests | None = failed_requests(
            capture_failed_requests, self.failed_request_status_codes, failed_request_targets
        )

    def setup(self, client: BaseClient) -> None:
        """Take over both sides; that of servers once the program has it."""
        if self.failed_requests is None:
            self.failed_requests = failed_requests_of(client, "AioHttpIntegration")
        _aiohttp_client.take_over(self)
        self._stop_waiting = when_imported(_aiohttp_server.MODULE, self._take_over_server)

    def _take_over_server(self) -> None:
        _aiohttp_server.take_over(self)

    @staticmethod
    def repeats(record: LogRecord) -> bool:
        """Whether what the logger ``aiohttp.server`` says was captured, or is no error of the program's."""
        return _aiohttp_server.is_known(record)

    def close(self) -> None:
        """Put back what was there."""
        if self._stop_waiting is not None:
            self._stop_waiting()
        take_out(self)
