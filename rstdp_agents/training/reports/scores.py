"""Comparable figures from the returns of episodes: rolling means, intervals, aggregates over tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

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


Estimate = tuple[float, float, float]
"""A value and the ends of its 95 % interval."""


def stratified(statistic: Callable[[list[np.ndarray]], Any], samples: Sequence[np.ndarray]) -> Estimate:
    """A statistic of several samples, such as the seeds of each task; percentile bootstrap that resamples within each of them.

    samples: ``(seeds,)`` each; one of a single number is taken as it is. statistic: over the last axis of ``(..., seeds)`` each.
    """
    value, free = float(statistic(list(samples))), [i for i, sample in enumerate(samples) if len(sample) > 1]
    if not free:
        return value, value, value

    def of(*again: np.ndarray, axis: int) -> np.ndarray:
        drawn = [np.broadcast_to(sample, (*again[0].shape[:-1], len(sample))) for sample in samples]
        for i, sample in zip(free, again, strict=True):
            drawn[i] = sample
        return statistic(drawn)

    found = bootstrap(
        [samples[i] for i in free], of, vectorized=True, method="percentile", n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )  # fmt: skip
    return value, float(found.confidence_interval.low), float(found.confidence_interval.high)


def iqm(scores: Sequence[np.ndarray]) -> Estimate:
    """Interquartile mean over tasks and seeds: the mean of the middle half of all scores (Agarwal et al. 2021).

    scores: for each task, one number per seed.
    """
    return stratified(lambda tasks: trim_mean(np.concatenate(tasks, -1), 0.25, axis=-1), scores)


def median(scores: Sequence[np.ndarray]) -> Estimate:
    """Median over tasks of the mean over seeds. scores: for each task, one number per seed."""
    return stratified(lambda tasks: np.median([task.mean(-1) for task in tasks], 0), scores)


def probability_of_improvement(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> Estimate:
    """P(a seed of x scores higher than a seed of y on the same task), mean over tasks.

    x, y: for each task, in the same order, one number per seed; ties count as half (Agarwal et al. 2021).
    """

    def over_tasks(samples: list[np.ndarray]) -> np.ndarray:
        pairs = zip(samples[: len(x)], samples[len(x) :], strict=True)
        return np.mean([(np.sign(a[..., :, None] - b[..., None, :]).mean((-2, -1)) + 1) / 2 for a, b in pairs], 0)

    return stratified(over_tasks, [*x, *y])
