"""The DSN: where events go, and with which key; and whether a text is a URL that one can connect to.

Parsed by hand: ``urllib.parse`` would cost every ``import vedette`` some milliseconds. Messages say what is
missing and show what was got, but never the secret half of it: they end up in logs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Final, NoReturn

RIGHT_FORM: Final = "https://<key>@<host>/<project>"
PROTOCOL_VERSION: Final = 7
_MAX_PORT = 65_535
_MAX_SHOWN = 200


class BadDsn(ValueError):
    """A DSN that cannot be used; the message names what is wrong with it, and the right form."""


class Dsn:
    """``{scheme}://{key}[:{secret}]@{host}[:{port}][{path}]/{project}``, taken apart. It is immutable.

    White space around the text is ignored (a line end from a file or a shell); anywhere else it is refused.
    Raises BadDsn. Implements AUTH-03 to AUTH-16 and PROP-31.
    """

    __slots__ = (
        "_text",
        "envelope_url",
        "host",
        "netloc",
        "org_id",
        "path",
        "port",
        "project_id",
        "public_key",
        "scheme",
        "secret_key",
    )

    _text: str
    scheme: str
    """``http`` or ``https``."""
    public_key: str
    secret_key: str | None
    """Deprecated by the protocol; passed on if the DSN has one (an empty one counts as none)."""
    host: str
    """Without port, and without the brackets of an IPv6 address."""
    port: int | None
    netloc: str
    """Host and port as they stand in a URL."""
    path: str
    """What stands between host and project: empty, or ``/like/this``."""
    project_id: str
    org_id: str | None
    """The number of the organization, if the host is of the form ``o<number>.…``."""
    envelope_url: str

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - untyped callers
            raise BadDsn(f"a DSN must be a string like {RIGHT_FORM}, got {type(text).__name__}")
        text = text.strip()
        scheme, rest = _split_scheme(text)
        user_info, netloc, path_and_project = _split_authority(text, rest)
        public_key, _, secret_key = user_info.partition(":")
        if not public_key:
            _refuse(text, "the public key before the '@' is missing")
        host, port = _split_port(text, netloc)
        path, _, project_id = path_and_project.rpartition("/")
        path = path.rstrip("/")
        if not project_id:
            _refuse(text, "the project id at the end is missing")
        values = {
            "_text": text,
            "scheme": scheme,
            "public_key": public_key,
            "secret_key": secret_key or None,
            "host": host,
            "port": port,
            "netloc": netloc,
            "path": path,
            "project_id": project_id,
            "org_id": _org_id(host),
            "envelope_url": f"{scheme}://{netloc}{path}/api/{project_id}/envelope/",
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    @property
    def base_uri(self) -> str:
        """The server's address without key and project: ``{scheme}://{netloc}{path}``."""
        return f"{self.scheme}://{self.netloc}{self.path}"

    def auth_header(self, client: str) -> str:
        """The value of ``X-Sentry-Auth``; ``client`` is ``name/version``, the same as in User-Agent."""
        value = f"Sentry sentry_version={PROTOCOL_VERSION}, sentry_client={client}, sentry_key={self.public_key}"
        return value if self.secret_key is None else f"{value}, sentry_secret={self.secret_key}"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Dsn does not change (tried to set {name!r})")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Dsn does not change (tried to delete {name!r})")

    def __eq__(self, other: object) -> bool:
        return self._text == other._text if isinstance(other, Dsn) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> tuple[type[Dsn], tuple[str]]:
        return Dsn, (self._text,)

    def __str__(self) -> str:
        """The DSN as it was given, secret included."""
        return self._text

    def __repr__(self) -> str:
        return f"Dsn({_without_secret(self._text)!r})"


