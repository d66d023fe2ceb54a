"""The line of a template that failed, as a frame (FW-django)."""

from __future__ import annotations

from vedette.integrations._web.stored import stored_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["add_template_frame"]

_AROUND = 5
_LONGEST_LINE = 200  # characters


def add_template_frame(event: Any, error: object) -> None:
    """Add the template's line behind the frames of an error that Django has found it for: with ``DEBUG``, that is."""
    found: Any = stored_in(error).get("template_debug")
    exceptions = event.get("exception", {}).get("values")
    if not found or not exceptions:
        return
    lines: list[str] = [str(text).rstrip("\n")[:_LONGEST_LINE] for _, text in found.get("source_lines", ())]
    first = found["source_lines"][0][0] if lines else 0
    at = found.get("line", 0) - first
    if not 0 <= at < len(lines):
        return
    frames: list[Any] = exceptions[-1].setdefault("stacktrace", {}).setdefault("frames", [])
    frames.append(
        {
            "filename": str(found.get("name")),
            "abs_path": str(found.get("name")),
            "function": "<django template>",
            "lineno": found["line"],
            "context_line": lines[at],
            "pre_context": lines[max(0, at - _AROUND) : at],
            "post_context": lines[at + 1 : at + 1 + _AROUND],
            "in_app": True,
        }
    )
