"""The interface of every grid of environments, and checks that detect faulty ones."""

from __future__ import annotations

import math
from typing import Any, Protocol

import gymnasium as gym
import numpy as np

from rstdp_agents.base.errors import EnvironmentFault
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments.learnt import Learnt

FEW = 32
"""Numbers up to which Python sums faster than NumPy."""


class EnvGrid(Protocol):
    """``envs`` copies of an environment for each of ``agents`` agents; finished episodes restart automatically."""

    observation_space: gym.Space
    """Observation space of one env."""
    action_space: gym.Space
    """Action space of one env."""
    steps: int
    """Env steps that every env has taken."""
    name: str
    """Name of the environment, for messages."""
    rows: Rows
    """The layout of an observation."""

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        """Start all envs from one seed per agent; returns observations ``(agents, envs, *obs)`` (`observation_layout.Rows`)."""
        ...

    def step(self, actions: np.ndarray) -> Transition:
        """Step every env once with ``actions (agents, envs, *action)``.

        Raises EnvironmentFault for an observation or a reward that is not finite.
        """
        ...

    def snapshot(self) -> dict[str, Any]:
        """The state of all envs, as plain data and arrays; if it cannot be saved, ``lost`` says why.

        ``learnt``, if present, is the result of `learnt`.
        """
        ...

    def resume(self, snapshot: dict[str, Any]) -> str:
        """Bring freshly made envs to the state of a `snapshot` without ``lost``; returns why that failed, or an empty text."""
        ...

    def learnt(self) -> list[Learnt]:
        """What the wrappers of each env have learnt, agent after agent; empty if none of them learns."""
        ...

    def teach(self, learnt: list[Learnt]) -> None:
        """Give the wrappers of freshly made envs what those of others have learnt, as in `snapshot`."""
        ...

    def close(self) -> None:
        """Close all envs."""
        ...


def rows_of(observations: list[Any], grid: EnvGrid) -> np.ndarray:
    """`Rows.array`, with faults that name the environment."""
    try:
        return grid.rows.array(observations)
    except EnvironmentFault as fault:
        raise EnvironmentFault(f"environment {grid.name!r}: {fault}") from fault


def check_step(obs: np.ndarray, rewards: np.ndarray, grid: EnvGrid) -> None:
    """`check_observations` and `check_finite` of the results of a step; a single sum if all is well."""
    rows = grid.rows
    if obs.size < FEW and rewards.size < FEW:
        numbers = obs.ravel().tolist()
        if rows.whole and not (obs.shape[0] * obs.shape[1] == 1 and _are_whole(numbers, rows)):
            check_whole(obs, grid)
        paid = rewards.ravel().tolist()
        numbers = paid if rows.are_whole else numbers + paid
    else:
        if rows.whole:
            check_whole(obs, grid)
        numbers = total(rewards), total(obs)
    if not math.isfinite(sum(numbers)):
        check_finite("observation", obs, grid)
        check_finite("reward", rewards, grid)


def check_observations(obs: np.ndarray, grid: EnvGrid) -> None:
    """Raise EnvironmentFault for observations ``(agents, envs, ...)`` with a number that is not finite, or outside its space."""
    check_finite("observation", obs, grid)
    rows = grid.rows
    few = obs.size < FEW and obs.shape[0] * obs.shape[1] == 1
    if rows.whole and not (few and _are_whole(obs.ravel().tolist(), rows)):
        check_whole(obs, grid)


def check_whole(obs: np.ndarray, grid: EnvGrid) -> None:
    """Raise EnvironmentFault if a value that must be an integer is not one, or is outside its space."""
    rows = grid.rows
    columns, least, most = rows.whole_arrays
    values = obs.reshape(*obs.shape[:2], -1)
    if len(columns) < values.shape[-1]:
        values = values[..., columns]
    wrong = (values < least) | (values > most)
    if values.dtype.kind not in "iu":
        wrong |= values % 1 != 0
    if np.count_nonzero(wrong):
        agent, env, i = np.argwhere(wrong)[0].tolist()
        what = f"{rows.whole[i][0]} is {values[agent, env, i]} at env step {grid.steps} in env {env} of agent {agent}"
        raise EnvironmentFault(f"environment {grid.name!r}: {what}; expected an integer from {least[i]} to {most[i]}")


def _are_whole(row: list[float], rows: Rows) -> bool:
    """Whether the values of one row that must be integers within their space are."""
    for _, column, least, most in rows.whole:
        value = row[column]
        if not least <= value <= most or value % 1:
            return False
    return True


def total(values: np.ndarray) -> float:
    """Sum of all values."""
    if values.size == 1:
        return values.item()
    flat = values.ravel()
    return sum(flat.tolist()) if values.size < FEW else np.add.reduce(flat)


def check_finite(what: str, values: np.ndarray, grid: EnvGrid) -> None:
    """Raise EnvironmentFault if any of ``values (agents, envs, ...)`` is not finite; the message says which, and at which step.

    what: ``observation`` (the message names the part), or ``reward``.
    """
    if math.isfinite(total(values)):
        return
    finite = np.isfinite(values)
    if not finite.all():
        agent, env, *column = np.argwhere(~finite)[0]
        received = values[agent, env]
        if what == "observation" and not grid.rows.is_array:
            what, received = grid.rows.path(column[0]), received[column[0]]
        raise EnvironmentFault(
            f"environment {grid.name!r}: {what} is not finite at env step {grid.steps} in env {env} of agent {agent}: received "
            f"{received}"
        )
