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
    """What to search: setting=low:high, setting=low:high:log or setting=a,b,c, for instance plasticity.lr=0.1:2:log."""
    trials: int = 30
    """Total number of trials, earlier ones included."""
    at_once: int = 8
    """Trials that train as one population, where possible."""
    objective: Objective = "area"
    """What to maximise: the mean return over all training episodes (area), or over the last 100, or as many as there
    are (final)."""
    storage: str = "sqlite:///sweep.db"
    """Where Optuna keeps the trials: an SQLAlchemy URL."""
    study: str = ""
    """Name of the study there; empty for environment and rule."""
    scheduler: Literal["none", "asha", "pbt"] = "none"
    """Which trials on a cluster continue: all (none); those that do best at each look (asha); or all, where the worst take
    over the weights and slightly changed settings of the best (pbt: population-based training of plasticity, modulation
    and homeostasis)."""
    looks: int = 16
    """How often the scheduler looks at a trial, at equal intervals of env steps (ray)."""
    storage_path: str = ""
    """Where Ray Tune keeps the run folders of trials: a path or URI that all machines reach; empty for ~/ray_results (ray)."""

    def __post_init__(self) -> None:
        validate.positive("trials", self.trials)
        validate.positive("at_once", self.at_once)
        validate.positive("looks", self.looks)
