"""Rendering of libraries' types whose instances store far more than they are, or what nobody should read.

A class, or a base of it, is recognized by its dotted name, so that nothing is imported. Most become one line of the
few stored fields that tell what they are: no query, no element of an array, no attribute of a proxy is touched.
"""

from __future__ import annotations

from vedette._events.builtin_values import is_hidden
from vedette._events.dispatch_values import fit
from vedette._events.reading_values import (
    class_of,
    derives,
    dict_len,
    dotted_name,
    genuine,
    list_len,
    list_slice,
    mro_of,
    plain_str,
    tuple_slice,
    type_names,
)
from vedette._events.structured_values import Fields, bare_line, structure
from vedette._late import late
from vedette._privacy.denylist import FILTERED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from vedette._events import array_values
    from vedette._events.dispatch_values import Renderer
    from vedette._events.settings import EventSettings

    Factory = Callable[[type, Any], Renderer]  # the value's class, and the base of it that is in the table
    Line = Callable[[dict[str, object], EventSettings], str]
else:
    array_values = late("vedette._events.array_values")

_LONGEST_URL = 500  # characters of each part
_LONGEST_HEADER = 200  # bytes of a name or a value


def plan_library(cls: type) -> Renderer | None:
    """For the types of the tables below and for their subclasses."""
    for base in mro_of(cls):
        names = type_names(base)
        factory = _FACTORIES.get(names)
        if factory is not None and (factory not in _GENUINE or genuine(base, *names)):
            return factory(cls, base)
        shown = _SHOWN.get(names)
        if shown is not None:
            return _told_by(cls, shown)
    return None


def plan_inner(cls: type) -> Renderer | None:
    """For what these libraries define for their own use: its class, for what it stores tells nobody else anything."""
    package = type_names(cls)[0].partition(".")[0]
    return _told_by(cls, ()) if package in _NOT_OPENED else None


_NOT_OPENED = frozenset({"numpy", "pandas", "sqlalchemy"})


def _told_by(cls: type, names: tuple[str, ...]) -> Renderer:
    """``<sqlalchemy.engine.base.Engine url=URL(...)>``: the class and these fields, or the class alone."""
    if not names:
        return bare_line(f"<{dotted_name(cls)}>")
    return structure(Fields(cls, names), (f"<{dotted_name(cls)} ", " ", ">"))


def _thread(cls: type, _base: Any) -> Renderer:
    """A thread's name, and what a class of the program's own stores in it."""
    return structure(Fields(cls, skipped=_OF_EACH_THREAD), (f"<{dotted_name(cls)} ", " ", ">"))


_OF_EACH_THREAD = frozenset(
    {"_target", "_args", "_kwargs", "_daemonic", "_ident", "_native_id", "_handle", "_tstate_lock", "_started"}
    | {"_is_stopped", "_initialized", "_stderr", "_invoke_excepthook", "_context"}
)


# --- lines that are more than a few fields ---


def _line(fields: tuple[str, ...], line_of: Line, closing: str = ">") -> Factory:
    """``<module.Class`` and what ``line_of`` makes of these stored fields."""

    def factory(cls: type, _base: Any) -> Renderer:
        reader = Fields(cls, fields)
        name = dotted_name(cls)

        def render_line(value: object, room: int, _depth: int, settings: EventSettings) -> str:
            return fit(f"<{name}{line_of(reader.named(value), settings)}>", room, closing)

        return render_line

    return factory


def _model(found: dict[str, object], _settings: EventSettings) -> str:
    model = found.get("model")
    return f" of {dotted_name(model)}" if derives(type(model), type) else ""  # type: ignore[arg-type] # a class


def _query_set(found: dict[str, object], settings: EventSettings) -> str:
    cache: Any = found.get("_result_cache")
    state = f"{list_len(cache)} loaded" if class_of(cache) is list else "not evaluated"
    return f"{_model(found, settings)}, {state}"


def _environment(found: dict[str, object], _settings: EventSettings) -> str:
    # Passwords stand in the values of variables with any name: DATABASE_URL, SENTRY_DSN.
    data: Any = found.get("_data")
    return f", {dict_len(data)} variables" if class_of(data) is dict else ""


def _raw_headers(found: dict[str, object], settings: EventSettings) -> str:
    """Of httpx, which keeps each header as a triple: as it was given, in lower case, and the value."""
    stored: Any = found.get("_list")
    shown: list[str] = []
    for item in list_slice(stored, slice(0, 10)) if class_of(stored) is list else []:
        if class_of(item) is tuple and len(item) == 3 and all(class_of(part) is bytes for part in item):  # noqa: PLR2004
            name, value = (part[:_LONGEST_HEADER].decode("latin-1") for part in (item[0], item[2]))
            hidden = settings.denylist.matches_header(name) or is_hidden(item[0], settings)
            shown.append(f"{name}: {FILTERED if hidden else value}")
    return f" {', '.join(shown)}" if shown else ""


