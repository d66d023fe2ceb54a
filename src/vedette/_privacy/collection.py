"""The option ``data_collection``: what is collected by itself, category by category (data-collection.md, A7, A8).

Values are checked when they are made; what is wrong raises PolicyError, whose text says what would be right. Nothing
here looks at an event.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

MODES: Final = ("off", "denyList", "allowList")
BODY_TYPES: Final = ("incomingRequest", "outgoingRequest", "incomingResponse", "outgoingResponse")
DEFAULT_CONTEXT_LINES: Final = 5
MOST_CONTEXT_LINES: Final = 50

_BEHAVIOUR: Final = (
    "must be True, False, {'mode': 'off', 'denyList' or 'allowList', 'terms': [...]}, "
    "{'deny': [...]} or {'allow': [...]}"
)


class PolicyError(ValueError):
    """A value of ``data_collection`` is wrong; the message continues "option 'data_collection' ..."."""


class UnknownFieldError(PolicyError):
    """There is no field of that name."""


class Frozen:
    """Compares and shows its fields; they are set once."""

    __slots__: tuple[str, ...] = ()

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: make another one to change {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} stays")

    def _fields(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__slots__)

    def __eq__(self, other: object) -> bool:
        return self._fields() == other._fields() if isinstance(other, type(self)) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._fields())

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({fields})"

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), self._fields()


class KeyValueCollectionBehavior(Frozen):
    """What is collected of headers, cookies or query parameters (DAT-59 to DAT-64, DAT-116).

    Args:
        mode: ``"off"``: nothing, not even the names. ``"denyList"``: all names, with the values of those that are not
            sensitive. ``"allowList"``: all names, with the values of those in ``terms`` that are not sensitive.
        terms: With ``denyList``, more terms that make a name sensitive wherever they stand in it. With ``allowList``,
            the whole names that are shown. Case does not count.

    Raises:
        ValueError: The mode is none of the three, the terms are no strings, or ``off`` has terms.
    """

    __slots__ = ("mode", "terms")

    mode: str
    terms: tuple[str, ...]

    def __init__(self, mode: str = "denyList", terms: Iterable[str] | None = None) -> None:
        given: Any = terms
        if mode not in MODES:
            raise PolicyError(f"needs one of {', '.join(map(repr, MODES))} as mode, not {mode!r}")
        if given is not None and not (_is_list(given) and all(isinstance(term, str) and term for term in given)):
            raise PolicyError(f"needs a list of strings as terms, not {given!r}")
        if given and mode == "off":
            raise PolicyError("takes no terms with mode 'off'")
        self._set(mode=mode, terms=tuple(given or ()))


class HeaderConfig(Frozen):
    """What is collected of HTTP headers, for both directions apart (DAT-78).

    Args:
        request: Behaviour for the headers of requests; None: the default, ``denyList``.
        response: The same for responses.

    Raises:
        ValueError: One of them is no KeyValueCollectionBehavior, nor one of its shorthands.
    """

    __slots__ = ("request", "response")

    request: KeyValueCollectionBehavior
    response: KeyValueCollectionBehavior

    def __init__(
        self,
        request: KeyValueCollectionBehavior | Any | None = None,
        response: KeyValueCollectionBehavior | Any | None = None,
    ) -> None:
        self._set(
            request=DENY_LIST if request is None else _behaviour("request", request),
            response=DENY_LIST if response is None else _behaviour("response", response),
        )


DENY_LIST: Final = KeyValueCollectionBehavior()
OFF: Final = KeyValueCollectionBehavior("off")


class DataCollection(Frozen):
    """The option with every field: what was given, and the page's defaults for the rest (DAT-73 to DAT-86).

    Raises:
        PolicyError: A field has a wrong name or value.
    """

    __slots__ = (
        "cookies",
        "frame_context_lines",
        "gen_ai_inputs",
        "gen_ai_outputs",
        "http_bodies",
        "http_headers",
        "query_params",
        "stack_frame_variables",
        "user_info",
    )

    user_info: bool
    cookies: KeyValueCollectionBehavior
    http_headers: HeaderConfig
    query_params: KeyValueCollectionBehavior
    http_bodies: frozenset[str]
    gen_ai_inputs: bool
    gen_ai_outputs: bool
    stack_frame_variables: bool
    frame_context_lines: int

    def __init__(self, given: object = None) -> None:
        fields = _mapping("", {} if given is None else given, FIELDS)
        gen_ai = _mapping("gen_ai", fields.get("gen_ai", {}), ("inputs", "outputs"))
        self._set(
            user_info=_boolean("user_info", fields.get("user_info", False)),
            cookies=_behaviour("cookies", fields.get("cookies", True)),
            http_headers=_headers(fields.get("http_headers", True)),
            query_params=_behaviour("query_params", fields.get("query_params", True)),
            http_bodies=_bodies(fields.get("http_bodies", ())),
            gen_ai_inputs=_boolean("gen_ai.inputs", gen_ai.get("inputs", True)),
            gen_ai_outputs=_boolean("gen_ai.outputs", gen_ai.get("outputs", True)),
            stack_frame_variables=_boolean("stack_frame_variables", fields.get("stack_frame_variables", True)),
            frame_context_lines=_lines(fields.get("frame_context_lines", True)),
        )


FIELDS: Final = (
    "user_info",
    "cookies",
    "http_headers",
    "query_params",
    "http_bodies",
    "gen_ai",
    "stack_frame_variables",
    "frame_context_lines",
)


def _mapping(name: str, given: Any, known: tuple[str, ...]) -> dict[str, Any]:
    of = f" of {name!r}" if name else ""
    if not _is_dict(given):
        raise PolicyError(f"must be a dict{f', and so must {name!r}' if name else ''}; its fields{of}: {_list(known)}")
    for field in given:
        if field not in known:
            raise UnknownFieldError(f"has no field {field!r}{of}{_nearest(field, known)}")
    return {**given}


def _is_dict(given: Any) -> bool:
    return issubclass(type(given), dict)


def _is_list(given: Any) -> bool:
    return issubclass(type(given), (list, tuple, set, frozenset))


def _nearest(field: object, known: tuple[str, ...]) -> str:
    import difflib  # noqa: PLC0415 - only for the message of a mistake

    nearest = difflib.get_close_matches(str(field), known, n=1, cutoff=0.6)
    return f". Did you mean {nearest[0]!r}?" if nearest else f". The fields are: {_list(known)}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


def _boolean(name: str, given: object) -> bool:
    if isinstance(given, bool):
        return given
    raise PolicyError(f"needs True or False as {name!r}, not {given!r}")


def _behaviour(name: str, given: Any) -> KeyValueCollectionBehavior:
    """A behaviour, from the object itself or one of its shorthands."""
    if isinstance(given, KeyValueCollectionBehavior):
        return given
    if isinstance(given, bool):
        return DENY_LIST if given else OFF
    if not _is_dict(given):
        raise PolicyError(f"has a wrong {name!r}: it {_BEHAVIOUR}, not {given!r}")
    try:
        fields = set(given)
        if fields == {"deny"}:
            return KeyValueCollectionBehavior("denyList", given["deny"])
        if fields == {"allow"}:
            return KeyValueCollectionBehavior("allowList", given["allow"])
        if fields <= {"mode", "terms"}:
            return KeyValueCollectionBehavior(**given)
    except PolicyError as error:
        raise PolicyError(f"has a wrong {name!r}: it {error}") from None
    raise PolicyError(f"has a wrong {name!r}: it {_BEHAVIOUR}, not {given!r}")


def _headers(given: Any) -> HeaderConfig:
    """Both directions, apart or by the shorthand of one behaviour (DAT-77)."""
    if isinstance(given, HeaderConfig):
        return given
    if _is_dict(given) and (not given or {"request", "response"} & given.keys()):
        fields = _mapping("http_headers", given, ("request", "response"))
        request, response = fields.get("request"), fields.get("response")
        return HeaderConfig(
            None if request is None else _behaviour("http_headers.request", request),
            None if response is None else _behaviour("http_headers.response", response),
        )
    both = _behaviour("http_headers", given)
    return HeaderConfig(both, both)


def _bodies(given: Any) -> frozenset[str]:
    if isinstance(given, bool):  # a shorthand (DAT-65)
        return frozenset(BODY_TYPES if given else ())
    if not _is_list(given):
        raise PolicyError(f"needs a list of {_list(BODY_TYPES)} as 'http_bodies', not {given!r}")
    for body_type in given:
        if body_type not in BODY_TYPES:
            raise PolicyError(
                f"has an unknown body type in 'http_bodies': {body_type!r}{_nearest(body_type, BODY_TYPES)}"
            )
    return frozenset(given)


def _lines(given: object) -> int:
    """Source lines above and below the line of a frame; True: the default, False: none (DAT-86)."""
    if isinstance(given, bool):
        return DEFAULT_CONTEXT_LINES if given else 0
    if isinstance(given, int) and 0 <= given <= MOST_CONTEXT_LINES:
        return given
    raise PolicyError(f"needs a whole number from 0 to {MOST_CONTEXT_LINES} as 'frame_context_lines', not {given!r}")
