"""A request as Django knows it, once it has come that far: its view, form and user."""

from __future__ import annotations

from vedette.integrations._web.asgi import AsgiRequest
from vedette.integrations._web.stored import fields_of, stored_in, user_of
from vedette.integrations._web.wsgi import WsgiRequest
from vedette.integrations.django.routes import readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["DjangoAsgiRequest", "DjangoWsgiRequest"]


class DjangoWsgiRequest(WsgiRequest):
    """Under WSGI."""

    __slots__ = ("request", "style")

    def __init__(self, environ: dict[str, Any], style: str) -> None:
        super().__init__(environ, mechanism="django")
        self.style: str = style
        self.request: object = None
        """Django's own, as soon as there is one."""

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
        """Who is logged in, if somebody has asked for that already; no session is looked up for it."""
        return user_of(stored_in(self.request).get("_cached_user"))


class DjangoAsgiRequest(AsgiRequest):
    """Under ASGI."""

    __slots__ = ("request", "style")

    def __init__(self, scope: dict[str, Any], style: str) -> None:
        super().__init__(scope, mechanism="django")
        self.style: str = style
        self.request: object = None
        """Django's own, as soon as there is one."""

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
        """Who is logged in, if somebody has asked for that already; no session is looked up for it."""
        return user_of(stored_in(self.request).get("_cached_user"))


def _transaction(request: object, style: str) -> tuple[str, str] | None:
    match = stored_in(stored_in(request).get("resolver_match"))
    if style == "function_name":
        path = match.get("_func_path")
        return (path, "component") if type(path) is str else None
    route = match.get("route")
    return (readable(route), "route") if type(route) is str else None
