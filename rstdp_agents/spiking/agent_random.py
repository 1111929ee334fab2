"""Random numbers: an agent draws the same alone and in a population, on any device, and however its envs are spread."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.base.compiled import ENABLED
from rstdp_agents.equations.random_numbers import draw_rows, tensor_uniform_at, tensor_window_keys


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

    def windows(self, envs: int, ticks: int, layers: tuple[int, ...], draws: int = 1) -> list[Tensor]:
        """All uniform draws of one window, in [0, 1) and of 24 bits.

        envs: of each agent here; all together they are ``ranks`` times as many. Returns ``(ticks, agents, envs, neurons)``
        for each layer size, then ``(agents, envs, draws)`` for the choice of action. Raises ValueError for more than 2^32.
        """
        blocks = [*((ticks, envs * neurons) for neurons in layers), (1, envs * draws)]
        drawn, place = self._drawn(blocks), 0
        self.drawn += 1
        agents, count = drawn.shape
        shaped = []
        for n in layers:  # one view each: a window is made of so few operations that each of them counts
            shaped.append(drawn.as_strided((ticks, agents, envs, n), (envs * n, count, n, 1), place))
            place += ticks * envs * n
        return [*shaped, drawn.as_strided((agents, envs, draws), (count, draws, 1), place)]

    def beyond(self, envs: int, used: int, draws: int) -> Tensor:
        """``(agents, envs, draws)`` more numbers of the last window, at the places after the ``used`` of each env."""
        rank, ranks = self.share
        first = envs * (ranks * used + rank * draws)
        drawn = uniform_draws(self.seeds, self.drawn - 1, first, envs * draws, 1, envs * draws)
        return drawn.reshape(-1, envs, draws)

    def _drawn(self, blocks: list[tuple[int, int]]) -> Tensor:
        """Blocks of numbers, ``(rows, n)`` each, of the window that is due, one after the other: ``(agents, count)``."""
        (rank, ranks), place, parts = self.share, 0, []
        total = ranks * sum(rows * n for rows, n in blocks)
        if total > 2**32:  # two envs would share numbers
            raise ValueError(f"a window takes {total} random numbers; there are {2**32}")
        if ranks == 1:
            blocks = [(1, sum(rows * n for rows, n in blocks))]
        for rows, n in blocks:
            parts.append(uniform_draws(self.seeds, self.drawn, place + rank * n, ranks * n, rows, n))
            place += rows * ranks * n
        drawn = parts[0] if ranks == 1 else torch.cat(parts, 1)
        return drawn if drawn.dtype == self.dtype else drawn.to(self.dtype)

    def state(self) -> Tensor:
        """``(agents, 2)`` int64: every agent's seed, and the windows drawn."""
        return torch.stack([self.seeds.cpu(), torch.full((len(self.seeds),), self.drawn)], 1)

    def load_state(self, state: Tensor) -> None:
        """Go on from where `state` was taken."""
        self.seeds, self.drawn = state[:, 0].to(self.device, copy=True), int(state[0, 1])


def uniform_draws(seeds: Tensor, window: int, first: int, stride: int, rows: int, n: int) -> Tensor:
    """``(agents, rows * n)`` float32: row r has the numbers at places ``first + r * stride, ...``; seeds ``(agents,)`` int64."""
    if ENABLED and seeds.device.type == "cpu":
        return torch.from_numpy(draw_rows(seeds.numpy(), window, first, stride, rows, n))
    rows_at = torch.arange(first, first + rows * stride, stride, device=seeds.device)
    places = rows_at[:, None] + torch.arange(n, device=seeds.device)
    return tensor_uniform_at(places.flatten(), *(key[:, None] for key in tensor_window_keys(seeds, window)))
