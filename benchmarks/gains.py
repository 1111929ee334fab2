"""What a player gained on a task, in units of what a reference gained. Late returns and scores are ``(seeds,)``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu

from benchmarks.pool import PoolTask
from rstdp_agents.training.episodes import reaches
from rstdp_agents.training.reports.scores import Estimate, stratified

REFERENCE = "ppo"
"""The player whose gain is the unit."""
ALPHA = 0.01
"""Probability below which a difference is not taken for chance."""


def late_returns(returns: Sequence[Sequence[float]], ends: Sequence[Sequence[int]], steps: int) -> np.ndarray:
    """Mean return of the training episodes that ended in the last fifth of the env steps.

    returns, ends: of every episode of every seed, and the env step in which it ended. nan for a seed without one.
    """
    late = [np.array(one)[5 * np.array(end) > 4 * steps] for one, end in zip(returns, ends, strict=True)]
    return np.array([one.mean() if one.size else np.nan for one in late])


def has_gained(late: np.ndarray, chance: np.ndarray) -> bool:
    """Whether a mean is above that of the luckiest seed of random actions."""
    return bool(late.mean() > chance.max())


def scores(late: np.ndarray, chance: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """``(late - chance) / (reference - chance)`` of the means of chance and reference, for every seed of ``late``.

    A reference that has not gained (`has_gained`) is no unit: a seed then has 1 if it is above the luckiest seed of random
    actions, else 0.
    """
    if not has_gained(reference, chance):
        return (late > chance.max()).astype(float)
    return (late - chance.mean()) / (reference.mean() - chance.mean())


def is_above(late: np.ndarray, twin: np.ndarray) -> bool:
    """Whether seeds are above those of a twin: one-sided Mann-Whitney test at `ALPHA`."""
    return bool(mannwhitneyu(late, twin, alternative="greater").pvalue < ALPHA)


def is_level(late: np.ndarray, reference: np.ndarray) -> bool:
    """Whether a mean is at least that of the reference, up to rounding."""
    return reaches(float(late.mean()), float(reference.mean()))


def sensitivity(tuned: Sequence[np.ndarray], one: Sequence[np.ndarray]) -> Estimate:
    """Mean scores of settings tuned for each task, minus those of one setting: median over tasks, and its stratified interval."""

    def difference(samples: list[np.ndarray]) -> np.ndarray:
        means = np.array([sample.mean(-1) for sample in samples])
        return np.median(means[: len(tuned)] - means[len(tuned) :], 0)

    return stratified(difference, [*tuned, *one])


@dataclass(frozen=True)
class Result:
    """What is there of a task: late returns by player."""

    name: str
    task: PoolTask
    late: dict[str, np.ndarray]

    def scores(self, player: str) -> np.ndarray | None:
        """Of every seed, or None where the player, random or the reference have not played."""
        if not {player, "random", REFERENCE} <= self.late.keys():
            return None
        return scores(self.late[player], self.late["random"], self.late[REFERENCE])

    @property
    def is_tie(self) -> bool:
        """Whether the reference gained nothing."""
        both = {"random", REFERENCE} <= self.late.keys()
        return both and not has_gained(self.late[REFERENCE], self.late["random"])
