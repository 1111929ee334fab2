"""The psychometric curve: how often *right* is chosen, against signed coherence; fitted to choices that were counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import expit, xlogy

MET = 0.75
"""Share of right choices at which coherence is at threshold."""
WIDEST = 1e3
"""Bound of the width, as a multiple of the largest coherence: a curve that is flat for every purpose."""
RAREST = 1e-9
"""Probabilities closer to 0 or 1 count as this one, so that a steep curve has a likelihood."""


class Psychometric(NamedTuple):
    """``P(right) = lapse / 2 + (1 - lapse) / (1 + exp(-(coherence - bias) / width))``, in percent coherence but for lapse."""

    bias: float
    """Where both are as likely."""
    width: float
    lapse: float
    """Share of trials in which the stimulus has no say."""

    def right(self, coherence: ArrayLike) -> np.ndarray:
        """P(right) at signed coherences, negative for stimuli to the left."""
        return self.lapse / 2 + (1 - self.lapse) * expit((np.asarray(coherence) - self.bias) / self.width)

    @property
    def threshold(self) -> float:
        """Coherence, counted from the bias, at which `MET` of the choices are right; inf where the curve stays below."""
        low, high = (max(0.0, share - self.lapse / 2) for share in (1 - MET, MET))
        return self.width * float(np.log(high / low)) if low > 0 else np.inf


def fit(coherence: ArrayLike, chosen: ArrayLike, right: ArrayLike) -> Psychometric:
    """The curve of maximum likelihood.

    chosen: choices at each coherence. right: how many of these were right.
    """
    c, n, k = (np.asarray(values, dtype=float) for values in (coherence, chosen, right))
    largest = float(np.abs(c).max())

    def surprise(p: np.ndarray) -> float:
        curve = Psychometric(p[0] * largest, largest * float(np.exp(p[1])), p[2])
        likely = np.clip(curve.right(c), RAREST, 1 - RAREST)
        return -float(np.sum(xlogy(k, likely) + xlogy(n - k, 1 - likely))) / n.sum()

    bounds = ((-1.0, 1.0), (-np.log(WIDEST), np.log(WIDEST)), (0.0, 0.99))
    starts = ([0.0, np.log(width), 0.05] for width in (0.05, 0.3, 3.0))
    found = min((minimize(surprise, start, bounds=bounds) for start in starts), key=lambda result: result.fun)
    bias, width, lapse = found.x.tolist()
    return Psychometric(bias * largest, largest * float(np.exp(width)), lapse)
