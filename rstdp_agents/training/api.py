"""From Python: train on an environment of one's own and get the trained agent back, or load one from a run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym

from rstdp_agents.agent.agent import Agent
from rstdp_agents.environments import EnvSource, Instance, name_of
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.loop import Training
from rstdp_agents.training.presets import preset
from rstdp_agents.training.runs.folder import check_unused
from rstdp_agents.training.runs.reading import Trained as Loaded
from rstdp_agents.training.runs.reading import load_agent
from rstdp_agents.training.runs.trust import Trust


class Trained(NamedTuple):
    """What came of a run."""

    agent: Agent
    """The population, to be looked at or put to work (`Agent.policy`)."""
    summary: dict[str, Any]
    """What summary.json holds: of every agent when it solved the task, and how it did in evaluation."""
    folder: Path
    """Curves, checkpoints and settings; `train.py --resume` goes on from here where the environment has a name."""


def train(
    env: EnvSource | gym.Env, folder: str | Path = "", config: RunConfig | None = None, **settings: Any
) -> Trained:
    """Train on ``env``, evaluate, and return what came of it.

    env: a Gymnasium id, ``module:Class``, a class or a function that makes one; or an environment, for a single agent.
    folder: of the run, in which there is none yet; empty for one in ``runs``. config: all settings; the preset of ``env``, with
    the ``env_kwargs`` and wrappers of settings, if None. settings: fields of `RunConfig` to change, such as
    ``total_steps=20_000``. Raises ValueError for wrong settings, EnvironmentFault for an environment that does not keep to
    Gymnasium's interface.
    """
    source = Instance(env) if isinstance(env, gym.Env) else env
    name = name_of(source)
    place = Path(folder).expanduser() if folder else None
    config = config or preset(name, "rstdp-et", settings.get("env_kwargs"), settings.get("wrapper", ()))
    config = replace(config, **{"env": name, "run_dir": str(place or ""), **settings})
    if place:
        check_unused(place)
    with Training(config, place, env=source) as training:
        training.run()
        return Trained(training.agent, training.finish(), training.folder)


def load(path: str | Path, trust: bool = False, device: str | None = None) -> Loaded:
    """The agents of a run folder's last checkpoint, or of a checkpoint file.

    device: the run's own if None. trust: import the code that the file names beyond Gymnasium and this package; without it such
    a file raises UsageError, and nothing of it is imported or called. Raises UsageError for a device that is not there, and
    CheckpointError naming what cannot be read.
    """
    return load_agent(Path(path), device=device, trust=Trust(trust))
