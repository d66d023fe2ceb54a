"""The options that are dicts, or lists of dicts: their keys are checked like the names of options (PAIN-28).

``data_collection`` is checked by the value of ``_privacy`` that it stands for. A list or dict is copied, so that nobody
changes it behind the client's back. Few programs give any of them: this is loaded by the first one that is given.
"""

from __future__ import annotations

from vedette._options.checks import (
    BOOLEAN,
    TEXT,
    Check,
    at,
    fields,
    is_a,
    is_pattern,
    is_text,
    members,
    whole,
)
from vedette._options.errors import WrongValueError
from vedette._privacy.collection import DataCollection, PolicyError, UnknownFieldError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

# --- data_collection -----------------------------------------------------------------------------------------


def data_collection(value: Any) -> dict[str, Any]:
    """Checked field by field where the value is made that it stands for."""
    try:
        DataCollection(value)
    except PolicyError as error:
        raise WrongValueError(str(error), is_name=isinstance(error, UnknownFieldError)) from None
    return dict(value)


# --- lists of dicts ------------------------------------------------------------------------------------------

_FUNCTION: Final = {"qualified_name": TEXT}


def _function(value: Any) -> dict[str, Any]:
    found = fields(value, _FUNCTION)
    if not found.get("qualified_name"):
        raise WrongValueError
    return found


def functions(value: Any) -> tuple[dict[str, Any], ...]:
    """Of ``functions_to_trace``."""
    return tuple(at(f"[{index}]", _FUNCTION_CHECK, each) for index, each in enumerate(members(value)))


def _span_rule(value: Any) -> object:
    if is_text(value) or is_pattern(value):
        return value
    return fields(value, _SPAN_RULE)


def span_rules(value: Any) -> tuple[object, ...]:
    """Of ``ignore_spans``."""
    return tuple(at(f"[{index}]", _SPAN_RULE_CHECK, each) for index, each in enumerate(members(value)))


def _matcher(value: Any) -> object:
    if not (is_text(value) or is_pattern(value)):
        raise WrongValueError
    return value


def _attributes(value: Any) -> dict[str, Any]:
    if not is_a(value, dict) or not all(map(is_text, value)):
        raise WrongValueError
    return dict(value)


_FUNCTION_CHECK: Final = Check("a dict such as {'qualified_name': 'shop.cart.checkout'}", _function)
_SPAN_RULE: Final = {
    "name": Check("a string or a compiled pattern", _matcher),
    "attributes": Check("a dict of strings to values", _attributes),
}
_SPAN_RULE_CHECK: Final = Check("a string, a compiled pattern, or a dict of 'name' and 'attributes'", _span_rule)

# --- _experiments --------------------------------------------------------------------------------------------


class Experiment:
    """One key of ``_experiments``: its check, and the option that has taken its place, if there is one."""

    __slots__ = ("check", "option")

    def __init__(self, check: Check | None = None, *, option: str | None = None) -> None:
        self.check = check
        self.option = option


def _moved(value: Any) -> Any:
    return value  # checked as the option that it has become


_MOVED: Final = Check("as for the option of that name", _moved)

EXPERIMENTS: Final = {
    "max_spans": Experiment(whole(0, 1_000_000)),
    "max_flags": Experiment(whole(0, 10_000)),
    "record_sql_params": Experiment(BOOLEAN),
    "continuous_profiling_auto_start": Experiment(BOOLEAN),
    "continuous_profiling_mode": Experiment(TEXT),
    "otel_powered_performance": Experiment(BOOLEAN),
    "transport_zlib_compression_level": Experiment(whole(0, 9)),
    "transport_compression_level": Experiment(whole(0, 11)),
    "transport_compression_algo": Experiment(option="compression"),
    "transport_num_pools": Experiment(whole(1, 1000)),
    "transport_http2": Experiment(BOOLEAN),
    "transport_async": Experiment(BOOLEAN),
    "enable_logs": Experiment(option="enable_logs"),
    "before_send_log": Experiment(option="before_send_log"),
    "enable_metrics": Experiment(option="enable_metrics"),
    "before_send_metric": Experiment(option="before_send_metric"),
    "trace_lifecycle": Experiment(option="trace_lifecycle"),
    "ignore_spans": Experiment(option="ignore_spans"),
    "before_send_span": Experiment(option="before_send_span"),
    "suppress_asgi_chained_exceptions": Experiment(BOOLEAN),
    "data_collection": Experiment(option="data_collection"),
}
_EXPERIMENT_CHECKS: Final = {
    name: _MOVED if experiment.check is None else experiment.check.or_none() for name, experiment in EXPERIMENTS.items()
}


def experiments(value: Any) -> dict[str, Any]:
    """The keys that there are, each with its own check."""
    return fields(value, _EXPERIMENT_CHECKS)
