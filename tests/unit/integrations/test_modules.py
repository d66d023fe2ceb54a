from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import threading
from importlib import metadata
from typing import Any

import pytest

import vedette
from tests.servers import RecordingServer
from vedette.integrations import _packages as packages
from vedette.integrations._packages import installed_packages
from vedette.integrations.modules import ModulesIntegration
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "_read", [])


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.spec("INT-25", "INT-27", "FW-modules-02", "EVT-22")
def test_the_packages_are_those_that_python_knows(unread: None) -> None:
    known: dict[str, str] = {}
    for each in metadata.distributions():
        known.setdefault(normalized(each.metadata["Name"]), each.version)
    assert installed_packages() == known


@pytest.mark.spec("INT-23", "INT-25", "FW-modules-01", "FW-modules-02", "PAIN-34")
def test_they_are_read_on_the_worker_and_arrive_with_each_error(unread: None, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[int] = []
    real = packages._packages  # noqa: SLF001 - who reads

    def recorded(path: list[str]) -> Any:
        threads.append(threading.get_ident())
        return real(path)

    monkeypatch.setattr(packages, "_packages", recorded)
    with RecordingServer() as server:
        vedette.init(server.dsn())
        for number in range(3):
            vedette.capture_message(f"message {number}")
        vedette.flush(5)
        assert len(server.events) == 3
        assert all(event["modules"]["pytest"] == pytest.__version__ for event in server.events)
    assert len(threads) == 1  # once in a process (INT-26)
    assert threads[0] != threading.get_ident()


@pytest.mark.spec("INT-30")
def test_only_errors_carry_them() -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    vedette.capture_event({"type": "transaction", "transaction": "GET /", "contexts": {}})
    assert "modules" not in json.loads(transport.envelopes[0].items[0].get_bytes())


@pytest.mark.spec("INT-15", "INT-26")
@pytest.mark.parametrize("options", [{"disabled_integrations": [ModulesIntegration]}, {"default_integrations": False}])
def test_it_can_be_left_out(options: Any) -> None:
    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, **options)
    vedette.capture_message("hello")
    assert "modules" not in transport.events[0]
    assert "modules" not in transport.events[0]["sdk"]["integrations"]
    assert client.get_integration("modules") is None


def test_what_an_event_has_already_is_left_alone_and_no_transport_changes_the_next() -> None:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport)
    vedette.capture_event({"modules": {"mine": "1"}})
    vedette.capture_message("one")
    transport.events[1]["modules"].clear()
    vedette.capture_message("two")
    assert transport.events[0]["modules"] == {"mine": "1"}
    assert "pytest" in transport.events[2]["modules"]


def read_from(path: list[str]) -> dict[str, str]:
    program = textwrap.dedent(f"""
    import json, sys
    from vedette.integrations._packages import installed_packages
    sys.path[:] = {path!r}
    print(json.dumps(installed_packages()))
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_names_are_normalized_and_the_first_folder_wins(tmp_path: Any) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder, names in (
        (first, ["PyYAML-6.0.1.dist-info", "zope.interface-6.1.dist-info", "a-1.dist-info", "no_version.dist-info"]),
        (second, ["a-2.dist-info", "old-1.0-py3.13.egg-info", "x.egg-info", "empty.dist-info", "module.py"]),
    ):
        for name in names:
            (folder / name).mkdir(parents=True)
    (first / "no_version.dist-info" / "METADATA").write_text("Name: no-version\nVersion: 7\n\nVersion: 8\n")
    (second / "x.egg-info" / "PKG-INFO").write_text("Name: x\nversion:  0.1 \n")
    (second / "file.egg-info").write_text("Version: 3\n")
    (second / "broken.dist-info").symlink_to(tmp_path / "nowhere")
    path = ["", str(first), str(first), "/nowhere", str(second), str(second / "module.py")]
    assert read_from(path) == {
        "pyyaml": "6.0.1",
        "zope-interface": "6.1",
        "a": "1",
        "no-version": "7",
        "old": "1.0",
        "x": "0.1",
        "file": "3",
    }


def test_what_is_read_is_bounded(tmp_path: Any, unread: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(30):
        (tmp_path / f"p{number}-{'1' * 200}.dist-info").mkdir()
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(packages, "MAX_PACKAGES", 7)
    found = installed_packages()
    assert len(found) == 7
    assert max(map(len, found.values())) == 100
    monkeypatch.setattr(packages, "_read", [])
    monkeypatch.setattr(packages, "MAX_ENTRIES", 5)
    assert len(installed_packages()) == 5


def test_an_event_is_sent_also_if_a_field_could_not_be_read(caplog: pytest.LogCaptureFixture) -> None:
    def broken() -> object:
        raise RuntimeError("no such thing")

    transport = MemoryTransport()
    client = vedette.init(DSN, transport=transport, default_integrations=False)
    client.add_before_sending("facts", broken)
    client.add_before_sending("more", lambda: {"a": 1})
    vedette.capture_message("hello")
    assert "facts" not in transport.events[0]
    assert transport.events[0]["more"] == {"a": 1}
    assert "could not add 'facts' to events" in caplog.text
