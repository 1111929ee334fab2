"""Gymnasium environments, arranged as a grid of ``(agents, envs)``."""

from __future__ import annotations

import ast
import difflib
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from rstdp_agents.agent import Transition
from rstdp_agents.errors import EnvironmentFault, UsageError


class EnvGrid:
    """``envs`` copies of an environment for each of ``agents`` agents, stepped together.

    Finished envs start again in the same step (``AutoresetMode.SAME_STEP``); their true last observation is handed on
    where it is needed, on truncation. Every array has the leading axes ``(agents, envs)``.
    """

    def __init__(self, env_id: str, kwargs: dict[str, Any], agents: int, envs: int) -> None:
        self.shape = (agents, envs)
        make = partial(make_env, env_id, kwargs)
        self.vector = SyncVectorEnv([make] * (agents * envs), autoreset_mode=AutoresetMode.SAME_STEP)
        self.observation_space = self.vector.single_observation_space
        self.action_space = self.vector.single_action_space
        self.steps = 0

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        """Start all envs, those of an agent from its seed alone; returns observations ``(agents, envs, *obs)``."""
        obs, _ = self.vector.reset(seed=[seed for agent in seeds for seed in env_seeds(agent, self.shape[1])])
        self._check("observation", obs)
        return self._grid(obs)

    def step(self, actions: np.ndarray) -> Transition:
        """Step every env once. Raises EnvironmentFault for an observation or a reward that is not finite."""
        obs, reward, terminated, truncated, info = self.vector.step(actions.reshape(-1))
        self.steps += 1
        self._check("reward", reward)
        self._check("observation", obs)
        cut = truncated & ~terminated
        final_obs = None
        if cut.any():
            final_obs = obs.copy()
            for row in np.flatnonzero(cut):
                final_obs[row] = info["final_obs"][row]
            self._check("observation", final_obs)
            final_obs = self._grid(final_obs)
        grid = self._grid
        return Transition(grid(obs), grid(reward), grid(terminated), grid(truncated), final_obs)

    def close(self) -> None:
        """Close all envs."""
        self.vector.close()

    def _grid(self, array: np.ndarray) -> np.ndarray:
        return array.reshape(*self.shape, *array.shape[1:])

    def _check(self, what: str, values: np.ndarray) -> None:
        finite = np.isfinite(values)
        if not finite.all():
            row = int(np.argwhere(~finite)[0][0])
            agent, env = divmod(row, self.shape[1])
            raise EnvironmentFault(
                f"{what} is not finite at env step {self.steps} in env {env} of agent {agent}: received {values[row]}"
            )


def make_env(env_id: str, kwargs: dict[str, Any], **extra: Any) -> gym.Env:
    """One environment by id (also ``module:Id``). Raises UsageError with the nearest ids or what the constructor said."""
    try:
        return gym.make(env_id, **kwargs, **extra)
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
