"""Whether rates hold while agents learn: every task of the table in both regimes, with homeostasis and without.

python -m benchmarks.rates                                     every task and regime, with their page; goes on where it ended
python -m benchmarks.rates --task CartPole-v1 --regime cortical one of them, printed
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch
import tyro

from benchmarks.arguments import errors_in_a_line, seed_range, task_named
from benchmarks.kept import measured
from benchmarks.learning_report import file_name
from benchmarks.perturbation import FORMS, NEAR
from benchmarks.players import episodes, prepared, spiking
from benchmarks.tasks import TASKS
from rstdp_agents.agent.agent import Agent
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.errors import UsageError
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import Regime
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table, with_interval

STEPS = 40_000
"""Env steps of an agent, or as many as the task has."""
BINS = 20
"""Parts of a training of which each has a mean rate; what counts are those of the last half."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = ""
    """Environment id; empty for all tasks, with the page about all that was measured."""
    regime: Regime | None = None
    """In which regime; both if none is given."""
    seeds: str = "3000-3004"
    """First and last seed."""
    steps: int = 0
    """Env steps of an agent; 0 for 40,000, or what the task has if that is less."""
    out: Path = Path("docs/results/rates")
    """Folder of the files of all tasks; the page lies beside it."""


def course(agent: Agent, envs: SerialGrid, seeds: tuple[int, ...], steps: int) -> dict[str, Any]:
    """What agents do while they learn: the rates of every layer, and the returns of the last half.

    rates: by part of the training, layer and agent (Hz). returns: mean of the episodes that ended in the last half, by agent,
    None where none did.
    """
    hertz = 1000.0 / agent.layer.window_ms
    rates: list[list[list[float]]] = []
    late: list[list[float]] = [[] for _ in seeds]
    ends = {round(part * steps / BINS) for part in range(1, BINS + 1)}
    agent.statistics.clear()
    for step, over in enumerate(episodes(agent, envs, seeds, steps), 1):
        for episode in over if step > steps // 2 else ():
            late[episode.agent].append(episode.episode_return)
        if step in ends:
            per_window = hertz / agent.statistics.windows
            rates.append([(layer.mean(1) * per_window).tolist() for layer in agent.statistics.spikes[1:]])
            agent.statistics.clear()
    return {"rates": rates, "returns": [float(np.mean(each)) if each else None for each in late]}


def measure(name: str, regime: Regime, seeds: tuple[int, ...], steps: int) -> dict[str, Any]:
    """The courses of a task in a regime, and the target of every layer (Hz)."""
    made = replace(preset(name, "rstdp-et", regime=regime), seed=seeds[0], progress=False)
    found: dict[str, Any] = {"task": name, "regime": regime, "seeds": list(seeds), "steps": steps}
    for form, changes in FORMS.items():
        envs, config = prepared(made, len(seeds))
        agent = spiking(override(config, changes), envs, seeds, frozen=False)
        found["targets"] = [layer.homeostasis_params.rate_target for layer in agent.network.layers]
        found[form] = course(agent, envs, seeds, steps)
        envs.close()
    return found


def row(found: dict[str, Any]) -> list[str]:
    """The line of a task in a regime."""
    targets = np.array(found["targets"])
    cells = [found["task"], found["regime"], ", ".join(f"{target:g}" for target in targets)]
    for form in FORMS:
        rates = np.array(found[form]["rates"])[BINS // 2 :]
        near = np.abs(rates / targets[:, None] - 1.0) <= NEAR
        means = rates.mean(0)
        cells.append("; ".join(f"{layer.mean():.1f} ({layer.min():.1f} to {layer.max():.1f})" for layer in means))
        cells += [f"{near.mean():.0%}"] if form == "homeostasis" else []
    returns = [[value for value in found[form]["returns"] if value is not None] for form in FORMS]
    return [*cells, *(with_interval(values) for values in returns)]


HEADER = [
    "task", "regime", "target (Hz)", "rate with homeostasis", "held", "rate without", "return with homeostasis", "return without",
]  # fmt: skip

PAGE = """\
# Whether rates hold

Agents of the one setting (R-STDP-ET) on every task of the [results](README.md), with homeostasis and without, for {steps}
env steps. The rate of a layer is the mean over its neurons in the last half of the training: the mean
of all agents, and from the lowest to the highest agent. *Held*: share of agents, layers and twentieths of the training, of its
last half, in which the rate is within 10 % of its target. Returns are those of the episodes that ended in the last half; brackets
give the bootstrap 95 % interval of the mean over seeds ({seeds}).

    {command}

{table}
"""


def page(folder: Path, command: str) -> str:
    """The page about all files in a folder."""
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    order = {name: place for place, name in enumerate(TASKS)}
    results.sort(key=lambda found: (order[found["task"]], found["regime"] != "fast"))
    seeds = ", ".join(sorted({f"{found['seeds'][0]} to {found['seeds'][-1]}" for found in results}))
    lines = table(HEADER, [row(found) for found in results])
    low, high = (pick(found["steps"] for found in results) for pick in (min, max))
    span = f"{high:,}" if low == high else f"{low:,} to {high:,}"
    return PAGE.format(steps=span, seeds=seeds, command=command, table=lines)


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run(tyro.cli(Args, args=argv, description=__doc__))


def run(args: Args) -> None:
    """Measure, print and write what was asked for; a task that cannot be made, as where a package is absent, is left out."""
    few = f"`steps` must be 0, or {BINS} or more; received {args.steps}"
    validate.require(args.steps == 0 or args.steps >= BINS, few)
    names = [args.task] if args.task and task_named(args.task) else list(TASKS)
    regimes: tuple[Regime, ...] = (args.regime,) if args.regime else get_args(Regime)
    seeds = seed_range(args.seeds)
    torch.set_num_threads(1)
    flush_denormal()
    for name in names:
        for regime in regimes:
            try:
                file = None if args.task else args.out / f"{file_name(name)}_{regime}.json"
                found = measured(measure, file, name, regime, seeds, args.steps or min(STEPS, TASKS[name].max_steps))
            except UsageError as error:
                print(f"{name}: {error}", flush=True)
                continue
            print(table(HEADER, [row(found)]), flush=True)
    if not args.task:
        of_regime = f" --regime {args.regime}" if args.regime else ""
        command = f"python -m benchmarks.rates --seeds {args.seeds}{of_regime}"
        args.out.with_suffix(".md").write_text(page(args.out, command))


if __name__ == "__main__":
    main()
