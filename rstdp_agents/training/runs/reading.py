"""Run folders, read: settings, episodes and checkpoints. Nothing is built of them."""

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
from rstdp_agents.agent.tensors import check_finite
from rstdp_agents.base import validate
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import flat, from_json
from rstdp_agents.training.config import COLUMNS, RunConfig
from rstdp_agents.training.monitoring import monitor_file
from rstdp_agents.training.runs.checkpoint import latest_checkpoint, load_checkpoint
from rstdp_agents.training.runs.folder import warnings_of
from rstdp_agents.training.runs.resume import position_of

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


class History(NamedTuple):
    """What a run folder tells of a run without its agents."""

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

    @property
    def warnings(self) -> list[str]:
        """What was wrong with its agents at its end, in words; empty where no summary says."""
        try:
            return warnings_of(json.loads((self.folder / "summary.json").read_text()))
        except (OSError, ValueError, RecursionError, LookupError, TypeError, AttributeError):
            return []


def read_run(folder: Path) -> History:
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
    return History(folder, config, agents, threshold)


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


def read_runs(folders: Sequence[Path], by: str) -> dict[str, dict[str, list[History]]]:
    """Runs by environment, and there by label: the value of the setting ``by``, as text."""
    out: dict[str, dict[str, list[History]]] = {}
    for run in map(read_run, folders):
        out.setdefault(run.config.env, {}).setdefault(str(run.setting(by)), []).append(run)
    return out


class Checkpoint(NamedTuple):
    """A checkpoint, read."""

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
