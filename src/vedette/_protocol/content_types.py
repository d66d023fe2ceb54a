"""From a file's name to its content type."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_PACKED: Final = {"gzip": "application/gzip", "bzip2": "application/x-bzip2", "xz": "application/x-xz"}


def content_type_of(filename: str) -> str | None:
    """What the name suggests, None if it says nothing.

    The first call reads the system's tables, which takes some milliseconds: vedette makes it on its worker.
    """
    import mimetypes  # noqa: PLC0415 - for attachments only

    guess, encoding = mimetypes.guess_type(filename)
    if encoding is not None:
        return _PACKED.get(encoding)
    if guess is None and filename.lower().endswith(".log"):  # some systems know it, CPython itself does not
        return "text/plain"
    return guess
