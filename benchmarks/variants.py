"""Wrappers that make another task of an environment: other units, noise, velocities left out, traces of what was seen."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import TransformObservation, TransformReward


def rewards_x1000(env: gym.Env) -> gym.Env:
    """A thousand times every reward."""
    return TransformReward(env, lambda reward: 1000.0 * float(reward))


def rewards_x0_001(env: gym.Env) -> gym.Env:
    """A thousandth of every reward."""
    return TransformReward(env, lambda reward: 0.001 * float(reward))


def observations_x1000(env: gym.Env) -> gym.Env:
    """A thousand times every number that is seen, and bounds to match."""
    box = _box(env)
    high = np.where(np.abs(box.high) < 1e30, 1000.0 * box.high, np.inf)  # bounds near the largest float mean none
    low = np.where(np.abs(box.low) < 1e30, 1000.0 * box.low, -np.inf)
    space = gym.spaces.Box(low.astype(np.float32), high.astype(np.float32))
    return TransformObservation(env, lambda obs: (1000.0 * obs).astype(np.float32), space)


def positions_only(env: gym.Env) -> gym.Env:
    """Cart position and pole angle of CartPole, without the velocities."""
    box = _box(env)
    return TransformObservation(env, lambda obs: obs[[0, 2]], gym.spaces.Box(box.low[[0, 2]], box.high[[0, 2]]))


class NoisyRewards(gym.Wrapper):
    """Normal noise on every reward, with a standard deviation of 1."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        obs, reward, ended, cut, info = self.env.step(action)
        return obs, float(reward) + float(self.np_random.normal()), ended, cut, info


class NoisyObservations(gym.ObservationWrapper):
    """Normal noise on every number that is seen, with a standard deviation of 0.05."""

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.observation_space = gym.spaces.Box(-np.inf, np.inf, _box(env).shape, np.float32)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return (observation + self.np_random.normal(0.0, 0.05, observation.shape)).astype(np.float32)


class DistractingObservations(gym.ObservationWrapper):
    """Ten more numbers, normal noise, that tell nothing."""

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        box, more = _box(env), np.full(10, np.inf, np.float32)
        self.observation_space = gym.spaces.Box(np.append(box.low, -more), np.append(box.high, more), dtype=np.float32)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        return np.append(observation, self.np_random.standard_normal(10)).astype(np.float32)


class Traces(gym.ObservationWrapper):
    """Every number twice: as it is, and its mean over the last second or so of the episode, weighted by ``exp(-age / 1000 ms)``.

    For environments that say how long a step takes (``dt``, in ms), as NeuroGym's do.
    """

    TAU = 1000.0

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        box = _box(env)
        self.observation_space = gym.spaces.Box(np.tile(box.low, 2), np.tile(box.high, 2), dtype=np.float32)
        self._kept, self._trace = float(np.exp(-env.unwrapped.dt / self.TAU)), np.zeros(box.shape)  # pyright: ignore[reportAttributeAccessIssue]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._trace = np.zeros_like(self._trace)
        return super().reset(seed=seed, options=options)

    def observation(self, observation: np.ndarray) -> np.ndarray:
        self._trace = self._kept * self._trace + (1.0 - self._kept) * observation
        return np.concatenate([observation, self._trace]).astype(np.float32)


def _box(env: gym.Env) -> gym.spaces.Box:
    space = env.observation_space
    assert isinstance(space, gym.spaces.Box)
    return space
