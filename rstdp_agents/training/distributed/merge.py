"""What the parts of a population come to together: metrics, summary and checkpoint."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.tensorboard import SummaryWriter

from rstdp_agents.base.growing import Extent
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.evaluation import aggregate
from rstdp_agents.training.runs.checkpoint import checkpoint_path, latest_checkpoint, load_checkpoint, save_checkpoint
from rstdp_agents.training.runs.resume import ENVS


class Merged:
    """One TensorBoard folder for all parts: a point where all have come by a step, the mean over their agents.

    agents: of each part. Steps per second are those of all together.
    """

    def __init__(self, writer: SummaryWriter, agents: list[int]) -> None:
        self.writer, self.agents = writer, agents
        self._waiting: dict[int, dict[int, dict[str, float]]] = defaultdict(dict)
        self._written = -1

    def add(self, part: int, step: int, values: dict[str, float]) -> None:
        """Take what a part reports; one that was started again may report a step once more."""
        if step <= self._written:
            return
        self._waiting[step].setdefault(part, {}).update(values)  # a part ends with a second report of its last step
        if len(self._waiting[step]) == len(self.agents):
            self._write(step, self._waiting.pop(step))
            self._written = step

    def _write(self, step: int, parts: dict[int, dict[str, float]]) -> None:
        for name in sorted({name for values in parts.values() for name in values}):
            told = [(values[name], self.agents[part]) for part, values in parts.items() if name in values]
            mean = float(np.average([value for value, _ in told], weights=[n for _, n in told]))
            total = sum(value for value, _ in told)
            self.writer.add_scalar(name, total if name == "charts/sps" else mean, step)
        self.writer.flush()


def merge_summaries(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The summary of the whole population."""
    agents = [agent for part in parts for agent in part["agents"]]
    overall = {}
    for kind in parts[0]["aggregate"]:
        means = np.array([[agent[kind]["mean"]] for agent in agents])
        overall[kind] = aggregate(means) if len(agents) > 1 else parts[0]["aggregate"][kind]
    return {**parts[0], "agents": agents, "aggregate": overall}


def merge_checkpoints(config: RunConfig, parts: list[Path], folder: Path, run: str = "") -> Path:
    """One checkpoint of the whole population, to evaluate and export it; its episodes begin anew. Returns the path."""
    loaded = [load_checkpoint(latest_checkpoint(part)) for part in parts]
    tensors = {
        name: torch.cat([each[name] for each, _ in loaded])
        for name in loaded[0][0]
        if not name.startswith(("monitor.", ENVS))
    }
    data = {**loaded[0][1], "config": asdict(config), "records": [r for _, each in loaded for r in each["records"]]}
    data = {**data, "envs": {"lost": "they ran on several machines"}, "action": None}
    fresh = {
        "events": {},
        "rows": Extent(),
        "episodes": [],
        "found": {},
        "outside": [0] * config.agents,
        "looked_at": 0,
    }
    monitor = {**data["monitor"], **fresh}
    path = checkpoint_path(folder, data["step"])
    save_checkpoint(path, tensors, {**data, "monitor": monitor}, run)
    return path
