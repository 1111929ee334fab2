"""What homeostasis is for: agents that have learnt are perturbed, with and without it, and go on learning.

python -m benchmarks.perturbation                                 every task and regime, with their page; goes on where it ended
python -m benchmarks.perturbation --task CartPole-v1 --seeds 0-3  one of them, printed

Agents learn for half of the time. Then copies of them go on with all inputs at 0.3 or at twice their rates, with half of the
neurons of every action gone, or as they were. Each condition is run with homeostasis, with homeostasis that stops where it was
when the perturbation begins, and with agents that never had any.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
import tyro
from matplotlib.figure import Figure
from torch import Tensor

from benchmarks.arguments import errors_in_a_line, seed_range
from benchmarks.kept import measured
from benchmarks.learning_report import file_name
from benchmarks.players import episodes, prepared, spiking
from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import Regime, RunConfig, source_of
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table, with_interval

TASKS: dict[Regime, tuple[str, ...]] = {
    "fast": ("CartPole-v1", "MountainCar-v0", "Taxi-v4"),
    "cortical": ("CartPole-v1",),
}
STEPS = 40_000
"""Env steps of an agent before it is perturbed, and as many after."""
PERTURBATIONS = {"none": 1.0, "inputs x0.3": 0.3, "inputs x2": 2.0, "half of the neurons": 1.0}
"""Factor on the rates of all inputs."""
LESION = "half of the neurons"
FORMS: dict[str, dict[str, Any]] = {"homeostasis": {}, "without": {"homeostasis.param": "none"}}
STOP: dict[str, Any] = {"homeostasis.tau": math.inf, "network.hidden_tau": math.inf}
AFTER = {"homeostasis": {"homeostasis": {}, "stopped": STOP}, "without": {"without": {}}}
"""How agents of a form go on from the perturbation: as before, or with homeostasis that stops there."""
LINES = [line for lines in AFTER.values() for line in lines]
EVERY = 1000
"""Env steps of a bin."""
NEAR = 0.1
"""How far from the target a rate may be that is held, as a share of it."""
SOON = 5000
"""Env steps in which it is to be back."""


BEFORE = "before"
Course: TypeAlias = "dict[str, list[Any]]"


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = ""
    """Environment id; empty for all of them, with their page."""
    regime: Regime = "fast"
    """In which one task is run."""
    seeds: str = "3000-3009"
    """First and last seed."""
    steps: int = 0
    """Env steps before and after the perturbation; 0 for 40,000."""
    out: Path = Path("docs/results/perturbation")
    """Folder of the files of all tasks; the page lies beside it."""


def perturbed(agent: Agent, config: AgentConfig, factor: float, lesion: bool) -> Agent:
    """A copy of agents that have learnt, between two episodes, with other inputs or with half of the neurons."""
    size = config.decoder.neurons_per_action
    changes: dict[str, Any] = {"encoder.rate_max": config.encoder.rate_max * factor}
    if lesion:
        changes["decoder.neurons_per_action"] = size // 2
    seeds = tuple(agent.random.seeds.tolist())
    copy = Agent(override(config, changes), *agent.spaces, seeds=seeds, encoder=agent.encoder)
    agent.reset(np.ones((agent.agents, agent.envs), dtype=bool))
    learnt = agent.tensors()
    kept = torch.arange(learnt["output.rate"].shape[1]).reshape(-1, size)[:, : size // (1 + lesion)].flatten()
    for name, tensor in copy.tensors().items():
        if not name.startswith("fused."):
            tensor.copy_(_of_neurons(kept, learnt[name], tensor.shape))
    return copy


def _of_neurons(kept: Tensor, tensor: Tensor, shape: torch.Size) -> Tensor:
    """The neurons ``kept`` of a tensor, along the axis in which ``shape`` has fewer; all of it where none has."""
    fewer = [i for i in range(tensor.ndim) if tensor.shape[i] != shape[i]]
    return tensor.index_select(fewer[0], kept) if fewer else tensor


def course(agent: Agent, made: RunConfig, seeds: tuple[int, ...], steps: int) -> Course:
    """What the agents do in every bin of env steps: mean rate of the layer (Hz, by agent), and mean return or None."""
    source, kwargs = source_of(made)
    envs = SerialGrid(source, kwargs, len(seeds), 1)
    rates: list[list[float]] = []
    returns: list[list[float | None]] = []
    ended: list[list[float]] = [[] for _ in seeds]
    agent.statistics.clear()
    for step, over in enumerate(episodes(agent, envs, seeds, steps), 1):
        for episode in over:
            ended[episode.agent].append(episode.episode_return)
        if step % EVERY == 0:
            hertz = 1000.0 / agent.layer.window_ms / agent.statistics.windows
            rates.append((agent.statistics.spikes[-1].mean(1) * hertz).tolist())
            returns.append([float(np.mean(each)) if each else None for each in ended])
            ended = [[] for _ in seeds]
            agent.statistics.clear()
    envs.close()
    return {"rates": rates, "returns": returns}


def measure(name: str, regime: Regime, seeds: tuple[int, ...], steps: int) -> dict[str, Any]:
    """The courses of all lines and perturbations of a task, and the target (Hz)."""
    made = replace(preset(name, "rstdp-et", regime=regime), seed=seeds[0])
    envs, config = prepared(made, len(seeds))
    found: dict[str, Any] = {"task": name, "regime": regime, "seeds": list(seeds), "steps": steps}
    for form, changes in FORMS.items():
        agent = spiking(override(config, changes), envs, seeds, frozen=False)
        found["target"] = agent.layer.homeostasis_params.rate_target
        before = course(agent, made, seeds, steps)
        for line, then in AFTER[form].items():
            found[line], after = {BEFORE: before}, override(agent.config, then)
            for kind, factor in PERTURBATIONS.items():
                found[line][kind] = course(perturbed(agent, after, factor, kind == LESION), made, seeds, steps)
                print(name, regime, line, kind, flush=True)
    envs.close()
    return found


def rows(found: dict[str, Any]) -> list[list[str]]:
    """The lines of the table."""
    return [_row(line, kind, found) for kind in PERTURBATIONS for line in LINES]


def _row(form: str, kind: str, found: dict[str, Any]) -> list[str]:
    before, after = found[form][BEFORE], found[form][kind]
    rates, soon = np.array(after["rates"]), SOON // EVERY
    held = np.abs(rates[soon:] / found["target"] - 1.0) <= NEAR
    return [
        kind, form, f"{np.mean(before['rates'][-soon:]):.0f}", f"{rates[0].mean():.0f}",
        f"{rates[soon - 1].mean():.0f} ({rates[soon - 1].min():.0f} to {rates[soon - 1].max():.0f})", f"{held.mean():.0%}",
        *(_mean(values) for values in (before["returns"][-soon:], after["returns"][:soon], after["returns"][-soon:])),
    ]  # fmt: skip


def _mean(returns: list[list[float | None]]) -> str:
    """Mean over agents, with its interval, of what each reached in some bins; agents of which no episode ended are left out."""
    agents = [[value for value in each if value is not None] for each in zip(*returns, strict=True)]
    return with_interval([float(np.mean(each)) for each in agents if each], 1)


HEADER = [
    "perturbation", "", "Hz before", "Hz in the first 1,000 steps after", "Hz after 5,000", "held from then on", "return before",
    "in the first 5,000 steps", "in the last 5,000",
]  # fmt: skip


def draw(found: dict[str, Any]) -> Figure:
    """Rates above, returns below, a column for each perturbation."""
    figure = Figure(figsize=(3.4 * len(PERTURBATIONS), 5.2), layout="constrained")
    panels = figure.subplots(2, len(PERTURBATIONS), sharex=True, sharey="row")
    for column, kind in enumerate(PERTURBATIONS):
        for form, colour in zip(LINES, ("C0", "C2", "C1"), strict=True):
            for line, what in enumerate(("rates", "returns")):
                values = np.array(found[form][BEFORE][what] + found[form][kind][what], dtype=float)
                steps = (np.arange(len(values)) + 1) * EVERY
                panels[line, column].plot(steps, values, color=colour, alpha=0.25, linewidth=0.7)
                panels[line, column].plot(steps, np.nanmean(values, 1), color=colour, linewidth=1.8, label=form)
                panels[line, column].axvline(found["steps"], color="0.5", linestyle=":", linewidth=1)
        panels[0, column].axhline(found["target"], color="k", linestyle="--", linewidth=1, label="target")
        panels[0, column].set_title(kind)
        panels[1, column].set_xlabel("env steps of an agent")
    panels[0, 0].set_ylabel("mean rate of the layer (Hz)")
    panels[1, 0].set_ylabel("mean return")
    panels[0, 0].legend(fontsize=8)
    figure.suptitle(f"{found['task']}, {found['regime']} regime, {len(found['seeds'])} seeds")
    return figure


PAGE = """\
# Homeostasis, and what it is for

