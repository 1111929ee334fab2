"""Tables as text: for a terminal, and in Markdown."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.escape import one_line
from rstdp_agents.training.evaluation import interval


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def columns(header: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as their widest entry, under a line."""
    rows = [[one_line(entry) for entry in row] for row in rows]
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join("  ".join(entry.ljust(width) for entry, width in zip(row, widths)).rstrip() for row in lines)


def with_interval(values: list[float] | list[int], digits: int | None = None) -> str:
    """Mean and bootstrap 95 % interval, to two decimals if the mean is small; a dash if there are no values."""
    if not values:
        return "-"
    mean, (low, high) = float(np.mean(values)), interval(np.array(values, dtype=float))
    digits = (1 if abs(mean) >= 10 else 2) if digits is None else digits
    return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def short(value: object) -> str:
    """Four digits of a number, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
