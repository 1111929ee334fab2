"""Ends of the range that a code covers, from the observations seen and the bounds of their spaces."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from rstdp_agents.codecs.bounds import has_bounds, own_bounds
from rstdp_agents.codecs.encoders.dimensions import Ranges
from rstdp_agents.codecs.row_layout import Leaf

MARGIN = 0.25
"""Share of the range seen that is added on either side: a learned policy goes further than random actions."""
LOOSE = 100.0
"""Largest distance of a bound from what was seen, in ranges seen; a bound further away says nothing about observations."""
RARE = 0.01
"""Share of what is seen that is not typical, at either end."""
FAR = 1e6
"""Range of its own beyond which it says nothing about a number."""
COUNTED = 64
"""Widest range of its own that a whole number takes all values of."""
ROOM, RELATIVE = 1e-3, 1e-6
"""Margin on either side of a number that never moved and has no bounds: absolute, or relative if that is more."""


class Own(NamedTuple):
    """What the spaces declare about some numbers of an observation."""

    low: np.ndarray
    """Bounds ``(entries,)``."""
    high: np.ndarray
    has_low: np.ndarray
    """Whether there is such a bound."""
    has_high: np.ndarray
    resolution: np.ndarray
    """Relative size of differences that are only rounding, in the type of each number."""
    firm: np.ndarray
    """Whether the bounds are those of bytes, which hold whatever random actions reach."""

    def less(self, first: np.ndarray) -> Own:
        """The same for numbers relative to ``first``."""
        low, high = np.where(self.has_low, self.low, first) - first, np.where(self.has_high, self.high, first) - first
        return self._replace(low=low, high=high)


def own(boxes: list[Leaf]) -> Own:
    """What Boxes declare, one after the other."""
    low, high = own_bounds(boxes)
    kinds: list[Any] = [leaf.space.dtype for leaf in boxes]
    rounding = [4.0 * np.finfo(kind).eps if np.issubdtype(kind, np.floating) else 0.0 for kind in kinds]
    sizes, bytes_ = [leaf.size for leaf in boxes], [kind.itemsize == 1 for kind in kinds]
    known = has_bounds(low, boxes), has_bounds(high, boxes)
    return Own(low, high, *known, np.repeat(rounding, sizes), np.repeat(np.array(bytes_, dtype=bool), sizes))


def width(low: np.ndarray, high: np.ndarray, resolution: np.ndarray) -> np.ndarray:
    """Distance between ``low`` and ``high``; 0 where that is only rounding."""
    moved = high - low
    return np.where(moved <= resolution * np.maximum(np.abs(low), np.abs(high)), 0.0, moved)


def too_far(low: np.ndarray, high: np.ndarray, bounds: Own) -> tuple[np.ndarray, np.ndarray]:
    """Which lower and which upper bounds are too far from what was seen to say where observations are.

    The bounds of a number that never moved are never too far: nothing else is known about it.
    """
    moved = width(low, high, bounds.resolution)
    reach = np.where((moved > 0) & ~bounds.firm, LOOSE * moved, np.inf)
    return bounds.has_low & (low - bounds.low > reach), bounds.has_high & (bounds.high - high > reach)


def without(bounds: Own, far_low: np.ndarray, far_high: np.ndarray) -> Own:
    """``bounds`` without some of them."""
    return bounds._replace(has_low=bounds.has_low & ~far_low, has_high=bounds.has_high & ~far_high)


def ends(low: np.ndarray, high: np.ndarray, bounds: Own) -> tuple[np.ndarray, np.ndarray]:
    """The bounds where there are any; elsewhere what was seen, plus `MARGIN`."""
    moved = width(low, high, bounds.resolution)
    still = np.maximum(ROOM, RELATIVE * np.maximum(np.abs(low), np.abs(high)))
    room = np.where(moved > 0, MARGIN * moved + np.minimum(ROOM, MARGIN * moved), still)
    low = np.where(bounds.has_low, bounds.low, low - room)
    high = np.where(bounds.has_high, bounds.high, high + room)
    return rounded(low, moved), rounded(high, moved)


def typical(rows: np.ndarray, found: Ranges) -> tuple[np.ndarray, np.ndarray]:
    """Ends of what is typical of each number, of which ``rows (n, entries)`` were seen. found: what spaces declare of them.

    Of a number with a range of its own, the geometric mean of that and of what all but `RARE` of those seen lie in: a learned
    policy goes further than random actions, and bounds may be far from what matters. Whole numbers have what was seen, or all of
    a range of their own that is not wider than `COUNTED`, or whose values stand for something each.
    """
    low, high, counted = found.low, found.high, found.counted
    least, most = rows.min(0), rows.max(0)
    a, b = np.quantile(rows, [RARE, 1.0 - RARE], axis=0)
    a, b = np.where(b > a, a, least), np.where(b > a, b, most)
    with np.errstate(invalid="ignore", over="ignore"):
        own, seen = high - low, b - a
        wider = np.isfinite(own) & (own < FAR) & (own > seen)
        half = np.where(wider, np.sqrt(seen * np.where(wider, own, 0.0)), seen) / 2
    middle, few = (a + b) / 2, found.named | counted & (own <= COUNTED)
    a = np.where(few, low, np.where(counted, least, middle - half))
    b = np.where(few, high, np.where(counted, most, middle + half))
    return rounded(a, b - a), rounded(b, b - a)


def usual(rows: np.ndarray) -> np.ndarray:
    """The most frequent value of each number, of which ``rows (n, entries)`` were seen."""
    return np.array([values[counts.argmax()] for values, counts in (np.unique(c, return_counts=True) for c in rows.T)])


def rounded(numbers: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """``numbers`` to three digits of their range, to at least four decimals."""
    with np.errstate(divide="ignore"):
        digits = np.where(moved > 0, 2 - np.floor(np.log10(moved)), 4).clip(4, 300).astype(int)
    out = numbers.copy()
    for many in np.unique(digits).tolist():
        these = (digits == many) & (np.abs(numbers) < 10.0 ** (15 - many))  # larger numbers have no such digits
        out[these] = numbers[these].round(many)
    return out
