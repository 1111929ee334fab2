"""The range of observations that random actions reach, for spaces whose bounds say little and codes that need what varies."""

from __future__ import annotations

import logging
import math
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np

from rstdp_agents.base.progress import Bar
from rstdp_agents.codecs.bounds import numeric
from rstdp_agents.codecs.encoders.base import computable
from rstdp_agents.codecs.encoders.counted import EXACT
from rstdp_agents.codecs.encoders.dimensions import every_end
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.row_layout import Leaf
from rstdp_agents.environments import ranges
from rstdp_agents.environments.make import make_env
from rstdp_agents.environments.random_actions import random_action
from rstdp_agents.environments.source import EnvSource

logger = logging.getLogger(__name__)

STEPS = 2_000
"""Env steps of a probe."""
SECONDS = 15
"""Time limit of a probe (s)."""
KEPT = 2_000_000
"""Most numbers of observations that a probe keeps."""
GLANCE, GLANCE_SECONDS = 200, 1.0
"""Env steps, or time (s), within which bounds must look far too wide, or they are used as they are."""
NAMED = 8
"""Most dimensions that a message lists."""

S = TypeVar("S", bound="Seen")
Ends = tuple[tuple[float, ...], tuple[float, ...]]
"""Lower and upper end for every number."""


class Seen:
    """The lowest and the highest value seen of some numbers of an observation, in the order of its leaves.

    Integers that double precision cannot tell apart are taken relative to the first one seen (`first`, else 0).
    """

    def __init__(self, rows: Rows, leaves: list[Leaf], obs: Any) -> None:
        self.layout, self.leaves, self.steps = rows, leaves, 0
        everything = sum(leaf.size for leaf in leaves) == rows.size
        columns = [np.arange(leaf.first, leaf.first + leaf.size) for leaf in leaves]
        self._columns = slice(None) if everything else np.concatenate(columns)
        row, self.first = self._row(obs), np.zeros(1)
        if row.dtype.kind == "i" and np.abs(row.astype(np.float64)).max(initial=0) > EXACT:
            self.first = row.astype(np.int64)
        self.low, self.high = (self._counted(row).copy() for _ in range(2))

    def add(self, obs: Any, step: int) -> None:
        """One more observation."""
        row, self.steps = self._counted(self._row(obs)), step
        np.minimum(self.low, row, out=self.low)
        np.maximum(self.high, row, out=self.high)

    def _row(self, obs: Any) -> np.ndarray:
        return computable(self.layout.array([obs])).reshape(-1)[self._columns]

    def _counted(self, row: np.ndarray) -> np.ndarray:
        return (row - self.first if self.first.any() else row).astype(np.float64)

    def too_far(self, bounds: ranges.Own) -> tuple[np.ndarray, np.ndarray]:
        """See `ranges.too_far`; bounds: those of the spaces."""
        return ranges.too_far(self.low, self.high, bounds.less(self.first))

    def ends(self, low: np.ndarray, high: np.ndarray) -> Ends:
        """``low`` and ``high``, relative to ``first``, as numbers of the observation."""
        if not self.first.any():
            return tuple(low.tolist()), tuple(high.tolist())
        each = zip(self.first.tolist(), low.tolist(), high.tolist(), strict=True)
        both = [(first + math.floor(a), first + math.ceil(b)) if first else (a, b) for first, a, b in each]
        return tuple(a for a, _ in both), tuple(b for _, b in both)


