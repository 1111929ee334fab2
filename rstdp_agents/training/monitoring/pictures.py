"""The pictures that a run draws: spikes, weights, receptive fields, maps of value and policy."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor
from torch.utils.tensorboard import SummaryWriter

from rstdp_agents.agent.agent import Agent
from rstdp_agents.training.config import RunConfig

BETWEEN = 1_000_000
"""Fewest env steps of all agents between two drawings: a drawing takes up to three seconds, these steps half a minute."""
RASTER_WINDOWS = 30
"""Env steps of agent 0 that the spike raster shows."""
RASTER = "monitor.raster."
"""Prefix of the names in `Pictures.tensors`."""


class Pictures:
    """Draws `images` times in a run, less often if it is short, and the last time at its end.

    Before each drawing it collects the spikes of agent 0 in its first env.
    """

    def __init__(self, config: RunConfig, agent: Agent, space: gym.Space) -> None:
        self.agent, self.space, self.dims, self._stride = agent, space, config.map_dims, config.envs_per_agent
        often = config.total_steps // max(1, config.images)
        self._every = max(often, min(config.total_steps, BETWEEN // config.agents), 1)
        self._raster_steps = RASTER_WINDOWS * self._stride if config.images else 0
        self._raster: list[tuple[np.ndarray, ...]] = []
        self.due = 0
        """Env step before which `look` need not be called."""

    def look(self, step: int) -> bool:
        """Record an env step; whether to draw now."""
        left = -step % self._every
        if left >= self._raster_steps:
            self.due = step + left - self._raster_steps + 1
            return False
        self._raster.append(tuple(spikes[:, 0, 0].cpu().numpy().copy() for spikes in self.agent.spikes()))
        return left < self._stride

    def draw(self, writer: SummaryWriter, step: int) -> None:
        """Draw all pictures, and begin a new raster."""
        # matplotlib takes half a second to import, which would slow every start
        from rstdp_agents.training.monitoring import figures

        layers = self.agent.network.layers
        for each in layers:
            finite = each.weight[each.weight.isfinite()]  # TensorBoard refuses the others
            if finite.numel():
                writer.add_histogram(f"weights/{each.name}", finite, step)
        names = ["input", *(each.name for each in layers)]
        writer.add_figure("activity/raster", figures.raster(self._raster, names, self.agent.layer.dt), step)
        self._raster = []
        maps = figures.policy_maps(self.agent, self.space, self.dims)
        if maps is not None:
            writer.add_figure("learn/value_and_policy", maps, step)
        fields = figures.receptive_fields(self.agent, self.space, self.dims)
        if fields is not None:
            writer.add_figure("learn/receptive_fields", fields, step)

    def tensors(self) -> dict[str, Tensor]:
        """Spikes that are still to be drawn, by name: ``(windows, ticks, neurons)`` of every layer."""
        layers = [torch.from_numpy(np.stack(layer).astype(np.uint8)) for layer in zip(*self._raster)]
        return {f"{RASTER}{i}": layer for i, layer in enumerate(layers)}

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Restore what `tensors` returned; other tensors are ignored."""
        waiting = sum(name.startswith(RASTER) for name in tensors)
        layers = [tensors[f"{RASTER}{i}"].float().numpy() for i in range(waiting)]
        self._raster = list(zip(*layers, strict=True))


def check_tensors(tensors: dict[str, Tensor]) -> None:
    """Raise ValueError for tensors that `Pictures.tensors` cannot have returned."""
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items() if name.startswith(RASTER)}
    expected = {f"{RASTER}{i}" for i in range(len(shapes))}
    windows = {shape[:1] for shape in shapes.values()}
    if shapes.keys() != expected or len(windows) > 1 or any(len(shape) != 3 for shape in shapes.values()):
        raise ValueError(f"it holds spikes of shapes {list(shapes.values())}")
