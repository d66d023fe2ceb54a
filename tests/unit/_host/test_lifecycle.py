"""``client.on`` and ``client.emit``: who is called, in which order, and whose fault stays whose."""

from __future__ import annotations

import threading
from typing import Any

import pytest

import vedette
from vedette._scopes.client import NoOpClient
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


@pytest.fixture
def client() -> vedette.Client:
    return vedette.Client(DSN, transport=MemoryTransport(), default_integrations=False)


@pytest.mark.spec("HOOK-01", "HOOK-03", "HOOK-04", "HOOK-05", "HOOK-08")
@pytest.mark.parametrize("name", ["start_span", "finish_span", "start_session", "end_session", "my_own"])
def test_callbacks_of_a_name_get_the_arguments_in_order_of_registration(client: vedette.Client, name: str) -> None:
    calls: list[tuple[Any, ...]] = []
    for number in (1, 2, 3):
        client.on(name, lambda *arguments, number=number: calls.append((number, *arguments)))
    client.on("another_name", lambda *arguments: calls.append(arguments))
    assert client.emit(name, "a", "b") is None
    assert calls == [(1, "a", "b"), (2, "a", "b"), (3, "a", "b")]


@pytest.mark.spec("HOOK-06")
def test_who_comes_late_has_missed_it(client: vedette.Client) -> None:
    calls: list[int] = []
    client.emit("start_session", 1)
    client.on("start_session", calls.append)
    assert calls == []
    client.emit("start_session", 2)
    assert calls == [2]


@pytest.mark.spec("HOOK-07")
def test_callbacks_get_the_object_itself_and_may_change_it(client: vedette.Client) -> None:
    client.on("start_span", lambda span: span.update(changed=True))
    span = {"op": "db"}
    client.emit("start_span", span)
    assert span == {"op": "db", "changed": True}


@pytest.mark.spec("HOOK-02")
def test_the_names_are_on_the_client_only() -> None:
    assert not {"on", "emit"} & set(vedette.__all__)


def test_registering_is_undone_once_and_by_whoever_did_it(client: vedette.Client) -> None:
    calls: list[str] = []
    undo = client.on("start_span", calls.append)
    client.on("start_span", calls.append)
    client.emit("start_span", "both")
    undo()
    undo()
    client.emit("start_span", "one")
    assert calls == ["both", "both", "one"]


def test_a_callback_that_raises_is_named_once_and_the_others_run(
    client: vedette.Client, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_span: object) -> None:
        raise SystemExit

    calls: list[int] = []
    client.on("start_span", fail)
    client.on("start_span", calls.append)
    client.emit("start_span", 1)
    client.emit("start_span", 2)
    assert calls == [1, 2]
    (warning,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert "a callback of 'start_span' (" in warning.getMessage()
    assert "fail) raised" in warning.getMessage()


def test_ctrl_c_in_a_callback_goes_through(client: vedette.Client) -> None:
    def interrupted(_span: object) -> None:
        raise KeyboardInterrupt

    client.on("start_span", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.emit("start_span", 1)


def test_what_callbacks_register_or_take_out_counts_from_the_next_time_on(client: vedette.Client) -> None:
    calls: list[str] = []

    def first(_span: object) -> None:
        calls.append("first")
        undo()
        client.on("start_span", lambda _span: calls.append("new"))

    undo = client.on("start_span", first)
    undo_second = client.on("start_span", lambda _span: calls.append("second"))
    client.emit("start_span", 1)
    assert calls == ["first", "second"]
    undo_second()
    client.emit("start_span", 2)
    assert calls == ["first", "second", "new"]


def test_a_capture_from_inside_a_callback_is_dropped_and_counted(client: vedette.Client) -> None:
    client.on("start_span", lambda _span: client.capture_message("from inside"))
    client.emit("start_span", 1)
    assert client.stats().dropped == {"error": {"internal_sdk_error": 1}}


async def async_callback(_span: object) -> None: ...


@pytest.mark.parametrize(
    ("callback", "message"),
    [(5, r"on\('start_span', ...\) takes a function, got int"), (async_callback, "got an async one")],
)
def test_what_can_never_be_called_is_refused_at_once(client: vedette.Client, callback: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        client.on("start_span", callback)


def test_registering_and_emitting_from_many_threads_loses_nobody(client: vedette.Client) -> None:
    calls: list[int] = []
    undoing: list[Any] = []

    def work(number: int) -> None:
        for _ in range(200):
            undo = client.on("start_span", lambda _span: calls.append(number))
            client.emit("other", 1)
            client.on("start_span", lambda _span: None)()
            undoing.append(undo)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.emit("start_span", 1)
    assert sorted(calls) == sorted(list(range(8)) * 200)
    for undo in undoing:
        undo()
    calls.clear()
    client.emit("start_span", 1)
    assert calls == []


def test_hooks_belong_to_one_client(client: vedette.Client) -> None:
    calls: list[int] = []
    client.on("start_span", calls.append)
    vedette.Client(DSN, default_integrations=False).emit("start_span", 1)
    NoOpClient().emit("start_span", 2)
    assert calls == []
