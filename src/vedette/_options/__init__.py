"""The options: the table of them, the checks of their values, and how a client gets its own."""

from __future__ import annotations

from vedette._options.errors import UNSET, OptionError, UnknownOptionError, Unset
from vedette._options.resolve import Remark, resolve, speak
from vedette._options.table import OPTIONS

__all__ = ["OPTIONS", "UNSET", "OptionError", "Remark", "UnknownOptionError", "Unset", "resolve", "speak"]
