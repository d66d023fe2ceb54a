"""Redis: which commands were sent before an error, by plain, cluster and asyncio clients, and in pipelines.

redis-py has no hook that all clients go through, so the methods are wrapped that do: ``execute_command`` of the
clients, and of pipelines ``execute`` and, for what is sent at once after a WATCH, ``immediate_execute_command``.

What a breadcrumb says is made of built-ins only: a value of another type is named, and nothing of it is called.
"""

from __future__ import annotations

import sys

from vedette._host import guests
from vedette.api import add_breadcrumb, get_client
from vedette.integrations import Integration, when_imported
from vedette.integrations._patching import look_like, put_in, take_out
from vedette.integrations._redis_commands import LONGEST, name_and_arguments, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, ClassVar, Final

    from vedette._scopes.client import BaseClient

__all__ = ["RedisIntegration"]

DEFAULT_MAX_DATA_SIZE: Final = 1024
FIRST: Final = 10
"""So many commands of a pipeline are shown, a line each."""


class RedisIntegration(Integration):
    """Records each command as a breadcrumb, and each pipeline as one; arguments only with ``send_default_pii``.

    The arguments of AUTH, HELLO, ACL and the like are left out always, and so is what follows a sensitive name.
    Commands of ``PubSub`` objects, and those that a transaction on a cluster sends before its MULTI, are not recorded.

    Args:
        max_data_size: How many characters of a command are kept at most. None: 1024; 0: as many as breadcrumbs may
            have (8192, or the option ``max_value_length``).
        cache_prefixes: Prefixes of the keys of a cache, for the spans to come; breadcrumbs don't depend on it.
    """

    identifier = "redis"
    library = "redis"
    minimum_version: ClassVar[tuple[int, ...]] = (4, 2)

    def __init__(self, max_data_size: int | None = None, cache_prefixes: list[str] | None = None) -> None:
        self.max_data_size: int | None = max_data_size
        self.cache_prefixes: tuple[str, ...] = tuple(cache_prefixes or ())
        wanted = DEFAULT_MAX_DATA_SIZE if max_data_size is None else max_data_size
        self._undos: list[Callable[[], None]] = []
        self._limit = min(wanted, LONGEST) if wanted > 0 else LONGEST

    def setup(self, client: BaseClient) -> None:
        """Wrap the methods of the clients; those of modules that this version imports later, when it does."""
        for module, methods in _WRAPPED.items():
            self._undos.append(when_imported(module, self._wrapper(module, methods)))

    def close(self) -> None:
        """Put the methods back."""
        for undo in self._undos:
            undo()
        take_out(self)

    def _wrapper(self, module: str, methods: Sequence[tuple[str, str, Any]]) -> Callable[[], None]:
        def wrap() -> None:
            for class_name, name, replacement in methods:
                owner: Any = getattr(sys.modules[module], class_name, None)
                if owner is not None and hasattr(owner, name):
                    put_in(self, owner, name, replacement)

        return wrap

    def note(self, client: BaseClient, command: Sequence[object]) -> None:
        """Remember a command that is about to be sent."""
        name, arguments = name_and_arguments(command)
        data = {"db.system": "redis", "db.operation": name}
        message = shown(name, arguments, self._limit, client)
        add_breadcrumb(type="redis", category="redis", message=message, data=data)

    def note_pipeline(self, client: BaseClient, pipeline: Any) -> None:
        """Remember the commands of a pipeline that is about to be executed; an empty one sends none."""
        queued = _queued(pipeline)
        if not queued:
            return
        first = [shown(*name_and_arguments(_command(each)), self._limit, client) for each in queued[:FIRST]]
        data = {"db.system": "redis", "db.operation": "PIPELINE", "redis.commands.count": len(queued)}
        # One text: data that is not flat has to be rendered, which takes ten times as long.
        add_breadcrumb(type="redis", category="redis", message="\n".join(first), data=data)


# --- what stands in for the methods ------------------------------------------------------------------------


def _of_command(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def execute_command(self: object, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        client = get_client()
        integration: RedisIntegration | None = client.get_integration(RedisIntegration)
        if integration is not None:
            _guarded(integration.note, client, args)
        return previous(self, *args, **options)

    return execute_command


def _of_async_command(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def execute_command(self: object, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        client = get_client()
        integration: RedisIntegration | None = client.get_integration(RedisIntegration)
        if integration is not None:
            _guarded(integration.note, client, args)
        return await previous(self, *args, **options)

    return execute_command


def _of_pipeline(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def execute(self: object, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        client = get_client()
        integration: RedisIntegration | None = client.get_integration(RedisIntegration)
        if integration is not None:
            _guarded(integration.note_pipeline, client, self)
        return previous(self, *args, **options)

    return execute


def _of_async_pipeline(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    async def execute(self: object, *args: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        client = get_client()
        integration: RedisIntegration | None = client.get_integration(RedisIntegration)
        if integration is not None:
            _guarded(integration.note_pipeline, client, self)
        return await previous(self, *args, **options)

    return execute


def _guarded(note: Callable[..., None], *args: object) -> None:
    try:
        note(*args)
    except Exception as error:
        if guests.is_control_flow(error):
            raise
        guests.complain("integration 'redis'", note, "raised", exc_info=True)


_WRAPPED: Final[dict[str, tuple[tuple[str, str, Any], ...]]] = {
    "redis.client": (
        ("Redis", "execute_command", _of_command),
        ("Pipeline", "immediate_execute_command", _of_command),
        ("Pipeline", "execute", _of_pipeline),
    ),
    "redis.cluster": (
        ("RedisCluster", "execute_command", _of_command),
        ("ClusterPipeline", "execute", _of_pipeline),
    ),
    "redis.asyncio.client": (
        ("Redis", "execute_command", _of_async_command),
        ("Pipeline", "immediate_execute_command", _of_async_command),
        ("Pipeline", "execute", _of_async_pipeline),
    ),
    "redis.asyncio.cluster": (
        ("RedisCluster", "execute_command", _of_async_command),
        ("ClusterPipeline", "execute", _of_async_pipeline),
    ),
}


# --- what waits in a pipeline ------------------------------------------------------------------------------


def _queued(pipeline: Any) -> Sequence[Any]:
    """The commands that wait in a pipeline; where they are kept depends on its kind and on redis-py's version."""
    strategy = getattr(pipeline, "_execution_strategy", None)
    if strategy is not None:
        pipeline = strategy
    for name in ("_command_queue", "command_stack", "_command_stack"):
        queue: Sequence[Any] = getattr(pipeline, name, ())
        if queue:
            return queue
    return ()


def _command(queued: Any) -> Any:
    """A command and its arguments, of an entry of `_queued`: beside options in a tuple, or ``args`` of an object."""
    return queued.args if hasattr(queued, "args") else queued[0]
