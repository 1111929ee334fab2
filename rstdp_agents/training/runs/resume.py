"""The complete state of a run between two env steps: everything needed to resume as if it had never stopped."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import numpy as np
import torch
from torch import Tensor
from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

from rstdp_agents.base.errors import CheckpointError, UsageError
from rstdp_agents.base.growing import Extent
from rstdp_agents.base.json_values import from_plain, to_plain
from rstdp_agents.base.settings import from_json
from rstdp_agents.base.wording import short
from rstdp_agents.training.config import RunConfig, by_option
from rstdp_agents.training.episodes import Episode, RecordState, TrackerState
from rstdp_agents.training.monitoring import pictures
from rstdp_agents.training.monitoring.metrics import MonitorState
from rstdp_agents.training.runs import evaluations
from rstdp_agents.training.runs.checkpoint import checkpoint_path, checkpoints, identity, load_checkpoint, one_line
from rstdp_agents.training.runs.evaluations import BEST
from rstdp_agents.training.runs.folder import has_begun, identity_of

MONITOR = "monitor."
"""Prefix of the names of tensors that do not belong to an agent."""
FIXED = (
    "seed", "agents", "envs_per_agent", "clock", "rule", "modulator", "simulation.ticks", "simulation.fresh_each_window",
    "encoder.code", "encoder.low", "encoder.high", "encoder.cells", "encoder.tilings", "encoder.image", "encoder.levels",
    "encoder.tuples", "encoder.tuple_cells", "network.conv", "network.hidden", "network.credit", "neuron.model",
    "decoder.code", "decoder.neurons_per_action", "modulation.critic_neurons",
)  # fmt: skip
"""Settings that define what a checkpoint's tensors mean, by their names on the command line."""

ENVS = "envs."
"""Prefix of the names of tensors that hold arrays of environments."""


