"""What the table of options consists of."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vedette._options.checks import Check


class Option:
    """One row of the table.

    Args:
        name: As ``init`` takes it.
        check: What its value must be.
        default: Its value where it is not given.
        help: One line for users.
        env: The environment variable that is read where it is not passed.
        absent: What the default comes to, in words, where the value alone does not say it.
        also: Environment variables that are read when the value is used.
        awaits: The feature that it is for, where that is not built yet: it has no effect then.
        instead: What to use, where the option is deprecated.
    """

    __slots__ = ("absent", "also", "awaits", "check", "default", "env", "help", "instead", "name")

    def __init__(
        self,
        name: str,
        check: Check,
        default: object,
        help: str,  # noqa: A002 - it is the help text
        *,
        env: str = "",
        absent: str = "",
        also: tuple[str, ...] = (),
        awaits: str = "",
        instead: str = "",
    ) -> None:
        self.name = name
        self.check = check
        self.default = default
        self.help = help
        self.env = env
        self.absent = absent
        self.also = also
        self.awaits = awaits
        self.instead = instead


class Group:
    """Options that belong together, as docs/options.md shows them."""

    __slots__ = ("intro", "options", "title")

    def __init__(self, title: str, intro: str, *options: Option) -> None:
        self.title = title
        self.intro = intro
        self.options = options
