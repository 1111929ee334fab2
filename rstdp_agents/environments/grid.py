"""What every arrangement of environments offers, and how a faulty one is found out."""

from __future__ import annotations

import math
from typing import Any, Protocol

import gymnasium as gym
import numpy as np

from rstdp_agents.errors import EnvironmentFault
from rstdp_agents.spaces.observations import Rows
from rstdp_agents.transition import Transition

FEW = 32
"""Numbers that Python adds up faster than NumPy."""


class EnvGrid(Protocol):
    """``envs`` copies of an environment for each of ``agents`` agents; episodes start again by themselves."""

    observation_space: gym.Space
    """Of one env."""
    action_space: gym.Space
    """Of one env."""

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        """Start all envs from one seed per agent; returns observations ``(agents, envs, *obs)`` (`observations.Rows`)."""
        ...

    def step(self, actions: np.ndarray) -> Transition:
        """Step every env once with ``actions (agents, envs, *action)``.

        Raises EnvironmentFault for an observation or a reward that is not finite.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """Where all envs stand, as JSON holds it; ``{"lost": reason}`` where that cannot be kept."""
        ...

    def resume(self, snapshot: dict[str, Any]) -> str:
        """Bring freshly made envs where `snapshot` found others, nothing lost; returns why that failed, or an empty text."""
        ...

    def close(self) -> None:
        """Close all envs."""
        ...


def check_step(obs: np.ndarray, rewards: np.ndarray, steps: int, rows: Rows) -> None:
    """`check_finite` of what came of a step; a single look where all is well."""
    few = obs.size < FEW and rewards.size < FEW
    numbers = obs.ravel().tolist() + rewards.ravel().tolist() if few else (total(obs), total(rewards))
    if not math.isfinite(sum(numbers)):
        check_finite("observation", obs, steps, rows)
        check_finite("reward", rewards, steps)


def total(values: np.ndarray) -> float:
    """Sum of all values."""
    flat = values.ravel()
    return sum(flat.tolist()) if flat.size < FEW else np.add.reduce(flat)


def check_finite(what: str, values: np.ndarray, steps: int, rows: Rows | None = None) -> None:
    """Raise EnvironmentFault if any of ``values (agents, envs, ...)`` is not; the message says which, and at which step.

    rows: the layout of values that are rows of a composite observation, to name the part.
    """
    if math.isfinite(total(values)):
        return
    finite = np.isfinite(values)
    if not finite.all():
        agent, env, *column = np.argwhere(~finite)[0]
        received = values[agent, env]
        if rows is not None and not rows.is_array:
            what, received = rows.path(column[0]), received[column[0]]
        raise EnvironmentFault(
            f"{what} is not finite at env step {steps} in env {env} of agent {agent}: received {received}"
        )