class Sample(Seen):
    """As `Seen`, and some of the observations themselves: all of short ones, as many as `KEPT` allows of long ones."""

    def __init__(self, rows: Rows, leaves: list[Leaf], obs: Any) -> None:
        super().__init__(rows, leaves, obs)
        self._every, self._kept = max(1, STEPS * self.low.size // KEPT), [self.low.copy()]

    def add(self, obs: Any, step: int) -> None:
        super().add(obs, step)
        if step % self._every == 0:
            self._kept.append(self._counted(self._row(obs)))

    @property
    def rows(self) -> np.ndarray:
        """Observations ``(n, entries)``."""
        return np.array(self._kept)


def is_unbounded(space: gym.Space) -> bool:
    """Whether any number of an observation lacks bounds that its code needs."""
    bounds = ranges.own(numeric(Rows(space)))
    return not (bounds.has_low & bounds.has_high).all()


def probe_range(source: EnvSource, kwargs: dict[str, Any], seed: int, shown: bool = False) -> Ends:
    """Lower and upper ends for every number of the Boxes in an observation: its own bounds, or what random actions reach.

    Numbers without bounds, or with bounds far wider than what was seen (`ranges.too_far`), get the range of `STEPS` random
    actions in a separate env, plus a quarter. It is found once, before learning, and stays: a code that moved with the
    policy would undo what was learnt. If an env takes longer than `SECONDS`, the probe ends early, and a warning says so: the
    next run may find other ends. shown: show a progress bar.
    """
    seen = _observe(source, kwargs, seed, numeric, shown=shown)
    return _ends(seen, ranges.own(seen.leaves))


def probe_bounds(space: gym.Space, source: EnvSource, kwargs: dict[str, Any], seed: int) -> Ends | None:
    """As `probe_range`, for numbers that all have bounds; None if none of these are too wide, or the probe fails.

    It ends after `GLANCE` steps, or `GLANCE_SECONDS`, if no bound looks too wide, and earlier if all numbers have moved.
    Anything wrong with the environment is reported when it is used.
    """
    boxes = numeric(Rows(space))
    if not any(leaf.size for leaf in boxes):
        return None
    bounds = ranges.own(boxes)

    def bounds_hold(seen: Seen, seconds: float) -> bool:
        if seen.steps < GLANCE:
            check = seconds >= GLANCE_SECONDS or bool((seen.high > seen.low).all())
        else:  # bounds looked too wide
            check = seen.steps % GLANCE == 0
        return check and not np.any(seen.too_far(bounds))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seen = _observe(source, kwargs, seed, numeric, bounds_hold)
    except Exception as error:
        logger.debug("the bounds of observations are used as they are: %s", error)
        return None
    return _ends(seen, bounds) if seen.steps >= GLANCE and np.any(seen.too_far(bounds)) else None


def probe_entries(source: EnvSource, kwargs: dict[str, Any], seed: int, shown: bool = False) -> Ends:
    """Lowest and highest value of every entry of an observation over `STEPS` random actions."""
    seen = _observe(source, kwargs, seed, lambda rows: rows.leaves, shown=shown)
    moved = seen.high - seen.low
    return seen.ends(ranges.rounded(seen.low, moved), ranges.rounded(seen.high, moved))


def probe_numbers(
    source: EnvSource, kwargs: dict[str, Any], seed: int, shown: bool = False
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Ends of what is typical of every entry of an observation over `STEPS` random actions; its usual value if all are whole."""
    seen = _observe(source, kwargs, seed, lambda rows: rows.leaves, shown=shown, kind=Sample)
    found = every_end(seen.layout)
    low, high = ranges.typical(seen.rows, found.low, found.high, found.counted)
    usual = ranges.usual(seen.rows) if found.counted.all() else np.zeros(0)
    return *seen.ends(low, high), tuple(usual.tolist())


def _ends(seen: Seen, bounds: ranges.Own) -> Ends:
    """See `ranges.ends`; bounds that are too wide are ignored, with a warning, if at least `GLANCE` steps show it."""
    far, bounds = seen.too_far(bounds), bounds.less(seen.first)
    if np.any(far) and seen.steps >= GLANCE:
        _warn_of_wide_bounds(seen, np.flatnonzero(np.any(far, 0)).tolist())
        bounds = ranges.without(bounds, *far)
    return seen.ends(*ranges.ends(seen.low, seen.high, bounds))


def _warn_of_wide_bounds(seen: Seen, wide: list[int]) -> None:
    names = [name for leaf in seen.leaves for name in _names(leaf)]
    more = f" and {len(wide) - NAMED:,} more" if len(wide) > NAMED else ""
    logger.warning(
        f"the bounds of {', '.join(names[i] for i in wide[:NAMED])}{more} are far wider than what {seen.steps:,} random actions "
        "reach: that range, plus a quarter, is encoded instead; `--encoder.low` and `--encoder.high` set another"
    )


def _names(leaf: Leaf) -> list[str]:
    """Names of the numbers of a leaf."""
    shape = leaf.space.shape or ()
    return [f"{leaf.path}[{', '.join(map(str, at))}]" if at else leaf.path for at in np.ndindex(shape)]


def _observe(
    source: EnvSource, kwargs: dict[str, Any], seed: int, chosen: Callable[[Rows], list[Leaf]],
    enough: Callable[[S, float], bool] = lambda seen, seconds: False, shown: bool = False, kind: type[S] = Seen,
) -> S:  # fmt: skip
    """The ``chosen`` leaves over `STEPS` random actions; fewer if that takes too long, or it is ``enough``."""
    with Bar(STEPS, "step", "finding the range of observations", shown=shown) as bar:
        return _observed(source, kwargs, seed, chosen, enough, bar, kind)


def _observed(
    source: EnvSource, kwargs: dict[str, Any], seed: int, chosen: Callable[[Rows], list[Leaf]],
    enough: Callable[[S, float], bool], bar: Bar, kind: type[S],
) -> S:  # fmt: skip
    env, start, seconds = make_env(source, kwargs), time.monotonic(), 0.0
    try:
        rows, observations = Rows(env.observation_space), _random_actions(env, seed)
        seen = kind(rows, chosen(rows), next(observations)[1])
        for step, obs in observations:
            seen.add(obs, step)
            if bar.due():
                bar.move(step)
            seconds = time.monotonic() - start
            if seconds >= SECONDS or enough(seen, seconds):
                break
    finally:
        env.close()
    if seen.steps < STEPS and seconds >= SECONDS:
        logger.warning(
            f"the range of observations is from {seen.steps:,} random actions, not {STEPS:,}, because the environment is slow; "
            "`encoder.low` and `encoder.high` make it the same in every run"
        )
    return seen


def _random_actions(env: gym.Env, seed: int) -> Iterator[tuple[int, Any]]:
    """Observations under random actions, each with the number of its step."""
    env.action_space.seed(seed)
    obs = env.reset(seed=seed)[0]
    yield 0, obs
    for step in range(1, STEPS + 1):
        obs, _, terminated, truncated, _ = env.step(random_action(env.action_space, obs))
        yield step, obs
        if terminated or truncated:
            obs = env.reset()[0]
            yield step, obs
