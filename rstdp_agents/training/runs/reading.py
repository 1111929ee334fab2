"""Run folders, read: settings, episodes and trained agents."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from torch import Tensor

from rstdp_agents.agent import memory
from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import BackendName
from rstdp_agents.agent.tensors import check_finite, restore, written_by
from rstdp_agents.base import validate
from rstdp_agents.base.devices import check_device
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import flat, from_json
from rstdp_agents.environments import EnvSource, make_env
from rstdp_agents.environments.learnt import Learnt
from rstdp_agents.training.config import COLUMNS, RunConfig, source_of
from rstdp_agents.training.monitoring import monitor_file
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from rstdp_agents.training.runs.resume import position_of
from rstdp_agents.training.runs.trust import Trust

logger = logging.getLogger(__name__)

Axis = Literal["episodes", "steps", "time"]


class Episodes(NamedTuple):
    """What one agent has met in training, one number per episode."""

    returns: np.ndarray
    lengths: np.ndarray
    seconds: np.ndarray
    """Since the run began, when the episode ended."""
    before: int = 0
    """Env steps before the first of them, of which nothing is known."""

    def axis(self, name: Axis) -> np.ndarray:
        """Episodes, env steps or seconds at the end of each episode."""
        counted = {"episodes": np.arange(1, len(self.returns) + 1), "steps": self.before + self.lengths.cumsum()}
        return self.seconds if name == "time" else counted[name]


class Run(NamedTuple):
    """A run folder."""

    folder: Path
    config: RunConfig
    agents: list[Episodes]
    threshold: float | None
    """Mean return at which the environment counts as solved, as the run noted it; None if nobody says."""

    def setting(self, name: str) -> Any:
        """A setting by the name that it has on the command line (``plasticity.lr``), or the folder's own name."""
        known = {key.removeprefix("agent."): value for key, value in flat(asdict(self.config)).items()}
        known["folder"] = self.folder.name
        key = name.replace("-", "_")
        if key not in known:
            raise UsageError(f"`--by` takes folder or the name of a setting, such as rule; received {name!r}")
        return known[key]


def read_run(folder: Path) -> Run:
    """Settings and episodes of a run folder, finished or not. Raises UsageError where it is none."""
    try:
        config = from_json(RunConfig, json.loads((folder / "config.json").read_text()))
        complete = (folder / monitor_file.NAME).read_text().rpartition("\n")[0]  # the last line may be half written
        first, header, *lines = complete.split("\n")
        threshold, missing = monitor_file.threshold(first), monitor_file.missing(first)
        agents = episodes_of(header, lines, config.agents, missing)
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{folder} is not a run folder that can be read: {error}") from error
    if missing:
        logger.warning("%s has no episodes before env step %d: they were lost", folder / monitor_file.NAME, missing)
    return Run(folder, config, agents, threshold)


def episodes_of(header: str, lines: list[str], agents: int, before: int) -> list[Episodes]:
    """What each agent has met, from the lines of monitor.csv. Raises ValueError for what are no such lines."""
    memory.require(agents * memory.GENERATOR, f"{agents} agents")
    columns = ",".join(COLUMNS)
    validate.require(header.startswith(columns), f"the columns of {monitor_file.NAME} must begin with {columns}")
    rows = np.array([line.split(",")[:4] for line in lines], dtype=float).reshape(-1, 4)
    known = np.isfinite(rows).all() and np.isin(rows[:, 3], np.arange(agents)).all()
    validate.require(bool(known), f"{monitor_file.NAME} has lines that are of no episode of {agents} agent(s)")
    rows = rows[np.argsort(rows[:, 3], kind="stable")]
    ends = np.searchsorted(rows[:, 3], np.arange(agents + 1))
    returns, lengths, seconds = rows[:, :3].T
    return [Episodes(returns[a:b], lengths[a:b], seconds[a:b], before) for a, b in pairwise(ends)]


