"""What every arrangement of environments offers, and how a faulty one is found out."""

from __future__ import annotations

import math
from typing import Protocol

import gymnasium as gym
import numpy as np

from rstdp_agents.errors import EnvironmentFault
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
        """Start all envs from one seed per agent; returns observations ``(agents, envs, *obs)``."""
        ...

    def step(self, actions: np.ndarray) -> Transition:
        """Step every env once with ``actions (agents, envs, *action)``.

        Raises EnvironmentFault for an observation or a reward that is not finite.
        """
        ...

    def close(self) -> None:
        """Close all envs."""
        ...


def check_finite(what: str, values: np.ndarray, steps: int) -> None:
    """Raise EnvironmentFault if any of ``values (agents, envs, ...)`` is not; the message says which, and at which step."""
    flat = values.reshape(-1)
    total = sum(flat.tolist()) if flat.size < FEW else np.add.reduce(flat)
    if math.isfinite(total):
        return
    finite = np.isfinite(values)
    if not finite.all():
        agent, env = np.argwhere(~finite)[0][:2]
        raise EnvironmentFault(
            f"{what} is not finite at env step {steps} in env {env} of agent {agent}: received {values[agent, env]}"
        )
