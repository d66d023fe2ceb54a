"""Options: what is accepted, where a value comes from, and what a mistake is told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

import vedette
from vedette._options import OPTIONS, UNSET, OptionError, Remark, UnknownOptionError, resolve, speak
from vedette.integrations.excepthook import ExcepthookIntegration
from vedette.testing import MemoryTransport

DSN = "https://key@errors.example.org/7"


class Unprintable:
    """Fails to show itself."""

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.spec("CFG-01", "CFG-07", "CFG-08", "CFG-09", "CFG-10", "CFG-41", "CFG-15")
def test_defaults_are_those_of_the_unified_api() -> None:
    options = resolve({}, {})
    assert options["dsn"] is None
    assert options["sample_rate"] == 1.0
    assert options["debug"] is False
    assert options["max_breadcrumbs"] == 100
    assert options["shutdown_timeout"] == 2.0
    assert options["attach_stacktrace"] is False
    assert options["include_local_variables"] is True
    assert set(options) == {option.name for option in OPTIONS}


@pytest.mark.spec("CFG-25", "CFG-26", "CFG-27", "CFG-28", "CFG-29", "CFG-32", "CFG-37")
def test_options_that_are_not_passed_come_from_the_environment() -> None:
    environ = {
        "SENTRY_DSN": DSN,
        "SENTRY_RELEASE": "shop@1",
        "SENTRY_ENVIRONMENT": "staging",
        "SENTRY_SAMPLE_RATE": "0.25",
        "SENTRY_DEBUG": "Yes",
    }
    options = resolve({"dsn": UNSET}, environ)
    assert options["dsn"] == DSN
    assert options["release"] == "shop@1"
    assert options["environment"] == "staging"
    assert options["sample_rate"] == 0.25
    assert options["debug"] is True


@pytest.mark.spec("CFG-35", "CFG-36")
@pytest.mark.parametrize("dsn", [None, "", DSN])
def test_what_is_passed_wins_over_the_environment_even_if_it_is_none_or_empty(dsn: str | None) -> None:
    environ = {
        "SENTRY_DSN": "https://other@errors.example.org/1",
        "SENTRY_SAMPLE_RATE": "0.5",
        "SENTRY_DEBUG": "1",
    }
    options = resolve({"dsn": dsn, "sample_rate": 0.0, "debug": False}, environ)
    assert options["dsn"] == dsn
    assert options["sample_rate"] == 0.0
    assert options["debug"] is False


@pytest.mark.spec("CFG-38")
def test_the_environment_is_read_when_init_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_RELEASE", "set@later")
    assert vedette.Client().options["release"] == "set@later"


@pytest.mark.parametrize("word", ["1", "true", "T", "yes", "Y", "on"])
def test_words_for_true(word: str) -> None:
    assert resolve({}, {"SENTRY_DEBUG": word})["debug"] is True


@pytest.mark.parametrize("word", ["0", "false", "F", "no", "N", "off"])
def test_words_for_false(word: str) -> None:
    assert resolve({"debug": word}, {})["debug"] is False


def test_a_typo_names_the_nearest_option() -> None:
    with pytest.raises(UnknownOptionError) as caught:
        vedette.init(DSN, sample_rates=0.5)
    assert str(caught.value) == "unknown option 'sample_rates' (got 0.5).\n    Did you mean 'sample_rate'?"
    assert isinstance(caught.value, TypeError)


def test_a_name_like_no_other_lists_the_options() -> None:
    with pytest.raises(
        UnknownOptionError, match=r"unknown option 'zzz' \(got 1\)\.\n    The options are: dsn, transport,"
    ):
        vedette.Client(DSN, zzz=1)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("sample_rate", "0,5", "option 'sample_rate' must be a number from 0.0 to 1.0, got '0,5'"),
        ("sample_rate", 1.5, "option 'sample_rate' must be a number from 0.0 to 1.0, got 1.5"),
        ("sample_rate", True, "option 'sample_rate' must be a number from 0.0 to 1.0, got True"),
        ("sample_rate", float("nan"), "option 'sample_rate' must be a number from 0.0 to 1.0, got nan"),
        ("sample_rate", None, "option 'sample_rate' must be a number from 0.0 to 1.0, got None"),
        ("max_breadcrumbs", -1, "option 'max_breadcrumbs' must be a whole number from 0 to 10000, got -1"),
        ("max_breadcrumbs", 1.5, "option 'max_breadcrumbs' must be a whole number from 0 to 10000, got 1.5"),
        (
            "debug",
            "maybe",
            (
                "option 'debug' must be True or False (or one of the words 1 true t yes y on, "
                "0 false f no n off), got 'maybe'"
            ),
        ),
        ("compression", "lzma", "option 'compression' must be one of 'gzip', 'br', 'zstd', got 'lzma'"),
        ("release", 7, "option 'release' must be a string, got 7"),
        ("shutdown_timeout", -1, "option 'shutdown_timeout' must be a number from 0.0 to 86400.0 (seconds), got -1"),
        ("before_send", "drop", "option 'before_send' must be a function, got 'drop'"),
        ("in_app_include", "shop", "option 'in_app_include' must be a list of strings, got 'shop'"),
        (
            "ignore_errors",
            [7],
            "option 'ignore_errors' must be a list of exception classes, names, or compiled patterns, got [7]",
        ),
        (
            "integrations",
            ["logging"],
            "option 'integrations' must be a list of integrations, such as [ExcepthookIntegration()], got ['logging']",
        ),
        (
            "integrations",
            [ExcepthookIntegration],
            (
                "option 'integrations' must be a list of instances, such as [ExcepthookIntegration()], not of classes, "
                "got [<class 'vedette.integrations.excepthook.ExcepthookIntegration'>]"
            ),
        ),
        (
            "disabled_integrations",
            [1],
            "option 'disabled_integrations' must be a list of integrations, such as [ExcepthookIntegration()], got [1]",
        ),
        (
            "transport",
            7,
            "option 'transport' must be a Transport, a subclass of it, or a function that takes an event, got 7",
        ),
    ],
)
def test_a_wrong_value_raises_with_the_fix(option: str, value: object, message: str) -> None:
    with pytest.raises(OptionError) as caught:
        vedette.Client(DSN, **{option: value})
    assert str(caught.value) == message


@pytest.mark.spec("HOOK-40")
def test_an_async_function_is_refused_as_a_hook() -> None:
    async def before_send(event: object, _hint: object) -> object:
        return event

    class Callable:
        async def __call__(self, event: object, _hint: object) -> object:
            return event

    for hook in (before_send, Callable()):
        with pytest.raises(OptionError, match="'before_send' must be a plain function, not an async one"):
            vedette.Client(DSN, before_send=hook)


@pytest.mark.parametrize(
    "dsn", ["no url", "https://errors.example.org/7", "https://key@errors.example.org", "https://key@/1"]
)
def test_a_malformed_dsn_raises_and_names_the_right_form(dsn: str) -> None:
    with pytest.raises(vedette.BadDsn, match=r"option 'dsn'.*https://<key>@<host>/<project>"):
        vedette.init(dsn)


def test_a_malformed_dsn_of_the_environment_raises_too_and_says_where_it_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SENTRY_DSN", "nonsense")
    with pytest.raises(vedette.BadDsn, match="SENTRY_DSN"):
        vedette.init()


def test_any_other_bad_value_of_the_environment_warns_once_and_is_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(2):
        remarks: list[Remark] = []
        assert resolve({}, {"SENTRY_SAMPLE_RATE": "a lot"}, remarks=remarks)["sample_rate"] == 1.0
        speak(remarks)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    (warning,) = warnings
    assert warning.startswith("option 'sample_rate' must be a number from 0.0 to 1.0, got 'a lot'")
    assert warning.endswith("(from the environment variable SENTRY_SAMPLE_RATE); ignored, using 1.0")


def test_a_bad_option_replaces_nothing() -> None:
    older = vedette.init(DSN)
    with pytest.raises(OptionError):
        vedette.init(DSN, sample_rate=7)
    assert vedette.get_client() is older
    assert older.is_active()


@pytest.mark.spec("CLI-03")
def test_options_are_fixed_at_init() -> None:
    client = vedette.Client(DSN)
    with pytest.raises(TypeError):
        client.options["sample_rate"] = 0.0  # type: ignore[index]


@pytest.mark.parametrize("given", [{1: 2}, {"release": Unprintable()}, {"nonsense": Unprintable()}])
def test_a_mistake_that_cannot_be_shown_is_still_named(given: dict[Any, Any]) -> None:
    with pytest.raises(OptionError, match=r"1|release|nonsense"):
        vedette.Client(given)


@pytest.mark.parametrize("config", [None, DSN, 7])
def test_from_config_takes_a_mapping(config: Any) -> None:
    with pytest.raises(OptionError, match="takes a mapping of options, got"):
        vedette.Client.from_config(config)


def test_blanks_are_no_dsn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTRY_DSN", "  ")
    assert not vedette.Client().is_active()
    assert not vedette.Client("   ").is_active()
    assert vedette.Client(f" {DSN}\n").dsn == DSN


@pytest.mark.spec("CFG-11", "CFG-13")
def test_hooks_are_options() -> None:
    transport = MemoryTransport()
    vedette.init(
        DSN,
        transport=transport,
        before_send=lambda event, _hint: {**event, "logger": "seen"},
        before_breadcrumb=lambda crumb, _hint: {**crumb, "category": "seen"},
    )
    vedette.add_breadcrumb(message="hello")
    vedette.capture_message("message")
    (event,) = transport.events
    assert event["logger"] == "seen"
    assert [crumb["category"] for crumb in event["breadcrumbs"]["values"]] == ["seen"]


# --- accepted, but ... -------------------------------------------------------------------------------------------

AWAITING = {option.name: option for option in OPTIONS if option.awaits}


@pytest.mark.filterwarnings("ignore:option:DeprecationWarning")
@pytest.mark.parametrize("name", AWAITING)
def test_an_option_of_a_feature_to_come_says_so_once_in_debug_mode(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def spoken() -> list[str]:
        return [line for line in capfd.readouterr().err.splitlines() if "has no effect" in line]

    option: Any = AWAITING[name]
    given: Any = {name: option.default}
    vedette.Client(DSN, **given).close()
    assert spoken() == []
    for expected in ([f"[vedette] DEBUG: option {name!r} is accepted, but has no effect: vedette has no "], []):
        vedette.Client(DSN, debug=True, **given).close()
        assert [line[: len(start)] for line, start in zip(spoken(), expected, strict=True)] == expected


def test_no_option_that_works_says_that_it_does_not(capfd: pytest.CaptureFixture[str]) -> None:
    vedette.Client(DSN, debug=True, sample_rate=1.0, before_send=lambda event, _hint: event).close()
    assert "has no effect" not in capfd.readouterr().err


DEPRECATED = {
    "enable_tracing": (True, "option 'enable_tracing' is deprecated: use traces_sample_rate (1.0 for all traces)"),
    "propagate_traces": (
        False,
        "option 'propagate_traces' is deprecated: use trace_propagation_targets ([] for none)",
    ),
    "instrumenter": (
        "otel",
        "option 'instrumenter' is deprecated: use an integration with OpenTelemetry, once vedette has one",
    ),
    "profiles_sample_rate": (
        0.5,
        "option 'profiles_sample_rate' is deprecated: use profile_session_sample_rate, with profile_lifecycle='trace'",
    ),
    "profiles_sampler": (
        lambda _context: 1.0,
        "option 'profiles_sampler' is deprecated: use profile_session_sample_rate, with profile_lifecycle='trace'",
    ),
}


@pytest.mark.spec("PAIN-15")
@pytest.mark.parametrize("name", DEPRECATED)
def test_a_deprecated_option_is_accepted_and_names_its_successor_at_the_callers_line(name: str) -> None:
    value, message = DEPRECATED[name]
    given: Any = {name: value}
    with pytest.warns(DeprecationWarning, match="is deprecated: use") as warned:
        client = vedette.init(DSN, **given)
    assert client.options[name] == value
    assert [(str(each.message), each.filename) for each in warned] == [(message, __file__)]


def test_deprecation_is_told_of_exactly_these_options() -> None:
    assert {option.name for option in OPTIONS if option.instead} == set(DEPRECATED)


def test_a_deprecated_option_does_not_warn_where_warnings_are_errors_and_leave_half_a_client() -> None:
    older = vedette.init(DSN)
    with pytest.raises(DeprecationWarning):
        vedette.init(DSN, enable_tracing=True)
    assert vedette.get_client() is older


@pytest.mark.parametrize(
    ("name", "successor"), [("with_locals", "include_local_variables"), ("request_bodies", "max_request_body_size")]
)
def test_a_name_of_the_first_edition_names_its_successor(name: str, successor: str) -> None:
    with pytest.raises(UnknownOptionError, match=f"Did you mean '{successor}'"):
        resolve({name: True}, {})


# --- what is found out -------------------------------------------------------------------------------------------


@pytest.mark.spec("CFG-05", "CFG-06")
def test_without_a_word_the_environment_is_production() -> None:
    assert resolve({}, {})["environment"] == "production"
    assert resolve({"environment": None}, {"SENTRY_ENVIRONMENT": "staging"})["environment"] == "production"


def test_a_deleted_working_directory_is_no_reason_to_fail(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    client = vedette.Client(DSN)
    assert client.options["project_root"] is None
    assert client.options["release"] is None


def test_a_transport_option_that_cannot_work_is_an_option_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Duck:
        def capture_envelope(self, envelope: object) -> None:
            """Looks like a Transport, and is none."""

    with pytest.raises(OptionError, match=r"must be of a subclass of vedette\.Transport, got one of '.*Duck'"):
        vedette.Client(DSN, transport=Duck())  # type: ignore[arg-type]  # what is tested
    monkeypatch.setitem(__import__("sys").modules, "brotli", None)
    with pytest.raises(OptionError, match="brotli"):
        vedette.Client(DSN, compression="br")
