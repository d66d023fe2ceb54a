"""What the operating system says of this process's memory."""

from __future__ import annotations

STATUS = "/proc/self/status"


def peak_memory() -> float:
    """Bytes of the resident set at its largest, since this process began (Linux)."""
    with open(STATUS) as status:  # noqa: PTH123 - pathlib would be in what is measured
        line = next(line for line in status if line.startswith("VmHWM:"))
    return float(line.split()[1]) * 1024