def _split_scheme(text: str) -> tuple[str, str]:
    if not text:
        raise BadDsn(f"the DSN is empty; it should look like {RIGHT_FORM}")
    if not text.isascii() or not text.isprintable() or " " in text:
        _refuse(text, "it holds white space, or characters that are not ASCII (write the host in its ASCII form)")
    scheme, separator, rest = text.partition("://")
    if not separator:
        # It may be a token that went into the wrong variable: not shown.
        raise BadDsn(f"bad DSN: '://' is missing in a text of {len(text)} characters; it should look like {RIGHT_FORM}")
    scheme = scheme.lower()
    if scheme not in ("http", "https"):
        _refuse(text, f"the scheme must be http or https, not {scheme!r}")
    for mark in "?#":
        if mark in rest:
            _refuse(text, f"a DSN has no part behind a {mark!r}")
    return scheme, rest


def _split_authority(text: str, rest: str) -> tuple[str, str, str]:
    authority, slash, path_and_project = rest.partition("/")
    user_info, at, netloc = authority.rpartition("@")
    if not at:
        _refuse(text, "the public key and its '@' are missing")
    if not netloc:
        _refuse(text, "the host is missing")
    return user_info, netloc, slash + path_and_project


def _split_port(text: str, netloc: str) -> tuple[str, int | None]:
    if netloc.startswith("["):
        host, bracket, after = netloc[1:].partition("]")
        if not bracket or (after and not after.startswith(":")):
            _refuse(text, "an IPv6 host stands in brackets, like [::1]:9000")
        if not host or not all(character in "0123456789abcdefABCDEF:." for character in host):
            _refuse(text, f"{host!r} is no IPv6 address")
        colon, port = after[:1], after[1:]
    else:
        host, colon, port = netloc.partition(":")
        if not all(character.isalnum() or character in "-._" for character in host):
            _refuse(text, f"{host!r} is no host name")
    if not host:
        _refuse(text, "the host is missing")
    if not colon:
        return host, None
    if not port.isdigit() or len(port) > len(str(_MAX_PORT)) or not 1 <= int(port) <= _MAX_PORT:
        _refuse(text, f"the port must be a number from 1 to {_MAX_PORT}")
    return host, int(port)


def _org_id(host: str) -> str | None:
    first, dot, _ = host.partition(".")
    return first[1:] if dot and first[:1] == "o" and first[1:].isdigit() else None


def _refuse(text: str, problem: str) -> NoReturn:
    raise BadDsn(f"bad DSN {_without_secret(text)!r}: {problem}; it should look like {RIGHT_FORM}")


def _without_secret(text: str) -> str:
    """The text with ``***`` for what may be secret: the second half of the user info, and any query."""
    scheme, separator, rest = text.partition("://")
    for mark in "?#":
        kept, found, _ = rest.partition(mark)
        rest = f"{kept}{found}***" if found else rest
    authority, slash, path = rest.partition("/")
    user_info, at, netloc = authority.rpartition("@")
    if at:
        key, colon, secret = user_info.partition(":")
        authority = f"{key}:***@{netloc}" if colon and secret else authority
    else:  # no host: what follows a colon may be a port, or a secret key whose host was forgotten
        host, colon, port = netloc.partition(":")
        authority = f"{host}:***" if colon and not port.isdigit() and not host.startswith("[") else authority
    return f"{scheme}{separator}{authority}{slash}{path}"[:_MAX_SHOWN]


def is_http_url(text: str, schemes: Collection[str] = ("http", "https")) -> bool:
    """Whether a proxy may be at this: ``http://user:password@host:port/...``; user, port and path are optional.

    ``schemes``, in lower case, may name others that have the same form.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in schemes or not text.isprintable() or " " in text:
        return False
    for mark in "/?#":
        rest = rest.partition(mark)[0]
    netloc = rest.rpartition("@")[2]
    if netloc.startswith("["):
        host, bracket, after = netloc[1:].partition("]")
        if not bracket or not set(host) <= set("0123456789abcdefABCDEF:.%") or after[:1] not in ("", ":"):
            return False
        port = after[1:]
    else:
        host, _, port = netloc.partition(":")
        if not host.isascii() or not all(letter.isalnum() or letter in "-._" for letter in host):
            return False
    return bool(host) and (not port or _is_port(port))


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT)) and 1 <= int(text) <= _MAX_PORT
