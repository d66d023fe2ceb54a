"""How the route of a request reads, as Starlette and FastAPI have stored it: ``/shop/{item}`` (FW-starlette-04).

Patterns of mounts are found again from the outermost router: what a scope has of a mount is the path that was asked
for, with the values in it, and a name is to have few of these (FW-common-21).
"""

from __future__ import annotations

from vedette.integrations._web.stored import stored_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["route_of"]

_DEEPEST_MOUNT = 5


def route_of(scope: dict[str, Any]) -> str | None:
    """The pattern of what a request was routed to; None where that is not known."""
    endpoint = scope.get("endpoint")
    route = stored_in(_selected(scope, endpoint))
    path = route.get("path")
    if type(path) is not str:
        return None
    return _mounted_at(scope) + (path if "endpoint" in route or "original_route" in route else "")  # else it is a mount


def _selected(scope: dict[str, Any], endpoint: object) -> object:
    """What the scope names; older versions of Starlette name the function only."""
    route: object = scope.get("route")
    included = _included(scope, route, endpoint)
    if included is not None:
        return included
    return route if route is not None else _route_to(endpoint, scope)


def _included(scope: dict[str, Any], route: object, endpoint: object) -> object:
    """The same of a router that FastAPI has included: only this knows the prefix, the route itself does not."""
    of_fastapi: dict[str, Any] | None = scope.get("fastapi")
    included: Any = of_fastapi.get("effective_route_context") if isinstance(of_fastapi, dict) else None
    fields = stored_in(included)
    prefixed = fields.get("starlette_route")  # of all but FastAPI's own routes
    if prefixed is None:
        return included if fields and fields.get("original_route") is route else None
    known = stored_in(prefixed)
    return prefixed if known.get("endpoint", known.get("app")) is endpoint else None


def _route_to(endpoint: object, scope: dict[str, Any]) -> object:
    """The route of a function; of one that several routes lead to, the one on the way of the path."""
    routes = stored_in(scope.get("router")).get("routes")
    return _route_along(_path_within(scope), endpoint, routes) or _first_route_to(endpoint, routes)


def _path_within(scope: dict[str, Any]) -> str:
    """What the outermost router was asked for."""
    path, root = str(scope.get("path")), scope.get("root_path")
    outer = scope.get("app_root_path", root)
    if type(root) is not str or type(outer) is not str:
        return path
    # In a mount, older versions leave in the path what comes after it.
    return path.removeprefix(outer) if path.startswith(root) else root.removeprefix(outer) + path


def _route_along(path: str, endpoint: object, routes: list[object] | None, depth: int = 0) -> object:
    for each in routes or () if depth <= _DEEPEST_MOUNT else ():
        fields = stored_in(each)
        match = fields["path_regex"].match(path) if "path_regex" in fields else None
        rest = path if "host_regex" in fields else "/" + match["path"] if match and "endpoint" not in fields else None
        if match and fields.get("endpoint") is endpoint:
            return each
        found = _route_along(rest, endpoint, _routes_below(fields), depth + 1) if rest is not None else None
        if found is not None:
            return found
    return None


def _first_route_to(endpoint: object, routes: list[object] | None, depth: int = 0) -> object:
    """The first one, among these and those that are mounted below."""
    for each in routes or () if depth <= _DEEPEST_MOUNT else ():
        fields = stored_in(each)
        if fields.get("endpoint") is endpoint:
            return each
        found = _first_route_to(endpoint, _routes_below(fields), depth + 1)
        if found is not None:
            return found
    return None


def _routes_below(fields: dict[str, Any]) -> list[object] | None:
    below = stored_in(fields.get("_base_app", fields.get("app")))
    routes: list[object] | None = below.get("routes", stored_in(below.get("router")).get("routes"))
    return routes


def _mounted_at(scope: dict[str, Any]) -> str:
    """Where inside of the whole application the routed one is mounted."""
    root, outer = scope.get("root_path"), scope.get("app_root_path")
    if type(root) is not str or type(outer) is not str:
        return ""
    root = root.removeprefix(outer).rstrip("/")
    return (_pattern_of(root, stored_in(scope.get("router")).get("routes")) or root) if root else ""


def _pattern_of(root: str, routes: list[object] | None, depth: int = 0) -> str | None:
    """How the mounts read that this path has led through; None where none fits."""
    for each in routes or () if depth <= _DEEPEST_MOUNT else ():
        fields = stored_in(stored_in(each).get("starlette_route") or each)
        below = fields.get("_effective_candidates") or _routes_below(fields)  # of a router that FastAPI has included
        if "host_regex" in fields or "_effective_candidates" in fields:
            found = _pattern_of(root, below, depth + 1)
            if found is not None:
                return found
        if "endpoint" in fields or "path_regex" not in fields:
            continue
        match = fields["path_regex"].match(root + "/")
        if match is None:
            continue
        rest = match["path"].rstrip("/")
        found = _pattern_of("/" + rest, below, depth + 1) if rest else ""
        if found is not None:
            return str(fields["path"]) + found
    return None
