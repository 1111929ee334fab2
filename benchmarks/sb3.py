"""Reference algorithms of Stable-Baselines3 (extra `sb3`) with their defaults, for what can be learnt in a number of env steps.

They see flattened observations: one-hot for what is discrete, without parts that Gymnasium cannot flatten (missions in words).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents.base import validate
from rstdp_agents.codecs.observation_layout import MASK
from rstdp_agents.environments.make import make_env
from rstdp_agents.environments.source import EnvSource

ALGORITHMS = ("ppo", "dqn", "sac")
ACTIONS = {"dqn": gym.spaces.Discrete, "sac": gym.spaces.Box}
"""The only actions that an algorithm has."""


def learn(
    algorithm: str, source: EnvSource, kwargs: dict[str, Any], seed: int, steps: int,
    watch: Callable[[int, dict[str, Any]], object] | None = None,
) -> list[tuple[float, int]]:  # fmt: skip
    """Return of every training episode, and the env step in which it ended.

    watch: is told the number of every env step, from 1, and its `info`.
    Raises ValueError where the package is absent, and for an algorithm that has no such actions.
    """
    try:
        import stable_baselines3 as sb3
        from stable_baselines3.common.monitor import Monitor
    except ImportError as error:
        raise ValueError(f"{algorithm} needs stable_baselines3 ({error}): pip install 'rstdp_agents[sb3]'") from error
    env = Monitor(flattened(make_env(source, kwargs)))
    kind = ACTIONS.get(algorithm, gym.Space)
    takes = isinstance(env.action_space, kind)
    validate.require(takes, f"{algorithm} acts in {kind.__name__} only; received {type(env.action_space).__name__}")
    model = getattr(sb3, algorithm.upper())("MlpPolicy", env, seed=seed, device="cpu")
    model.learn(steps, callback=_watching(watch) if watch else None)
    ends = np.cumsum(env.get_episode_lengths()).tolist()
    env.close()
    return [(float(value), end) for value, end in zip(env.get_episode_rewards(), ends, strict=True) if end <= steps]


def _watching(watch: Callable[[int, dict[str, Any]], object]) -> Callable[[dict[str, Any], object], bool]:
    """A callback of Stable-Baselines3."""

    def goes_on(scope: dict[str, Any], _: object) -> bool:
        watch(scope["self"].num_timesteps, scope["infos"][0])
        return True

    return goes_on


def flattened(env: gym.Env) -> gym.Env:
    """The environment with rows of numbers for observations, as far as they can be flattened; action masks are left out."""
    space = env.observation_space
    if isinstance(space, gym.spaces.Dict):
        env = gym.wrappers.FilterObservation(
            env, [key for key, part in space.items() if key != MASK and _is_flat(part)]
        )
    return gym.wrappers.FlattenObservation(env)


def _is_flat(space: gym.Space) -> bool:
    try:
        gym.spaces.flatten_space(space)
    except NotImplementedError:
        return False
    return True
