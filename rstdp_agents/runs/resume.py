"""Where a run stands between two env steps: all that it takes to go on as if it had never stopped."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import numpy as np
import torch
from torch import Tensor
from typeguard import CollectionCheckStrategy, check_type

from rstdp_agents.config import RunConfig, from_json
from rstdp_agents.episodes import Episode, RecordState, TrackerState
from rstdp_agents.errors import UsageError
from rstdp_agents.monitoring.metrics import MonitorState
from rstdp_agents.monitoring.pictures import RASTER
from rstdp_agents.plain import from_plain, to_plain
from rstdp_agents.runs.checkpoint import checkpoints

ENVS = "envs."
"""What the names of tensors begin with that hold the arrays of environments."""


class Position(NamedTuple):
    """A run between two env steps."""

    step: int
    """Env steps per agent."""
    faults: int
    """Failures of environments that it went on after."""
    action: np.ndarray | None
    """Chosen and not yet taken, ``(agents, envs, *action)``; None before the first."""
    envs: dict[str, Any]
    """`EnvGrid.snapshot`."""
    config: RunConfig
    records: list[RecordState]
    """One per agent."""
    episodes: TrackerState
    monitor: MonitorState
    agent: dict[str, Tensor]
    """`Agent.tensors`."""
    tensors: dict[str, Tensor]
    """`Pictures.tensors`."""

    def to_checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and data for `checkpoint.save_checkpoint`."""
        arrays: dict[str, np.ndarray] = {}
        envs = without_arrays(self.envs, arrays)
        data = {**self._asdict(), "action": to_plain(self.action), "config": asdict(self.config), "envs": envs}
        of_envs = {name: torch.from_numpy(array) for name, array in arrays.items()}
        tensors = {**data.pop("agent"), **data.pop("tensors"), **of_envs}
        return tensors, data

    @classmethod
    def from_checkpoint(cls, tensors: dict[str, Tensor], data: dict[str, Any]) -> Position:
        """What `to_checkpoint` took apart. Raises ValueError, KeyError, TypeError or TypeCheckError for anything else."""
        seen = {name: tensor for name, tensor in tensors.items() if name.startswith(RASTER)}
        arrays = {name: tensor.numpy() for name, tensor in tensors.items() if name.startswith(ENVS)}
        agent = {name: tensor for name, tensor in tensors.items() if name not in seen and name not in arrays}
        config = from_json(RunConfig, data["config"])
        waiting = [Episode(*episode)._replace(info=tuple(episode[-1])) for episode in data["monitor"]["episodes"]]
        data = {**data, "monitor": {**data["monitor"], "episodes": waiting}, "envs": with_arrays(data["envs"], arrays)}
        fields = {**data, "action": from_plain(data["action"]), "config": config, "agent": agent, "tensors": seen}
        for name, kind in get_type_hints(cls).items():
            check_type(fields[name], kind, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
        position = cls(**fields)
        grid = config.agents, config.envs_per_agent
        if position.action is not None and position.action.shape[:2] != grid:
            raise ValueError(f"it holds actions of the shape {position.action.shape}, expected {grid}")
        return position

    def check_columns(self, config: RunConfig) -> None:
        """Raise UsageError where monitor.csv would get other columns than it has."""
        before, now = self.config.info_keywords, config.info_keywords
        if before != now:
            raise UsageError(f"`info_keywords` are columns of monitor.csv and must stay {before}; received {now}")

    def why_envs_differ(self, config: RunConfig) -> str:
        """Why envs of ``config`` cannot go on where these stand, or nothing."""
        names = ("env", "env_kwargs", "wrapper", "max_episode_steps", "vectorization", "agents", "envs_per_agent")
        other = [name for name in names if getattr(config, name) != getattr(self.config, name)]
        return f"{', '.join(other)} changed" if other else self.envs.get("lost", "")


def without_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Nested dicts and lists with a name in the place of each array, which goes into ``arrays``: they may be long."""
    if isinstance(value, np.ndarray):
        name = f"{ENVS}{len(arrays)}"
        arrays[name] = value
        return {ENVS: name}
    if isinstance(value, dict):
        return {key: without_arrays(one, arrays) for key, one in value.items()}
    return [without_arrays(one, arrays) for one in value] if isinstance(value, list) else value


def with_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """What `without_arrays` took apart. Raises KeyError for an array that is not there."""
    if isinstance(value, dict):
        if ENVS in value:
            return arrays[value[ENVS]]
        return {key: with_arrays(one, arrays) for key, one in value.items()}
    return [with_arrays(one, arrays) for one in value] if isinstance(value, list) else value


def is_own(folder: Path, checkpoint: Path, step: int) -> bool:
    """Whether a checkpoint, of env step ``step``, is one of this run folder.

    Raises UsageError if the folder has a later one: what came since would be lost.
    """
    if checkpoint.resolve().parent.parent != folder.resolve():
        return False
    newest = checkpoints(folder)[-1:]
    if newest and int(newest[0].stem.rpartition("_")[2]) > step:
        raise UsageError(f"{checkpoint} is older than {newest[0].name}: give another --run-dir to branch off from it")
    return True
