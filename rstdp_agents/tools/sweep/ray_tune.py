"""A search on a Ray cluster: Ray Tune runs and schedules the trials, an Optuna study proposes and keeps them."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.plugins import optional
from rstdp_agents.tools.sweep import space as search
from rstdp_agents.tools.sweep.ray_trial import Trial, tune
from rstdp_agents.tools.sweep.study import State, complete, distributions, optuna
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.distributed.cluster import RESTARTS, connect
from rstdp_agents.training.distributed.shards import local
from rstdp_agents.training.ranged import ranged

if TYPE_CHECKING:
    from rstdp_agents.tools.sweep.options import Args

schedulers: Any = optional("ray.tune.schedulers", "ray")
OptunaSearch: Any = optional("ray.tune.search.optuna", "ray").OptunaSearch


class Proposals(OptunaSearch):
    """Trials of an Optuna study. A trial stopped early counts as pruned there, one without a score as failed."""

    def __init__(self, study: Any, space: dict[str, Any], storage: str, total_steps: int) -> None:
        super().__init__(
            space, "score", "max", sampler=study.sampler, study_name=study.study_name,
            storage=optuna.storages.get_storage(storage),
        )  # fmt: skip
        self.total_steps = total_steps

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Report to Optuna, first the last look, which Tune does not pass on."""
        scored = result if result and math.isfinite(result["score"]) else None
        if scored:
            self.on_trial_result(trial_id, scored)
        ended = scored and scored["env_steps"] >= self.total_steps
        super().on_trial_complete(trial_id, scored if ended else None, error or not scored)


def search_on_cluster(study: Any, config: RunConfig, space: search.Space, args: Args) -> None:
    """Train trials until the study has ``args.trials``; those of population-based training are added when all have ended.

    Raises UsageError if no trial returned a number, KeyboardInterrupt if the search was interrupted.
    """
    left = args.trials - len(study.get_trials(states=(State.COMPLETE, State.PRUNED)))
    if left <= 0:
        return
    connect()
    run = replace(
        local(ranged(config, *source_of(config))), eval_every=0, checkpoint_every=config.total_steps, keep_checkpoints=1
    )
    trainable = tune.with_parameters(Trial, run=asdict(run), objective=args.objective, looks=args.looks)
    results = list(tuner(study, trainable, left, config, space, args).fit())
    if not all(result.error or result.metrics.get("done") for result in results):
        raise KeyboardInterrupt
    scored = [result for result in results if result.metrics and math.isfinite(result.metrics["score"])]
    ended = [result for result in scored if result.metrics["env_steps"] >= config.total_steps]
    if args.scheduler == "pbt":
        study.add_trials([finished(result, space) for result in ended])
    if not complete(study):
        reasons = (result.metrics.get("wrong") or f"{result.error}" for result in results)
        raise UsageError(f"no trial returned a number: {next(reasons, 'there were no trials')}")
    for result in sorted(ended, key=lambda result: -result.metrics["score"])[:1]:
        print(f"the best of these trials, as a run folder: {result.checkpoint.path}")


def tuner(study: Any, trainable: Any, trials: int, config: RunConfig, space: search.Space, args: Args) -> Any:
    """Tune's tuner, which runs the trials from the start."""
    root = args.storage_path or "~/ray_results"
    root = root if "://" in root else str(Path(root).expanduser().resolve())
    name = re.sub(r"[/: ]", "-", f"{study.study_name}-{len(study.trials)}")
    trainable = tune.with_resources(trainable, {"cpu": config.threads})
    proposals = Proposals(study, distributions(space), args.storage, config.total_steps)
    return tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            metric="score", mode="max", num_samples=trials, reuse_actors=True,
            search_alg=None if args.scheduler == "pbt" else proposals,
            scheduler=scheduler(args.scheduler, space, args.looks, config.seed),
        ),
        run_config=tune.RunConfig(
            name=name, storage_path=root, verbose=int(config.progress),
            failure_config=tune.FailureConfig(max_failures=RESTARTS),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1, checkpoint_at_end=True, num_to_keep=3),
        ),
    )  # fmt: skip


def scheduler(kind: str, space: search.Space, looks: int, seed: int) -> Any:
    """Tune's scheduler; with None all trials train to their end."""
    if kind == "asha":
        return schedulers.ASHAScheduler(max_t=looks)
    if kind == "none":
        return None
    random.seed(seed)  # Tune draws from the global generators
    np.random.seed(seed)  # noqa: NPY002
    return schedulers.PopulationBasedTraining(
        time_attr="training_iteration", perturbation_interval=1, synch=True,
        hyperparam_mutations={name: domain(dimension) for name, dimension in space.items()},
        custom_explore_fn=lambda values: inside(space, values),
    )  # fmt: skip


def domain(dimension: search.Range | search.Choice) -> Any:
    """A dimension of the space, as a distribution for Tune."""
    if isinstance(dimension, search.Choice):
        return list(dimension.values)
    return (tune.loguniform if dimension.log else tune.uniform)(dimension.low, dimension.high)


def inside(space: search.Space, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values``, clipped to their ranges."""
    ranges = {name: d for name, d in space.items() if isinstance(d, search.Range)}
    return {**values, **{name: min(max(values[name], d.low), d.high) for name, d in ranges.items()}}


def finished(result: Any, space: search.Space) -> Any:
    """A trial of population-based training for the study, with its final settings."""
    params = {name: result.config[name] for name in space}
    return optuna.trial.create_trial(params=params, distributions=distributions(space), value=result.metrics["score"])
