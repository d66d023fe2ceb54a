"""Figures as text."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.cost.results import Compared

MILLISECOND = 1e-3
KIB, MIB = 1024, 1024 * 1024
NOT_THERE = "-"


def figure(value: float, unit: str) -> str:
    """Three digits and the unit."""
    match unit:
        case "seconds":
            factor, name = (1e3, " ms") if abs(value) >= MILLISECOND else (1e6, " µs")
        case "bytes":
            factor, name = (1 / MIB, " MiB") if value >= MIB else (1 / KIB, " KiB")
        case "per second":
            factor, name = 1, "/s"
        case _:
            return f"{value:.0f}"
    return three_digits(value * factor) + name


def three_digits(value: float) -> str:
    """Without an exponent."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 1000 else f"{value:.0f}"  # noqa: PLR2004


def spread(values: Sequence[float], unit: str) -> str:
    """The median, and the lowest and the highest of the rounds."""
    if not values:
        return NOT_THERE
    lowest, highest = figure(min(values), unit), figure(max(values), unit)
    return f"{figure(statistics.median(values), unit)} ({lowest} to {highest})"


def goal(compared: Compared) -> str:
    """What was to be reached."""
    wanted = compared.row.goal
    if compared.row.most_added is not None:
        return f"≤ +{figure(compared.row.most_added, compared.row.unit)}"
    if wanted is None:
        return ""
    return f"≥ {wanted:g}" if compared.row.more_is_better else f"≤ {wanted:g}"


def verdict(compared: Compared) -> str:
    """Whether it was, and by how much not."""
    row = compared.row
    if compared.is_met is None:
        return ""
    found = "" if row.most_added is None else f" ({reached(compared)})"
    if compared.is_met:
        return f"met{found}"
    missed = abs(compared.ratio / row.goal - 1) if row.goal is not None else compared.added / (row.most_added or 1) - 1
    return f"**missed by {missed:.0%}{found}**"


def reached(compared: Compared) -> str:
    """The figure that the goal is about."""
    if compared.row.most_added is not None:
        return f"+{figure(compared.added, compared.row.unit)}"
    return three_digits(compared.ratio)


def markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    """A table that is aligned, to be read as it is, too."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
    padded.insert(1, ["-" * width for width in widths])
    return [f"| {' | '.join(row)} |".rstrip() for row in padded]
