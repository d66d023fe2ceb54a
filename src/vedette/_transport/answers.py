"""What a server or the network answers to a request: read for people, and for what is to be counted."""

from __future__ import annotations

from vedette._host import log
from vedette._protocol.categories import DiscardReason
from vedette._transport.delivery import Delivery, Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

_MAX_ANSWER: Final = 65_536  # bytes of an answer that are read to keep the connection; a longer one costs it
_MAX_SAID: Final = 1000  # bytes of it that are shown, for people

# What urllib3 raises (by name, for it is imported late), what to count it as, and what it means. The first
# that is an exception's class or one of its bases is taken.
_FAILURES: Final = (
    ("NameResolutionError", DiscardReason.NETWORK_ERROR, "the host name cannot be resolved"),
    ("ProxyError", DiscardReason.NETWORK_ERROR, "the proxy failed"),
    ("SSLError", DiscardReason.NETWORK_ERROR, "TLS failed"),
    ("NewConnectionError", DiscardReason.NETWORK_ERROR, "no connection"),
    ("ConnectTimeoutError", DiscardReason.NETWORK_ERROR, "no connection in time"),
    ("ReadTimeoutError", DiscardReason.NETWORK_ERROR, "no answer in time (it may have arrived)"),
    ("ProtocolError", DiscardReason.NETWORK_ERROR, "the connection broke without a proper answer"),
    ("HTTPError", DiscardReason.INTERNAL_SDK_ERROR, "the request could not be made"),
)
_IN_DOUBT: Final = frozenset({"ReadTimeoutError", "ProtocolError"})
_MET_NOBODY: Final = frozenset({"NameResolutionError", "NewConnectionError", "ConnectTimeoutError"})


class Answer:
    """What a server answered to one request. ``headers`` are found by their names in small letters."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status: int = status
        self.headers: Mapping[str, str] = headers
        self.body: bytes = body

    def said(self) -> str:
        """What is in it for people only (TRN-14, TRN-15, OFF-10)."""
        said = printable(self.headers.get("x-sentry-error", ""))
        if said or "content-encoding" in self.headers:  # none was asked for, and nothing is unpacked
            return said
        return printable(self.body[:_MAX_SAID].decode("utf-8", "replace"))


def body_of(response: Any) -> bytes | None:
    """The body of a response of urllib3's or http.client's; None if its connection is of no use any more."""
    try:
        body: bytes = response.read(_MAX_ANSWER + 1)
    except Exception:  # noqa: BLE001 - broken off, too late, or chunks that make http.client itself stumble
        return None
    return body if len(body) <= _MAX_ANSWER else None


def printable(text: str) -> str:
    """On one line, without what would steer a terminal: it may get into a log."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def failed(error: Exception, url: str) -> Delivery:
    bases = {base.__name__ for base in type(error).__mro__}
    name, reason, meaning = next(failure for failure in _FAILURES if failure[0] in bases)
    if name == "ProxyError" and _is_tls(getattr(error, "original_error", None)):
        name, meaning = "SSLError", "TLS with the proxy failed"
    detail = f"{meaning}: {error}"
    log.debug("sending failed: %s", detail)
    if name == "SSLError":  # a setting somebody has to correct; nothing arrives until then
        log.warn_once(f"tls:{url}", "nothing can be sent: %s", detail)
    return Delivery(
        Outcome.LOST,
        reason=reason,
        detail=detail,
        in_doubt=name in _IN_DOUBT,
        met_nobody=name in _MET_NOBODY,
    )


def _is_tls(error: object) -> bool:
    return any(base.__name__ == "SSLError" for base in type(error).__mro__)


def without_certificates(error: OSError, url: str) -> Delivery:
    detail = f"the certificates cannot be loaded: {error}"
    log.warn_once(f"tls:{url}", "nothing can be sent: %s", detail)
    return Delivery(Outcome.LOST, reason=DiscardReason.NETWORK_ERROR, detail=detail)
