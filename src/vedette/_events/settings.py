"""What the rooms of events need to know of the options: one value, built once per client, never changed."""

from __future__ import annotations

from vedette._privacy.denylist import DEFAULT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from vedette._privacy.denylist import DenyList

    CustomRepr = Callable[[object], str | None]

CONTEXT_LINES: Final = 5
"""Source lines before, and after, the line of a frame (EVT-45, EVT-46)."""

LOCALS_STRING_LIMIT: Final = 1024
"""Characters of one string in the variables of a frame (ruling 24)."""

SHORT_STRING: Final = 40
"""Characters of a string that a container shows without weighing it against its other items."""

TEXT_LIMIT: Final = 8192
"""Characters of a message, an exception's value and any other text of its own (ruling 24)."""


class EventSettings:
    """The options that decide what an event looks like.

    Args:
        in_app_include: Module prefixes that are the application's.
        in_app_exclude: Module prefixes that are not.
        project_root: Folder of the application, if known.
        include_local_variables: Whether frames carry ``vars``.
        include_source_context: Whether frames carry source lines.
        context_lines: Source lines before, and after, the line of a frame.
        max_value_length: Characters of one text, in locals and in messages alike; None: 1024 and 8192.
        max_stack_frames: How many frames of one stack are kept.
        add_full_stack: Whether the frames below the one that caught the exception are added.
        custom_repr: The program's own way to show a value; it returns None for those that it leaves to us.
        auto_ip_address: Whether ``{{auto}}`` may ask the server for the user's address (ruling 33).
        denylist: Which names are filtered; None: the default list.
    """

    __slots__ = (
        "add_full_stack",
        "auto_ip_address",
        "context_lines",
        "custom_repr",
        "denylist",
        "in_app_exclude",
        "in_app_include",
        "include_local_variables",
        "include_source_context",
        "matches",
        "matches_variable",
        "max_stack_frames",
        "max_value_length",
        "project_root",
        "short_string",
        "string_limit",
        "text_limit",
    )

    def __init__(
        self,
        *,
        denylist: DenyList | None = None,
        in_app_include: tuple[str, ...] = (),
        in_app_exclude: tuple[str, ...] = (),
        project_root: str | None = None,
        include_local_variables: bool = True,
        include_source_context: bool = True,
        context_lines: int = CONTEXT_LINES,
        max_value_length: int | None = None,
        max_stack_frames: int = 100,
        add_full_stack: bool = False,
        custom_repr: CustomRepr | None = None,
        auto_ip_address: bool = False,
    ) -> None:
        self.in_app_include: tuple[str, ...] = in_app_include
        self.in_app_exclude: tuple[str, ...] = in_app_exclude
        self.project_root: str | None = project_root
        self.include_local_variables: bool = include_local_variables
        self.include_source_context: bool = include_source_context
        self.context_lines: int = context_lines
        self.max_value_length: int | None = max_value_length
        self.max_stack_frames: int = max_stack_frames
        self.add_full_stack: bool = add_full_stack
        self.custom_repr: CustomRepr | None = custom_repr
        self.auto_ip_address: bool = auto_ip_address
        self.denylist: DenyList = DEFAULT if denylist is None else denylist
        # Derived, so that rendering a value looks nothing up twice.
        self.matches: Callable[[str], bool] = self.denylist.matches
        self.matches_variable: Callable[[str], bool] = self.denylist.matches_variable
        self.string_limit: int = LOCALS_STRING_LIMIT if max_value_length is None else max_value_length
        self.short_string: int = min(self.string_limit, SHORT_STRING)
        self.text_limit: int = TEXT_LIMIT if max_value_length is None else max_value_length
