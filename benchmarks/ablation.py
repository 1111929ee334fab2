"""What each part of the agent is worth: one thing changed at a time, ten seeds each, as a table.

python -m benchmarks.ablation --task CartPole-v1                         goes on where it ended
python -m benchmarks.ablation --task CartPole-v1 --regime cortical       what each part of the cortical regime costs or brings
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro

from benchmarks import players
from benchmarks.arguments import errors_in_a_line, seed_range, task_named
from benchmarks.learning_report import file_name, solved
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.files import write_whole
from rstdp_agents.base.settings import override
from rstdp_agents.training.config import Regime
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table

COMMON: dict[str, dict[str, Any]] = {
    "the one setting": {},
    "gate: the chosen action alone": {"decoder.gate": "chosen"},
    "gate: none": {"decoder.gate": "none"},
    "critic: spiking": {"modulator": "td-spiking"},
    "critic: none, reward minus its mean": {"modulator": "reward-baseline"},
    "critic: none, the reward itself": {"modulator": "reward"},
    "eligibility trace: three times as long": {"plasticity.tau_e": 3.0},
    "eligibility trace: a third": {"plasticity.tau_e": 1 / 3},
    "homeostasis: none": {"homeostasis.param": "none"},
    "homeostasis: gain of all synapses": {"homeostasis.param": "gain"},
    "homeostasis: ten times as fast": {"homeostasis.tau": 0.1},
    "homeostasis: no neuron below 20 Hz": {"homeostasis.floor": 20.0},
    "dopamine: said by 1,000 neurons of 5 Hz": {"modulation.dopamine_neurons": 1000},
    "escape noise: 0.1 instead of 0.4": {"neuron.escape_noise": 0.1},
    "escape noise: 0.8": {"neuron.escape_noise": 0.8},
    "a_minus: 0.3 of a_plus": {"plasticity.a_minus": 0.3},
    "a_minus: as large as a_plus": {"plasticity.a_minus": 1.0},
    "Dale's law": {"network.dale": True},
    "escape noise: exponential, 0.25": {"neuron.escape": "exponential", "neuron.escape_noise": 0.25},
    "membranes and traces: go on from window to window": {"simulation.fresh_each_window": False},
    "output: held at 30 Hz": {"homeostasis.rate_target": 30.0},
    "neurons per action: 2": {"decoder.neurons_per_action": 2},
    "lateral inhibition: 0.02 of the threshold": {"neuron.lateral_inhibition": 0.02},
    "lateral inhibition: 0.1": {"neuron.lateral_inhibition": 0.1},
}
"""Changes to the one setting."""
CORTICAL: dict[str, dict[str, Any]] = {
    "the cortical regime": {},
    "critic: linear in the rates of the input": {"modulator": "td"},
    "membranes and traces: at rest in every window": {"simulation.fresh_each_window": True},
    "Dale's law: synapses of either sign": {"network.dale": False},
    "depression: none": {"plasticity.a_minus": 0.0},
    "depression: 0.6 of a_plus": {"plasticity.a_minus": 0.6},
    "escape noise: logistic": {"neuron.escape": "logistic"},
    "escape noise: 0.15 instead of 0.25": {"neuron.escape_noise": 0.15},
    "input: up to 50 Hz": {"encoder.rate_max": 50.0},
    "output: held at 10 Hz": {"homeostasis.rate_target": 10.0},
    "homeostasis: none": {"homeostasis.param": "none"},
    "homeostasis: gain of all synapses": {"homeostasis.param": "gain"},
    "dopamine: lasts 200 ms": {"modulation.tau_dopamine": 200.0},
    "dopamine: said by 100 neurons of 5 Hz": {"modulation.dopamine_neurons": 100},
    "dopamine: said by 1,000 neurons of 5 Hz": {"modulation.dopamine_neurons": 1000},
    "homeostasis: no neuron below 3 Hz": {"homeostasis.floor": 3.0},
    "windows: 50 ms": {
        "simulation.ticks": 25,
        "plasticity.tau_e": 180.0,
        "homeostasis.tau_rate": 2500.0,
        "homeostasis.tau": 50_000.0,
    },
    "windows: 20 ms, as long as CartPole's own steps": {"simulation.ticks": 10},
    "neurons per action: 8": {"decoder.neurons_per_action": 8},
    "lateral inhibition: 0.02 of the threshold": {"neuron.lateral_inhibition": 0.02},
}
"""Changes to the one setting in the cortical regime."""
LINES = {"fast": COMMON, "cortical": CORTICAL}
FACTORS = {"fast": ("plasticity.tau_e", "homeostasis.tau"), "cortical": ()}
"""Settings of which a line has a factor, and no value."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = "CartPole-v1"
    """Environment id."""
    regime: Regime = "fast"
    """In which of them a part is changed."""
    episodes: int = 200
    """Episodes of every seed."""
    seeds: str = "3000-3009"
    """First and last seed."""
    out: Path = Path("docs/results/ablation")
    """Folder for the table."""


def ablate(args: Args, changes: dict[str, Any]) -> list[str]:
    """One line of the table."""
    seeds = seed_range(args.seeds)
    made = replace(preset(args.task, "rstdp-et", regime=args.regime), seed=seeds[0])
    envs, config = players.prepared(made, len(seeds))
    for name, value in changes.items():
        part, _, field = name.partition(".")
        config = override(
            config, {name: getattr(getattr(config, part), field) * value if name in FACTORS[args.regime] else value}
        )
    task = replace(task_named(args.task), max_steps=args.episodes * 500)
    records = players.play(players.spiking(config, envs, seeds, frozen=False), envs, task, seeds, args.episodes)
    best = [r["best_mean"] for r in records if r["best_mean"] is not None]
    area = [float(np.mean(r["returns"][: args.episodes])) for r in records]
    cell = {"learner": records}
    return [solved(cell, task.solved), f"{np.mean(best):.1f}" if best else "-", f"{np.mean(area):.1f}"]


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Run every line of the table that its file does not have yet, print it and write it."""
    task_named(args.task)
    validate.positive("episodes", args.episodes)
    torch.set_num_threads(1)
    flush_denormal()
    header = ["", f"solved, in episodes (of {args.episodes})", "best 100", "mean return over the training"]
    file = args.out / f"{file_name(args.task)}_{args.regime}_{args.seeds}.json"
    lines = json.loads(file.read_text()) if file.exists() else [header]
    validate.require(lines[0] == header, f"{file} has lines of other lengths of training: {lines[0][1]}")
    for name, changes in LINES[args.regime].items():
        if any(line[0] == name for line in lines):
            continue
        lines.append([name, *ablate(args, changes)])
        print(lines[-1], flush=True)
        write_whole(file, json.dumps(lines, indent=1) + "\n")
    text = f"`python -m benchmarks.ablation {' '.join(sys.argv[1:])}`\n\n{table(header, lines[1:])}\n"
    file.with_suffix(".md").write_text(text)


if __name__ == "__main__":
    main()
