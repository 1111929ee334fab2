"""What an agent adds up while it runs, for whoever watches: sums over the windows since the last look."""

from __future__ import annotations

import torch
from torch import Tensor

EVERY = 10
"""Windows between two that the torch backend counts; the fused backend counts all, if not always the update."""


class Statistics:
    """Sums over ``windows`` windows, out of ``passed`` in all.

    sums: ``(agents, 3)`` float64: of the modulator, its square (means over envs), and the mean square of the update.
    spikes: of every neuron of the input and of every layer, summed over envs, ``(agents, neurons)`` each.
    """

    def __init__(self, agents: int, sizes: tuple[int, ...], device: torch.device) -> None:
        self.windows = self.passed = 0
        self.sums = torch.zeros(agents, 3, dtype=torch.float64, device=device)
        self.spikes = tuple(torch.zeros(agents, neurons, device=device) for neurons in sizes)

    def passes(self) -> bool:
        """One more window has passed; whether it is one to count."""
        self.passed += 1
        return self.is_due()

    def is_due(self) -> bool:
        """Whether the last window is one to count."""
        return self.passed % EVERY == 0

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

    def counts(self) -> Tensor:
        """``(agents, 2)`` int64: windows passed, and windows counted since the last look."""
        return torch.tensor([[self.passed, self.windows]]).repeat(self.sums.shape[0], 1)

    def load_counts(self, counts: Tensor) -> None:
        """Go on from where `counts` was taken."""
        self.passed, self.windows = counts[0].tolist()

    def tensors(self) -> dict[str, Tensor]:
        """The sums by name, as a checkpoint holds them."""
        return {"statistics.sums": self.sums, **{f"statistics.spikes{i}": n for i, n in enumerate(self.spikes)}}
