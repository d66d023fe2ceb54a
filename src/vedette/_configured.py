"""What the finished options come down to: the values and parts that a client is made of."""

from __future__ import annotations

from vedette._events.reading_values import derives
from vedette._events.settings import EventSettings
from vedette._events.values import exception_text, type_names
from vedette._host import callers, log
from vedette._late import late
from vedette._options import OptionError, Remark
from vedette._privacy.policy import Policy
from vedette._protocol.dsn import BadDsn
from vedette._transport.http import HttpTransport
from vedette._transport.interface import FunctionTransport, Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from re import Pattern
    from typing import Any, Final

    from vedette._privacy import event_scrubber
    from vedette._privacy.denylist import DenyList
    from vedette._protocol.categories import DataCategory
    from vedette._protocol.dsn import Dsn
    from vedette._transport import journal
    from vedette._transport.journal import Journal
else:
    event_scrubber = late("vedette._privacy.event_scrubber")
    journal = late("vedette._transport.journal")

_LONGEST_NAME: Final = 200


def policy_of(options: Mapping[str, Any], remarks: list[Remark]) -> Policy:
    """The one value that ``send_default_pii``, ``data_collection`` and their like come down to."""
    if options["spotlight"] and not options["dsn"]:
        return policy_for_spotlight(options)  # nobody else gets it
    pii, collection = options["send_default_pii"], options["data_collection"]
    if pii is not None and collection is not None:
        text = "both 'data_collection' and 'send_default_pii' are set: data_collection wins, user_info in it decides"
        remarks.append(Remark("data_collection", text, is_warning=True))
    scrubber = options["event_scrubber"]
    return Policy(
        send_default_pii=bool(pii),
        data_collection=collection,
        include_local_variables=options["include_local_variables"] is not False,
        denylist=_deny_list_of(scrubber),
    )


def policy_for_spotlight(options: Mapping[str, Any]) -> Policy:
    """All that names persons is collected, secrets are filtered: what stays on the developer's machine (INT-99)."""
    return Policy(
        send_default_pii=True,
        include_local_variables=options["include_local_variables"] is not False,
        denylist=_deny_list_of(options["event_scrubber"]),
    )


def _deny_list_of(scrubber: Any) -> DenyList | None:
    return None if scrubber is None else event_scrubber.deny_list_of(scrubber)


def event_settings_of(options: Mapping[str, Any], policy: Policy) -> EventSettings:
    return EventSettings(
        denylist=policy.denylist,
        in_app_include=options["in_app_include"],
        in_app_exclude=options["in_app_exclude"],
        project_root=options["project_root"],
        include_local_variables=policy.stack_frame_variables,
        include_source_context=options["include_source_context"] is not False,
        context_lines=policy.frame_context_lines,
        max_value_length=options["max_value_length"],
        max_stack_frames=options["max_stack_frames"] or 1000,
        add_full_stack=options["add_full_stack"],
        custom_repr=options["custom_repr"],
        auto_ip_address=policy.user_info,
    )


def event_defaults_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """What every event of a client says alike; ``sdk`` is added to each."""
    defaults = {
        "platform": "python",
        "environment": options["environment"],
        "release": options["release"],
        "dist": options["dist"],
        "server_name": options["server_name"],
    }
    return {name: value for name, value in defaults.items() if value}


