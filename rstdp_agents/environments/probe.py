"""The range of observations that have no bounds of their own, as chance finds it."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents.encoders import UNBOUNDED
from rstdp_agents.environments.make import make_env

STEPS = 2_000
"""Env steps of a probe."""
MARGIN = 0.25
"""Share of the range that is added on either side: a learned policy goes further than chance."""


def is_unbounded(space: gym.Space) -> bool:
    """Whether a one-dimensional Box lacks bounds in some dimension."""
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        return False
    return bool((np.maximum(np.abs(space.low), np.abs(space.high)) >= UNBOUNDED).any())


def probe_range(env_id: str, kwargs: dict[str, Any], seed: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lower and upper ends for every dimension of a one-dimensional Box: its own bounds, or what random actions reach.

    The ends of unbounded dimensions are those of `STEPS` steps of chance in an env of its own, widened by `MARGIN`; they
    are found once, before learning, and stay: a code that moved with the policy would take its own lessons away.
    """
    env = make_env(env_id, kwargs)
    space = env.observation_space
    assert isinstance(space, gym.spaces.Box)
    env.action_space.seed(seed)
    seen = [env.reset(seed=seed)[0]]
    for _ in range(STEPS):
        obs, _, terminated, truncated, _ = env.step(env.action_space.sample())
        seen.append(obs)
        if terminated or truncated:
            seen.append(env.reset()[0])
    env.close()
    low, high = np.min(seen, 0).astype(np.float64), np.max(seen, 0).astype(np.float64)
    room = MARGIN * (high - low) + 1e-3  # a dimension that never moved gets some room too
    low = np.where(np.abs(space.low) < UNBOUNDED, space.low, low - room)
    high = np.where(np.abs(space.high) < UNBOUNDED, space.high, high + room)
    return tuple(low.round(4).tolist()), tuple(high.round(4).tolist())
