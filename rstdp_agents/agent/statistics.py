"""What an agent adds up while it runs, for whoever watches: sums over the windows since the last look."""

from __future__ import annotations

import torch
from torch import Tensor


class Statistics:
    """Sums over ``windows`` windows.

    sums: ``(agents, 3)`` float64: of the modulator, its square (means over envs), and the mean square of the update.
    spikes: of every neuron of the input and of every layer, summed over envs, ``(agents, neurons)`` each.
    """

    def __init__(self, agents: int, sizes: tuple[int, ...], device: torch.device) -> None:
        self.windows = 0
        self.sums = torch.zeros(agents, 3, dtype=torch.float64, device=device)
        self.spikes = tuple(torch.zeros(agents, neurons, device=device) for neurons in sizes)

    def add_spikes(self, spikes: tuple[Tensor, ...]) -> None:
        """Count one window and its spikes, ``(ticks, agents, envs, neurons)`` of the input and of every layer."""
        self.windows += 1
        for count, layer in zip(self.spikes, spikes, strict=True):
            count += layer.sum((0, 2))

    def add_learning(self, m: Tensor, dw: Tensor) -> None:
        """Add what followed a window that was counted: m ``(agents, envs)``, dw ``(agents, *weight)``."""
        self.sums += torch.stack([m.mean(1), m.square().mean(1), dw.square().flatten(1).mean(1)], 1)

    def clear(self) -> None:
        """Start a new interval."""
        self.windows = 0
        for tensor in (self.sums, *self.spikes):
            tensor.zero_()

    def tensors(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        return {"statistics.sums": self.sums, **{f"statistics.spikes{i}": n for i, n in enumerate(self.spikes)}}
