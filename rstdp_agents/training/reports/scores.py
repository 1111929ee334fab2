"""Comparable figures from the returns of episodes: rolling means, intervals, aggregates over tasks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap, trim_mean

from rstdp_agents.training.episodes import RECENT_EPISODES, mean, reaches

RESAMPLES = 2000
"""Bootstrap samples of an interval."""


def rolling(returns: Sequence[float] | np.ndarray, window: int = RECENT_EPISODES) -> np.ndarray:
    """Mean of the last ``window`` episodes at each episode, or of all so far if there are fewer: ``(episodes,)``."""
    total = np.concatenate([[0.0], np.cumsum(returns)])
    last = np.arange(1, len(total))
    first = np.maximum(0, last - window)
    return (total[last] - total[first]) / (last - first)


def episodes_to(bound: float, returns: Sequence[float] | np.ndarray) -> int | None:
    """First episode at which the mean of 100 `reaches` ``bound``, as `AgentRecord` finds it; None if it never does."""
    each = np.asarray(returns, dtype=np.float64).tolist()
    ends = range(RECENT_EPISODES, len(each) + 1)
    return next((end for end in ends if reaches(mean(each[end - RECENT_EPISODES : end]), bound)), None)


def band(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bootstrap 95 % interval (percentile) of the mean of ``curves (agents, points)`` at every point."""
    if len(curves) < 2:
        return curves[0], curves[0]
    random = np.random.default_rng(0)
    chosen = bootstrap((curves,), np.mean, axis=0, method="percentile", n_resamples=RESAMPLES, batch=100, rng=random)
    return chosen.confidence_interval.low, chosen.confidence_interval.high


def iqm(scores: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """Interquartile mean over tasks and seeds, and its 95 % interval by a bootstrap stratified by task.

    scores: for each task, one number per seed. The mean of the middle half of all scores (Agarwal et al. 2021).
    """
    random = np.random.default_rng(0)
    resampled = [
        trim_mean(np.concatenate([random.choice(task, len(task)) for task in scores]), 0.25) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(resampled, (2.5, 97.5))
    return float(trim_mean(np.concatenate(scores), 0.25)), float(low), float(high)


def probability_of_improvement(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> tuple[float, float, float]:
    """P(a seed of x scores higher than a seed of y on the same task), mean over tasks, with its stratified 95 % interval.

    x, y: for each task, in the same order, one number per seed; ties count as half (Agarwal et al. 2021).
    """
    random = np.random.default_rng(0)

    def over_tasks(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
        return float(np.mean([(np.sign(a[:, None] - b).mean() + 1) / 2 for a, b in pairs]))

    pairs = list(zip(x, y, strict=True))
    resampled = [
        over_tasks([(random.choice(a, len(a)), random.choice(b, len(b))) for a, b in pairs]) for _ in range(RESAMPLES)
    ]
    low, high = np.percentile(resampled, (2.5, 97.5))
    return over_tasks(pairs), float(low), float(high)
