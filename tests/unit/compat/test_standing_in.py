"""Under the name sentry_sdk, packages get vedette's own modules."""

from __future__ import annotations

import textwrap

import pytest

from tests.programs import run_program


def output_of(source: str) -> str:
    done = run_program(textwrap.dedent(source))
    assert (done.code, done.stderr) == (0, "")
    return done.stdout


def test_every_public_module_is_the_very_same_under_the_other_name() -> None:
    assert (
        output_of("""
        import importlib, pkgutil, sys, warnings
        import vedette
        vedette.as_sentry_sdk()
        compared = []
        for found in pkgutil.walk_packages(vedette.__path__, "vedette."):
            if any(part.startswith("_") for part in found.name.split(".")) or "pytest" in found.name:
                continue
            theirs = importlib.import_module(found.name.replace("vedette", "sentry_sdk", 1))
            ours = importlib.import_module(found.name)
            spec = ours.__spec__.name
            assert spec == ours.__name__ == found.name, (spec, found.name)
            if found.name != "vedette.consts":
                assert theirs is ours, found.name
            compared.append(found.name)
        assert {"vedette.utils", "vedette.integrations.threading", "vedette.ai.monitoring"} <= set(compared)
        import sentry_sdk
        for name in vedette.__all__:
            if name != "VERSION":
                assert getattr(sentry_sdk, name) is getattr(vedette, name), name
        from sentry_sdk import capture_exception, Scope, utils
        from sentry_sdk._types import Event
        assert utils is vedette.utils and Event is vedette.types.Event
        print("same")
        """)
        == "same\n"
    )


def test_the_version_under_the_other_name_is_that_of_the_mirrored_api() -> None:
    assert (
        output_of("""
        import vedette
        vedette.as_sentry_sdk()
        import sentry_sdk, sentry_sdk.consts, vedette.consts
        from sentry_sdk.consts import VERSION, OP
        assert sentry_sdk.VERSION == sentry_sdk.consts.VERSION == VERSION == "2.68.0"
        assert vedette.VERSION == vedette.consts.VERSION == vedette.__version__ != "2.68.0"
        assert OP is vedette.consts.OP
        print("told apart")
        """)
        == "told apart\n"
    )


def test_what_vedette_does_not_have_is_not_found() -> None:
    assert (
        output_of("""
        import importlib.util
        import vedette
        vedette.as_sentry_sdk()
        for name in ("sentry_sdk.integrations.no_such", "sentry_sdk.no_such", "sentry_sdk.crons.no_such"):
            try:
                __import__(name)
            except ModuleNotFoundError as error:
                print(error)
        assert importlib.util.find_spec("sentry_sdk.no_such") is None
        try:
            from sentry_sdk import no_such
        except ImportError as error:
            print(type(error).__name__)
        """)
        == "No module named 'sentry_sdk.integrations.no_such'\n"
        "No module named 'sentry_sdk.no_such'\n"
        "No module named 'sentry_sdk.crons.no_such'\n"
        "ImportError\n"
    )


def test_standing_in_twice_does_no_harm_and_the_real_package_is_not_touched(tmp_path) -> None:
    (tmp_path / "sentry_sdk").mkdir()
    (tmp_path / "sentry_sdk" / "__init__.py").write_text("raise AssertionError('the real one was imported')")
    (tmp_path / "sentry_sdk" / "only_there.py").write_text("")
    assert (
        output_of(f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        import vedette
        first = vedette.as_sentry_sdk()
        finders = len(sys.meta_path)
        assert vedette.as_sentry_sdk() is first is sys.modules["sentry_sdk"]
        assert len(sys.meta_path) == finders
        try:
            import sentry_sdk.only_there
        except ModuleNotFoundError as error:
            print(error)
        """)
        == "No module named 'sentry_sdk.only_there'\n"
    )


@pytest.mark.parametrize("imported", ["import sentry_sdk", "import sentry_sdk.utils"])
def test_after_the_real_package_was_imported_it_refuses_and_says_why(tmp_path, imported: str) -> None:
    (tmp_path / "sentry_sdk").mkdir()
    (tmp_path / "sentry_sdk" / "__init__.py").write_text("")
    (tmp_path / "sentry_sdk" / "utils.py").write_text("")
    assert (
        output_of(f"""
        import sys
        sys.path.insert(0, {str(tmp_path)!r})
        {imported}
        import vedette
        try:
            vedette.as_sentry_sdk()
        except RuntimeError as error:
            print(error)
        assert sys.modules["sentry_sdk"].__file__.startswith({str(tmp_path)!r})
        """)
        == "vedette.as_sentry_sdk() must come before the first import of sentry_sdk, and 'sentry_sdk' was imported"
        " already: call it first thing in the program\n"
    )


def test_a_test_suite_may_patch_names_under_the_other_name() -> None:
    assert (
        output_of("""
        from unittest import mock
        import vedette
        vedette.as_sentry_sdk()
        import sentry_sdk
        with mock.patch("sentry_sdk.capture_exception") as patched:
            sentry_sdk.capture_exception(ValueError())
        assert patched.call_count == 1
        assert sentry_sdk.capture_exception is vedette.capture_exception
        print("restored")
        """)
        == "restored\n"
    )
