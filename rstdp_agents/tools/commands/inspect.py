"""Show what a run or a checkpoint holds: settings, layers, weights, rates, results."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from torch import Tensor

from rstdp_agents.base.escape import one_line
from rstdp_agents.tools.commands.arguments import parse
from rstdp_agents.training.config import RunConfig, by_option
from rstdp_agents.training.episodes import of_episodes
from rstdp_agents.training.presets import preset
from rstdp_agents.training.reports.tables import columns
from rstdp_agents.training.runs.reading import read_checkpoint

WEIGHT = ".weight"
"""Suffix of the names of tensors that hold the synapses of a layer, ``(agents, ...)``."""


@dataclass(frozen=True)
class Args:
    """What to inspect."""

    run: tyro.conf.Positional[Path]
    """Run folder (its last checkpoint is used), or a checkpoint."""
    settings: bool = False
    """Show all settings, not only those that differ from the preset of the environment and rule."""


def main(argv: list[str]) -> int:
    """Print the checkpoint in sections. Everything is read from the file: no environment is made, no part built."""
    args = parse(Args, "inspect", argv, __doc__)
    checkpoint, tensors, data, config = read_checkpoint(args.run)
    what = one_line(f"{config.agent.rule} on {config.env}")
    print(f"{checkpoint}: {what}, env step {data['step']:,} of each agent")
    print(f"{config.agents} agent(s) in {config.envs_per_agent} env(s) each\n")
    print(columns(["settings", "preset", "here"], settings(config, args.settings)), "\n")
    layers = sorted((name.removesuffix(WEIGHT) for name in tensors if name.endswith(WEIGHT)), key=depth)
    print(
        columns(["layer", "from -> to", "synapse", "synapses of an agent"], [shape(name, tensors) for name in layers]),
        "\n",
    )
    p = config.agent.plasticity
    rows = [row for name in layers for row in state(name, tensors, (p.w_min, p.w_max))]
    print(columns(["over agents", "mean", "lowest", "highest"], rows), "\n")
    print(columns(["seed", "episodes", "last 100", "best 100", "solved at episode"], results(config, data)))
    return 0


def settings(config: RunConfig, everything: bool) -> list[list[str]]:
    """Name, preset's value and run's value of the settings that differ, or of all."""
    usual = preset(config.env, config.agent.rule, config.env_kwargs, config.wrapper, config.regime)
    here, before = by_option(config), by_option(usual)
    rows = [[name, str(before[name]), str(value)] for name, value in here.items()]
    return [row for row in rows if everything or row[1] != row[2]]


def depth(layer: str) -> tuple[int, str]:
    """Sort key of a layer: hidden ones first, then the output, then the critic."""
    return {"output": 1, "critic": 2}.get(layer, 0), layer


def shape(layer: str, tensors: dict[str, Tensor]) -> list[str]:
    """Name, shape, kind and number of an agent's synapses."""
    weight = tensors[layer + WEIGHT][0]
    if layer == "critic" and weight.ndim == 3:  # of two populations
        weight = weight.flatten(0, 1)
    kind = {1: "sum", 2: "Linear"}.get(weight.ndim, "convolution")
    if kind == "convolution":  # channels out, channels in, kernel
        sizes = f"{weight.shape[1]} -> {weight.shape[0]} channels, kernel {' x '.join(map(str, weight.shape[2:]))}"
    else:
        sizes = f"{weight.shape[-1]} -> {weight.shape[0] if weight.ndim == 2 else 1}"
    return [layer, sizes, kind, f"{weight.numel():,}"]


def state(layer: str, tensors: dict[str, Tensor], bounds: tuple[float, float]) -> list[list[str]]:
    """The agents' weights, rates and eligibilities; a linear critic has only weights, without bounds."""
    weight = tensors[layer + WEIGHT]
    figures = {"weight, mean": weight, "weight, size (rms)": weight.square()}
    rate = tensors.get(f"{layer}.rate")
    if rate is not None:
        at_bound = (weight <= bounds[0]) | (weight >= bounds[1])
        figures["weights at a bound (%)"] = 100.0 * at_bound.float()
        figures["running rate (Hz)"] = rate
        figures["neurons below 1 Hz (%)"] = 100.0 * (rate < 1.0).float()
    if f"{layer}.trace" in tensors:
        figures["trace (rms)"] = tensors[f"{layer}.trace"].square()
    traces = [z.square() for name, z in sorted(tensors.items()) if re.fullmatch(rf"{layer}\.z\d+", name)]
    if traces:
        figures["eligibility (rms)"] = sum(traces[1:], traces[0])
    return [[f"{layer}: {name}", *spread(values, "rms" in name)] for name, values in figures.items()]


def spread(values: Tensor, root: bool) -> list[str]:
    """Mean over agents, lowest and highest of each agent's mean of ``values (agents, ...)``, or of the mean's square root."""
    means = values.double().flatten(1).mean(1)
    means = means.sqrt() if root else means
    return [f"{value:.4g}" for value in (means.mean(), means.min(), means.max())]


def results(config: RunConfig, data: dict[str, Any]) -> list[list[str]]:
    """A row per agent: the results of its training so far."""
    rows: list[list[Any]] = []
    for seed, record in zip(config.seeds, data["records"], strict=True):
        recent, best = record["recent"], record["best_mean"]
        last = f"{np.mean(recent):.2f}{of_episodes(len(recent))}" if recent else "-"
        solved = record["solved_at_episode"] or "no"
        rows.append([seed, record["episodes"], last, "-" if best is None else f"{best:.2f}", solved])
    return [[str(entry) for entry in row] for row in rows]
