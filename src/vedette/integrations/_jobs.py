"""What the integrations of task queues share: the job that is running, as the events captured within it tell of it."""

from __future__ import annotations

import sys
from types import FunctionType, MethodType

from vedette.values import to_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Job", "function_at", "parameters_of"]


class Job:
    """One run of a task: the work of an isolation scope (``Scope.work``).

    Args:
        name: Of the task, which is what its transaction is called (FW-celery-04).
        context: The name of the context that says more, such as ``celery-job``.
        facts: What is said of it in any case.
        tags: What it can be found by.
        outer: The work that waits for this job, where one runs within another.
    """

    __slots__ = ("_args", "_context", "_facts", "_kwargs", "_parameters", "_tags", "fingerprint", "name", "outer")

    def __init__(
        self,
        name: str,
        context: str,
        *,
        facts: Mapping[str, Any],
        tags: Mapping[str, str],
        outer: Any = None,
    ) -> None:
        self.name: str = name
        self.fingerprint: list[str] | None = None
        """How its events are grouped, where their stacks do not tell."""
        self.outer: Any = outer
        self._context = context
        self._facts = facts
        self._tags = tags
        self._args: Any = None
        self._kwargs: Any = None
        self._parameters: tuple[str, ...] = ()

    def was_given(self, args: Any, kwargs: Any, parameters: tuple[str, ...]) -> None:
        """Remember its arguments until it has ended, and what the positional ones are called."""
        self._args, self._kwargs, self._parameters = args, kwargs, parameters

    def end(self) -> None:
        """Let go of what is the program's."""
        self._args = self._kwargs = self.outer = None

    def describe(self, event: dict[str, Any], client: Any) -> None:
        """Add what the event does not say yet (``Scope.work``)."""
        if not event.get("transaction"):
            event["transaction"] = self.name
            event["transaction_info"] = {"source": "task"}
        if self.fingerprint is not None and not event.get("fingerprint"):
            event["fingerprint"] = self.fingerprint
        event["tags"] = {**self._tags, **(event.get("tags") or {})}
        contexts = event.setdefault("contexts", {})
        if self._context not in contexts:
            contexts[self._context] = {**self._facts, **self._arguments(client)}
        if self.outer is not None:
            self.outer.describe(event, client)

    def _arguments(self, client: Any) -> dict[str, Any]:
        """They are the body of a message: told where those of requests are, secrets filtered by their names."""
        if not client.policy.collects_body("incomingRequest"):
            return {}
        found: dict[str, Any] = {}
        if _is_exactly(self._args, tuple, list):
            names = (*self._parameters, *map(str, range(len(self._parameters), len(self._args))))
            # Under the names of the parameters, so that a password is filtered wherever it stands.
            found["args"] = list(to_json(dict(zip(names, self._args, strict=False))).values())
        if _is_exactly(self._kwargs, dict):
            found["kwargs"] = to_json(self._kwargs)
        return found


def _is_exactly(value: object, *kinds: type) -> bool:
    """Whether the value is of one of these very classes. Type checkers learn nothing from it."""
    return type(value) in kinds


def parameters_of(function: Any) -> tuple[str, ...]:
    """What the positional parameters of a function are called; () for what is no plain function or method."""
    is_bound = type(function) is MethodType
    if is_bound:
        function = function.__func__
    if type(function) is not FunctionType:
        return ()
    code = function.__code__
    return tuple(code.co_varnames[1 if is_bound else 0 : code.co_argcount])


def function_at(path: str) -> Any:
    """What stands at a dotted path such as ``shop.jobs.bill``, in a module that was imported; else None."""
    module, _, name = path.rpartition(".")
    fields: dict[str, Any] = getattr(sys.modules.get(module), "__dict__", {})
    return fields.get(name)