def _url(found: dict[str, object], _settings: EventSettings) -> str:
    """Of httpx's URL, as far as it can hold no secret."""
    parts: Any = found.get("_uri_reference")
    if not derives(class_of(parts), tuple):
        return ""
    texts = [plain_str(part, _LONGEST_URL) or "" for part in tuple_slice(parts, slice(0, 5))]
    return f" {texts[0]}://{texts[2]}{texts[4]}" if len(texts) == 5 else ""  # noqa: PLR2004 - scheme to path


def _split_url(cls: type, _base: Any) -> Renderer:
    """What ``urlsplit`` and ``urlparse`` make of a URL, without user, password and query."""
    name = dotted_name(cls)

    def render_split_url(value: object, room: int, _depth: int, _settings: EventSettings) -> str:
        parts = [plain_str(part, _LONGEST_URL) or "" for part in tuple_slice(value, slice(0, 3))]
        scheme, network, path = parts if len(parts) == 3 else ("", "", "")  # noqa: PLR2004 - the first fields
        return fit(f"<{name} {scheme}://{network.rpartition('@')[2]}{path}>", room, ">")

    return render_split_url


def _array(cls: type, base: Any) -> Renderer:
    return array_values.array(cls, base)


def _scalar(cls: type, base: Any) -> Renderer:
    return array_values.scalar(cls, base)


def _table(cls: type, base: Any) -> Renderer:
    return array_values.table(cls, base)


_FACTORIES: dict[tuple[str, str], Factory] = {
    ("numpy", "ndarray"): _array,
    **{("numpy", name): _scalar for name in ("integer", "floating", "complexfloating", "bool", "bool_")},
    **{("numpy", name): _scalar for name in ("datetime64", "timedelta64")},
    ("pandas", "DataFrame"): _table,
    ("pandas", "Series"): _table,
    ("pandas", "Index"): _table,
    ("pandas.core.frame", "DataFrame"): _table,  # before pandas 3
    ("pandas.core.series", "Series"): _table,
    ("pandas.core.indexes.base", "Index"): _table,
    ("pandas._libs.tslibs.nattype", "_NaT"): lambda _cls, _base: bare_line("NaT"),
    ("pandas._libs.missing", "C_NAType"): lambda _cls, _base: bare_line("<NA>"),
    ("django.db.models.query", "QuerySet"): _line(("model", "_result_cache"), _query_set),
    ("django.db.models.query", "RawQuerySet"): _line(("model", "_result_cache"), _query_set),
    ("django.db.models.manager", "BaseManager"): _line(("model",), _model),
    ("threading", "Thread"): _thread,
    ("urllib.parse", "_NetlocResultMixinStr"): _split_url,
    ("os", "_Environ"): _line(("_data",), _environment),
    ("httpx", "Headers"): _line(("_list",), _raw_headers),
    ("httpx", "URL"): _line(("_uri_reference",), _url),
}
_GENUINE = frozenset({_array, _scalar})  # these read fields of C types

# The stored fields that tell what an instance is; none: its class says it all.
_SHOWN: dict[tuple[str, str], tuple[str, ...]] = {
    ("polars.dataframe.frame", "DataFrame"): (),
    ("polars.lazyframe.frame", "LazyFrame"): (),
    ("polars.series.series", "Series"): (),
    ("torch", "Tensor"): (),
    ("torch.nn.modules.module", "Module"): (),
    ("tensorflow.python.framework.ops", "Tensor"): (),
    ("rq.job", "Job"): ("_id", "_func_name"),  # its arguments are in there as a pickle, where no name can be hidden
    ("sqlalchemy.engine.base", "Engine"): ("url",),
    ("sqlalchemy.engine.base", "Connection"): (),
    ("sqlalchemy.orm.session", "Session"): (),
    ("sqlalchemy.orm.query", "Query"): (),
    ("sqlalchemy.sql.elements", "TextClause"): ("text",),
    ("sqlalchemy.sql.elements", "ClauseElement"): (),  # statements, tables, columns: values hide in their depth
    ("django.conf", "LazySettings"): (),
    ("django.conf", "UserSettingsHolder"): (),
    ("django.conf", "Settings"): ("SETTINGS_MODULE",),
    ("django.utils.connection", "ConnectionProxy"): ("_alias",),
    ("django.utils.connection", "BaseConnectionHandler"): (),
    ("django.db.backends.base.base", "BaseDatabaseWrapper"): ("alias", "vendor"),
    ("django.db.models.options", "Options"): ("app_label", "model_name"),
    ("django.db.models.fields", "Field"): ("name",),
    ("django.forms.forms", "BaseForm"): ("is_bound", "data", "_errors"),
    ("werkzeug.local", "LocalProxy"): (),
    ("unittest.mock", "Base"): ("_mock_name", "_spec_class"),
    ("http.cookiejar", "Cookie"): ("name", "domain", "path"),
    ("http.cookiejar", "CookieJar"): (),
    ("logging", "Logger"): ("name",),
}
