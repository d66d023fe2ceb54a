"""The pool of connections to the server: through which proxy, with which certificates, with which socket options.

urllib3 and its like are imported inside the functions: they take 56 ms, which only the sender pays (design,
decision 3).
"""

from __future__ import annotations

import os

from vedette._host import log
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
    import ssl
    from collections.abc import Mapping
    from typing import Any, Final

    import urllib3

MAX_CONNECTIONS: Final = 4
"""Connections that are kept open, where the option ``max_connections`` is not given (design, decision 8)."""

# Seconds of silence before the first probe, seconds between probes, probes: half-open connections are found
# within two minutes, and idle ones stay alive behind NATs and load balancers that cut them after a minute.
_KEEP_ALIVE: Final = (("TCP_KEEPIDLE", 45), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 6))

_BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_FOLDERS: Final = "SSL_CERT_DIR"


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a proxy or certificate option that cannot work."""
    check_proxies(options)
    _check_certificates(options)


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


def tls_context(options: Mapping[str, Any]) -> ssl.SSLContext:
    """The program's own ``ssl_context``, or one that trusts what options or environment name.

    ``ca_certs`` alone; or ``SSL_CERT_FILE`` or ``REQUESTS_CA_BUNDLE``, instead of the system's store and certifi's, and
    the folders of ``SSL_CERT_DIR`` beside them. Raises OSError (as ``ssl.SSLError`` is) for what holds no certificates.
    """
    own: ssl.SSLContext | None = options.get("ssl_context")
    if own is not None:
        if options.get("cert_file"):
            log.warn_once("ssl_context", "cert_file is not used: ssl_context is, as it was given")
        return own
    import ssl  # noqa: PLC0415

    bundle = options.get("ca_certs") or _bundle_of_environment()
    if bundle:
        is_folder = os.path.isdir(bundle)
        context = ssl.create_default_context(cafile=None if is_folder else bundle, capath=bundle if is_folder else None)
    else:
        import certifi  # noqa: PLC0415

        context = ssl.create_default_context()
        context.load_verify_locations(certifi.where())
    if not options.get("ca_certs"):
        for folder in _folders_of_environment():
            context.load_verify_locations(capath=folder)
    if options.get("cert_file"):
        try:  # with a password, for OpenSSL would ask for that of an encrypted key on the terminal, and wait
            context.load_cert_chain(options["cert_file"], options.get("key_file"), password="")
        except ssl.SSLError as error:
            raise OSError(f"cert_file: {error}; a key with a password needs ssl_context") from error
    return context


def close_connections(manager: urllib3.PoolManager) -> None:
    """Close what is idle. ``clear`` leaves that to a finalizer, which at exit has run before our last delivery."""
    for key in manager.pools.keys():  # noqa: SIM118 - a container that cannot be iterated over
        pool = manager.pools.get(key)
        if pool is not None:
            pool.close()
    manager.clear()


def _check_certificates(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a certificate option that cannot work."""
    if options.get("ssl_context") is not None and options.get("ca_certs"):
        raise ValueError("option 'ca_certs' has no effect beside 'ssl_context', which says whom to trust: give one")
    for name in ("ca_certs", "cert_file", "key_file"):
        path = options.get(name)
        if path and not os.path.exists(path):
            raise ValueError(f"option {name!r} names a file that does not exist: {path!r}")
    if options.get("key_file") and not options.get("cert_file"):
        raise ValueError("option 'key_file' needs 'cert_file', the certificate that the key is for")


def _bundle_of_environment() -> str | None:
    for name in _BUNDLES:
        path = os.environ.get(name)
        if path and _exists(name, path):
            return path
    return None


def _folders_of_environment() -> list[str]:
    """Beside the rest, as OpenSSL has it."""
    return [path for path in os.environ.get(_FOLDERS, "").split(os.pathsep) if path and _exists(_FOLDERS, path)]


def _exists(name: str, path: str) -> bool:
    found = os.path.exists(path)
    if not found:
        log.warn_once(name, "%s is ignored: it names a file that does not exist", name)
    return found


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
