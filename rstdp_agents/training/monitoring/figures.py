"""Pictures of an agent for TensorBoard: spike raster, value and policy maps. Drawn without a screen."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from torch import Tensor

from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.spiking_critic import SpikingCritic
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.encoders import Encoder, PlaceCells
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles
from rstdp_agents.codecs.encoders.tile_coding import TileCoding

GRID = 21
"""Points along each side of a map."""
FIELDS = 6
"""Groups of output neurons whose receptive fields are drawn, at most."""
REPEATS = 2
"""Windows simulated at each point of a map."""
AT_ONCE = 1 << 24
"""Inputs of all agents and windows that are worked on together; a critic of spikes is asked about no more of them in all."""


def raster(windows: list[tuple[np.ndarray, ...]], names: list[str], dt: float) -> Figure:
    """Spikes of one env over consecutive windows: input below, output above.

    Each window holds one ``(ticks, neurons)`` per layer, from the input on, as ``names`` calls them.
    """
    layers = [np.concatenate(parts) for parts in zip(*windows, strict=True)]
    figure = Figure(figsize=(8, 4.5 + 2.0 * (len(names) - 2)))
    panels = figure.subplots(len(names), 1, sharex=True, height_ratios=[*[1] * (len(names) - 1), 2])
    figure.subplots_adjust(left=0.11, right=0.97, bottom=0.11, top=0.97, hspace=0.08)
    for axes, spikes, name in zip(panels, reversed(layers), reversed(names), strict=True):
        tick, neuron = np.nonzero(spikes)
        axes.plot(tick * dt, neuron, "|", color="black", markersize=3)
        axes.set(ylabel=f"{name} neuron", ylim=(-1, spikes.shape[1]), xlim=(0, spikes.shape[0] * dt))
        edges = np.cumsum([len(window[0]) for window in windows])[:-1] * dt
        axes.vlines(edges, -1, spikes.shape[1], color="0.85", linewidth=0.5, zorder=0)
    panels[-1].set_xlabel("simulated time (ms); grey lines: env steps")
    figure.align_ylabels()
    return figure


def policy_maps(agent: Agent, space: gym.Space, dims: tuple[int, int]) -> Figure | None:
    """Value and preferred action of agent 0 over two dimensions (the others mid-range), or over all states if Discrete.

    None if there is no such picture: observations of a single dimension.
    """
    plane = _plane(agent, space, dims)
    if plane is None:
        return None
    points, shape, extent, labels = plane
    rates, value = _answers(agent, points)
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.97, bottom=0.14, top=0.91, wspace=0.22)
    if value is None:
        left.set_axis_off()
    else:
        image = _image(left, value.cpu().numpy().reshape(shape), extent, labels, "value", "viridis")
        figure.colorbar(image, ax=left)
    shown = None
    if isinstance(agent.decoder, PopulationVector):
        action = agent.decoder.greedy(rates, rates).flatten(1)[:, 0]
        shown = _image(right, action.cpu().numpy().reshape(shape), extent, labels, "action", "coolwarm")
    elif not isinstance(agent.decoder, PopulationDecoder):
        right.set_axis_off()
    elif rates.shape[1] == 2:
        lead = (rates[:, 1] - rates[:, 0]).cpu().numpy().reshape(shape)
        shown = _image(right, lead, extent, labels, "rate of action 1 - action 0", "coolwarm")
    else:
        best = rates.argmax(1).cpu().numpy().reshape(shape)
        shown = _image(right, best, extent, labels, "most active action", "tab10")
    if shown:
        figure.colorbar(shown, ax=right)
    return figure


def receptive_fields(agent: Agent, space: gym.Space, dims: tuple[int, int]) -> Figure | None:
    """What drives the groups of output neurons of agent 0: their mean input current over the plane of `policy_maps`.

    A panel for each group, at most `FIELDS`, in units of threshold and per tick at the highest input rate; None if there is
    no such plane, or if the input reaches the output through other layers.
    """
    plane = _plane(agent, space, dims)
    if plane is None or agent.network.hidden:
        return None
    points, shape, extent, labels = plane
    weight, p_max = agent.layer.weight[:1], agent.parts.p_max
    drives = [
        agent.layer.synapse.current(agent.coded(some)[None, :1], weight)[0, 0] * p_max for some in _few(agent, points)
    ]
    drive = torch.cat(drives)
    fields = drive.reshape(len(points), -1, agent.config.decoder.neurons_per_action).mean(2).T[:FIELDS].cpu().numpy()
    width = 3.0 * len(fields) + 1.2
    figure = Figure(figsize=(width, 3.2))
    panels = figure.subplots(1, len(fields), squeeze=False, sharey=True)[0]
    figure.subplots_adjust(left=0.8 / width, right=1 - 0.2 / width, bottom=0.16, top=0.9, wspace=0.1)
    limit, images = float(np.abs(fields).max()), []
    for group, axes in enumerate(panels):
        field, title = fields[group].reshape(shape), f"drive of group {group}"
        images.append(_image(axes, field, extent, labels, title, "coolwarm", limit))
        axes.label_outer()
    figure.colorbar(images[0], ax=panels.tolist(), pad=0.02, aspect=15)
    return figure


def _plane(
    agent: Agent, space: gym.Space, dims: tuple[int, int]
) -> tuple[np.ndarray, tuple[int, int], tuple[float, ...] | None, tuple[str, ...]] | None:
    """Observations ``(points, *obs)`` to draw a map from, its layout, extent and axes; None if there is no such map."""
    if isinstance(space, gym.spaces.Discrete):
        side = int(np.sqrt(space.n)) if int(np.sqrt(space.n)) ** 2 == space.n else int(space.n)
        return space.start + np.arange(space.n), (-1, side), None, ("state", "")
    ends = _ends(agent.encoder, space)
    if ends is None or len(ends[0]) <= max(dims) or any(ends[0][d] == ends[1][d] for d in dims):
        return None
    points, shape, extent = _slice(*ends, dims)
    return points, shape, extent, tuple(f"observation[{d}]" for d in dims)


def _ends(encoder: Encoder, space: gym.Space) -> tuple[np.ndarray, np.ndarray] | None:
    """Lowest and highest number of each dimension of an observation that an encoder tells apart; None for what is no list."""
    if isinstance(encoder, PlaceCells | TileCoding):
        return encoder.low, encoder.high
    if not isinstance(encoder, HashedTiles) or not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        return None
    low, high = np.zeros((2, *space.shape))  # the same for a number that does not vary
    columns, numbers = encoder.columns.cpu().numpy(), encoder.low.cpu().numpy()
    low[columns], high[columns] = numbers, numbers + encoder.span.cpu().numpy()
    return low, high


def _slice(
    low: np.ndarray, high: np.ndarray, dims: tuple[int, int]
) -> tuple[np.ndarray, tuple[int, int], tuple[float, ...]]:
    """Points ``(GRID * GRID, dims)`` of the plane through the middle of the range, their layout and their extent."""
    points = np.tile((low + high) / 2, (GRID * GRID, 1))
    x, y = (np.linspace(low[d], high[d], GRID) for d in dims)
    points[:, dims[0]], points[:, dims[1]] = (axis.reshape(-1) for axis in np.meshgrid(x, y))
    return points, (GRID, GRID), (x[0], x[-1], y[0], y[-1])


def _answers(agent: Agent, points: np.ndarray) -> tuple[Tensor, Tensor | None]:
    """Rates that decide ``(points, groups)`` and values ``(points,)`` of agent 0; no values where they would take minutes."""
    rates, values = [], []
    dear = isinstance(agent.modulator, SpikingCritic) and agent.agents * len(points) * agent.encoder.size > AT_ONCE
    for some in _few(agent, points):
        policy = agent.policy(some.shape[1] * REPEATS, (0,) * agent.agents)
        rates.append(policy.rates(np.repeat(some, REPEATS, 1))[0].unflatten(0, (-1, REPEATS)).mean(1))
        values.append(None if dear else agent.value(some))
    known = [value[0] for value in values if value is not None]
    return torch.cat(rates), torch.cat(known) if known else None


def _few(agent: Agent, points: np.ndarray) -> Iterator[np.ndarray]:
    """Some points at a time, for all agents, ``(agents, few, *obs)``: the inputs of all of them would not fit into memory."""
    few = max(1, AT_ONCE // (agent.agents * REPEATS * agent.encoder.size))
    for first in range(0, len(points), few):
        yield np.repeat(points[None, first : first + few], agent.agents, 0)


def _image(
    axes: Axes, values: np.ndarray, extent: tuple[float, ...] | None, labels: tuple[str, ...], title: str, colours: str,
    limit: float | None = None,
) -> AxesImage:  # fmt: skip
    """Colours of ``values``; those from blue to red go from minus to plus ``limit``, by default their largest size."""
    largest = float(np.abs(values).max()) if limit is None else limit
    limits = {"vmin": -largest, "vmax": largest} if colours == "coolwarm" else {}
    origin = "upper" if extent is None else "lower"
    image = axes.imshow(values, extent=extent, origin=origin, aspect="auto", cmap=colours, **limits)  # pyright: ignore
    axes.set(title=title, xlabel=labels[0], ylabel=labels[1])
    return image
