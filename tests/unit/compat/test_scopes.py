"""`push_scope` and `configure_scope` work as they did, and say what has replaced them."""

from __future__ import annotations

import warnings

import pytest

import vedette
from tests.programs import run_program
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


@pytest.fixture
def transport() -> MemoryTransport:
    transport = MemoryTransport()
    vedette.init(DSN, transport=transport, default_integrations=False)
    return transport


@pytest.mark.parametrize(
    ("name", "successor"), [("push_scope", "new_scope"), ("configure_scope", "get_isolation_scope")]
)
@pytest.mark.spec("PAIN-15", "SCO-77", "SCO-78")
def test_a_deprecated_name_warns_at_the_callers_line_and_names_its_successor(name: str, successor: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"vedette\.{name} is deprecated: use {successor}\(\)") as caught:
        getattr(vedette, name)()
    assert [warning.filename for warning in caught] == [__file__]


def test_by_default_a_line_warns_once() -> None:
    done = run_program("""
        import warnings
        warnings.simplefilter("default")
        import vedette
        for _ in range(3):
            with vedette.push_scope():
                pass
    """)
    assert done.stderr.count("DeprecationWarning") == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
class TestWithoutWarnings:
    def test_a_pushed_scope_has_the_data_of_the_one_below_and_takes_its_own_away(self, transport) -> None:
        vedette.get_current_scope().set_tag("outside", "kept")
        with vedette.push_scope() as scope:
            scope.set_tag("inside", "1")
            vedette.capture_message("inside")
        vedette.capture_message("outside")
        assert [event["tags"] for event in transport.events] == [
            {"outside": "kept", "inside": "1"},
            {"outside": "kept"},
        ]

    def test_a_configured_scope_lasts(self, transport) -> None:
        with vedette.configure_scope() as scope:
            scope.set_tag("tenant", "acme")
        vedette.capture_message("later")
        assert transport.events[0]["tags"] == {"tenant": "acme"}

    def test_what_is_configured_inside_a_pushed_scope_leaves_with_it(self, transport) -> None:
        with vedette.push_scope():
            with vedette.configure_scope() as scope:
                scope.set_tag("job", "7")
            vedette.capture_message("inside")
        vedette.capture_message("outside")
        inside, outside = transport.events
        assert inside["tags"] == {"job": "7"}
        assert "tags" not in outside

    def test_a_callback_gets_the_scope(self, transport) -> None:
        vedette.configure_scope(lambda scope: scope.set_tag("tenant", "acme"))

        def report(scope: vedette.Scope) -> None:
            scope.set_tag("inside", "1")
            vedette.capture_message("inside")

        assert vedette.push_scope(report) is None
        vedette.capture_message("outside")
        assert [event["tags"] for event in transport.events] == [
            {"tenant": "acme", "inside": "1"},
            {"tenant": "acme"},
        ]

    @pytest.mark.spec("CLI-08")
    @pytest.mark.parametrize("disable", ["never initialized", "no DSN", "closed"])
    def test_while_disabled_callbacks_are_not_run(self, disable: str) -> None:
        if disable == "no DSN":
            vedette.init("", default_integrations=False)
        elif disable == "closed":
            vedette.init(DSN, transport=MemoryTransport(), default_integrations=False).close()
        calls: list[vedette.Scope] = []
        vedette.configure_scope(calls.append)
        vedette.push_scope(calls.append)
        vedette.Hub.current.configure_scope(calls.append)
        vedette.Hub.current.push_scope(calls.append)
        assert calls == []

    def test_while_disabled_a_with_block_runs(self) -> None:
        with vedette.push_scope() as pushed, vedette.configure_scope() as configured:
            pushed.set_tag("a", "1")
            configured.set_tag("b", "2")


def test_no_warning_is_shown_for_what_is_not_deprecated() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with vedette.new_scope(), vedette.isolation_scope():
            pass
