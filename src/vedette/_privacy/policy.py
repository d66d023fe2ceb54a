"""The policy of one client: what it collects by itself, and which names it filters. One frozen value.

Whoever gathers data without being told to, an integration above all, asks here before it writes to an event or a scope
(DAT-122, DAT-123): each function returns what may be kept, or None for nothing at all. What the program sets itself is
not asked about (DAT-51, DAT-124); the last look before sending (`scrub`) filters that by names alone.

Where the options come from
- ``data_collection``, if it is given: its fields, and the page's default for each that is not. It is then the only
  source; ``send_default_pii`` counts no more.
- otherwise ``send_default_pii`` (ruling 34). False: no user, no cookies, and in headers the extended terms are
  filtered, too. True: all of these, but for what the deny list filters.
"""

from __future__ import annotations

from _collections_abc import Mapping  # `collections` would take a millisecond, and this is here already

from vedette._late import late
from vedette._privacy.collection import OFF, DataCollection, Frozen
from vedette._privacy.denylist import DEFAULT, FILTERED, DenyList, folded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Final

    from vedette._privacy import scrub, texts
    from vedette._privacy.collection import KeyValueCollectionBehavior
    from vedette._privacy.texts import Matches
    from vedette._protocol import json

    Pairs = Mapping[str, str] | Iterable[tuple[str, str]]
else:
    json = late("vedette._protocol.json")
    scrub = late("vedette._privacy.scrub")
    texts = late("vedette._privacy.texts")


