"""The range of observations, as chance finds it: where they have no bounds of their own, or a code asks for what varies."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents.config import RunConfig, override
from rstdp_agents.encoders.coding import UNBOUNDED, numeric, own_bounds
from rstdp_agents.environments.make import make_env
from rstdp_agents.environments.source import EnvSource
from rstdp_agents.progress import Bar
from rstdp_agents.spaces.observations import Rows

logger = logging.getLogger(__name__)

STEPS = 2_000
"""Env steps of a probe."""
SECONDS = 15
"""Time after which a slow environment is probed no further."""
MARGIN = 0.25
"""Share of the range that is added on either side: a learned policy goes further than chance."""


def ranged(config: RunConfig, source: EnvSource, kwargs: dict[str, Any]) -> RunConfig:
    """As `with_range`, in an env of its own, which is closed again."""
    if config.agent.encoder.low or config.agent.encoder.high:
        return config
    env = make_env(source, kwargs)
    env.close()
    return with_range(config, env.observation_space, source, kwargs)


def with_range(config: RunConfig, space: gym.Space, source: EnvSource, kwargs: dict[str, Any]) -> RunConfig:
    """The configuration with a range for the encoder, where its code asks for one and the configuration gives none."""
    encoder = config.agent.encoder
    if encoder.low or encoder.high or not (encoder.code == "tuples" or is_unbounded(space)):
        return config
    probe = probe_entries if encoder.code == "tuples" else probe_range
    low, high = probe(source, kwargs, config.seed, config.progress)
    return override(config, {"agent.encoder.low": low, "agent.encoder.high": high})


def is_unbounded(space: gym.Space) -> bool:
    """Whether some number of an observation lacks bounds that its code needs."""
    low, high = own_bounds(numeric(Rows(space)))
    return bool((np.maximum(np.abs(low), np.abs(high)) >= UNBOUNDED).any())


def probe_range(
    source: EnvSource, kwargs: dict[str, Any], seed: int, shown: bool = False
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper ends for every number of the Boxes in an observation: its own bounds, or what random actions reach.

    The ends of unbounded numbers are those of `STEPS` steps of chance in an env of its own, widened by `MARGIN`; they
    are found once, before learning, and stay: a code that moved with the policy would take its own lessons away. An env
    that takes longer than `SECONDS` for them is probed for fewer, and a warning says so: the next run may find other ends.
    shown: say how far the probe has come.
    """
    rows, low, high = _seen(source, kwargs, seed, shown)
    boxes = numeric(rows)
    columns = np.concatenate([np.arange(leaf.first, leaf.first + leaf.size) for leaf in boxes])
    own_low, own_high = own_bounds(boxes)
    low, high = low[columns], high[columns]
    room = MARGIN * (high - low) + 1e-3  # a dimension that never moved gets some room too
    low = np.where(np.abs(own_low) < UNBOUNDED, own_low, low - room)
    high = np.where(np.abs(own_high) < UNBOUNDED, own_high, high + room)
    return tuple(low.round(4).tolist()), tuple(high.round(4).tolist())


def probe_entries(
    source: EnvSource, kwargs: dict[str, Any], seed: int, shown: bool = False
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lowest and highest value of every entry of an observation in `STEPS` steps of chance; what never varies tells nothing."""
    rows, low, high = _seen(source, kwargs, seed, shown)
    columns = np.concatenate([np.arange(leaf.first, leaf.first + leaf.size) for leaf in rows.leaves])
    return tuple(low[columns].round(4).tolist()), tuple(high[columns].round(4).tolist())


def _seen(source: EnvSource, kwargs: dict[str, Any], seed: int, shown: bool) -> tuple[Rows, np.ndarray, np.ndarray]:
    """The rows of an environment, and what is lowest and highest in each of their columns in a probe."""
    env = make_env(source, kwargs)
    rows = Rows(env.observation_space)
    low, high = np.array(np.inf), np.array(-np.inf)
    with Bar(STEPS, "step", "looking at the range of observations", shown=shown) as bar:
        for step, obs in enumerate(_chance(env, seed)):
            row = rows.array([obs]).reshape(-1).astype(np.float64)
            low, high = np.minimum(low, row), np.maximum(high, row)
            if bar.due():
                bar.move(min(step, STEPS))
    env.close()
    return rows, low, high


def _chance(env: gym.Env, seed: int) -> Iterator[Any]:
    """Observations of random actions."""
    deadline = time.monotonic() + SECONDS
    env.action_space.seed(seed)
    yield env.reset(seed=seed)[0]
    for step in range(1, STEPS + 1):
        obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
        yield obs
        if terminated or truncated:
            yield env.reset()[0]
        if step < STEPS and time.monotonic() >= deadline:
            logger.warning(
                f"the range of observations is that of {step:,} steps of chance, not {STEPS:,}, as the environment is slow; "
                "`encoder.low` and `encoder.high` make it the same in every run"
            )
            return
