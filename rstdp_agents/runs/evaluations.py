"""evaluations.npz, as the evaluation callback of Stable-Baselines3 writes it, and which evaluation was the best."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from rstdp_agents.runs.files import write_whole

NAME = "evaluations.npz"


class Evaluations:
    """Evaluations of a run so far: timesteps ``(n,)``, results and ep_lengths ``(n, agents * episodes)``.

    before: the env step of the checkpoint at which the run goes on; what was evaluated later is forgotten. None for a new run.
    """

    def __init__(self, folder: Path, before: int | None) -> None:
        self.path = folder / NAME
        self.arrays: dict[str, list[np.ndarray]] = {"timesteps": [], "results": [], "ep_lengths": []}
        if before is not None and self.path.exists():
            with np.load(self.path, allow_pickle=False) as saved:
                known = saved["timesteps"] <= before
                self.arrays = {name: list(saved[name][known]) for name in self.arrays}

    @property
    def best(self) -> float | None:
        """The highest mean return."""
        return max((float(np.mean(result)) for result in self.arrays["results"]), default=None)

    @property
    def last_step(self) -> int | None:
        """Env step of the last one."""
        return int(self.arrays["timesteps"][-1]) if self.arrays["timesteps"] else None

    def add(self, step: int, returns: np.ndarray, lengths: np.ndarray) -> bool:
        """Note the returns and lengths ``(agents, episodes)`` of one evaluation and write the file; True if it is the best."""
        best = self.best
        row = np.array(step), returns.reshape(-1), lengths.reshape(-1)
        for values, new in zip(self.arrays.values(), row, strict=True):
            values.append(new)
        buffer = io.BytesIO()
        timesteps, results, ep_lengths = map(np.stack, self.arrays.values())
        np.savez(buffer, timesteps=timesteps, results=results, ep_lengths=ep_lengths)
        write_whole(self.path, buffer.getvalue())
        return best is None or float(returns.mean()) > best
