"""From turns to figures: quartiles, ratios, slopes."""

from __future__ import annotations

from typing import Any

import numpy as np


def quartiles(samples: list[float]) -> dict[str, Any]:
    """Median, lower and upper quartile, and number of the samples."""
    low, median, high = np.percentile(samples, (25, 50, 75)).tolist()
    return {"median": median, "low": low, "high": high, "turns": len(samples)}


def ratios(figures: dict[str, dict[str, Any]], baseline: str) -> dict[str, float]:
    """How many times faster than the baseline each contestant is; empty if the baseline did not run."""
    if baseline not in figures:
        return {}
    return {name: figures[baseline]["median"] / figure["median"] for name, figure in figures.items()}


def exponent(values: list[float], times: list[float]) -> float:
    """Exponent b of the power law ``time ~ value ** b`` through the points, by least squares in the logarithms."""
    return float(np.polyfit(np.log(values), np.log(times), 1)[0])


def overhead_percent(with_us: float, without_us: float) -> float:
    """By how much longer a step takes with than without (percent)."""
    return 100.0 * (with_us / without_us - 1.0)


def share_of_limit(amount: float, us: float, limit: float) -> float:
    """Amount (bytes, operations) per second as a share of what the machine can do per second."""
    return amount / (us * 1e-6) / limit


def short(value: float) -> str:
    """Three digits that matter, with commas: 0.123, 12.3, 1,230."""
    rounded = float(f"{value:.3g}")
    digits = 2 - int(np.floor(np.log10(abs(rounded)))) if rounded else 0
    return f"{rounded:,.{max(0, digits)}f}"
