"""The arguments of the command line, as ``extra["sys.argv"]`` of error events (FW-argv-02)."""

from __future__ import annotations

import sys

from vedette.integrations import Integration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from vedette._scopes.client import BaseClient

__all__ = ["ArgvIntegration"]

_MOST_ARGUMENTS: Final = 100
_FILTERED: Final = "[Filtered]"


class ArgvIntegration(Integration):
    """Sends the arguments that the program was started with, without the values of options with deny-listed names.

    ``--password x``, ``--token=x`` and ``API_KEY=x`` are sent as ``--password [Filtered]`` and so on.
    """

    identifier = "argv"

    def setup(self, client: BaseClient) -> None:
        """Have them added to the error events of this client, as they are now."""
        given = [each for each in sys.argv[:_MOST_ARGUMENTS] if type(each) is str]
        given = [_FILTERED if each == client.dsn else each for each in given]  # else scrubbed in each event
        client.add_extra("sys.argv", without_secrets(given, client.event_settings.matches))


def without_secrets(arguments: Sequence[str], matches: Callable[[str], bool]) -> list[str]:
    """The arguments, but for the values of options whose names ``matches`` finds sensitive."""
    shown: list[str] = []
    is_value = False  # of a sensitive option before it
    for argument in arguments:
        name, equals, _ = argument.partition("=")
        is_option = name.startswith("-")
        if is_value and not is_option:
            shown.append(_FILTERED)
            is_value = False
        elif equals and matches(name.lstrip("-")):
            shown.append(f"{name}={_FILTERED}")
            is_value = False
        else:
            shown.append(argument)
            is_value = is_option and not equals and matches(name.lstrip("-"))
    return shown
