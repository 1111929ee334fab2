"""Settings of a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rstdp_agents.base import validate
from rstdp_agents.tools.sweep.space import Objective


@dataclass(frozen=True)
class Args:
    """A search."""

    space: tuple[str, ...] = ()
    """What is searched: setting=low:high, setting=low:high:log or setting=a,b,c, for instance plasticity.lr=0.1:2:log."""
    trials: int = 30
    """Trials in all, those of before included."""
    at_once: int = 8
    """Trials that train as one population, where that can be."""
    objective: Objective = "area"
    """What is to be large: the mean return over all training episodes (area), or over the last hundred, or as many as there
    are (final)."""
    storage: str = "sqlite:///sweep.db"
    """Where Optuna keeps the trials: an SQLAlchemy address."""
    study: str = ""
    """Name of the study there; empty for environment and rule."""
    scheduler: Literal["none", "asha", "pbt"] = "none"
    """Which trials on a cluster go on: all; those that do best at each look (asha); or all, the worst with the weights of the
    best and its settings, changed a little (pbt: population-based training of plasticity, modulation and homeostasis)."""
    looks: int = 16
    """Times that the scheduler looks at a trial, after equal numbers of env steps (ray)."""
    storage_path: str = ""
    """Where Ray Tune keeps the run folders of trials: a path or URI that all machines reach; empty for ~/ray_results (ray)."""

    def __post_init__(self) -> None:
        validate.positive("trials", self.trials)
        validate.positive("at_once", self.at_once)
        validate.positive("looks", self.looks)
