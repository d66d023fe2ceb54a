"""Writes `docs/options.md`: every option, as the table of options has it (`vedette._options`).

`python -m tools.options_page` writes the page; with `--check` it compares and fails where the page is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vedette._options.surroundings import PLATFORM_VARIABLES
from vedette._options.table import GROUPS, OPTIONS

if TYPE_CHECKING:
    from vedette._options.option import Group, Option

PAGE = Path(__file__).resolve().parent.parent / "docs" / "options.md"

HEAD = """\
# Options

<!-- Made from the table in src/vedette/_options by `make docs`: change it there. -->

```python
import vedette

vedette.init("https://key@errors.example.org/7", release="shop@1.2", sample_rate=0.5)
```

`vedette.init(dsn, **options)`, `vedette.Client(dsn, **options)` and `vedette.Client.from_config({...})` take the same
options. `vedette.types.Options` is their type, for checkers and for dicts of your own.

- **What you pass wins over the environment, which wins over the default.** That goes for `None` and `""` as well: who
  passes `release=None` has no release, whatever `SENTRY_RELEASE` says.
- **A mistake is told at once.** A wrong name, also of a key inside an option, raises `vedette.UnknownOptionError` (a
  `TypeError`) with the nearest right one; a wrong type or range raises `vedette.OptionError` (a `ValueError`); a
  malformed DSN raises `vedette.BadDsn`. If `init` raises, what was there before goes on.
- **A mistake in the environment does not stop your program.** It is ignored, with a warning on the logger `vedette`.
  Only a malformed `SENTRY_DSN` raises. An empty variable counts as not set; `SENTRY_DSN=` means: send nothing.
- Numbers and booleans may be written as text. For true: `1 true t yes y on`, for false: `0 false f no n off`, in any
  case.
- Options are fixed when the client is made. `client.options` shows them, with what vedette found out by itself.
"""

RELEASE = """\
### Where the release comes from

1. The option `release`.
2. `SENTRY_RELEASE`.
3. The commit that is checked out in the git repository around `project_root`. vedette reads git's files, once, in
   `init`; it runs no program.
4. What the platform says, in the first of these variables that is set: {variables}.

3 and 4 are looked at only if there is a DSN. A value that servers would refuse is left out, with a warning."""

DEBUG = """\
**Do not leave debug mode on in production.** It writes to stderr on the thread that captures, and what it shows (values
of options, names of hosts, the tracebacks of your hooks) may not belong in your logs.

The default of `diagnostic_level` is `debug`, that is, everything: vedette says a few lines when it starts and then
only when something goes wrong. The levels are `debug`, `info`, `warning`, `error` and `fatal`, for which `logging` says
`CRITICAL`. vedette never switches debug mode on by itself; `debug=False` keeps it off, whatever `SENTRY_DEBUG` says.

There is one debug mode for a process: it is on while any client with `debug=True` is open, at the lowest
level that one of them asks for, and ends when the last of them is closed, or replaced by another `init`. The logger
`vedette` passes its messages on to your own handlers, so a program that logs to stderr by itself sees them twice.

Without debug mode, these are warnings on the logger `vedette`, for handlers of your own:

| what is lost | how often it is said |
|---|---|
| an item, for a hook, processor or transport of yours that raised or returned what it should not \
| the first time for each, with the traceback |
| what the server refuses for a rate limit | once for each category and time of silence, with its end and how many \
were lost so far; what it has cost in all follows at level `info` |
| everything, as TLS or a certificate fails | the first time for each server, with the reason |
| parts of an event that is too large | the first time |
| a value of the environment that is ignored | the first time |"""

AWAITING = """\
## Accepted, without effect yet

vedette does not have these features yet. Their options are checked like all the others, so that code for the unified
API runs unchanged; debug mode says once what a given one is waiting for."""


def render() -> str:
    """The whole page."""
    working = [group for group in GROUPS if not any(option.awaits for option in group.options)]
    awaiting = [group for group in GROUPS if group not in working and not any(o.instead for o in group.options)]
    deprecated = [group for group in GROUPS if group not in working and group not in awaiting]
    parts = [HEAD.rstrip("\n")]
    for group in working:
        parts += _section(group, "##")
        if any(option.name == "release" for option in group.options):
            parts.append(RELEASE.format(variables=", ".join(f"`{name}`" for name in PLATFORM_VARIABLES)))
        if any(option.name == "debug" for option in group.options):
            parts.append(DEBUG)
    parts.append(AWAITING)
    for group in awaiting:
        parts += _section(group, "###")
    for group in deprecated:
        parts += _section(group, "##")
    parts += ["## Environment variables", _variables()]
    return "\n\n".join(parts) + "\n"


def _section(group: Group, marks: str) -> list[str]:
    table = ["| option | value | default | |", "|---|---|---|---|"]
    table += [
        f"| `{option.name}` | {_cell(_kind(option))} | {_cell(_default(option))} | {_cell(_help(option))} |"
        for option in group.options
    ]
    return [part for part in (f"{marks} {group.title}", group.intro, "\n".join(table)) if part]


def _kind(option: Option) -> str:
    kind = "true or false" if option.check.kind.startswith("True or False") else option.check.kind
    return f"{kind}, or None" if option.check.optional else kind


def _default(option: Option) -> str:
    if option.absent:
        return option.absent
    default = list(option.default) if isinstance(option.default, (tuple, frozenset)) else option.default
    return f"`{default!r}`"


def _help(option: Option) -> str:
    told = [option.help]
    if option.instead:
        told.append(f"Use {option.instead}.")
    if option.env:
        told.append(f"Environment: `{option.env}`.")
    if option.also:
        told.append(f"Environment: {', '.join(f'`{name}`' for name in option.also)}.")
    return " ".join(told)


def _variables() -> str:
    table = ["| variable | option |", "|---|---|"]
    pairs = [(name, option.name) for option in OPTIONS for name in (option.env, *option.also) if name]
    pairs += [(name, "release") for name in PLATFORM_VARIABLES]
    options: dict[str, list[str]] = {}
    for variable, name in pairs:
        options.setdefault(variable, []).append(f"`{name}`")
    return "\n".join(table + [f"| `{variable}` | {', '.join(names)} |" for variable, names in sorted(options.items())])


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "\\<")


def main(arguments: list[str], page: Path = PAGE) -> int:
    """Write the page, or with `--check` compare it; the exit status."""
    text = render()
    if "--check" not in arguments:
        page.write_text(text, encoding="utf-8")
    elif not page.exists() or page.read_text(encoding="utf-8") != text:
        print("options_page: docs/options.md is stale, run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