Agents of the one setting learn; then all their inputs fire at 0.3 or at twice their rates, or half of the neurons of every
action are gone, and they go on learning. *Stopped*: homeostasis that has held the rates until then stops there. *Without*: agents
that never had homeostasis. *Held*: share of agents and of thousands of env steps, from 5,000 env steps after the perturbation on,
in which the mean rate of the layer is within 10 % of the target. Brackets give the bootstrap 95 % interval of the mean over
seeds ({seeds}).

    {command}
"""


def stem(name: str, regime: str) -> str:
    """Name of the files of a task in a regime."""
    return f"{file_name(name)}_{regime}"


def page(folder: Path, command: str) -> str:
    """The page about all files in a folder."""
    results = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    seeds = ", ".join(sorted({f"{found['seeds'][0]} to {found['seeds'][-1]}" for found in results}))
    parts = [PAGE.format(seeds=seeds, command=command)]
    for found in results:
        picture = folder / f"{stem(found['task'], found['regime'])}.png"
        draw(found).savefig(picture, dpi=100)
        shown = f"![Rates and returns around a perturbation]({folder.name}/{picture.name})"
        parts += [
            f"## {found['task']}, {found['regime']} regime\n\nTarget: {found['target']:g} Hz.\n",
            table(HEADER, rows(found)) + "\n",
            shown + "\n",
        ]
    return "\n".join(parts)


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run(tyro.cli(Args, args=argv, description=__doc__))


def run(args: Args) -> None:
    """Measure, print and write what was asked for."""
    validate.not_negative("steps", args.steps)
    torch.set_num_threads(1)
    flush_denormal()
    seeds, steps = seed_range(args.seeds), args.steps or STEPS
    if args.task:
        validate.one_of("task", args.task, TASKS["fast"])
        print(table(HEADER, rows(measure(args.task, args.regime, seeds, steps))), flush=True)
        return
    for regime, names in TASKS.items():
        for name in names:
            found = measured(measure, args.out / f"{stem(name, regime)}.json", name, regime, seeds, steps)
            print(table(HEADER, rows(found)), flush=True)
    args.out.with_suffix(".md").write_text(page(args.out, f"python -m benchmarks.perturbation --seeds {args.seeds}"))


if __name__ == "__main__":
    main()
