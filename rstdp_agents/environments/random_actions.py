"""Random actions, of which a mask may allow some only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.observation_layout import MASK


def random_action(space: gym.Space, obs: Any) -> Any:
    """A sample of the action space; of what is allowed, where the observation says so in its entry `MASK`."""
    mask = np.asarray(obs[MASK]).reshape(-1) > 0 if isinstance(obs, Mapping) and MASK in obs else None
    return space.sample() if mask is None or mask.size != entries(space) else _allowed(space, mask)[0]


def entries(space: gym.Space) -> int:
    """Values that can be chosen, over all components of an action: the length of its mask."""
    if isinstance(space, spaces.Dict | spaces.Tuple):
        return sum(map(entries, space.values() if isinstance(space, spaces.Dict) else space))
    if isinstance(space, spaces.Discrete):
        return int(space.n)
    return int(_sizes(space).sum())


def _sizes(space: gym.Space) -> np.ndarray:
    """Values of every component of an array that is chosen from a few."""
    if isinstance(space, spaces.MultiDiscrete):
        return space.nvec.reshape(-1)
    return np.full(int(np.prod(space.shape)) if isinstance(space, spaces.MultiBinary) else 0, 2)


def _allowed(space: gym.Space, mask: np.ndarray) -> tuple[Any, np.ndarray]:
    """A random action, and what is left of the mask."""
    if isinstance(space, spaces.Dict):
        named = {}
        for key, part in space.items():
            named[key], mask = _allowed(part, mask)
        return named, mask
    if isinstance(space, spaces.Tuple):
        several = []
        for part in space:
            action, mask = _allowed(part, mask)
            several.append(action)
        return tuple(several), mask
    if isinstance(space, spaces.Discrete):
        return space.sample(mask[: space.n].astype(np.int8)), mask[space.n :]
    action = space.sample()
    if isinstance(space, spaces.MultiDiscrete | spaces.MultiBinary):
        start = np.reshape(getattr(space, "start", 0), -1)
        first = np.cumsum(_sizes(space)) - _sizes(space)
        options = [np.flatnonzero(mask[a : a + n]) for a, n in zip(first, _sizes(space), strict=True)]
        chosen = [space.np_random.choice(each) if each.size else 0 for each in options]
        action = (np.array(chosen) + start).astype(space.dtype).reshape(space.shape)
    return action, mask[_sizes(space).sum() :]
