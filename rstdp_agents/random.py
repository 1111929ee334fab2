"""Random numbers: one generator per agent, so that an agent draws the same numbers alone and in a population."""

from __future__ import annotations

import torch
from torch import Tensor


class AgentRandom:
    """Uniform numbers for a population, each agent's from its own `torch.Generator`."""

    def __init__(self, seeds: tuple[int, ...], device: torch.device, dtype: torch.dtype) -> None:
        self.device, self.dtype = device, dtype
        self.generators = [torch.Generator(device).manual_seed(seed) for seed in seeds]

    def uniform(self, count: int) -> Tensor:
        """``(agents, count)`` numbers in [0, 1)."""
        out = torch.empty(len(self.generators), count, device=self.device, dtype=self.dtype)
        for row, generator in zip(out, self.generators, strict=True):
            row.uniform_(generator=generator)
        return out

    def windows(self, envs: int, ticks: int, layers: tuple[int, ...], numbers: int = 1) -> list[Tensor]:
        """All numbers of one window in one draw per agent.

        Returns ``(ticks, agents, envs, neurons)`` for each layer size, then ``(agents, envs, numbers)`` for the choice of action.
        """
        agents = len(self.generators)
        sizes = [envs * ticks * neurons for neurons in layers]
        *spikes, choice = self.uniform(sum(sizes) + envs * numbers).split([*sizes, envs * numbers], 1)
        shaped = [u.reshape(agents, ticks, envs, n).transpose(0, 1) for u, n in zip(spikes, layers, strict=True)]
        return [*shaped, choice.reshape(agents, envs, numbers)]

    def state(self) -> Tensor:
        """``(agents, bytes)`` uint8: where every generator stands."""
        return torch.stack([generator.get_state() for generator in self.generators])

    def load_state(self, state: Tensor) -> None:
        """Put every generator where `state` found it."""
        for generator, row in zip(self.generators, state, strict=True):
            generator.set_state(row.clone())
