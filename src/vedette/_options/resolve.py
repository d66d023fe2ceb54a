"""From what was passed to the finished options (ruling 8a).

Explicit beats environment, which beats the default; ``None`` passed explicitly is a value, not "not passed"
(CFG-35, CFG-36). A wrong value in code raises; a wrong value in the environment is ignored, with a warning: an
operator's typo must not take the host down. The DSN raises wherever it comes from.
"""

from __future__ import annotations

import os
import sys

from vedette._host import callers, log
from vedette._late import late
from vedette._options.checks import plain_dict
from vedette._options.errors import (
    UNSET,
    OptionError,
    UnknownKeyError,
    UnknownOptionError,
    WrongValueError,
    nearest,
    shown,
)
from vedette._options.table import BY_NAME, OPTIONS
from vedette._protocol.dsn import BadDsn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Final

    from vedette._options import nested, surroundings
    from vedette._options.option import Option
else:
    nested = late("vedette._options.nested")
    surroundings = late("vedette._options.surroundings")

SPOTLIGHT_URL: Final = "http://localhost:8969/stream"

# Names of sentry-sdk 1.x, by what took their place in 2.0.
_RENAMED: Final = {"request_bodies": "max_request_body_size", "with_locals": "include_local_variables"}


class Remark:
    """Something to be said of the options, once the client is there and debug mode is on."""

    __slots__ = ("is_warning", "key", "text")

    def __init__(self, key: str, text: str, *, is_warning: bool = False) -> None:
        self.key = key
        self.text = text
        self.is_warning = is_warning


def speak(remarks: Iterable[Remark]) -> None:
    """Say each once a process: warnings at the default level, the rest in debug mode."""
    for remark in remarks:
        say = log.warn_once if remark.is_warning else log.debug_once
        say(remark.key, "%s", remark.text)


def resolve(
    given: Mapping[str, object], environ: Mapping[str, str] | None = None, *, remarks: list[Remark] | None = None
) -> dict[str, Any]:
    """The finished options: every name of the table with its checked value.

    ``given`` maps names to what was passed; a value of ``UNSET`` counts as not passed. ``remarks`` is filled with
    what there is to say. Raises UnknownOptionError, OptionError, or BadDsn.
    """
    env = os.environ if environ is None else environ
    notes = [] if remarks is None else remarks
    passed = {name: value for name, value in given.items() if value is not UNSET}
    for name, value in passed.items():
        if type(name) is not str or name not in BY_NAME:
            raise UnknownOptionError(_unknown_option(name, value))
    if issubclass(type(passed.get("_experiments")), dict):
        passed["_experiments"] = plain_dict(passed["_experiments"])
    moved = _moved_experiments(passed)
    passed.update(moved)
    found: dict[str, Any] = {}
    for option in OPTIONS:
        if option.name in passed:
            source = " (from '_experiments')" if option.name in moved else ""
            found[option.name] = _checked(option, passed[option.name], source)
        else:
            found[option.name] = _from_environment(option, env, notes)
    _check_together(found, passed, notes)
    if "spotlight" in passed or found["spotlight"] is not None:
        found["spotlight"] = _url_of_spotlight(found["spotlight"], passed, env, notes)
    _look_around(found, passed, env, notes)
    notes += _without_effect(found, passed, env)
    _deprecate(passed)
    return found


