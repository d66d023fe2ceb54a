"""Envelopes over HTTP: one POST each, with a deadline, and an honest answer about what became of it.

Safe to use from several threads at a time. A forked child opens connections of its own.
"""

from __future__ import annotations

import os
import time

from vedette._host import log, os_threads
from vedette._late import late
from vedette._protocol.categories import DiscardReason
from vedette._protocol.version import SDK_NAME, VERSION
from vedette._transport.interface import Transport
from vedette._transport.rate_limits import TOO_MANY_REQUESTS, RateLimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar, Final

    from vedette._protocol import envelope as envelopes
    from vedette._protocol import json
    from vedette._protocol.envelope import Envelope, Item
    from vedette._transport import (
        answers,
        compression,
        connections,
        delivery,
        idle_connections,
        posting,
        sockets,
        streaming,
    )
    from vedette._transport.answers import Answer
    from vedette._transport.delivery import Delivery
    from vedette._transport.posting import Poster
else:  # what only who sends needs
    answers = late("vedette._transport.answers")
    compression = late("vedette._transport.compression")
    connections = late("vedette._transport.connections")
    delivery = late("vedette._transport.delivery")
    envelopes = late("vedette._protocol.envelope")
    idle_connections = late("vedette._transport.idle_connections")
    json = late("vedette._protocol.json")
    posting = late("vedette._transport.posting")
    sockets = late("vedette._transport.sockets")
    streaming = late("vedette._transport.streaming")

_OUT_OF_THE_BOX: Final = frozenset({"", "gzip", "deflate"})
_CHECKED: Final = ("proxy", "http_proxy", "https_proxy", "ssl_context", "ca_certs", "cert_file", "key_file")

CLIENT: Final = f"{SDK_NAME}/{VERSION}"
"""Who sends, in User-Agent and X-Sentry-Auth alike (ruling 15)."""
CONTENT_TYPE: Final = "application/x-sentry-envelope"

_ENCODING_REFUSED: Final = (400, 415)
_WITH_EVENT: Final = frozenset({"attachment", "profile"})


