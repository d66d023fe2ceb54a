"""The table of integrations in the contract (public-api.md, B6): paths, identifiers, modes, constructors."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import pytest

import vedette
from tests.programs import run_program
from vedette._integration_set import AUTO_INTEGRATIONS, DEFAULT_INTEGRATIONS
from vedette.integrations import Integration
from vedette.integrations.asgi import SentryAsgiMiddleware
from vedette.integrations.excepthook import ExcepthookIntegration
from vedette.integrations.wsgi import SentryWsgiMiddleware
from vedette.testing import MemoryTransport, capture_events

DSN = "http://key@localhost/1"
CONTRACT = Path(__file__).parents[3] / "docs" / "spec" / "public-api.md"
ROW = re.compile(
    r"^\| `sentry_sdk\.(integrations\.[\w.]+)\.(\w+)` \| (\w*) \| (default|auto|opt-in) \| `\((.*)\)` \|$", re.MULTILINE
)
FOUND = {
    kind: (module, identifier, mode, args) for module, kind, identifier, mode, args in ROW.findall(CONTRACT.read_text())
}
MODES = {
    **{path.rpartition(".")[2]: "auto" for _, _, path in AUTO_INTEGRATIONS},
    **{path.rpartition(".")[2]: "default" for _, _, path in DEFAULT_INTEGRATIONS},
}
OTHER_MODES = {
    "AsyncioIntegration": "default",  # nothing per task, so there is nothing to opt in to
    "DedupeIntegration": "opt-in",  # the client does it; the class is the switch (docs/decisions.md)
    "UnraisablehookIntegration": "default",  # as the contract's next edition (B7)
}


def there(kind: str) -> Any:
    return getattr(importlib.import_module(f"vedette.{FOUND[kind][0]}"), kind)


def check(*kinds: str) -> None:
    """Each is where the contract has it, by the same identifier and mode, and takes the same arguments."""
    for kind in kinds:
        module, identifier, mode, args = FOUND[kind]
        found = there(kind)
        assert issubclass(found, Integration)
        assert found.identifier == identifier
        assert MODES.get(kind, "opt-in") == OTHER_MODES.get(kind, mode), module
        names = re.findall(r"(?:^|, )(?:\*, )?(\w+): ", args)
        parameters = list(inspect.signature(found).parameters.values())
        assert [each.name for each in parameters][: len(names)] == names
        others = parameters[len(names) :]
        assert all(each.default is not each.empty for each in others), "a further argument must be optional"


def test_the_table_is_read() -> None:
    assert len(FOUND) > 70


@pytest.mark.spec("FW-flask-01", "FW-django-01", "FW-fastapi-01", "FW-starlette-01", "FW-aiohttp-01", "INT-04")
def test_frameworks() -> None:
    check("FlaskIntegration", "DjangoIntegration", "StarletteIntegration", "AioHttpIntegration")
    # FastAPI's has Starlette's arguments, which the contract's table leaves out and its pages promise.
    assert inspect.signature(there("FastApiIntegration")) == inspect.signature(there("StarletteIntegration"))
    assert there("FastApiIntegration").identifier == "fastapi"


@pytest.mark.spec("FW-celery-01", "FW-rq-01", "FW-redis-01", "FW-loguru-01", "FW-logging-01")
def test_queues_stores_and_logs() -> None:
    check("CeleryIntegration", "RqIntegration", "RedisIntegration", "SqlalchemyIntegration", "HttpxIntegration")
    check("LoguruIntegration", "LoggingIntegration", "OpenFeatureIntegration")


@pytest.mark.spec(
    "FW-threading-01", "FW-threading-02", "FW-asyncio-01", "FW-excepthook-01", "FW-argv-01", "FW-modules-01"
)
def test_the_interpreter_and_its_library() -> None:
    check(
        "ThreadingIntegration", "AsyncioIntegration", "ExcepthookIntegration", "ArgvIntegration", "ModulesIntegration"
    )
    check("UnraisablehookIntegration", "SysExitIntegration")


@pytest.mark.spec("FW-dedupe-01", "FW-atexit-01", "FW-stdlib-01", "FW-stdlib-02", "INT-14")
def test_the_ones_that_every_program_has() -> None:
    check("DedupeIntegration", "AtexitIntegration", "StdlibIntegration")
    defaults = {kind for kind, (_, _, mode, _) in FOUND.items() if mode == "default"}
    assert defaults - {kind for kind, mode in MODES.items() if mode == "default"} == {"DedupeIntegration"}


@pytest.mark.spec("FW-wsgi-01", "FW-asgi-01", "FW-asgi-02")
def test_the_middlewares_wrap_and_need_no_client() -> None:
    assert next(iter(inspect.signature(SentryWsgiMiddleware).parameters)) == "app"
    assert list(inspect.signature(SentryWsgiMiddleware).parameters)[1] == "use_x_forwarded_for"
    assert next(iter(inspect.signature(SentryAsgiMiddleware).parameters)) == "app"

    async def app(scope: Any, receive: Any, send: Any) -> str:
        return "answer"

    coroutine = SentryAsgiMiddleware(app)({"type": "http"}, None, None)
    with pytest.raises(StopIteration, match="answer"):
        coroutine.send(None)


@pytest.mark.spec("FW-common-03")
def test_those_for_libraries_can_be_turned_off_and_the_others_stay() -> None:
    program = f"""
import vedette, logging
client = vedette.init({DSN!r}, auto_enabling_integrations=False)
import flask
assert client.get_integration("flask") is None
assert client.get_integration("logging") is not None
"""
    ended = run_program(program)
    assert (ended.code, ended.stderr) == (0, "")


@pytest.mark.spec("FW-excepthook-03")
@pytest.mark.parametrize(("always", "expected"), [(False, 0), (True, 1)])
def test_what_ends_nothing_in_an_interactive_session_is_captured_only_on_demand(
    always: bool, expected: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    integrations = [ExcepthookIntegration(always_run=always)]
    vedette.init(DSN, transport=MemoryTransport(), integrations=integrations)
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with capture_events() as events:
        sys.excepthook(ValueError, ValueError("typed"), None)
    assert len(events) == expected
    assert "typed" in capsys.readouterr().err


@pytest.mark.spec("FW-atexit-03")
def test_the_wait_at_the_end_can_be_switched_off() -> None:
    program = """
import vedette
from tests.servers import unused_port
vedette.init(f"http://key@10.255.255.1:{unused_port()}/1", shutdown_timeout=0)
vedette.capture_message("hello")
"""
    ended = run_program(program)
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.seconds < 2.5


@pytest.mark.spec("FW-common-25")
def test_variables_and_source_are_there_by_default() -> None:
    vedette.init(DSN, transport=MemoryTransport())
    with capture_events() as events:
        try:
            price = 3
            raise ValueError(price)
        except ValueError:
            vedette.capture_exception()
    frame = events[0]["exception"]["values"][-1]["stacktrace"]["frames"][-1]
    assert frame["vars"]["price"] == "3"
    assert "raise ValueError(price)" in frame["context_line"]
    assert 0 < len(frame["pre_context"]) <= 5
    assert 0 < len(frame["post_context"]) <= 5