class Policy(Frozen):
    """What may be collected, and which names are filtered.

    Args:
        send_default_pii: The option of this name.
        data_collection: The option of this name as it was given, or None.
        include_local_variables: The option of this name; False beats ``stack_frame_variables``.
        denylist: Which names are filtered; None: as the other options say.

    Raises:
        PolicyError: ``data_collection`` has a wrong field or value.
    """

    __slots__ = (
        "_collected",
        "_cookies",
        "_http_bodies",
        "_query_params",
        "_request_headers",
        "_response_headers",
        "denylist",
        "frame_context_lines",
        "gen_ai_inputs",
        "gen_ai_outputs",
        "stack_frame_variables",
        "user_info",
    )

    denylist: DenyList
    """Which names are filtered in what is rendered and sent."""

    user_info: bool
    """Whether ``user`` is filled from what a framework knows (DAT-12, DAT-16, DAT-17)."""

    stack_frame_variables: bool
    """Whether frames carry their variables."""

    frame_context_lines: int
    """Source lines above and below the line of a frame."""

    gen_ai_inputs: bool
    """Whether prompts and arguments of tools are collected (DAT-80)."""

    gen_ai_outputs: bool
    """Whether answers of models and results of tools are collected (DAT-81)."""

    _collected: DenyList
    _cookies: KeyValueCollectionBehavior
    _query_params: KeyValueCollectionBehavior
    _request_headers: KeyValueCollectionBehavior
    _response_headers: KeyValueCollectionBehavior
    _http_bodies: frozenset[str]

    def __init__(
        self,
        *,
        send_default_pii: bool = False,
        data_collection: object = None,
        include_local_variables: bool = True,
        denylist: DenyList | None = None,
    ) -> None:
        chosen = DataCollection(data_collection)
        is_strict = data_collection is None and not send_default_pii
        user_info = send_default_pii if data_collection is None else chosen.user_info
        headers = chosen.http_headers
        cookies = OFF if is_strict else chosen.cookies
        collected = sent = denylist
        if collected is None or sent is None:
            collected = DEFAULT
            if not is_strict:
                collected = DenyList(send_default_pii=not is_strict, hides_address=not user_info)
            # The last look does not know what was collected in which direction: all terms count.
            of_headers = _denied(headers.request) + _denied(headers.response)
            of_cookies, of_query = _denied(cookies), _denied(chosen.query_params)
            sent = collected
            if of_headers or of_cookies or of_query:
                sent = DenyList(
                    send_default_pii=not is_strict,
                    hides_address=not user_info,
                    header_names=of_headers,
                    cookie_names=of_cookies,
                    query_names=of_query,
                )
        self._set(
            denylist=sent,
            _collected=collected,
            user_info=user_info,
            stack_frame_variables=chosen.stack_frame_variables and include_local_variables,
            frame_context_lines=chosen.frame_context_lines,
            gen_ai_inputs=chosen.gen_ai_inputs,
            gen_ai_outputs=chosen.gen_ai_outputs,
            _cookies=cookies,
            _query_params=chosen.query_params,
            _request_headers=headers.request,
            _response_headers=headers.response,
            _http_bodies=_BODIES_BY_DEFAULT if data_collection is None else chosen.http_bodies,
        )

    def headers(self, pairs: Pairs, *, response: bool = False) -> dict[str, str] | None:
        """The headers of a request, or of a response, as an event may hold them (DAT-21, DAT-27, DAT-97, DAT-117).

        ``Cookie`` and ``Set-Cookie`` go by what is said about cookies; they are not there if those are off. Headers
        that come more than once are joined by a comma. Server variables in the form ``HTTP_X_REAL_IP`` are headers.
        """
        behaviour = self._response_headers if response else self._request_headers
        if behaviour.mode == "off":
            return None
        hidden = _hidden(behaviour, self._collected.matches_header)
        kept: dict[str, str] = {}
        for name, value in _each(pairs):
            shown = (
                self._cookie_header(name, value) if folded(name) in _COOKIES else FILTERED if hidden(name) else value
            )
            if shown is not None:
                kept[name] = f"{kept[name]}, {shown}" if name in kept else shown
        return kept

    def _cookie_header(self, name: str, value: str) -> str | None:
        if self._cookies.mode == "off":
            return None
        form = texts.set_cookie if folded(name) == _SET_COOKIE else texts.cookies
        return form(value, _hidden(self._cookies, self._collected.matches_cookie))

    def cookies(self, given: str | Pairs) -> str | dict[str, str] | None:
        """Cookies, as the text of the header or name by name, as an event may hold them (DAT-28, DAT-33 to DAT-38)."""
        if self._cookies.mode == "off":
            return None
        hidden = _hidden(self._cookies, self._collected.matches_cookie)
        if isinstance(given, str):
            return texts.cookies(given, hidden)
        return {name: FILTERED if hidden(name) else value for name, value in _each(given)}

    def query(self, given: str | Pairs) -> str | list[tuple[str, str]] | None:
        """A query string, or its parameters, as an event may hold them (DAT-29, DAT-33, DAT-34)."""
        if self._query_params.mode == "off":
            return None
        hidden = _hidden(self._query_params, self._collected.matches_query)
        if isinstance(given, str):
            return texts.query(given, hidden)
        return [(name, FILTERED if hidden(name) else value) for name, value in _each(given)]

    def collects_body(self, kind: str) -> bool:
        """Whether bodies of this kind are collected at all."""
        return kind in self._http_bodies

    def body(self, kind: str, given: object) -> Any:
        """A body as an event may hold it, or None where bodies of this kind are not collected (DAT-39 to DAT-42).

        Args:
            kind: ``incomingRequest``, ``outgoingRequest``, ``incomingResponse`` or ``outgoingResponse``.
            given: Text, bytes of UTF-8, or what a framework made of it as dicts and lists, which stay as they are.

        Returns: structure, its sensitive values filtered; ``[Filtered]`` for what is neither JSON nor a form.
        """
        if not self.collects_body(kind):
            return None
        if isinstance(given, bytes):
            given = given.decode("utf-8", "replace")
        try:
            kept = {"data": texts.body(given) if isinstance(given, str) else json.decode(json.encode(given))}
        except (TypeError, ValueError, RecursionError):
            return FILTERED
        scrub.Walk(self.denylist).over(kept)
        return kept["data"]

    def user(self, fields: Mapping[str, Any]) -> dict[str, Any] | None:
        """What a framework knows about the user: as an event may hold it, or None (DAT-16, DAT-17, DAT-103)."""
        if not self.user_info:
            return None
        return {name: value for name, value in fields.items() if value is not None}


_BODIES_BY_DEFAULT: Final = frozenset({"incomingRequest"})
"""Where ``data_collection`` does not say which (DAT-101, FW-common-10): what the program itself is sent, filtered."""
_COOKIES: Final = frozenset({"cookie", "http_cookie", "set_cookie"})
_SET_COOKIE: Final = "set_cookie"


def _denied(behaviour: KeyValueCollectionBehavior) -> tuple[str, ...]:
    return behaviour.terms if behaviour.mode == "denyList" else ()


def _hidden(behaviour: KeyValueCollectionBehavior, matches: Matches) -> Matches:
    """Which names hide their values: the deny list always wins (DAT-61 to DAT-63)."""
    terms = tuple(map(folded, behaviour.terms))
    if behaviour.mode == "allowList":
        return lambda name: matches(name) or folded(name) not in terms
    return lambda name: matches(name) or any(term in folded(name) for term in terms)


def _each(pairs: Pairs) -> Iterable[tuple[str, str]]:
    given: Any = pairs
    each: Iterable[tuple[str, str]] = given.items() if isinstance(pairs, Mapping) else given
    return each
