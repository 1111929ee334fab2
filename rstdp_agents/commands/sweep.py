"""Search for settings with Optuna. All other options are those of training: --env, --rule, --total-steps, --seed, ...

Every trial trains --agents agents (one seed each) and counts their mean. Where only plasticity.lr is searched, several trials
train at once, as one population. A sweep that was stopped goes on when it is started again.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import tyro

from rstdp_agents import search, validate
from rstdp_agents.commands import train
from rstdp_agents.commands.arguments import optional
from rstdp_agents.config import RunConfig
from rstdp_agents.errors import UsageError
from rstdp_agents.evaluation import interval
from rstdp_agents.reports.tables import columns


@dataclass(frozen=True)
class Args:
    """A search."""

    space: tuple[str, ...] = ()
    """What is searched: setting=low:high, setting=low:high:log or setting=a,b,c, for instance plasticity.lr=0.1:2:log."""
    trials: int = 30
    """Trials in all, those of before included."""
    at_once: int = 8
    """Trials that train as one population, where only plasticity.lr is searched."""
    objective: search.Objective = "area"
    """What is to be large: the mean return over all training episodes (area), or over the last hundred (final)."""
    storage: str = "sqlite:///sweep.db"
    """Where Optuna keeps the trials: an SQLAlchemy address."""
    study: str = ""
    """Name of the study there; empty for environment and rule."""

    def __post_init__(self) -> None:
        validate.positive("trials", self.trials)
        validate.positive("at_once", self.at_once)


def main(argv: list[str]) -> int:
    """Search, and print the best settings and how to train with them."""
    prog = f"{os.path.basename(sys.argv[0])} sweep"
    args, rest = tyro.cli(Args, prog=prog, description=__doc__, args=argv, return_unknown_args=True)
    optuna = optional("optuna", "tune")
    config = train.parse(rest)[0]
    space = search.parse_space(args.space, config)
    torch.set_num_threads(config.threads)
    torch.set_flush_denormal(True)
    study = open_study(optuna, args, config)
    at_once = args.at_once if set(space) == {search.OWN} else 1
    while (left := args.trials - len(complete(optuna, study))) > 0:
        asked = [study.ask(distributions(optuna, space)) for _ in range(min(left, at_once))]
        for trial, values in zip(asked, search.scores(config, [t.params for t in asked], args.objective), strict=True):
            trial.set_user_attr("seeds", dict(zip(map(str, config.seeds), values.tolist(), strict=True)))
            failed = not np.isfinite(values).all()
            study.tell(trial, state=optuna.trial.TrialState.FAIL) if failed else study.tell(trial, float(values.mean()))
            print(line(trial.number, trial.params, values), flush=True)
    report(optuna, study, rest)
    return 0


def open_study(optuna: Any, args: Args, config: RunConfig) -> Any:
    """The study, new or gone on with; trials that were cut short are asked for again. UsageError if its settings were others."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.create_study(
            storage=args.storage, study_name=args.study or f"{config.env} {config.agent.rule}", direction="maximize",
            load_if_exists=True,
        )  # fmt: skip
    except Exception as error:  # SQLAlchemy's own kinds
        raise UsageError(f"`--storage` {args.storage} cannot be used: {str(error).splitlines()[0]}") from error
    settings = json.loads(json.dumps({"objective": args.objective, "space": args.space, **asdict(config)}))
    before = study.user_attrs.setdefault("settings", settings)
    if before != settings:
        names = [name for name in settings if before.get(name) != settings[name]]
        raise UsageError(
            f"the study {study.study_name!r} was begun with another {', '.join(names)}; give another --study"
        )
    study.set_user_attr("settings", settings)
    study.sampler = optuna.samplers.TPESampler(seed=config.seed + len(study.trials), constant_liar=True)
    for trial in study.get_trials(states=(optuna.trial.TrialState.RUNNING,)):
        study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        study.enqueue_trial(trial.params)
    return study


def complete(optuna: Any, study: Any) -> list[Any]:
    """Trials that brought a number, best first."""
    return sorted(study.get_trials(states=(optuna.trial.TrialState.COMPLETE,)), key=lambda trial: -trial.value)


def distributions(optuna: Any, space: search.Space) -> dict[str, Any]:
    """The space as Optuna's own."""
    kinds = optuna.distributions
    return {
        name: kinds.CategoricalDistribution(d.values)
        if isinstance(d, search.Choice)
        else (kinds.IntDistribution if d.whole else kinds.FloatDistribution)(d.low, d.high, log=d.log)
        for name, d in space.items()
    }


def line(number: int, params: dict[str, Any], values: np.ndarray) -> str:
    """One trial in a line."""
    low, high = interval(values)
    settings = ", ".join(f"{name} {short(value)}" for name, value in params.items())
    return f"trial {number}: {values.mean():.2f} [{low:.2f}, {high:.2f}] with {settings}"


def short(value: Any) -> str:
    """Four digits of a number, anything else as it is."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def report(optuna: Any, study: Any, options: list[str]) -> None:
    """The best five trials, and the line that trains with the best."""
    best = complete(optuna, study)[:5]
    names = list(best[0].params)
    rows = [[str(t.number), f"{t.value:.2f}", *(short(t.params[name]) for name in names)] for t in best]
    print("\n" + columns(["trial", "mean", *names], rows))
    found = [word for name in names for word in (f"--{name.replace('_', '-')}", short(best[0].params[name]))]
    print(f"\ntrain with the best: {os.path.basename(sys.argv[0])} {' '.join([*options, *found])}")
