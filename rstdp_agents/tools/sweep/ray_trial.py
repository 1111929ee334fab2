"""A trial of a search on a cluster: a run that pauses when the scheduler looks at it, and that can take over from another."""

from __future__ import annotations

import math
import shutil
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rstdp_agents.base.errors import Diverged, EnvironmentFault
from rstdp_agents.base.plugins import optional
from rstdp_agents.base.settings import from_json
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.runs.checkpoint import latest_checkpoint
from rstdp_agents.training.runs.folder import LOCK
from rstdp_agents.training.runs.reading import read_run

tune: Any = optional("ray.tune", "ray")


class Stage(Training):
    """A `Training` whose monitor.csv holds all episodes before a checkpoint."""

    def save(self, envs: dict[str, Any] | None = None) -> None:
        """As `Training.save`."""
        self.monitor.flush(self.step)
        super().save(envs)


class Trial(tune.Trainable):
    """A population that trains with a trial's settings, from one look to the next; its checkpoints are run folders.

    Loading the checkpoint of another trial takes over its whole state, and continues with this trial's settings.
    """

    def setup(self, config: dict[str, Any], run: dict[str, Any], objective: search.Objective, looks: int) -> None:
        """Receive the trial's settings by name, and what all trials share: settings of the run, objective, number of looks."""
        self.common = from_json(RunConfig, run)
        self.objective: search.Objective = objective
        self.stride = math.ceil(self.common.total_steps / looks)
        self.open = ExitStack()
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin another trial in this process."""
        self.cleanup()
        self.settings = new_config
        self.training: Stage | None = None
        return True

    def step(self) -> dict[str, Any]:
        """Train up to the next look. The score is nan if the settings or the environment fail; `wrong` says why."""
        try:
            training = self.training or self._begin(None)
            training.until = training.step + self.stride
            training.run()
        except (ValueError, EnvironmentFault, Diverged) as error:
            return {"score": math.nan, "env_steps": 0, "wrong": str(error), "done": True}
        scores = [search.worth(agent.returns.tolist(), self.objective) for agent in read_run(training.folder).agents]
        done = training.step >= self.common.total_steps
        return {"score": float(np.mean(scores)), "env_steps": training.step, "done": done}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Copy the run folder."""
        if self.training:
            copy_run(self.training.folder, Path(checkpoint_dir))

    def load_checkpoint(self, checkpoint: str) -> None:
        """Resume from a copy of a run folder."""
        self.cleanup()
        self._begin(Path(checkpoint))

    def cleanup(self) -> None:
        """Close the run and forget its folder."""
        self.open.close()

    def _begin(self, before: Path | None) -> Stage:
        folder = Path(self.open.enter_context(TemporaryDirectory()))
        if before:
            copy_run(before, folder)
        config = search.changed(self.common, self.settings)
        self.training = Stage(config, folder, latest_checkpoint(folder) if before else None)
        self.open.enter_context(self.training)
        return self.training


def copy_run(folder: Path, to: Path) -> None:
    """Copy a run folder, except for its lock."""
    shutil.copytree(folder, to, dirs_exist_ok=True, ignore=shutil.ignore_patterns(LOCK))
