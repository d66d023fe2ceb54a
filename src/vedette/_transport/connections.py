"""The pool of connections to the server: through which proxy, with which certificates, with which socket options.

urllib3 and its like are imported inside the functions: they take 56 ms, which only the sender pays (design,
decision 3).
"""

from __future__ import annotations

from vedette._transport.certificates import check_certificates, tls_context
from vedette._transport.proxies import (
    SOCKS_SCHEMES,
    check_proxies,
    headers_for,
    proxy_for,
    scheme_of,
    without_credentials,
)
from vedette._transport.sockets import pool_classes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    import urllib3

MAX_CONNECTIONS: Final = 4
"""Connections that are kept open, where the option ``max_connections`` is not given (design, decision 8)."""

# Seconds of silence before the first probe, seconds between probes, probes: half-open connections are found
# within two minutes, and idle ones stay alive behind NATs and load balancers that cut them after a minute.
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 45), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a proxy or certificate option that cannot work."""
    check_proxies(options)
    check_certificates(options)


def new_manager(scheme: str, netloc: str, options: Mapping[str, Any]) -> urllib3.PoolManager:
    """The pool of connections to this server, through the proxy that options and environment ask for."""
    proxy = proxy_for(scheme, netloc, options)
    context = tls_context(options) if "https" in (scheme, proxy and scheme_of(proxy)) else None
    settings: dict[str, Any] = {
        "num_pools": 1,
        "maxsize": options.get("max_connections") or MAX_CONNECTIONS,
        "socket_options": _socket_options(options),
        "ssl_context": context,
    }
    manager = _manager(proxy, options, settings)
    manager.pool_classes_by_scheme = pool_classes(socks=proxy is not None and scheme_of(proxy) in SOCKS_SCHEMES)
    return manager


def close_connections(manager: urllib3.PoolManager) -> None:
    """Close what is idle. ``clear`` leaves that to a finalizer, which at exit has run before our last delivery."""
    for key in manager.pools.keys():  # noqa: SIM118 - a container that cannot be iterated over
        pool = manager.pools.get(key)
        if pool is not None:
            pool.close()
    manager.clear()


def _manager(proxy: str | None, options: Mapping[str, Any], settings: dict[str, Any]) -> urllib3.PoolManager:
    import urllib3  # noqa: PLC0415

    if proxy is None:
        return urllib3.PoolManager(**settings)
    url, credentials = without_credentials(proxy)
    if scheme_of(proxy) in SOCKS_SCHEMES:
        from urllib3.contrib.socks import SOCKSProxyManager  # noqa: PLC0415 - of an extra

        user, password = credentials or (None, None)
        return SOCKSProxyManager(url, user, password, **settings)
    headers = headers_for(credentials, options)
    return urllib3.ProxyManager(url, proxy_headers=headers, proxy_ssl_context=settings["ssl_context"], **settings)


def _socket_options(options: Mapping[str, Any]) -> list[tuple[int, int, int | bytes]]:
    import socket  # noqa: PLC0415

    chosen: list[tuple[int, int, int | bytes]] = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if options.get("keep_alive") is not False:
        chosen.append((socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1))
        # Not every system has all of them.
        chosen += [(socket.IPPROTO_TCP, getattr(socket, name), n) for name, n in _KEEP_ALIVE if hasattr(socket, name)]
    return chosen + list(options.get("socket_options") or ())