def trace_fields_of(dsn: Dsn | None, defaults: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the dynamic sampling context that are known from the start (ENV-43, ENV-44)."""
    fields = {"public_key": dsn.public_key if dsn is not None else None}
    fields.update({name: defaults.get(name) for name in ("release", "environment")})
    return {name: value for name, value in fields.items() if value}


class IgnoredErrors:
    """Which exceptions are not sent, by the option ``ignore_errors``: sorted once by how they are named (ruling 36)."""

    __slots__ = ("_names", "_odd_classes", "_patterns", "_plain_classes")

    def __init__(self, matchers: Iterable[type[BaseException] | str | Pattern[str]]) -> None:
        classes = tuple(each for each in matchers if isinstance(each, type))
        # For these `issubclass` asks nobody, and takes a sixth of looking by hand: 15 ns.
        self._plain_classes = tuple(each for each in classes if type(each) is type)
        self._odd_classes = tuple(each for each in classes if type(each) is not type)
        self._names = frozenset(each for each in matchers if isinstance(each, str))
        self._patterns = tuple(each for each in matchers if not isinstance(each, (type, str)))

    def match(self, exception: BaseException, settings: EventSettings) -> bool:
        """Whether one of them is the exception's: by class, by name, or by pattern (CLI-34, CLI-35)."""
        cls = type(exception)
        if issubclass(cls, self._plain_classes) or any(derives(cls, each) for each in self._odd_classes):
            return True
        if not (self._names or self._patterns):
            return False
        module, qualname = type_names(cls)
        if qualname in self._names or f"{module}.{qualname}" in self._names:
            return True
        if not self._patterns:
            return False
        text = f"{qualname}: {exception_text(exception, settings.text_limit, settings) or ''}"
        return any(pattern.search(text) is not None for pattern in self._patterns)


def ignored_errors_of(options: Mapping[str, Any]) -> IgnoredErrors | None:
    matchers = options["ignore_errors"]
    return IgnoredErrors(matchers) if matchers else None


def transport_of(options: Mapping[str, Any]) -> Transport:
    """The transport of the options: an instance, a class, a function (deprecated), or vedette's own."""
    given = options["transport"]
    if given is None:
        try:
            return HttpTransport(options)
        except BadDsn:
            raise
        except ValueError as error:  # an encoding whose extra is not installed
            raise OptionError(str(error)) from None
    if isinstance(given, Transport):
        return given
    if not isinstance(given, type) and hasattr(given, "capture_envelope"):
        message = (
            f"option 'transport' must be of a subclass of vedette.Transport, got one of {type(given).__qualname__!r}"
        )
        raise OptionError(message)
    if isinstance(given, type):
        made = given(options) if issubclass(given, Transport) else None
        if made is None:
            message = (
                f"option 'transport' must be a subclass of vedette.Transport, got the class {given.__qualname__!r}"
            )
            raise OptionError(message)
        return made
    import warnings  # noqa: PLC0415 - for this only

    message = "a function as 'transport' is deprecated: give a vedette.Transport (see vedette.testing for tests)"
    warnings.warn(message, DeprecationWarning, stacklevel=callers.frame_and_level()[1])
    return FunctionTransport(given, options)


def open_journal(
    options: Mapping[str, Any], dsn: Dsn | None, on_evicted: Callable[[DataCategory, int], None]
) -> Journal | None:
    """The journal in ``cache_dir``, a folder in it for each DSN; None without one, or, with a warning, if it fails."""
    directory = options["cache_dir"]
    if not directory or dsn is None:
        return None
    try:
        return journal.Journal(
            directory,
            _folder_name(dsn),
            max_bytes=options["cache_max_bytes"],
            max_items=options["cache_max_items"],
            max_age=options["cache_max_age"],
            on_evicted=on_evicted,
        )
    except (OSError, ValueError) as error:
        log.warning("'cache_dir' cannot be used, what is not delivered at once may be lost: %s", error)
        return None


def _folder_name(dsn: Dsn) -> str:
    """A name that can be read, and that no other DSN has: who changes or shortens it says so by a checksum."""
    name = f"{dsn.host}-{dsn.port}-{dsn.path}-{dsn.project_id}-{dsn.public_key}"
    plain = "".join(each if each.isalnum() or each in "-_." else "-" for each in name)
    if plain == name and len(name) <= _LONGEST_NAME:
        return name
    import zlib  # noqa: PLC0415 - for this only

    checksum = f"-{zlib.crc32(name.encode('utf-8', 'replace')):08x}"
    return plain[len(checksum) - _LONGEST_NAME :] + checksum
