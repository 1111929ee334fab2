"""The parts of a checkpoint that are held for every env: cut to those of one process, and joined to those of all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.training.episodes import TrackerState
from rstdp_agents.training.runs.resume import Position

LISTS = ("envs", "learnt")
"""Entries of `EnvGrid.snapshot` that are lists over envs, agent after agent."""


class PerEnv(NamedTuple):
    """The state of some of every agent's envs."""

    tensors: dict[str, Tensor]
    """``(agents, envs, ...)``: those of `Agent.tensors` in `AgentParts.per_env`."""
    action: np.ndarray | None
    """``(agents, envs, *action)``."""
    episodes: TrackerState
    envs: dict[str, Any]
    """`EnvGrid.snapshot`."""


def cut(whole: Position, names: set[str], mine: slice) -> Position:
    """The position for the envs ``mine`` of every agent. names: the tensors that are held for every env."""
    agents = whole.config.agents
    if mine == slice(0, whole.config.envs_per_agent):
        return whole  # its vectors are no list over envs
    agent = {name: tensor[:, mine] if name in names else tensor for name, tensor in whole.agent.items()}
    action = None if whole.action is None else whole.action[:, mine]
    episodes: Any = {name: _rows(value, mine) for name, value in whole.episodes.items()}
    lists = {name: _share(whole.envs[name], agents, mine) for name in LISTS if name in whole.envs}
    return whole._replace(agent=agent, action=action, episodes=episodes, envs={**whole.envs, **lists})


def join(parts: Sequence[PerEnv], agents: int) -> PerEnv:
    """The states of several processes' envs, in order, joined as if one process held all envs."""
    if len(parts) == 1:
        return parts[0]
    tensors = {name: torch.cat([part.tensors[name] for part in parts], 1) for name in parts[0].tensors}
    actions = [part.action for part in parts if part.action is not None]
    action = np.concatenate(actions, 1) if actions else None
    return PerEnv(tensors, action, _episodes(parts), _envs([part.envs for part in parts], agents))


def _episodes(parts: Sequence[PerEnv]) -> Any:
    """Lists ``(agents, envs)`` joined along envs; numbers are the same everywhere."""
    states = [part.episodes for part in parts]
    return {
        name: [list(chain(*rows)) for rows in zip(*(state[name] for state in states), strict=True)]
        if isinstance(value, list)
        else value
        for name, value in states[0].items()
    }


def _envs(parts: Sequence[dict[str, Any]], agents: int) -> dict[str, Any]:
    there = [name for name in LISTS if all(name in part for part in parts)]
    joined = {name: _joined([part[name] for part in parts], agents) for name in there}
    lost = [part["lost"] for part in parts if "lost" in part]
    if lost or "done" in parts[0]:
        reason = (lost or ["several processes stepped vectors of them"])[0]
        return {"steps": parts[0]["steps"], "lost": reason, **joined, "envs": []}
    return {**parts[0], **joined}


def _joined(parts: Sequence[list[Any]], agents: int) -> list[Any]:
    """Lists over envs, agent after agent, as one such list."""
    return [one for agent in range(agents) for part in parts for one in _of_agent(part, agents, agent)]


def _share(each: list[Any], agents: int, mine: slice) -> list[Any]:
    return [one for agent in range(agents) for one in _of_agent(each, agents, agent)[mine]]


def _of_agent(each: list[Any], agents: int, agent: int) -> list[Any]:
    envs = len(each) // agents
    return each[envs * agent : envs * (agent + 1)]


def _rows(value: Any, mine: slice) -> Any:
    """The envs ``mine`` of a list ``(agents, envs)``; numbers are unchanged."""
    return [row[mine] for row in value] if isinstance(value, list) else value
