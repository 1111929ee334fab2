"""One Gymnasium environment: how it is made, when it counts as solved, where its seeds come from."""

from __future__ import annotations

import ast
import difflib
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from rstdp_agents.environments.own import load_own
from rstdp_agents.errors import UsageError

load_own()


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


def env_spec(env_id: str) -> EnvSpec:
    """What Gymnasium knows of an environment that has been made; also of ``module:Id``, which it then knows as ``Id``."""
    return gym.spec(env_id.rpartition(":")[2])


def reward_threshold(env_id: str) -> float | None:
    """Mean return at which Gymnasium calls the task solved, if it says."""
    return env_spec(env_id).reward_threshold


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
