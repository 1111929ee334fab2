"""Axons of the input neurons: their spikes arrive late, each neuron's by a delay of its own.

Spikes of a window are bits of a word per neuron, tick by tick from the lowest, so that waiting for a tick is a shift by one.
"""

from __future__ import annotations

import torch
from torch import Tensor

LONGEST = 63
"""Ticks of a window and of the longest delay together, at most: bits of a word whose sign is no tick."""


class Axons:
    """Delays of a population's input neurons, and what is under way in each env.

    delay: ``(agents, pre)`` int64, in ticks. fresh_each_window: what is under way at the end of a window does not arrive.
    """

    def __init__(self, delay: Tensor, envs: int, fresh_each_window: bool) -> None:
        self.delay, self.fresh_each_window = delay, fresh_each_window
        self.under_way = self.start(envs)

    def start(self, envs: int) -> Tensor:
        """Nothing is under way, ``(agents, envs, pre)`` int64: bit k is for a spike that arrives in tick k of the next window."""
        agents, pre = self.delay.shape
        return self.delay.new_zeros(agents, envs, pre)

    def arrive(self, pre: Tensor, under_way: Tensor) -> tuple[Tensor, Tensor]:
        """The spikes of a window as they arrive, and what is under way after it; changes nothing.

        pre: as they were fired, ``(ticks, agents, envs, pre)``. under_way: as of `start`.
        """
        ticks = 2 ** torch.arange(len(pre), device=pre.device).reshape(-1, 1, 1, 1)  # products of these are shifts
        coming = under_way + (pre.long() * ticks).sum(0) * 2 ** self.delay[:, None]
        left = torch.zeros_like(coming) if self.fresh_each_window else coming // 2 ** len(pre)
        return (coming // ticks % 2).to(pre.dtype), left

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by name."""
        return {"input.delay": self.delay, **self.per_env()}

    def per_env(self) -> dict[str, Tensor]:
        """Of `tensors`, those that are held for every env."""
        return {"input.under_way": self.under_way}
