"""How vedette reaches the server: proxy, certificates, connections with a deadline. All of urllib3's set-up.

urllib3 and its like are imported inside the functions: they take 56 ms, which only the sender pays (design,
decision 3).
"""

from __future__ import annotations

import io
import os
import time

from vedette._host import log
from vedette._protocol.dsn import is_http_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Mapping
    from typing import Any, Final

    import urllib3

MAX_CONNECTIONS: Final = 4
"""Connections that are kept open; as many requests as that are in flight at most (design, decision 8)."""

_LEAST_TIMEOUT: Final = 0.001  # seconds; a socket takes 0 for "do not block"
_CA_VARIABLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_PROXY_SCHEMES: Final = ("http", "https")

# Seconds of silence before the first probe, seconds between probes, probes: half-open connections are found
# within two minutes, and idle ones stay alive behind NATs and load balancers that cut them after a minute.
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 45), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))


class StaleConnectionError(ConnectionError):
    """A connection that had been used before died without an answer: the server had closed it meanwhile."""


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a proxy or certificate option that cannot work."""
    for name in ("http_proxy", "https_proxy"):
        proxy = options.get(name)
        if proxy and _proxy_scheme(proxy) not in _PROXY_SCHEMES:
            raise ValueError(
                f"option {name!r} must be an http:// or https:// URL, got the scheme {_proxy_scheme(proxy)!r}"
            )
    for name in ("ca_certs", "cert_file", "key_file"):
        path = options.get(name)
        if path and not os.path.exists(path):
            raise ValueError(f"option {name!r} names a file that does not exist: {path!r}")
    if options.get("key_file") and not options.get("cert_file"):
        raise ValueError("option 'key_file' needs 'cert_file', the certificate that the key is for")


def new_manager(scheme: str, netloc: str, options: Mapping[str, Any]) -> urllib3.PoolManager:
    """The pool of connections to this server, through the proxy that options and environment ask for."""
    import urllib3  # noqa: PLC0415

    proxy = proxy_for(scheme, netloc, options)
    context = tls_context(options) if "https" in (scheme, proxy and _proxy_scheme(proxy)) else None
    settings: dict[str, Any] = {
        "num_pools": 1,
        "maxsize": MAX_CONNECTIONS,
        "socket_options": _socket_options(options),
        "ssl_context": context,
    }
    if proxy is None:
        manager = urllib3.PoolManager(**settings)
    else:
        url, headers = _proxy_url_and_headers(proxy, options)
        manager = urllib3.ProxyManager(url, proxy_headers=headers, proxy_ssl_context=context, **settings)
    manager.pool_classes_by_scheme = _pool_classes()
    return manager


def proxy_for(scheme: str, netloc: str, options: Mapping[str, Any]) -> str | None:
    """The URL of the proxy to use, or None (TRN-19 to TRN-25).

    Options come before the environment, ``https_proxy`` (for https servers) before ``http_proxy`` (for any).
    ``no_proxy`` wins over all of them (ruling 14). An empty option means: no proxy, whatever the environment
    says.
    """
    from urllib.request import getproxies  # noqa: PLC0415 - heavy; needed once a process

    names = ("https", "http") if scheme == "https" else ("http",)
    for name in names:
        proxy = options.get(f"{name}_proxy")
        if proxy is not None:
            return proxy if proxy and not _is_bypassed(netloc) else None
    environment = getproxies()
    for name in names:
        proxy = environment.get(name)
        if proxy and not _is_bypassed(netloc):
            proxy = proxy if "://" in proxy else f"http://{proxy}"
            if is_http_url(proxy):
                return proxy
            log.warn_once(f"{name}_proxy", "the proxy of %s_proxy is ignored: it is no http or https URL", name)
    return None


def tls_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """Whom to trust: the file that options or environment name, or else the system's store and certifi's."""
    import ssl  # noqa: PLC0415

    bundle: str | None = options.get("ca_certs") or _ca_bundle_of_environment()
    if bundle is None:
        import certifi  # noqa: PLC0415

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
    elif os.path.isdir(bundle):
        context = ssl.create_default_context(capath=bundle)
    else:
        context = ssl.create_default_context(cafile=bundle)
    if options.get("cert_file"):
        context.load_cert_chain(options["cert_file"], options.get("key_file"))
    return context


def is_stale(error: BaseException) -> bool:
    """Whether urllib3 failed because a pooled connection had been closed by the server.

    In its place urllib3 leaves a gap on top of the pool, so the next request opens a new connection.
    """
    return any(isinstance(part, StaleConnectionError) for part in error.args)


def close_connections(manager: urllib3.PoolManager) -> None:
    """Close what is idle. ``clear`` leaves that to a finalizer, which at exit has run before our last delivery."""
    for key in manager.pools.keys():  # noqa: SIM118 - a container that cannot be iterated over
        pool = manager.pools.get(key)
        if pool is not None:
            pool.close()
    manager.clear()


def _ca_bundle_of_environment() -> str | None:
    for name in _CA_VARIABLES:
        path = os.environ.get(name)
        if path and os.path.exists(path):
            return path
        if path:
            log.warn_once(name, "%s is ignored: it names a file that does not exist", name)
    return None


def _proxy_scheme(proxy: str) -> str:
    scheme, separator, _ = proxy.partition("://")
    return scheme.lower() if separator else ""


def _proxy_url_and_headers(proxy: str, options: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The URL without user and password, and what is said to the proxy (TRN-26)."""
    from base64 import b64encode  # noqa: PLC0415 - for proxies only
    from urllib.parse import unquote  # noqa: PLC0415

    from urllib3.util import parse_url  # noqa: PLC0415

    url = parse_url(proxy)
    headers: dict[str, str] = {}
    if url.auth:
        headers["Proxy-Authorization"] = "Basic " + b64encode(unquote(url.auth).encode()).decode()
    headers.update(options.get("proxy_headers") or {})
    return url._replace(auth=None).url, headers


