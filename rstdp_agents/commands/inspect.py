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
from rstdp_agents.episodes import of_episodes
from rstdp_agents.escape import one_line
from rstdp_agents.layer import Layer
from rstdp_agents.modulators import Modulator, TDError
from rstdp_agents.presets import preset
from rstdp_agents.reports.tables import columns
from rstdp_agents.runs.reading import Trained, load_agent
from rstdp_agents.spiking_critic import SpikingCritic


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
    what = one_line(f"{config.agent.rule} on {config.env}")
    print(f"{trained.checkpoint}: {what}, env step {trained.data['step']:,} of each agent")
    print(f"{agent.agents} agent(s) in {agent.envs} env(s) each, {agent.backend} backend on {agent.device}\n")
    print(columns(["settings", "preset", "here"], settings(config, args.settings)), "\n")
    layers = agent.network.layers
    shapes = [*map(architecture, layers), *critic_architecture(agent.modulator)]
    states = [*(row for layer in layers for row in state(layer)), *critic_state(agent.modulator)]
    print(columns(["layer", "from -> to", "synapse", "synapses of an agent"], shapes), "\n")
    print(columns(["over agents", "mean", "lowest", "highest"], states), "\n")
    print(columns(["seed", "episodes", "last 100", "best 100", "solved at episode"], results(trained)))
    return 0


def settings(config: RunConfig, everything: bool) -> list[list[str]]:
    """Name, value of the preset and value of the run, of those settings that differ, or of all."""
    here, before = (flat(asdict(c)) for c in (config, preset(config.env, config.agent.rule)))
    rows = [[name.removeprefix("agent."), str(before[name]), str(value)] for name, value in here.items()]
    return [row for row in rows if everything or row[1] != row[2]]


def architecture(layer: Layer) -> list[str]:
    """Name, shapes, kind of synapse and number of synapses."""
    pre, post = (" x ".join(map(str, shape)) for shape in (layer.synapse.pre_shape, layer.synapse.post_shape))
    return [layer.name, f"{pre} -> {post}", type(layer.synapse).__name__, f"{layer.weight[0].numel():,}"]


def critic_architecture(modulator: Modulator) -> list[list[str]]:
    """As `architecture`, of the critic if there is one: a layer of its own, or a sum over the input."""
    if isinstance(modulator, SpikingCritic):
        return [architecture(modulator.layer)]
    if isinstance(modulator, TDError):
        return [["critic", f"{modulator.weight[0].numel()} -> 1", "sum", f"{modulator.weight[0].numel():,}"]]
    return []


def state(layer: Layer) -> list[list[str]]:
    """What the agents' weights, rates and eligibilities have come to."""
    first, *others = (z.square() for z in layer.eligibility())
    figures = {
        **weights(layer.weight),
        "weights at a bound (%)": at_bound(layer),
        "running rate (Hz)": layer.homeostasis.rate,
        "neurons below 1 Hz (%)": 100.0 * (layer.homeostasis.rate < 1.0).float(),
        "eligibility (rms)": sum(others, first),
    }
    return rows(layer.name, figures)


def critic_state(modulator: Modulator) -> list[list[str]]:
    """As `state`, of the critic if there is one: what it keeps between env steps."""
    if isinstance(modulator, SpikingCritic):
        layer = modulator.layer
        kept = {**weights(layer.weight), "weights at a bound (%)": at_bound(layer)}
        return rows("critic", {**kept, "trace (rms)": modulator.trace.square()})
    if isinstance(modulator, TDError):
        return rows("critic", {**weights(modulator.weight), "trace (rms)": modulator.trace.square()})
    return []


def weights(weight: Tensor) -> dict[str, Tensor]:
    """What is said of any weights."""
    return {"weight, mean": weight, "weight, size (rms)": weight.square()}


def at_bound(layer: Layer) -> Tensor:
    """100 for each weight that lies on a bound, 0 for the others."""
    low, high = layer.bounds
    return 100.0 * ((layer.weight <= low) | (layer.weight >= high)).float()


def rows(name: str, figures: dict[str, Tensor]) -> list[list[str]]:
    """A row for each of the figures ``(agents, ...)`` of a layer."""
    return [[f"{name}: {figure}", *spread(values, "rms" in figure)] for figure, values in figures.items()]


def spread(values: Tensor, root: bool) -> list[str]:
    """Mean over agents, lowest and highest of each agent's mean of ``values (agents, ...)``, or of its square root."""
    means = values.double().flatten(1).mean(1)
    means = means.sqrt() if root else means
    return [f"{value:.4g}" for value in (means.mean(), means.min(), means.max())]


def results(trained: Trained) -> list[list[str]]:
    """A row per agent: what its training has brought so far."""
    told: list[list[Any]] = []
    for seed, record in zip(trained.config.seeds, trained.data["records"], strict=True):
        recent, best = record["recent"], record["best_mean"]
        last = f"{np.mean(recent):.2f}{of_episodes(len(recent))}" if recent else "-"
        solved = record["solved_at_episode"] or "no"
        told.append([seed, record["episodes"], last, "-" if best is None else f"{best:.2f}", solved])
    return [[str(entry) for entry in row] for row in told]
