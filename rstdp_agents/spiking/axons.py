"""Axons of the input neurons: their spikes arrive late, each neuron's by a delay of its own.

What is under way are bits of a word per neuron, tick by tick from the lowest, so that waiting for a tick is a shift by one.
"""

from __future__ import annotations

import torch
from torch import Tensor

LONGEST = 63
"""Ticks of the longest delay, at most: bits of a word whose sign is no tick."""


class Axons:
    """Delays of a population's input neurons, and what is under way in each env.

    delay: ``(agents, pre)`` int64, in ticks, none beyond ``longest``. fresh_each_window: what is under way at the end of a window
    does not arrive.
    """

    def __init__(self, delay: Tensor, longest: int, envs: int, fresh_each_window: bool) -> None:
        self.delay, self.longest, self.fresh_each_window = delay, longest, fresh_each_window
        self.under_way = self.start(envs)

    def start(self, envs: int) -> Tensor:
        """Nothing is under way, ``(agents, envs, pre)`` int64: bit k is for a spike that arrives in tick k of the next window."""
        agents, pre = self.delay.shape
        return self.delay.new_zeros(agents, envs, pre)

    def arrive(self, pre: Tensor, under_way: Tensor) -> tuple[Tensor, Tensor]:
        """The spikes of a window as they arrive, and what is under way after it; changes nothing.

        pre: as they were fired, ``(ticks, agents, envs, pre)``. under_way: as of `start`.
        """
        ticks, longest = len(pre), self.longest
        time = torch.arange(ticks + longest, device=pre.device).reshape(-1, 1, 1, 1)
        fired = time - self.delay[:, None]  # when that was fired which arrives then
        late = pre.gather(0, fired.clamp(0, ticks - 1).expand(-1, -1, pre.shape[2], -1))
        late = late * ((fired >= 0) & (fired < ticks))
        places = 2 ** time[:longest]  # products of these are shifts
        waits = (under_way // places % 2).to(pre.dtype)
        coming = torch.cat([late[:longest] + waits, late[longest:]])
        left = torch.zeros_like(under_way) if self.fresh_each_window else (coming[ticks:].long() * places).sum(0)
        return coming[:ticks], left

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by name."""
        return {"input.delay": self.delay, **self.per_env()}

    def per_env(self) -> dict[str, Tensor]:
        """Of `tensors`, those that are held for every env."""
        return {"input.under_way": self.under_way}
