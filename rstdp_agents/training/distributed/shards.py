"""A population in parts: each trained by a process of its own, on any machine, with the same bits as in one run."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import from_json
from rstdp_agents.training.config import RecordConfig, RunConfig, by_option
from rstdp_agents.training.distributed.storage import Storage
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import checkpoints, latest_checkpoint
from rstdp_agents.training.runs.folder import FILES, SETTINGS
from rstdp_agents.training.runs.resume import Position, differences

FREE = {field.name for field in fields(RecordConfig)} | {
    "total_steps", "run_dir", "resume", "progress", "env_errors", "threads", "launcher", "storage",
}  # fmt: skip
"""Settings that agents do not depend on, or only in how long they are trained."""
Report = Callable[[int, dict[str, float]], None]
"""Takes the env step of a flush, and what was written since the last one: means by name."""


def split(config: RunConfig, parts: int) -> list[RunConfig]:
    """The population in ``parts`` of nearly equal size, with the seeds that its agents have together."""
    edges = np.linspace(0, config.agents, min(parts, config.agents) + 1).astype(int)
    return [replace(local(config), seed=config.seed + int(a), agents=int(b - a)) for a, b in pairwise(edges)]


def local(config: RunConfig) -> RunConfig:
    """A run as a worker of a cluster does it, without a progress bar or pictures."""
    return replace(config, launcher="local", storage="", images=0, progress=False, run_dir="")


class ReportingWriter:
    """A run's TensorBoard writer that also reports what it writes."""

    def __init__(self, writer: SummaryWriter, report: Report) -> None:
        self._writer, self._report = writer, report
        self._values: dict[str, list[float]] = defaultdict(list)
        self._step = 0

    def add_scalar(self, name: str, value: float, step: int) -> None:
        """As `SummaryWriter.add_scalar`."""
        self._writer.add_scalar(name, value, step)
        self._values[name].append(float(value))
        self._step = max(self._step, step)

    def flush(self) -> None:
        """As `SummaryWriter.flush`; the means of what came since the last time are reported."""
        self._writer.flush()
        if self._values:
            self._report(self._step, {name: float(np.mean(values)) for name, values in self._values.items()})
        self._values.clear()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class Shard(Training):
    """A `Training` that keeps a copy of its folder in ``storage``, from which it goes on wherever it is started again."""

    def __init__(self, config: RunConfig, folder: Path, storage: Storage, report: Report) -> None:
        self.storage = storage
        storage.download(folder)
        self._check_settings(folder)
        checkpoint = latest_checkpoint(folder) if checkpoints(folder) else None
        if checkpoint:
            self._check_position(Position.of_file(checkpoint), config)
        super().__init__(config, folder, checkpoint)
        self.monitor.writer = ReportingWriter(self.monitor.writer, report)  # pyright: ignore[reportAttributeAccessIssue]

    def save(self, envs: dict[str, Any] | None = None) -> None:
        """Write a checkpoint, and bring the folder to the storage."""
        super().save(envs)
        self.storage.upload(self.folder)

    def _check_settings(self, folder: Path) -> None:
        """Raise UsageError where what is stored is no run."""
        there = [name for name in FILES if (folder / name).exists()] or checkpoints(folder)
        try:
            if there:
                from_json(RunConfig, json.loads((folder / SETTINGS).read_text()))
        except (OSError, ValueError) as error:
            raise UsageError(
                f"`--storage {self.storage.uri}` holds something else than a run ({there[0]}): give another --storage"
            ) from error

    def _check_position(self, position: Position, config: RunConfig) -> None:
        """Raise UsageError for agents of other settings, or that are trained further."""
        other = differences(position.config, config, [name for name in by_option(config) if name not in FREE])
        if position.step > config.total_steps:
            other = f"--total-steps {position.step} (received {config.total_steps})"
        if other:
            raise UsageError(
                f"`--storage {self.storage.uri}` holds agents that were trained with {other}: give another --storage"
            )


def train_shard(config: RunConfig, uri: str, report: Report) -> dict[str, Any]:
    """Train a part to its end in a folder of its own that is stored at ``uri``; returns its summary."""
    with tempfile.TemporaryDirectory() as folder:
        storage = Storage(uri)
        with Shard(config, Path(folder), storage, report) as training:
            training.run()
            summary = training.finish()
        storage.upload(Path(folder))
    return summary
