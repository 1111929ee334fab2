"""Show what a run or a checkpoint holds: settings, layers, weights, rates, results."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro
from torch import Tensor

from rstdp_agents.commands.arguments import parse
from rstdp_agents.config import RunConfig, flat
from rstdp_agents.layer import Layer
from rstdp_agents.presets import preset
from rstdp_agents.reports.tables import columns
from rstdp_agents.runs.reading import Trained, load_agent


@dataclass(frozen=True)
class Args:
    """What to look into."""

    run: tyro.conf.Positional[Path]
    """Run folder, whose last checkpoint is taken, or a checkpoint."""
    settings: bool = False
    """All settings, not only those that differ from the preset of the environment and rule."""


def main(argv: list[str]) -> int:
    """Print the checkpoint in sections."""
    args = parse(Args, "inspect", argv, __doc__)
    trained = load_agent(args.run)
    agent, config = trained.agent, trained.config
    print(f"{trained.checkpoint}: {config.agent.rule} on {config.env}, env step {trained.data['step']:,} of each agent")
    print(f"{agent.agents} agent(s) in {agent.envs} env(s) each, {agent.backend} backend on {agent.device}\n")
    print(columns(["settings", "preset", "here"], settings(config, args.settings)), "\n")
    layers = [agent.layer]
    print(
        columns(["layer", "from -> to", "synapse", "synapses of an agent"], [architecture(layer) for layer in layers]),
        "\n",
    )
    print(
        columns(["over agents", "mean", "lowest", "highest"], [row for layer in layers for row in state(layer)]), "\n"
    )
    print(columns(["seed", "episodes", "last 100", "best 100", "solved at episode"], results(trained)))
    return 0


def settings(config: RunConfig, everything: bool) -> list[list[str]]:
    """Name, value of the preset and value of the run, of those settings that differ, or of all."""
    here, before = (
        flat(asdict(c)) for c in (config, preset(config.env, config.agent.rule, config.env_kwargs, config.wrapper))
    )
    rows = [[name.removeprefix("agent."), str(before[name]), str(value)] for name, value in here.items()]
    return [row for row in rows if everything or row[1] != row[2]]


def architecture(layer: Layer) -> list[str]:
    """Name, shapes, kind of synapse and number of synapses."""
    pre, post = (" x ".join(map(str, shape)) for shape in (layer.synapse.pre_shape, layer.synapse.post_shape))
    return [layer.name, f"{pre} -> {post}", type(layer.synapse).__name__, f"{layer.weight[0].numel():,}"]


def state(layer: Layer) -> list[list[str]]:
    """What the agents' weights, rates and eligibilities have come to."""
    low, high = layer.bounds
    bound = ((layer.weight <= low) | (layer.weight >= high)).float()
    first, *others = (z.square() for z in layer.eligibility())
    z = sum(others, first)
    figures = {
        "weight, mean": layer.weight,
        "weight, size (rms)": layer.weight.square(),
        "weights at a bound (%)": 100.0 * bound,
        "running rate (Hz)": layer.homeostasis.rate,
        "neurons below 1 Hz (%)": 100.0 * (layer.homeostasis.rate < 1.0).float(),
        "eligibility (rms)": z,
    }
    return [[f"{layer.name}: {name}", *spread(values, "rms" in name)] for name, values in figures.items()]


def spread(values: Tensor, root: bool) -> list[str]:
    """Mean over agents, lowest and highest of each agent's mean of ``values (agents, ...)``, or of its square root."""
    means = values.double().flatten(1).mean(1)
    means = means.sqrt() if root else means
    return [f"{value:.4g}" for value in (means.mean(), means.min(), means.max())]


def results(trained: Trained) -> list[list[str]]:
    """A row per agent: what its training has brought so far."""
    rows: list[list[Any]] = []
    for seed, record in zip(trained.config.seeds, trained.data["records"], strict=True):
        recent, best = record["recent"], record["best_mean"]
        last = f"{np.mean(recent):.2f}" if recent else "-"
        solved = record["solved_at_episode"] or "no"
        rows.append([seed, record["episodes"], last, "-" if best is None else f"{best:.2f}", solved])
    return [[str(entry) for entry in row] for row in rows]
