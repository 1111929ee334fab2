"""Random numbers: an agent draws the same alone and in a population, on any device, and however its envs are spread."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.base.compiled import ENABLED
from rstdp_agents.equations.random_numbers import draw_rows

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
        self.seeds = torch.tensor(seeds, dtype=torch.int64, device=device)
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
        for each layer size, then ``(agents, envs, numbers)`` for the choice of action. Raises ValueError for more than 2^32.
        """
        blocks = [*((ticks, envs * neurons) for neurons in layers), (1, envs * numbers)]
        drawn, place = self._drawn(blocks), 0
        self.drawn += 1
        agents, count = drawn.shape
        shaped = []
        for n in layers:  # one view each: a window is made of so few operations that each of them counts
            shaped.append(drawn.as_strided((ticks, agents, envs, n), (envs * n, count, n, 1), place))
            place += ticks * envs * n
        return [*shaped, drawn.as_strided((agents, envs, numbers), (count, numbers, 1), place)]

    def _drawn(self, blocks: list[tuple[int, int]]) -> Tensor:
        """Blocks of numbers, ``(rows, n)`` each, of the window that is due, one after the other: ``(agents, count)``."""
        (rank, ranks), place, parts = self.share, 0, []
        total = ranks * sum(rows * n for rows, n in blocks)
        if total > 2**32:  # two envs would share numbers
            raise ValueError(f"a window takes {total} random numbers; there are {2**32}")
        if ranks == 1:
            blocks = [(1, sum(rows * n for rows, n in blocks))]
        for rows, n in blocks:
            parts.append(numbers_at(self.seeds, self.drawn, place + rank * n, ranks * n, rows, n))
            place += rows * ranks * n
        drawn = parts[0] if ranks == 1 else torch.cat(parts, 1)
        return drawn if drawn.dtype == self.dtype else drawn.to(self.dtype)

    def state(self) -> Tensor:
        """``(agents, 2)`` int64: every agent's seed, and the windows drawn."""
        return torch.stack([self.seeds.cpu(), torch.full((len(self.seeds),), self.drawn)], 1)

    def load_state(self, state: Tensor) -> None:
        """Go on from where `state` was taken."""
        self.seeds, self.drawn = state[:, 0].to(self.device, copy=True), int(state[0, 1])


def numbers_at(seeds: Tensor, window: int, first: int, stride: int, rows: int, n: int) -> Tensor:
    """``(agents, rows * n)`` float32: row r has the numbers at places ``first + r * stride, ...``; seeds ``(agents,)`` int64."""
    if ENABLED and seeds.device.type == "cpu":
        return torch.from_numpy(draw_rows(seeds.numpy(), window, first, stride, rows, n))
    rows_at = torch.arange(first, first + rows * stride, stride, device=seeds.device)
    places = rows_at[:, None] + torch.arange(n, device=seeds.device)
    return mixed(places.flatten(), *(key[:, None] for key in window_keys(seeds, window)))


def window_keys(seeds: Tensor, window: int) -> tuple[Tensor, Tensor]:
    """`fused.random.window_keys` of every agent on any device; 64-bit numbers held in int64 wrap around as they should."""
    x = seeds * signed(0x9E3779B97F4A7C15) + signed(window * 0xD1B54A32D192ED03)
    x = (x ^ shifted(x, 30)) * signed(0xBF58476D1CE4E5B9)
    x = (x ^ shifted(x, 27)) * signed(0x94D049BB133111EB)
    x = x ^ shifted(x, 31)
    return x & LOW32, shifted(x, 32)


def signed(number: int) -> int:
    """The int64 of the same lowest 64 bits."""
    return (number + 2**63) % 2**64 - 2**63


def shifted(x: Tensor, bits: int) -> Tensor:
    """int64 shifted right as if it had no sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def mixed(place: Tensor, key0: Tensor, key1: Tensor) -> Tensor:
    """`fused.random.uniform_at` on any device, for 32-bit numbers held in int64 tensors that broadcast."""
    x = (place * 0x9E3779B9 + key0) & LOW32
    x = x ^ (x >> 16)
    x = ((x * 0x7FEB352D) & LOW32) ^ key1
    x = x ^ (x >> 15)
    x = (x * 0x846CA68B) & LOW32
    return ((x ^ (x >> 16)) >> 8).to(torch.float32) * 2.0**-24
