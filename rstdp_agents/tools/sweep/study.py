"""A search with Optuna: its study, and its trials one after the other on this machine."""

from __future__ import annotations

from typing import Any

import numpy as np

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.plugins import optional
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.training.config import RunConfig
from rstdp_agents.training.evaluation import interval
from rstdp_agents.training.reports.tables import short

optuna: Any = optional("optuna", "tune")
State: Any = optuna.trial.TrialState


def open_study(storage: str, name: str, settings: dict[str, Any], seed: int) -> Any:
    """The study, new or resumed; interrupted trials are queued again.

    storage: an SQLAlchemy URL. settings: what all trials have in common. Raises UsageError if the study has other settings, or
    if the storage cannot be used.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
    except Exception as error:  # SQLAlchemy's own kinds
        raise UsageError(f"`--storage` {storage} cannot be used: {str(error).splitlines()[0]}") from error
    before = study.user_attrs.setdefault("settings", settings)
    if before != settings:
        names = [each for each in settings if before.get(each) != settings[each]]
        raise UsageError(f"the study {name!r} was started with a different {', '.join(names)}; give another --study")
    study.set_user_attr("settings", settings)
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials), constant_liar=True)
    for trial in study.get_trials(states=(State.RUNNING,)):
        study.tell(trial.number, state=State.FAIL)
        study.enqueue_trial(trial.params)
    return study


def complete(study: Any) -> list[Any]:
    """Finished trials with a score, best first."""
    return sorted(study.get_trials(states=(State.COMPLETE,)), key=lambda trial: -trial.value)


def distributions(space: search.Space) -> dict[str, Any]:
    """The space as Optuna's distributions."""
    kinds = optuna.distributions
    return {
        name: kinds.CategoricalDistribution(d.values)
        if isinstance(d, search.Choice)
        else (kinds.IntDistribution if d.whole else kinds.FloatDistribution)(d.low, d.high, log=d.log)
        for name, d in space.items()
    }


def search_here(
    study: Any, config: RunConfig, space: search.Space, objective: search.Objective, trials: int, at_once: int
) -> None:
    """Train trials, ``at_once`` as one population where possible, until ``trials`` of the study have a score."""
    at_once = at_once if search.at_once(config, space.keys()) else 1
    while (left := trials - len(complete(study))) > 0:
        asked = [study.ask(distributions(space)) for _ in range(min(left, at_once))]
        for trial, values in zip(asked, search.scores(config, [t.params for t in asked], objective), strict=True):
            trial.set_user_attr("seeds", dict(zip(map(str, config.seeds), values.tolist(), strict=True)))
            failed = not np.isfinite(values).all()
            study.tell(trial, state=State.FAIL) if failed else study.tell(trial, float(values.mean()))
            print(line(trial.number, trial.params, values), flush=True)


def line(number: int, params: dict[str, Any], values: np.ndarray) -> str:
    """One trial in a line."""
    low, high = interval(values)
    settings = ", ".join(f"{name} {short(value)}" for name, value in params.items())
    return f"trial {number}: {values.mean():.2f} [{low:.2f}, {high:.2f}] with {settings}"
