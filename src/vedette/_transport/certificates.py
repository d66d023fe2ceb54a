"""Whom vedette trusts, and how it shows who it is: certificates, from options and environment."""

from __future__ import annotations

import os

from vedette._host import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Any, Final

_BUNDLES: Final = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
_FOLDERS: Final = "SSL_CERT_DIR"


def check_certificates(options: Mapping[str, Any]) -> None:
    """Raise ValueError for a certificate option that cannot work."""
    if options.get("ssl_context") is not None and options.get("ca_certs"):
        raise ValueError("option 'ca_certs' has no effect beside 'ssl_context', which says whom to trust: give one")
    for name in ("ca_certs", "cert_file", "key_file"):
        path = options.get(name)
        if path and not os.path.exists(path):
            raise ValueError(f"option {name!r} names a file that does not exist: {path!r}")
    if options.get("key_file") and not options.get("cert_file"):
        raise ValueError("option 'key_file' needs 'cert_file', the certificate that the key is for")


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