def _is_bypassed(netloc: str) -> bool:
    """Whether ``no_proxy`` names the host: by name, domain, address, or network such as ``10.0.0.0/8``."""
    from urllib.request import getproxies_environment, proxy_bypass  # noqa: PLC0415

    if proxy_bypass(netloc):
        return True
    networks = [entry.strip() for entry in getproxies_environment().get("no", "").split(",") if "/" in entry]
    if not networks:
        return False
    import ipaddress  # noqa: PLC0415 - for no_proxy with networks only

    host = netloc[1:].partition("]")[0] if netloc.startswith("[") else netloc.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
        return any(address in ipaddress.ip_network(network, strict=False) for network in networks)
    except ValueError:  # a host name, or a network nobody can read
        return False


def _socket_options(options: Mapping[str, Any]) -> list[tuple[int, int, int | bytes]]:
    import socket  # noqa: PLC0415

    chosen: list[tuple[int, int, int | bytes]] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if options.get("keep_alive") is not False:
        chosen.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
        # Not every system has all of them.
        chosen += [(socket.IPPROTO_TCP, getattr(socket, name), n) for name, n in _KEEP_ALIVE if hasattr(socket, name)]
    return chosen + list(options.get("socket_options") or ())


def _pool_classes() -> dict[str, Any]:
    """urllib3's pools over connections that keep a deadline and know whether they were used before."""
    import http.client  # noqa: PLC0415

    import urllib3  # noqa: PLC0415
    from urllib3.connection import HTTPConnection, HTTPSConnection  # noqa: PLC0415
    from urllib3.response import HTTPResponse  # noqa: PLC0415, TC002

    class Response(http.client.HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp.close()
            self.fp = io.BufferedReader(_DeadlineReader(sock))

    class Connection(HTTPConnection):
        response_class = Response
        answers = 0
        """Answers that came over this TCP connection."""

        def connect(self) -> None:
            started = time.monotonic()
            super().connect()
            self.answers = 0
            if isinstance(self.timeout, (int, float)):
                # urllib3 grants the time-out of the whole to connecting, and then to sending once more.
                self.timeout = max(_LEAST_TIMEOUT, self.timeout - (time.monotonic() - started))
                self.sock.settimeout(self.timeout)

        def request(self, *args: Any, **kwargs: Any) -> None:
            try:
                super().request(*args, **kwargs)
            except BrokenPipeError:
                raise  # urllib3 looks for an answer nevertheless: the server may have refused the body half way
            except OSError as error:
                self.raise_if_stale(error)
                raise

        def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3 does
            try:
                response = super().getresponse()
            except OSError as error:
                self.raise_if_stale(error)
                raise
            self.answers += 1
            return response

        def raise_if_stale(self, error: OSError) -> None:
            if self.answers and not isinstance(error, TimeoutError):
                raise StaleConnectionError(f"a pooled connection had died: {error!r}") from error

    class TLSConnection(Connection, HTTPSConnection):
        pass

    # Through Any: urllib3 declares the attribute as a protocol that its own classes do not meet.
    connection: Any = Connection
    tls_connection: Any = TLSConnection

    class Pool(urllib3.HTTPConnectionPool):
        ConnectionCls = connection

    class TLSPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = tls_connection

    return {"http": Pool, "https": TLSPool}


class _DeadlineReader(io.RawIOBase):
    """Reads an answer within the socket's time-out in all; a socket by itself grants it to each read anew."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)  # keeps the socket open until the answer is closed
        timeout = sock.gettimeout()
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._deadline is not None:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer took too long")
            self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
