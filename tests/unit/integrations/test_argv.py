"""The arguments of the command line in events, without secrets."""

from __future__ import annotations

import sys

import pytest

import vedette
from vedette.integrations.argv import ArgvIntegration
from vedette.testing import MemoryTransport

DSN = "http://key@localhost/1"


def sent_with(arguments: list[str], monkeypatch: pytest.MonkeyPatch, **options: object) -> object:
    monkeypatch.setattr(sys, "argv", arguments)
    transport = MemoryTransport()
    with vedette.Client(DSN, transport=transport, **options) as client:  # type: ignore[arg-type]
        client.capture_message("m")
    return transport.events[0].get("extra", {}).get("sys.argv")


@pytest.mark.spec("FW-argv-01", "FW-argv-02", "INT-15")
def test_events_have_the_arguments_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_with(["serve.py", "--port", "80", "-v"], monkeypatch) == ["serve.py", "--port", "80", "-v"]
    assert sent_with(["serve.py"], monkeypatch, disabled_integrations=[ArgvIntegration]) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["--password", "x"], ["--password", "[Filtered]"]),
        (["--password=x"], ["--password=[Filtered]"]),
        (["--token=a=b"], ["--token=[Filtered]"]),
        (["-token", "x"], ["-token", "[Filtered]"]),
        (["--api-key", "x", "y"], ["--api-key", "[Filtered]", "y"]),
        (["API_KEY=x", "NAME=y"], ["API_KEY=[Filtered]", "NAME=y"]),
        (["--password", "--verbose", "x"], ["--password", "--verbose", "x"]),
        (["--password"], ["--password"]),
        (["--name=x", "plain"], ["--name=x", "plain"]),
    ],
)
def test_the_values_of_sensitive_options_are_filtered(
    given: list[str], expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sent_with(["run.py", *given], monkeypatch) == ["run.py", *expected]


def test_credentials_that_show_by_their_form_are_filtered_as_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = sent_with(["run.py", "postgres://bob:hunter2@db/shop"], monkeypatch)
    assert "hunter2" not in str(shown)


def test_the_dsn_itself_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_with(["run.py", DSN], monkeypatch) == ["run.py", "[Filtered]"]


def test_what_the_program_says_itself_wins_and_each_event_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py"])
    seen: list[object] = []

    def before_send(event: dict[str, dict[str, object]], hint: object) -> object:
        seen.append(event["extra"]["sys.argv"])
        event["extra"]["sys.argv"].append("changed by a hook")  # type: ignore[attr-defined]
        return event

    transport = MemoryTransport()
    with vedette.Client(DSN, transport=transport, before_send=before_send) as client:  # type: ignore[arg-type]
        client.capture_message("m")
        client.capture_message("m")
        client.capture_event({"extra": {"sys.argv": ["mine"]}})
    assert [event["extra"]["sys.argv"][0] for event in transport.events] == ["run.py", "run.py", "mine"]
    assert len(transport.events[1]["extra"]["sys.argv"]) == 2


def test_arguments_that_are_no_texts_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sent_with(["run.py", object(), "x"], monkeypatch) == ["run.py", "x"]  # type: ignore[list-item]
