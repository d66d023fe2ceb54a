"""Which proxy stands between vedette and the server, if any, and how it is asked (TRN-19 to TRN-27)."""

from __future__ import annotations

from vedette._host import log
from vedette._protocol.dsn import is_http_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

SOCKS_SCHEMES: Final = ("socks4", "socks4a", "socks5", "socks5h")
_SCHEMES: Final = ("http", "https", *SOCKS_SCHEMES)
_DEFAULT_PORTS: Final = {"http": "80", "https": "443"}


def check_proxies(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a proxy option that cannot work."""
    for name in ("proxy", "http_proxy", "https_proxy"):
        proxy = options.get(name)
        if not proxy:
            continue
        scheme = scheme_of(proxy)
        if scheme not in _SCHEMES:
            raise ValueError(
                f"option {name!r} must be an http://, https:// or socks5:// URL, got the scheme {scheme!r}"
            )
        if scheme in SOCKS_SCHEMES and not _has_socks():
            raise ValueError(f"option {name!r} needs a package for {scheme}: pip install 'vedette[socks]'")


def proxy_for(scheme: str, netloc: str, options: Mapping[str, Any]) -> str | None:
    """The URL of the proxy to use, or None (TRN-19 to TRN-25).

    Options come before the environment: ``proxy``, then ``https_proxy`` (for https servers), then ``http_proxy``
    (for any). ``no_proxy`` wins over all of them (ruling 14). An empty option means: no proxy, whatever those
    behind it say.
    """
    from urllib.request import getproxies  # noqa: PLC0415 - heavy; needed once a process

    names = ("https", "http") if scheme == "https" else ("http",)
    for name in ("proxy", *(f"{name}_proxy" for name in names)):
        proxy = options.get(name)
        if proxy is not None:
            return proxy if proxy and not _is_bypassed(scheme, netloc) else None
    environment = getproxies()
    for name in names:
        proxy = environment.get(name)
        if proxy and not _is_bypassed(scheme, netloc):
            proxy = proxy if "://" in proxy else f"http://{proxy}"
            complaint = _complaint_about(proxy)
            if complaint is None:
                return proxy
            log.warn_once(f"{name}_proxy", "the proxy of %s_proxy is ignored: %s", name, complaint)
    return None


def scheme_of(proxy: str) -> str:
    """In lower case; empty if there is none."""
    scheme, separator, _ = proxy.partition("://")
    return scheme.lower() if separator else ""


def without_credentials(proxy: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without user and password, and these, decoded (TRN-26)."""
    from urllib.parse import unquote  # noqa: PLC0415 - for proxies only

    from urllib3.util import parse_url  # noqa: PLC0415

    url = parse_url(proxy)
    if not url.auth:
        return url.url, None
    user, _, password = url.auth.partition(":")
    return url._replace(auth=None).url, (unquote(user), unquote(password))


def headers_for(credentials: tuple[str, str] | None, options: Mapping[str, Any]) -> dict[str, str]:
    """What is said to an http or https proxy, and to nobody behind it."""
    from base64 import b64encode  # noqa: PLC0415 - for proxies only

    headers: dict[str, str] = {}
    if credentials is not None:
        headers["Proxy-Authorization"] = "Basic " + b64encode(":".join(credentials).encode()).decode()
    headers.update(options.get("proxy_headers") or {})
    return headers


def _complaint_about(proxy: str) -> str | None:
    if not is_http_url(proxy, _SCHEMES):
        return "it is no http, https or socks5 URL"
    if scheme_of(proxy) in SOCKS_SCHEMES and not _has_socks():
        return "SOCKS needs a package: pip install 'vedette[socks]'"
    return None


def _has_socks() -> bool:
    import importlib  # noqa: PLC0415 - for an optional package

    try:
        importlib.import_module("socks")
    except ImportError:
        return False
    return True


def _is_bypassed(scheme: str, netloc: str) -> bool:
    """Whether ``no_proxy`` names the server: by host, domain, address or network (``10.0.0.0/8``).

    A port behind any but a network must be the server's.
    """
    from urllib.request import getproxies_environment, proxy_bypass  # noqa: PLC0415

    host, port = _split(netloc, scheme)
    if proxy_bypass(netloc) or proxy_bypass(f"{host}:{port}"):
        return True
    entries = getproxies_environment().get("no", "").split(",")
    return any(_names_address(entry.strip(), host, port) for entry in entries)


def _split(netloc: str, scheme: str) -> tuple[str, str]:
    """Host, without brackets, and port."""
    if netloc.startswith("["):
        host, _, rest = netloc[1:].partition("]")
        port = rest[1:]
    else:
        host, _, port = netloc.partition(":")
    return host, port or _DEFAULT_PORTS.get(scheme, "")


def _names_address(entry: str, host: str, port: str) -> bool:
    """For addresses and networks, which the standard library compares as texts, if at all."""
    if entry.startswith("["):
        entry, _, rest = entry[1:].partition("]")
        if rest and rest != f":{port}":
            return False
    if ":" not in entry and "/" not in entry:  # a name or an IPv4 address: compared already
        return False
    import ipaddress  # noqa: PLC0415 - for no_proxy with such entries only

    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(entry, strict=False)
    except ValueError:  # a host name, an entry with a port, or what nobody can read
        return False
