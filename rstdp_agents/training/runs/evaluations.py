"""Evaluations of a run: evaluations.npz, in the format of Stable-Baselines3's EvalCallback, and the best agents.

Both are copies: every evaluation is followed by a checkpoint, which holds all evaluations so far; the best one goes to best/.
"""

from __future__ import annotations

import io
import logging
import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base.errors import CheckpointError
from rstdp_agents.base.files import write_whole
from rstdp_agents.base.growing import put_aside, renamed
from rstdp_agents.training.runs.checkpoint import checkpoint_path, identity, load_checkpoint

logger = logging.getLogger(__name__)

NAME = "evaluations.npz"
BEST = "best/best.safetensors"
ARRAYS = ("timesteps", "results", "ep_lengths")
TENSORS = "monitor.evaluations."
"""Prefix of the names in `Evaluations.tensors`."""


class Evaluations:
    """Evaluations of a run so far: timesteps ``(n,)``, results and ep_lengths ``(n, agents * episodes)``.

    tensors: those of a checkpoint of this run, among them the result of `tensors`; empty for a new run.
    """

    def __init__(self, folder: Path, tensors: dict[str, Tensor]) -> None:
        self.folder = folder
        self.arrays = {name: list(tensors[TENSORS + name].numpy()) for name in ARRAYS if TENSORS + name in tensors}
        self.arrays = self.arrays or {name: [] for name in ARRAYS}

    @property
    def best(self) -> float | None:
        """The highest mean return."""
        return max(self._means(), default=None)

    @property
    def best_step(self) -> int | None:
        """Env step of the first evaluation that reached it."""
        means = self._means()
        return int(self.arrays["timesteps"][means.index(max(means))]) if means else None

    @property
    def last_step(self) -> int | None:
        """Env step of the last evaluation."""
        return int(self.arrays["timesteps"][-1]) if self.arrays["timesteps"] else None

    def add(self, step: int, returns: np.ndarray, lengths: np.ndarray) -> None:
        """Add the returns and lengths ``(agents, episodes)`` of one evaluation; a different number of episodes starts afresh."""
        row = np.array(step), returns.reshape(-1), lengths.reshape(-1)
        before = self.arrays["results"]
        if before and before[0].shape != row[1].shape:
            logger.warning(
                "evaluations of %d episodes are kept apart: there are %d episodes now", before[0].size, returns.size
            )
            if (self.folder / NAME).exists():
                renamed(self.folder / NAME)
            self.arrays = {name: [] for name in ARRAYS}
        for values, new in zip(self.arrays.values(), row, strict=True):
            values.append(new)

    def tensors(self) -> dict[str, Tensor]:
        """All of them, by name, for a checkpoint."""
        return {TENSORS + name: torch.from_numpy(array) for name, array in self._stacked().items()}

    def publish(self, checkpoint: Path, step: int) -> None:
        """Write evaluations.npz, and best/ if the best evaluation is that of ``checkpoint``, at env step ``step``."""
        if self.last_step is not None:
            buffer = io.BytesIO()
            np.savez(buffer, **self._stacked())  # pyright: ignore[reportArgumentType] (names of arrays, no options)
            write_whole(self.folder / NAME, buffer.getvalue())
        if self.best_step == step:
            write_whole(self.folder / BEST, checkpoint.read_bytes())

    def settle(self, run: str) -> None:
        """Restore evaluations.npz and best/ to the checkpoint of this run that these evaluations come from."""
        path = self.folder / NAME
        if path.exists() and not self._agrees_with(path):
            put_aside(path, "the evaluations in the checkpoint are written again")
        if self.last_step is None:
            path.unlink(missing_ok=True)
        self._settle_best(run)
        self.publish(self.folder / BEST, -1)

    def _settle_best(self, run: str) -> None:
        path, best = self.folder / BEST, self.best_step
        held, there = step_of(path, run), os.path.lexists(path)
        if held == best and there == (best is not None):
            return
        source = None if best is None else checkpoint_path(self.folder, best)
        known = source is not None and step_of(source, run) == best
        if not known or (there and held is None):
            what = f"the best evaluation was at env step {best}" if source else "there was no evaluation yet"
            put_aside(path, f"at the checkpoint of the run, {what}")
        if source is not None and known:
            write_whole(path, source.read_bytes())

    def _agrees_with(self, path: Path) -> bool:
        """Whether a file holds these evaluations, or the first of them, or more."""
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as saved:
                pairs = [(saved[name], np.array(values)) for name, values in self.arrays.items()]
        except Exception:  # whatever NumPy, zip and zlib may raise for a file of another kind
            return False
        return all(np.array_equal(a[: len(b)], b[: len(a)]) for a, b in pairs)

    def _means(self) -> list[float]:
        return [float(np.mean(result)) for result in self.arrays["results"]]

    def _stacked(self) -> dict[str, np.ndarray]:
        return {name: np.stack(values) for name, values in self.arrays.items() if values}


def check_tensors(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError for tensors that `Evaluations.tensors` cannot have returned."""
    shapes = [tuple(tensors[TENSORS + name].shape) for name in ARRAYS if TENSORS + name in tensors]
    if not shapes:
        return
    first, *others = shapes
    if len(first) != 1 or len(others) != 2 or any(len(other) != 2 or other[:1] != first for other in others):
        raise ValueError(f"it holds evaluations of shapes {shapes}")


def step_of(path: Path, run: str) -> int | None:
    """Env step of a checkpoint; None if it is missing, unreadable or of another ``run``."""
    try:
        step = load_checkpoint(path)[1].get("step")
    except CheckpointError:
        return None
    return step if identity(path) == run else None
