"""What each part of the agent is worth: one thing changed at a time, ten seeds each, as a table.

python -m benchmarks.ablation --task CartPole-v1
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
from benchmarks.learning_report import solved
from rstdp_agents.base import validate
from rstdp_agents.base.devices import flush_denormal
from rstdp_agents.base.settings import override
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import table

COMMON: dict[str, dict[str, Any]] = {
    "the one setting": {},
    "gate: the chosen action alone": {"decoder.gate": "chosen"},
    "gate: none": {"decoder.gate": "none"},
    "critic: none, reward minus its mean": {"modulator": "reward-baseline"},
    "critic: none, the reward itself": {"modulator": "reward"},
    "eligibility trace: three times as long": {"plasticity.tau_e": 3.0},
    "eligibility trace: a third": {"plasticity.tau_e": 1 / 3},
    "homeostasis: none": {"homeostasis.param": "none"},
    "homeostasis: ten times as fast": {"homeostasis.lr": 10.0},
    "escape noise: 0.1 instead of 0.4": {"neuron.escape_noise": 0.1},
    "escape noise: 0.8": {"neuron.escape_noise": 0.8},
    "a_minus: 0.3 of a_plus": {"plasticity.a_minus": 0.3},
    "a_minus: as large as a_plus": {"plasticity.a_minus": 1.0},
    "neurons per action: 2": {"decoder.neurons_per_action": 2},
    "lateral inhibition: 0.02 of the threshold": {"neuron.lateral_inhibition": 0.02},
    "lateral inhibition: 0.1": {"neuron.lateral_inhibition": 0.1},
}
"""Changes to the one setting; those of `FACTORS` are factors."""
FACTORS = ("plasticity.tau_e", "homeostasis.lr")
OWN: dict[str, dict[str, dict[str, Any]]] = {
    "CartPole-v1": {
        "critic: starts from zero": {"modulation.value_init": 0.0},
        "learning rate: constant": {"plasticity.lr_halved_after": 0.0},
        "encoder: fields of 0.9 spacings": {"encoder.width": 0.9},
        "encoder: 3x3x6x5 cells": {"encoder.cells": (3, 3, 6, 5)},
    },
    "MountainCar-v0": {
        "critic: starts from -5": {"modulation.value_init": -5.0},
        "encoder: one tiling": {"encoder.tilings": 1},
        "encoder: 12x12 place cells": {"encoder.code": "place-cells", "encoder.cells": (12, 12)},
    },
}
"""What only makes sense for one task."""


@dataclass(frozen=True)
class Args:
    """What to run."""

    task: str = "CartPole-v1"
    """Environment id."""
    episodes: int = 200
    """Episodes of every seed."""
    seeds: str = "1000-1009"
    """First and last seed."""
    out: Path = Path("docs/results/ablation")
    """Folder for the table."""


def ablate(args: Args, changes: dict[str, Any]) -> list[str]:
    """One line of the table."""
    seeds = seed_range(args.seeds)
    config = preset(args.task, "rstdp-et").agent
    for name, value in changes.items():
        part, _, field = name.partition(".")
        config = override(config, {name: getattr(getattr(config, part), field) * value if name in FACTORS else value})
    envs, task = SerialGrid(args.task, {}, len(seeds), 1), replace(task_named(args.task), max_steps=args.episodes * 500)
    records = players.play(players.spiking(config, envs, seeds, frozen=False), envs, task, seeds, args.episodes)
    best = [r["best_mean"] for r in records if r["best_mean"] is not None]
    area = [float(np.mean(r["returns"][: args.episodes])) for r in records]
    cell = {"learner": records}
    return [solved(cell, task.solved), f"{np.mean(best):.1f}" if best else "-", f"{np.mean(area):.1f}"]


def main(argv: list[str] | None = None) -> None:
    with errors_in_a_line():
        run_all(tyro.cli(Args, args=argv, description=__doc__))


def run_all(args: Args) -> None:
    """Run every line of the table, print it and write it."""
    task_named(args.task)
    validate.positive("episodes", args.episodes)
    torch.set_num_threads(1)
    flush_denormal()
    lines = []
    for name, changes in (COMMON | OWN.get(args.task, {})).items():
        lines.append([name, *ablate(args, changes)])
        print(lines[-1], flush=True)
    header = ["", f"solved, in episodes (of {args.episodes})", "best 100", "mean return over the training"]
    text = f"`python -m benchmarks.ablation {' '.join(sys.argv[1:])}`\n\n{table(header, lines)}\n"
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{args.task}.md").write_text(text)
    (args.out / f"{args.task}.json").write_text(json.dumps([header, *lines], indent=1) + "\n")


if __name__ == "__main__":
    main()