class HttpTransport(Transport):
    """Sends envelopes to the server of the DSN.

    Options: ``dsn``, ``request_timeout``, ``proxy``, ``http_proxy``, ``https_proxy``, ``proxy_headers``,
    ``ssl_context``, ``ca_certs``, ``cert_file``, ``key_file``, ``keep_alive``, ``socket_options``,
    ``compression``. Raises BadDsn or ValueError for one that cannot work.

    ``url``: send there instead, without authentication (Spotlight, ruling 37).
    """

    TIMEOUT: ClassVar[float] = 30.0
    """Seconds that one request may take where ``request_timeout`` is not given. A subclass may have its own."""

    def __init__(self, options: Mapping[str, Any], *, url: str | None = None) -> None:
        super().__init__(options)
        self.rate_limits: RateLimits = RateLimits()
        self._headers = {"Content-Type": CONTENT_TYPE, "User-Agent": CLIENT}
        if url is not None:
            self._url = url
        elif self.parsed_dsn is not None:
            self._url = self.parsed_dsn.envelope_url
            self._headers["X-Sentry-Auth"] = self.parsed_dsn.auth_header(CLIENT)
        else:
            raise ValueError("HttpTransport needs a DSN: HttpTransport({'dsn': 'https://<key>@<host>/<project>'})")
        self._encoding: str = self.options.get("compression") or "gzip"
        self._encoding_proven = self._encoding == "gzip"
        if self._encoding not in _OUT_OF_THE_BOX:
            compression.check_encoding(self._encoding)
        if any(map(self.options.get, _CHECKED)):
            connections.check_options(self.options)
        self._poster: Poster | None = None
        self._pid = os.getpid()
        self._hub = 0

    def ensure_imported(self) -> None:
        """Import all that sending needs, and read certificates and proxy settings, before the first delivery.

        For the caller who must not be forked in the middle of an import (design, decision 3).
        """
        import importlib  # noqa: PLC0415

        importlib.import_module("encodings.idna")  # the look-up of any host name imports it
        json.ensure_imported()
        try:
            self._ready_poster()
        except OSError:  # certificates that cannot be loaded: the delivery says so
            return

    def deliver(self, body: bytes | Envelope, *, timeout: float | None = None) -> Delivery:
        """Send one envelope, serialized or not, and say what became of it. Never raises an Exception.

        One with files or many bytes is read, compressed and sent piece by piece (PAIN-29).

        ``timeout``, in seconds, bounds connecting, sending and reading together, second tries included; so does
        ``request_timeout``, which a large envelope exceeds by a second for each MiB of its attachments. Not covered:
        the look-up of the host's name, and a SOCKS proxy that answers byte by byte.

        Rate limits are read from every answer. There is one immediate second try when a connection that had
        been used before turns out to be dead (ruling 19), and one with gzip when the first body of another
        encoding is refused with 400 or 415 (ruling 18). Implements the status table of transport.md.
        """
        try:
            extra = streaming.extra_seconds(body) if isinstance(body, envelopes.Envelope) else 0.0
            seconds = self._request_seconds() + extra
            deadline = time.monotonic() + (seconds if timeout is None else min(seconds, timeout))
            answer = self._post(body, deadline)
            if not self._encoding_proven:
                if answer.status in _ENCODING_REFUSED:
                    log.warning("the server refuses %s bodies; they go as gzip from now on", self._encoding)
                    self._encoding, self._encoding_proven = "gzip", True
                    return self._post(body, deadline)
                self._encoding_proven = answer.outcome is delivery.Outcome.DELIVERED
            return answer
        except envelopes.UnreadableItemError as error:
            reason = DiscardReason.INTERNAL_SDK_ERROR
            return delivery.Delivery(delivery.Outcome.LOST, reason=reason, detail=str(error), unreadable=error.item)
        except Exception as error:  # noqa: BLE001 - the border: what fails here is ours
            log.warn_once(f"deliver:{type(error)}", "sending failed by a fault of vedette", exc_info=True)
            return delivery.Delivery(delivery.Outcome.LOST, reason=DiscardReason.INTERNAL_SDK_ERROR, detail=repr(error))

    def capture_envelope(self, envelope: Envelope) -> None:
        """Send an envelope now, on this thread, and record what was lost of it.

        What a rate limit forbids is left out, and so is an item whose file cannot be read (RATE-02, ENV-97).
        ``sent_at`` is set, unless the envelope has it.
        """
        items = self._allowed(envelope.items)
        answer = None
        while items and answer is None:
            sending = envelopes.Envelope(envelope.headers, items)
            sending.headers.setdefault("sent_at", _now())
            answer = self.deliver(sending)
            if answer.unreadable is not None:
                log.warning("an attachment is left out: %s", answer.detail)
                self.record_lost_event(DiscardReason.INTERNAL_SDK_ERROR, item=answer.unreadable)
                items = [item for item in items if item is not answer.unreadable]
                answer = None
        if answer is None:
            return
        if answer.too_large:
            said = answer.detail or "no more was said"
            log.warning("too large for the server (413), and lost: %s: %s", envelope.description, said)
        if answer.reason is not None:
            for item in items:
                self.record_lost_event(answer.reason, item=item)

    def is_healthy(self) -> bool:
        """False while any rate limit is active (BP-07)."""
        return not self.rate_limits.active()

    def kill(self) -> None:
        """Close the idle connections. A later delivery opens new ones."""
        poster, self._poster = self._poster, None
        if poster is not None and not self._is_inherited():
            connections.close_connections(poster.manager)

    def _request_seconds(self) -> float:
        return self.options.get("request_timeout") or self.TIMEOUT

    def _ready_poster(self) -> Poster:
        poster = self._poster  # another thread may kill() meanwhile
        hub = os_threads.get_native_id() if os_threads.are_patched() else 0  # a green socket is for its own thread only
        if poster is None or self._is_inherited() or self._hub != hub:
            scheme, _, rest = self._url.partition("://")
            netloc = rest.partition("/")[0].rpartition("@")[2]
            manager = connections.new_manager(scheme.lower(), netloc, self.options)
            self._poster = poster = posting.Poster(manager, self._url, self._headers)
            self._pid = os.getpid()
            self._hub = hub
        return poster

    def _is_inherited(self) -> bool:
        """Whether the connections are those of a parent, which a forked child must not use."""
        if self._pid == os.getpid():
            return False
        idle_connections.leave_to_parent(close=False)  # it is too late to close them, see there
        return True

    def _post(self, body: bytes | Envelope, deadline: float) -> Delivery:
        from urllib3.exceptions import HTTPError  # noqa: PLC0415

        encoding = self._encoding
        if isinstance(body, envelopes.Envelope):
            data = streaming.body_of(body, encoding, deadline)
        else:
            data = compression.compress(body, encoding)
        may_be_stale = True
        while True:
            try:
                poster = self._ready_poster()
            except OSError as error:
                return answers.without_certificates(error, self._url)
            # A server that takes nothing more is not waited for as long as a large body may take in all.
            timeout = sockets.timeout_until(deadline, self._request_seconds())
            try:
                return self._answered(poster.post(data, encoding, timeout))
            except HTTPError as error:
                if may_be_stale and sockets.is_stale(error):
                    may_be_stale = False
                    continue
                return answers.failed(error, self._url)

    def _answered(self, answer: Answer) -> Delivery:
        status = answer.status
        self.rate_limits.update(status, answer.headers)
        if 200 <= status < 300:  # noqa: PLR2004 - the class of success
            return delivery.Delivery(delivery.Outcome.DELIVERED, status=status)
        detail = answer.said()
        log.debug("the server answered %s: %s", status, detail)
        if status == TOO_MANY_REQUESTS:
            return delivery.Delivery(delivery.Outcome.REFUSED, status=status, detail=detail)
        return delivery.Delivery(delivery.Outcome.LOST, reason=DiscardReason.SEND_ERROR, status=status, detail=detail)

    def _allowed(self, items: list[Item]) -> list[Item]:
        """Without what a limit forbids; attachments go with their event, a session stays (rulings 10, 11)."""
        event_is_limited = any(
            item.type in envelopes.EVENT_LIKE and self.rate_limits.is_limited(item.data_category) for item in items
        )
        allowed: list[Item] = []
        for item in items:
            goes_with_event = event_is_limited and item.type in _WITH_EVENT
            if goes_with_event or self.rate_limits.is_limited(item.data_category):
                self.record_lost_event(DiscardReason.RATELIMIT_BACKOFF, item=item)
            else:
                allowed.append(item)
        return allowed


def _now() -> str:
    from datetime import datetime, timezone  # noqa: PLC0415

    return datetime.now(timezone.utc).isoformat()
