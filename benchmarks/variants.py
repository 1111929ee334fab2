"""Wrappers that make another task of an environment: other units, noise, velocities left out."""

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


def _box(env: gym.Env) -> gym.spaces.Box:
    space = env.observation_space
    assert isinstance(space, gym.spaces.Box)
    return space
