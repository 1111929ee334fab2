"""Masks of allowed actions that an environment puts into `info`, made part of its observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from rstdp_agents.codecs.observation_layout import MASK

INT8 = np.dtype(np.int8)


class MaskInObservation(gym.Wrapper):
    """An env whose observations become a Dict with the additional entry `MASK` from its ``info``.

    entries: length of a mask, for all components of an action one after the other.
    """

    def __init__(self, env: gym.Env, entries: int) -> None:
        super().__init__(env)
        inner = env.observation_space
        parts = dict(inner.items()) if isinstance(inner, spaces.Dict) else {"observation": inner}
        self.observation_space = spaces.Dict({**parts, MASK: spaces.MultiBinary(entries)})
        self._everything = np.ones(entries, dtype=np.int8)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        obs, info = self.env.reset(seed=seed, options=options)
        return self._with_mask(obs, info), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        obs, reward, terminated, truncated, info = self.env.step(action)
        return self._with_mask(obs, info), reward, terminated, truncated, info

    def _with_mask(self, obs: Any, info: dict[str, Any]) -> dict[str, Any]:
        return with_mask(obs, info.get(MASK, self._everything))


def with_mask(obs: Any, mask: Any) -> dict[str, Any]:
    """An observation as `MaskInObservation` has it."""
    if isinstance(obs, Mapping):
        return {**obs, MASK: flat(mask)}
    return {"observation": obs, MASK: flat(mask)}


def flat(mask: Any) -> np.ndarray:
    """A mask, or the masks of several components (Gymnasium's tuples of them), as one array."""
    if type(mask) is np.ndarray and mask.dtype is INT8 and mask.ndim == 1:  # what most environments give, soonest
        return mask.copy()
    if isinstance(mask, tuple | list | dict):
        parts = [flat(part) for part in (mask.values() if isinstance(mask, dict) else mask)]
        return np.concatenate(parts) if parts else np.zeros(0, np.int8)
    return np.asarray(mask, dtype=np.int8).reshape(-1)
