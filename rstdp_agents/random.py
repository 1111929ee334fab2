"""Random numbers: an agent draws the same alone and in a population, on any device, and however its envs are spread."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.fused.random import agent_keys, draw_rows

LOW32 = 0xFFFFFFFF


class AgentRandom:
    """Uniform numbers for a population; those of an agent depend on its own seed alone.

    `uniform` draws one after the other, from a generator of each agent: what an agent starts with. `windows` draws what it
    lives by: numbers that depend on seed, window and place, and on nothing drawn before.

    share: ``(rank, ranks)``, which part of every agent's envs is here; the numbers of an env are those of a process with all.
    """

    def __init__(
        self, seeds: tuple[int, ...], device: torch.device, dtype: torch.dtype, share: tuple[int, int] = (0, 1)
    ) -> None:
        self.device, self.dtype, self.share = device, dtype, share
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.seeds = np.array(seeds, dtype=np.int64)
        self.drawn = 0
        """Windows drawn so far."""

    def uniform(self, count: int) -> Tensor:
        """``(agents, count)`` numbers in [0, 1)."""
        out = torch.empty(len(self.generators), count, dtype=self.dtype)
        for row, generator in zip(out, self.generators, strict=True):
            row.uniform_(generator=generator)
        return out.to(self.device)

    def windows(self, envs: int, ticks: int, layers: tuple[int, ...], numbers: int = 1) -> list[Tensor]:
        """All numbers of one window, in [0, 1) and of 24 bits.

        envs: of each agent here; all together they are ``ranks`` times as many. Returns ``(ticks, agents, envs, neurons)``
        for each layer size, then ``(agents, envs, numbers)`` for the choice of action.
        """
        rank, ranks = self.share
        keys = agent_keys(self.seeds, self.drawn)
        self.drawn += 1
        drawn, place = [], 0
        for rows, n in (*((ticks, neurons) for neurons in layers), (1, numbers)):
            places = place + rank * envs * n, ranks * envs * n
            drawn.append(numbers_at(keys, *places, rows, envs * n, self.device).to(self.dtype))
            place += rows * ranks * envs * n
        agents = len(keys)
        *spikes, choice = drawn
        shaped = [u.reshape(agents, ticks, envs, n).transpose(0, 1) for u, n in zip(spikes, layers, strict=True)]
        return [*shaped, choice.reshape(agents, envs, numbers)]

    def state(self) -> Tensor:
        """``(agents, 2)`` int64: every agent's seed, and the windows drawn."""
        return torch.stack([torch.from_numpy(self.seeds), torch.full((len(self.seeds),), self.drawn)], 1)

    def load_state(self, state: Tensor) -> None:
        """Go on from where `state` was taken."""
        self.seeds, self.drawn = state[:, 0].numpy().copy(), int(state[0, 1])


def numbers_at(keys: np.ndarray, first: int, stride: int, rows: int, n: int, device: torch.device) -> Tensor:
    """``(agents, rows, n)`` float32: row r holds the numbers at places ``first + r * stride, ...``, for keys ``(agents, 2)``."""
    if device.type == "cpu":
        out = np.empty((len(keys), rows, n), dtype=np.float32)
        draw_rows(keys, first, stride, out)
        return torch.from_numpy(out)
    places = torch.arange(first, first + rows * stride, stride, device=device)[:, None]
    key0, key1 = torch.from_numpy(keys.astype(np.int64)).to(device)[..., None, None].unbind(1)
    return mixed(places + torch.arange(n, device=device), key0, key1)


def mixed(place: Tensor, key0: Tensor, key1: Tensor) -> Tensor:
    """`fused.random.uniform_at` on any device, for 32-bit numbers held in int64 tensors that broadcast."""
    x = (place * 0x9E3779B9 + key0) & LOW32
    x = x ^ (x >> 16)
    x = ((x * 0x7FEB352D) & LOW32) ^ key1
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & LOW32
    return ((x ^ (x >> 16)) >> 8).to(torch.float32) * 2.0**-24