def _moved_experiments(passed: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in ``_experiments`` and is an option by now, unless that is given as well."""
    experiments: Any = passed.get("_experiments")
    if not issubclass(type(experiments), dict):
        return {}
    known = [key for key in experiments if type(key) is str and key in nested.EXPERIMENTS]
    moved = {nested.EXPERIMENTS[key].option: experiments[key] for key in known if experiments[key] is not None}
    return {name: value for name, value in moved.items() if name is not None and name not in passed}


# --- one value -------------------------------------------------------------------------------------------------


def _checked(option: Option, value: object, source: str = "") -> Any:
    try:
        return option.check(value)
    except BadDsn as error:
        message = f"option 'dsn'{source}: {error}"
        raise BadDsn(message) from None
    except UnknownKeyError as error:
        raise UnknownOptionError(_unknown_key(option.name + error.path, error)) from None
    except WrongValueError as error:
        if error.is_name:
            raise UnknownOptionError(f"option {option.name!r}{source} {error.reason}") from None
        reason, path = error.reason or f"must be {option.check.kind}", error.path
        wrong = error.value if path else value
    except Exception:  # noqa: BLE001 - a foreign value, which fails when it is looked at
        reason, path, wrong = f"must be {option.check.kind}", "", value
    message = f"option {option.name + path!r} {reason}, got {shown(wrong)}{source}"
    raise OptionError(message)


def _from_environment(option: Option, env: Mapping[str, str], notes: list[Remark]) -> Any:
    text = env.get(option.env) if option.env else None
    if text is None or (not text.strip() and option.name != "dsn"):
        return option.default
    try:
        return _checked(option, text, f" (from the environment variable {option.env})")
    except OptionError as error:
        notes.append(_ignored(option.env, f"{error}; ignored, using {option.absent or repr(option.default)}"))
        return option.default


def _ignored(variable: str, text: str) -> Remark:
    return Remark(f"environment {variable}", text, is_warning=True)


def _check_together(found: dict[str, Any], passed: Mapping[str, Any], notes: list[Remark]) -> None:
    if found["key_file"] and not found["cert_file"]:
        message = "option 'key_file' needs 'cert_file', the certificate that the key is for"
        if "key_file" in passed:
            raise OptionError(message)
        notes.append(_ignored("CLIENT_KEY_FILE", f"{message}; CLIENT_KEY_FILE is ignored"))
        found["key_file"] = None


def _url_of_spotlight(
    checked: Any, passed: Mapping[str, Any], env: Mapping[str, str], notes: list[Remark]
) -> str | None:
    """Where Spotlight is, None: off. By the page's table (INT-84 to INT-91): ``None`` passed is no value here."""
    option = BY_NAME["spotlight"]
    given = None if passed.get("spotlight") is None else checked
    if given is None or given is True:
        named = _from_environment(option, env, notes) if "spotlight" in passed else checked
        if type(named) is str:
            return named
        return SPOTLIGHT_URL if given or named else None
    if env.get(option.env, "").strip():
        why = "says False: Spotlight is off" if given is False else "names a URL, which wins"
        notes.append(Remark(option.env, f"{option.env} is not used, for option 'spotlight' {why}", is_warning=True))
    return given or None


# --- what is found out, where nothing was said -------------------------------------------------------------------


def _look_around(found: dict[str, Any], passed: Mapping[str, Any], env: Mapping[str, str], notes: list[Remark]) -> None:
    found["environment"] = found["environment"] or "production"
    found["server_name"] = found["server_name"] or _host_name(env)
    found["project_root"] = found["project_root"] or _working_directory()
    if found["release"] is None and "release" not in passed and (found["dsn"] or found["spotlight"]):
        found["release"] = _found_release(found["project_root"], env, notes)


def _host_name(env: Mapping[str, str]) -> str | None:
    """The name of this machine."""
    if sys.platform == "win32":
        return env.get("COMPUTERNAME")
    return os.uname().nodename


def _working_directory() -> str | None:
    """The working directory; None if it has been deleted."""
    try:
        return os.getcwd()
    except OSError:
        return None


def _found_release(folder: str | None, env: Mapping[str, str], notes: list[Remark]) -> str | None:
    for source, text in surroundings.release_of(folder, env):
        try:
            release: str | None = BY_NAME["release"].check(text)
        except WrongValueError as error:
            notes.append(_ignored(source, f"{source} is not taken as the release: it {error}, got {shown(text)}"))
        else:
            if release is not None:
                return release
    return None


# --- what there is to say ----------------------------------------------------------------------------------------


def _without_effect(found: Mapping[str, Any], passed: Mapping[str, Any], env: Mapping[str, str]) -> list[Remark]:
    notes = [
        Remark(
            f"awaits {option.name}",
            f"option {option.name!r} is accepted, but has no effect: vedette has no {option.awaits} yet",
        )
        for option in OPTIONS
        if option.awaits and (option.name in passed or env.get(option.env, "").strip())
    ]
    notes += [
        Remark(f"experiment {key}", f"option '_experiments.{key}' is accepted, but has no effect in vedette")
        for key in found["_experiments"] or ()
        if nested.EXPERIMENTS[key].option is None
    ]
    return notes


def _deprecate(passed: Mapping[str, Any]) -> None:
    """Warn at the caller's line; last of all, so that warnings that are errors leave nothing half done."""
    for name in passed:
        if BY_NAME[name].instead:
            _warn(f"option {name!r} is deprecated: use {BY_NAME[name].instead}")
    experiments: Mapping[str, Any] = passed.get("_experiments") or {}
    for key in experiments:
        if nested.EXPERIMENTS[key].option is not None:
            _warn(f"option '_experiments.{key}' is deprecated: use the option {nested.EXPERIMENTS[key].option!r}")


def _warn(message: str) -> None:
    import warnings  # noqa: PLC0415 - for this only

    warnings.warn(message, DeprecationWarning, stacklevel=callers.frame_and_level()[1])


def _unknown_option(name: object, value: object) -> str:
    message = f"unknown option {shown(name)} (got {shown(value)})."
    if type(name) is str and name in nested.EXPERIMENTS:
        return f"{message}\n    It belongs into '_experiments'."
    meant = _RENAMED.get(name) if type(name) is str else None
    return message + _advice(meant or nearest(name, BY_NAME), "options", BY_NAME)


def _unknown_key(path: str, error: UnknownKeyError) -> str:
    message = f"unknown key {shown(error.key)} in option {path!r}."
    return message + _advice(nearest(error.key, error.known), "keys", error.known)


def _advice(meant: str | None, what: str, known: Iterable[str]) -> str:
    if meant:
        return f"\n    Did you mean {meant!r}?"
    return f"\n    The {what} are: {', '.join(known)}."