class Position(NamedTuple):
    """A run between two env steps."""

    step: int
    """Env steps per agent."""
    faults: int
    """Environment failures that it survived."""
    action: np.ndarray | None
    """Actions chosen but not yet taken, ``(agents, envs, *action)``; None before the first."""
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
    """`Pictures.tensors` and `Evaluations.tensors`."""

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
        """The inverse of `to_checkpoint`. Raises ValueError, KeyError, TypeError or TypeCheckError for anything else."""
        seen = {name: tensor for name, tensor in tensors.items() if name.startswith(MONITOR)}
        arrays = {name: tensor.numpy() for name, tensor in tensors.items() if name.startswith(ENVS)}
        agent = {name: tensor for name, tensor in tensors.items() if name not in seen and name not in arrays}
        pictures.check_tensors(seen)
        evaluations.check_tensors(seen)
        config = from_json(RunConfig, data["config"])
        waiting = [Episode(*episode)._replace(info=tuple(episode[-1])) for episode in data["monitor"]["episodes"]]
        events = {name: Extent(*extent) for name, extent in data["monitor"]["events"].items()}
        files = {"events": events, "rows": Extent(*data["monitor"]["rows"]), "episodes": waiting}
        data = {**data, "monitor": {**data["monitor"], **files}, "envs": with_arrays(data["envs"], arrays)}
        fields = {**data, "action": from_plain(data["action"]), "config": config, "agent": agent, "tensors": seen}
        for name, kind in get_type_hints(cls).items():
            check_type(fields[name], kind, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
        position = cls(**fields)
        grid = config.agents, config.envs_per_agent
        held = agent["agent.features"].shape[:2]
        if held != grid or len(position.records) != config.agents:
            raise ValueError(
                f"it holds {held[0]} agents with {held[1]} envs, but its settings say {grid[0]} with {grid[1]}"
            )
        if position.action is not None and position.action.shape[:2] != grid:
            raise ValueError(f"it holds actions of shape {position.action.shape}, expected {grid}")
        counted = len(position.monitor.get("outside", position.records))
        if counted != config.agents:
            raise ValueError(f"it counts observations of {counted} agents, expected {config.agents}")
        odd = [name for name, tensor in agent.items() if tensor.shape[:1] != grid[:1]]
        if odd:
            raise ValueError(f"{odd[0]} has the shape {tuple(agent[odd[0]].shape)}, expected one of {grid[0]} agents")
        return position

    @classmethod
    def of_file(cls, checkpoint: Path) -> Position:
        """`from_checkpoint` of a file. Raises CheckpointError if it was damaged or forged."""
        return position_of(checkpoint, *load_checkpoint(checkpoint))

    def check_settings(self, config: RunConfig, checkpoint: Path) -> None:
        """Raise UsageError if a run that resumes from here cannot have the settings of ``config``."""
        before, now = self.config.info_keywords, config.info_keywords
        if before != now:
            raise UsageError(f"`info_keywords` are columns of monitor.csv and must stay {before}; received {now}")
        other = differences(self.config, config, FIXED)
        if other:
            raise UsageError(
                f"{checkpoint} was trained with {other}; that cannot be changed on --resume: start a new run without it"
            )

    def why_envs_differ(self, config: RunConfig) -> str:
        """Why envs of ``config`` cannot continue from these, or an empty text."""
        names = ("env", "env_kwargs", "wrapper", "max_episode_steps", "vectorization", "agents", "envs_per_agent")
        other = [name for name in names if getattr(config, name) != getattr(self.config, name)]
        return f"{', '.join(other)} changed" if other else self.envs.get("lost", "")


def without_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Nested dicts and lists with each array replaced by a name, and put into ``arrays``: they may be long."""
    if isinstance(value, np.ndarray):
        name = f"{ENVS}{len(arrays)}"
        arrays[name] = value
        return {ENVS: name}
    if isinstance(value, dict):
        return {key: without_arrays(one, arrays) for key, one in value.items()}
    return [without_arrays(one, arrays) for one in value] if isinstance(value, list) else value


def with_arrays(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """The inverse of `without_arrays`. Raises KeyError for a missing array."""
    if isinstance(value, dict):
        if ENVS in value:
            return arrays[value[ENVS]]
        return {key: with_arrays(one, arrays) for key, one in value.items()}
    return [with_arrays(one, arrays) for one in value] if isinstance(value, list) else value


def position_of(checkpoint: Path, tensors: dict[str, Tensor], data: dict[str, Any]) -> Position:
    """`Position.from_checkpoint`, with errors that name the file: CheckpointError."""
    try:
        return Position.from_checkpoint(tensors, data)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError, TypeCheckError) as error:
        raise CheckpointError(f"{checkpoint} does not hold the state of a run: {one_line(error)}") from error


def differences(was: RunConfig, asked: RunConfig, names: Iterable[str]) -> str:
    """Those of the named settings in which two configurations differ, in words; empty if there are none."""
    before, now = by_option(was), by_option(asked)
    changed = [name for name in names if before[name] != now[name]]
    return ", ".join(f"{option(name)} {argument(before[name])} (received {argument(now[name])})" for name in changed)


def option(name: str) -> str:
    """Name of a setting on the command line."""
    aliases = {"encoder.code": "encoder", "decoder.code": "decoder", "neuron.model": "neuron"}
    return "--" + aliases.get(name, name).replace("_", "-")


def argument(setting: Any) -> str:
    """Value of a setting as the command line takes it."""
    return short(" ".join(map(str, setting))) or "none" if isinstance(setting, tuple) else str(setting)


def folder_of(checkpoint: Path) -> Path | None:
    """The run folder that contains a checkpoint file, whatever path or link leads to it; None if there is none."""
    places = [path.parent for path in (checkpoint.resolve(), checkpoint.absolute())]
    found = [place.parent for place in places if place.name in ("checkpoints", "best")]
    return next(filter(has_begun, found), found[-1] if found else None)


def is_own(folder: Path, checkpoint: Path, step: int) -> bool:
    """Whether a checkpoint, at env step ``step``, is one of this run folder.

    Raises UsageError if it belongs to another run, or if the folder has a later one: what came since would be lost.
    """
    own = folder_of(checkpoint)
    if own is None or own.resolve() != folder.resolve():
        return False
    known, writer = identity_of(folder), identity(checkpoint)
    if known and writer and known != writer:
        raise UsageError(
            f"{checkpoint} belongs to a different run than {folder}: give another --run-dir to branch off from it, or remove it"
        )
    if checkpoint.resolve().name not in (checkpoint_path(folder, step).name, Path(BEST).name):
        raise UsageError(f"{checkpoint} holds env step {step}: name it {checkpoint_path(folder, step).name}")
    newest = checkpoints(folder)[-1:]
    if newest and newest[0].name > checkpoint_path(folder, step).name:
        raise UsageError(f"{checkpoint} is older than {newest[0].name}: give another --run-dir to branch off from it")
    return True
