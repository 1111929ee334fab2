"""What an agent adds up while it runs, for whoever watches: sums over the windows since the last look."""

from __future__ import annotations

import torch
from torch import Tensor


class Statistics:
    """Sums over ``windows`` windows.

    sums: ``(agents, 3)`` float64: of the modulator, its square (means over envs), and the mean square of the update.
    pre, post: spikes of every neuron, summed over envs, ``(agents, neurons)``.
    """

    def __init__(self, agents: int, inputs: int, outputs: int, device: torch.device) -> None:
        self.windows = 0
        self.sums = torch.zeros(agents, 3, dtype=torch.float64, device=device)
        self.pre = torch.zeros(agents, inputs, device=device)
        self.post = torch.zeros(agents, outputs, device=device)

    def add_spikes(self, pre: Tensor, post: Tensor) -> None:
        """Count one window and its spikes ``(ticks, agents, envs, neurons)``."""
        self.windows += 1
        self.pre += pre.sum((0, 2))
        self.post += post.sum((0, 2))

    def add_learning(self, m: Tensor, dw: Tensor) -> None:
        """Add what followed a window that was counted: m ``(agents, envs)``, dw ``(agents, *weight)``."""
        self.sums += torch.stack([m.mean(1), m.square().mean(1), dw.square().flatten(1).mean(1)], 1)

    def clear(self) -> None:
        """Start a new interval."""
        self.windows = 0
        for tensor in (self.sums, self.pre, self.post):
            tensor.zero_()

    def tensors(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        return {"statistics.sums": self.sums, "statistics.pre": self.pre, "statistics.post": self.post}
