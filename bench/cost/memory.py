"""What the operating system says of this process's memory."""

from __future__ import annotations

from pathlib import Path

STATUS = Path("/proc/self/status")


def peak_memory() -> float:
    """Bytes of the resident set at its largest, since this process began (Linux)."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) * 1024
