"""A request as Django knows it, once it has come that far: its view, form and user."""

from __future__ import annotations

from vedette.integrations._web.asgi import AsgiRequest
from vedette.integrations._web.requests import WebRequest
from vedette.integrations._web.stored import fields_of, stored_in, user_of
from vedette.integrations._web.wsgi import WsgiRequest
from vedette.integrations.django._routes import readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DjangoAsgiRequest", "DjangoWsgiRequest", "is_repeated"]


class _KnownToDjango(WebRequest):
    """What both have in common."""

    style: str
    request: object
    """Django's own, as soon as there is one."""
    failures: list[int]
    """Which exceptions Django has told of, by their ids."""

    def begin(self, style: str) -> None:
        """Nothing of Django's is known yet."""
        self.style, self.request, self.failures = style, None, []

    def end(self) -> None:
        """Let go of Django's request, too."""
        super().end()
        self.request = None

    def transaction(self) -> tuple[str, str] | None:
        """The pattern of the URL, or the path of the view; where none fits, the path."""
        return _transaction(self.request, self.style) or super().transaction()

    def form(self) -> Any:
        """The fields, if Django has parsed the form."""
        return fields_of(stored_in(self.request).get("_post"))

    def user(self) -> dict[str, Any] | None:
        """Who is logged in, or whom a middleware or a token names; no session is looked up for it."""
        return _user(self.request)


class DjangoWsgiRequest(_KnownToDjango, WsgiRequest):
    """Under WSGI."""

    def __init__(self, environ: dict[str, Any], style: str) -> None:
        WsgiRequest.__init__(self, environ, mechanism="django")
        self.begin(style)


class DjangoAsgiRequest(_KnownToDjango, AsgiRequest):
    """Under ASGI."""

    def __init__(self, scope: dict[str, Any], style: str) -> None:
        AsgiRequest.__init__(self, scope, mechanism="django")
        self.begin(style)


def _transaction(request: object, style: str) -> tuple[str, str] | None:
    match = stored_in(stored_in(request).get("resolver_match"))
    if style == "function_name":
        path = match.get("_func_path")
        return (path, "component") if type(path) is str else None
    route = match.get("route")
    return (readable(route), "route") if type(route) is str else None


def _user(request: object) -> dict[str, Any] | None:
    fields = stored_in(request)
    user = fields.get("user")
    user = stored_in(user).get("_wrapped", user)  # Django's own is lazy, and has nothing there as long as nobody asked
    for each in (user, fields.get("_cached_user"), fields.get("_acached_user")):
        found = user_of(each)
        if found is not None:
            return found
    return None


def is_repeated(work: Any, error: BaseException | None) -> bool:
    """Whether the handler of status 500 has failed again, for what it has failed with before.

    Django asks it once in each middleware that the first such failure comes through.
    """
    if type(work) not in {DjangoWsgiRequest, DjangoAsgiRequest}:
        return False
    told: list[int] = work.failures
    found = 0
    for _ in range(_LONGEST_CHAIN if len(told) > 1 else 0):
        error = None if error is None else error.__context__
        found += id(error) in told
    return found > 1


_LONGEST_CHAIN = 50
