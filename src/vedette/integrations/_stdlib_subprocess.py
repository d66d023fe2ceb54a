"""Breadcrumbs of processes that are started with ``subprocess`` (FW-stdlib-07): what was called, never its environment.

``asyncio``'s subprocesses, ``os.popen`` and ``subprocess.run`` all go through `Popen`.
"""

from __future__ import annotations

from vedette.api import add_breadcrumb, get_client
from vedette.integrations._http_client import quietly
from vedette.integrations._patching import look_like, put_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    from vedette.integrations import Integration

_NAME: Final = "stdlib"
_MOST_WORDS: Final = 50
_LONGEST_WORD: Final = 256
_LONGEST_COMMAND: Final = 1024
_FILTERED: Final = "[Filtered]"


def take_over(user: Integration) -> None:
    """Put the patch in; ``subprocess`` is there, for the program imported it."""
    from subprocess import Popen  # noqa: PLC0415

    put_in(user, Popen, "__init__", _make_init)


def _make_init(previous: Callable[..., Any]) -> Callable[..., Any]:
    @look_like(previous)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it takes the place of one
        __tracebackhide__ = True
        client = get_client()
        if client.get_integration(_NAME) is None:
            previous(self, *args, **kwargs)
            return
        command = args[0] if args else kwargs.get("args")
        try:
            previous(self, *args, **kwargs)
        except BaseException as error:
            quietly(_NAME, _note, client, command, None, error)
            raise
        quietly(_NAME, _note, client, command, self.pid, None)

    return __init__


def _note(client: Any, command: object, pid: int | None, error: BaseException | None) -> None:
    data: dict[str, Any] = {}
    if pid is not None:
        data["process.pid"] = pid
    if error is not None:
        data["error.type"] = type(error).__name__
    add_breadcrumb(
        type="subprocess",
        category="subprocess",
        message=command_text(command, client.policy.denylist.matches),
        level="error" if isinstance(error, Exception) else "info",
        data=data,
    )


def command_text(command: object, is_secret: Callable[[str], bool]) -> str:
    """A command as one bounded text, without the values of options and variables whose names are deny-listed.

    ``--token abc``, ``--token=abc`` and ``TOKEN=abc`` are known; secrets that show by their form, such as in a
    URL, are taken out before sending, as in every message.
    """
    if isinstance(command, (list, tuple)):
        given: Any = command  # pyright: ignore[reportUnknownVariableType] - of anything
        words = [_text_of(each) for each in given[:_MOST_WORDS]]
        words += ["…"] if len(given) > _MOST_WORDS else []
    else:
        words = _text_of(command, _LONGEST_COMMAND).split(" ")
    text = " ".join(_without_secrets(words, is_secret))
    return text if len(text) <= _LONGEST_COMMAND else f"{text[: _LONGEST_COMMAND - 1]}…"


def _text_of(word: object, longest: int = _LONGEST_WORD) -> str:
    """Runs no code of the program's: of other types than these, their name is all that is shown."""
    if isinstance(word, bytes):
        text = bytes.__getitem__(word, slice(longest + 1)).decode("utf-8", "replace")
    elif isinstance(word, str):
        text = str.__getitem__(word, slice(longest + 1))
    elif type(word).__module__.partition(".")[0] == "pathlib":
        text = str(word)[: longest + 1]
    else:
        return f"<{type(word).__name__}>"
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _without_secrets(words: list[str], is_secret: Callable[[str], bool]) -> Iterator[str]:
    belongs_to_secret = False
    for word in words:
        name, equals, _ = word.partition("=")
        is_option = name.startswith("-")
        if belongs_to_secret and word and not word.startswith("--"):
            yield _FILTERED
            belongs_to_secret = False
            continue
        if name and (is_option or equals) and is_secret(name.lstrip("-")):
            belongs_to_secret = is_option and not equals
            yield f"{name}={_FILTERED}" if equals else word
        else:
            belongs_to_secret = belongs_to_secret and not word
            yield word