def read_runs(folders: Sequence[Path], by: str) -> dict[str, dict[str, list[Run]]]:
    """Runs by environment, and there by label: the value of the setting ``by``, as text."""
    out: dict[str, dict[str, list[Run]]] = {}
    for run in map(read_run, folders):
        out.setdefault(run.config.env, {}).setdefault(str(run.setting(by)), []).append(run)
    return out


class Trained(NamedTuple):
    """Trained agents, as a checkpoint holds them."""

    config: RunConfig
    agent: Agent
    checkpoint: Path
    data: dict[str, Any]
    """What the checkpoint holds besides tensors: ``step``, ``records``, ..."""

    @property
    def source(self) -> EnvSource:
        """What makes the environment."""
        return source_of(self.config)[0]

    @property
    def kwargs(self) -> dict[str, Any]:
        """Arguments of the environment."""
        return source_of(self.config)[1]

    def learnt(self, agent: int | None = None) -> list[Learnt]:
        """What the wrappers of every env had learnt, agent after agent, or those of one; empty where there are none."""
        each = self.data["envs"].get("learnt", [])
        own = len(each) // self.config.agents
        return each if agent is None else each[agent * own : (agent + 1) * own]

    def rendered(self, mode: str) -> dict[str, Any]:
        """Arguments of the environment that make it render in a mode. Raises UsageError where it cannot."""
        env = make_env(self.source, self.kwargs)
        offered = env.metadata.get("render_modes", [])
        env.close()
        if mode not in offered:
            modes = ", ".join(offered) or "no mode"
            raise UsageError(f"{self.config.env} cannot render as {mode}; it offers {modes}")
        return {**self.kwargs, "render_mode": mode}


class Checkpoint(NamedTuple):
    """A checkpoint, read: nothing is built of it."""

    path: Path
    tensors: dict[str, Tensor]
    data: dict[str, Any]
    config: RunConfig


def read_checkpoint(run: Path) -> Checkpoint:
    """A run folder's last checkpoint, or a checkpoint file. Raises CheckpointError or UsageError for what cannot be read."""
    path = latest_checkpoint(run)
    tensors, data = load_checkpoint(path)
    position = position_of(path, tensors, data)
    check_finite(position.agent, path)
    return Checkpoint(path, tensors, data, position.config)


def load_agent(
    run: Path,
    backend: BackendName | None = None,
    device: str | None = None,
    trust: Trust = Trust(),  # noqa: B008 (a constant)
) -> Trained:
    """The agents of a run folder's last checkpoint, or of a checkpoint file; on the run's own device if None is given.

    backend: if None, compiled code goes on where it can with what compiled code has learnt. trust: whether code may be imported
    that the file names. Raises CheckpointError or UsageError naming what cannot be read, or which device is not there.
    """
    checkpoint, tensors, data, config = read_checkpoint(run)
    trust.check(config, checkpoint)
    check_device(device or config.device, None if device else checkpoint)
    env = make_env(*source_of(config))
    agent = Agent(
        config.agent, env.observation_space, env.action_space, seeds=config.seeds, envs=config.envs_per_agent,
        device=device or config.device, backend=backend or ("auto" if written_by(tensors) == "fused" else "torch"),
        threads=config.threads,
    )  # fmt: skip
    env.close()
    own = agent.tensors()
    restore(own, {name: tensor for name, tensor in tensors.items() if name in own}, checkpoint)
    return Trained(config, agent, checkpoint, data)


def check_agent(trained: Trained, index: int) -> None:
    """Raise UsageError where the population has no agent ``index``."""
    if not 0 <= index < trained.config.agents:
        raise UsageError(f"`--agent` must be 0 to {trained.config.agents - 1}; received {index}")


def alone(trained: Trained, index: int) -> Agent:
    """Agent ``index`` of a population by itself, see `Agent.alone`, frozen. Raises UsageError where there is no such agent."""
    check_agent(trained, index)
    return trained.agent.alone(index, frozen=True)
