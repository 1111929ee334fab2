"""Gymnasium environments, arranged as a grid of ``(agents, envs)``."""

from __future__ import annotations

import ast
import difflib
import math
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from rstdp_agents.errors import EnvironmentFault, UsageError
from rstdp_agents.transition import Transition


class EnvGrid:
    """``envs`` copies of an environment for each of ``agents`` agents, stepped one after the other.

    Finished envs start again in the same step (what Gymnasium calls ``AutoresetMode.SAME_STEP``); their true last
    observation is handed on where it is needed, on truncation. Every array has the leading axes ``(agents, envs)``.
    """

    def __init__(self, env_id: str, kwargs: dict[str, Any], agents: int, envs: int) -> None:
        self.shape = (agents, envs)
        self.envs = [make_env(env_id, kwargs) for _ in range(agents * envs)]
        self.observation_space, self.action_space = self.envs[0].observation_space, self.envs[0].action_space
        self._obs_shape, self._dtype = (
            (*self.shape, *(self.observation_space.shape or ())),
            self.observation_space.dtype,
        )
        self._nobody = np.zeros(self.shape, dtype=bool)
        self.steps = 0

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        """Start all envs, those of an agent from its seed alone; returns observations ``(agents, envs, *obs)``."""
        each = [seed for agent in seeds for seed in env_seeds(agent, self.shape[1])]
        obs = self._array([env.reset(seed=seed)[0] for env, seed in zip(self.envs, each, strict=True)])
        self._check("observation", obs)
        return obs

    def step(self, actions: np.ndarray) -> Transition:
        """Step every env once. Raises EnvironmentFault for an observation or a reward that is not finite."""
        self.steps += 1
        results = [env.step(action) for env, action in zip(self.envs, actions.reshape(-1).tolist(), strict=True)]
        obs, rewards, ended, cut, _ = zip(*results, strict=True)
        terminated = truncated = self._nobody
        final_obs, any_done = None, any(ended) or any(cut)
        if any_done:
            terminated = np.array(ended, dtype=bool).reshape(self.shape)
            truncated = np.array(cut, dtype=bool).reshape(self.shape) & ~terminated
            if truncated.any():
                final_obs = self._array(obs)
                self._check("observation", final_obs)
            over = (terminated | truncated).reshape(-1)
            obs = [env.reset()[0] if done else now for env, done, now in zip(self.envs, over, obs, strict=True)]
        reward, after = np.array(rewards, dtype=np.float64).reshape(self.shape), self._array(obs)
        if not math.isfinite(sum(rewards)):
            self._check("reward", reward)
        self._check("observation", after)
        return Transition(after, reward, terminated, truncated, final_obs, any_done)

    def close(self) -> None:
        """Close all envs."""
        for env in self.envs:
            env.close()

    def _array(self, obs: Sequence[Any]) -> np.ndarray:
        return np.array(obs, dtype=self._dtype).reshape(self._obs_shape)

    def _check(self, what: str, values: np.ndarray) -> None:
        if math.isfinite(np.add.reduce(values, None)):
            return
        finite = np.isfinite(values)
        if not finite.all():
            agent, env = np.argwhere(~finite)[0][:2]
            raise EnvironmentFault(
                f"{what} is not finite at env step {self.steps} in env {env} of agent {agent}: received {values[agent, env]}"
            )


def make_env(env_id: str, kwargs: dict[str, Any]) -> gym.Env:
    """One environment by id (also ``module:Id``). Raises UsageError with the nearest ids or what the constructor said."""
    try:
        return gym.make(env_id, disable_env_checker=True, **kwargs)
    except gym.error.UnregisteredEnv as error:
        near = difflib.get_close_matches(env_id, list(gym.registry), n=3, cutoff=0.5)
        hint = f"; the nearest are {', '.join(near)}" if near else ""
        raise UsageError(f"unknown environment {env_id!r}{hint}") from error
    except (gym.error.Error, ImportError, TypeError) as error:
        raise UsageError(f"environment {env_id!r} cannot be made: {str(error).strip()}") from error


def reward_threshold(env_id: str) -> float | None:
    """Mean return at which Gymnasium calls the task solved, if it says."""
    return gym.spec(env_id).reward_threshold


def env_seeds(agent_seed: int, count: int, purpose: int = 0) -> list[int]:
    """Seeds for ``count`` envs of one agent; other purposes (1: evaluation) get seeds of their own."""
    return np.random.SeedSequence([agent_seed, purpose]).generate_state(count).tolist()


def parse_kwargs(pairs: tuple[str, ...]) -> dict[str, Any]:
    """``("key:value", ...)`` -> keyword arguments; values are read as Python literals where they are such."""
    kwargs: dict[str, Any] = {}
    for pair in pairs:
        key, colon, text = pair.partition(":")
        if not colon or not key.isidentifier():
            raise UsageError(f"`--env-kwargs` takes key:value pairs; received {pair!r}")
        try:
            kwargs[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            kwargs[key] = text
    return kwargs
