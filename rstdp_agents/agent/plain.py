"""One plain observation in, one plain action out, as an environment has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.base import validate
from rstdp_agents.base.wording import short
from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.observation_layout import MASK, Rows
from rstdp_agents.environments.guard import contains, outside
from rstdp_agents.environments.masks import with_mask
from rstdp_agents.spiking.agent_random import AgentRandom


def seeds_of(random: AgentRandom) -> tuple[int, ...]:
    """A seed for each agent of a population, apart from those of training and evaluation."""
    return tuple(int(np.random.SeedSequence([int(seed), 2]).generate_state(1)[0]) for seed in random.seeds)


def observation_of(space: gym.Space, rows: Rows, obs: Any, mask: Any = None) -> np.ndarray:
    """One plain observation as agents take it, ``(*obs)``. Raises ValueError for one that is not of the space.

    mask: of allowed actions, where the agent learnt with masks that came in ``info``; all are allowed if None.
    """
    if rows.mask is not None and not (isinstance(obs, Mapping) and MASK in obs):
        obs = with_mask(obs, np.ones(rows.mask.stop - rows.mask.start, np.int8) if mask is None else mask)
    what, beyond = ("", False) if contains(space, obs) else outside(space, obs)
    wanted = short(str(space))
    validate.require(not what or beyond, f"`obs` must be one of the space {wanted}; received an observation{what}")
    array = rows.array([obs])[0]
    validate.require(bool(np.isfinite(array).all()), f"`obs` must be finite; received {short(str(obs))}")
    return array


def action_of(space: gym.Space, action: np.ndarray) -> Any:
    """One plain action of what a policy chose in a single env, ``(1, *action)``; an int of a Discrete."""
    (one,) = Actions(space).each(action[None])
    return int(one) if isinstance(space, spaces.Discrete) else one
