"""Hashed tile coding: many shifted tilings over small and large groups of an observation's numbers, coarse and fine."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.equations.receptive_fields import PRIME, compressed, even_rate, hash_step, opponent

DRAWN_BY = 0
"""Seed of groups, shifts and hashes, the same in every run: agents differ in what they learn, not in their input code."""
TABLE = 4096
"""Combinations of whole numbers that are told apart exactly, each by a neuron of its own."""
RAMPS = 0.2
"""Power of all ON and OFF cells together at their most active, of that of a kind of tilings."""
MOST_RAMPS = 256
"""Numbers of an observation beyond which none has such cells, of which half are active at any time."""
FURTHEST = 1000
"""Tiles on either side of the range, the last of which holds everything beyond."""


class Number(NamedTuple):
    """A number of an observation that varies."""

    column: int
    low: float
    high: float
    """Range that was seen, or that its space declares."""
    whole: bool
    """Whether it takes whole values only, few enough for each to count."""


class Tilings(NamedTuple):
    """Tilings over groups of equally many numbers."""

    groups: int
    size: int
    """Numbers in a group."""
    tiles: tuple[int, ...]
    """Tiles across the range of a number, which tilings take in turns; whole numbers have a tile for each value."""
    cells: int
    """Neurons of a tiling, onto which its tiles are hashed."""


class HashedTiles(Precise):
    """Binary conjunctive cells on tilings over numbers alone, in pairs, in fours and all together, as many as there are of them.

    In each tiling one neuron is active. Tilings of a kind share their power evenly, so do the kinds (`plan`): small groups and
    large tiles generalise, large groups and small tiles tell apart. Beyond the range of a number tiles go on, ever wider
    (`receptive_fields.compressed`). After the tile coding with hashing of Sutton and Barto (2018), section 9.5.4.
    Numbers that are not whole also have an ON and an OFF cell each (`receptive_fields.opponent`), of little power: they say at
    once what takes coarse tiles a few steps.
    """

    def __init__(self, numbers: list[Number]) -> None:
        validate.require(bool(numbers), "nothing in the observations varies, and tiles need numbers that do")
        random, kinds = np.random.default_rng(DRAWN_BY), plan(numbers)
        whole = np.array([number.whole for number in numbers])
        ramps = np.flatnonzero(~whole)
        if len(ramps) > MOST_RAMPS:
            ramps = ramps[:0]
        share = RAMPS if len(ramps) else 0.0
        low, high = (np.array([number[i] for number in numbers], dtype=np.float64) for i in (1, 2))
        groups = [(kind, k, members(kind, k, len(numbers), random)) for kind in kinds for k in range(kind.groups)]
        shape = len(groups), max(len(group) for *_, group in groups)
        held, factor = np.zeros(shape, np.int64), np.ones(shape, np.int64)
        tiles, shift = np.zeros(shape), np.zeros(shape)
        count, start, cells = (np.zeros(len(groups), np.int64) for _ in range(3))
        rate = np.empty(len(groups), np.float32)
        for g, (kind, k, group) in enumerate(groups):
            n, exact = len(group), is_table(numbers)
            turn = k if kind.size > 1 else k // len(numbers)
            held[g, :n], count[g], cells[g] = group, n, kind.cells
            tiles[g, :n] = np.where(whole[group], (high - low)[group], kind.tiles[turn % len(kind.tiles)])
            shift[g, :n] = np.where(whole[group], 0.5, random.random(n))
            factor[g, :n] = random.integers(PRIME // 2, PRIME, n)
            start[g] = random.integers(PRIME)
            if exact:
                factor[g, :n], start[g] = [*(high - low)[group[1:]].astype(np.int64) + 1, 1], 0
            rate[g] = even_rate(POWER / (len(kinds) + share), kind.groups)
        self.size, self.most = int(cells.sum()) + 2 * len(ramps), len(groups) + len(ramps)
        self._exact, self.ramps = is_table(numbers), torch.from_numpy(ramps)
        self.steepest = even_rate(torch.tensor(share * POWER / (len(kinds) + share)), len(ramps)).float()
        self.columns = torch.tensor([number.column for number in numbers])
        self.low, self.span = torch.from_numpy(low), torch.from_numpy(high - low)
        self.first = torch.from_numpy(np.cumsum(cells) - cells)
        self.held, self.count, self.tiles, self.shift = map(torch.from_numpy, (held, count, tiles, shift))
        self.factor, self.start, self.cells, self.rate = map(torch.from_numpy, (factor, start, cells, rate))
        self.least = 0 if self._exact else -FURTHEST

    NAMES = (
        "columns", "low", "span", "held", "count", "tiles", "shift", "factor", "start", "cells", "first", "rate", "ramps",
        "steepest",
    )  # fmt: skip

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Of every number its column, lowest value and range; of every tiling its numbers, of which ``count`` count, tiles across
        the range of each, shifts, and factors of the hash, where that begins, its cells, the first of them, and its rate; which
        numbers have ON and OFF cells, and the largest rate of these.
        """
        return tuple(getattr(self, name) for name in self.NAMES)

    def active(self, obs: Tensor) -> tuple[Tensor, Tensor]:
        """The active neurons and their rates, ``(agents, envs, most)``, for rows ``(agents, envs, columns)``.

        One of every tiling, then the ON or OFF cell of every number that has them.
        """
        rows = obs.to(self.device).reshape(*obs.shape[:2], -1)[..., self.columns].double()
        x = compressed((rows - self.low) / self.span)
        slope = opponent(x[..., self.ramps])
        cell = self.size - 2 * len(self.ramps) + 2 * torch.arange(len(self.ramps), device=self.device) + (slope < 0)
        x = x[..., self.held]
        place = (x * self.tiles + self.shift).floor().clamp(self.least, FURTHEST + TABLE).long() - self.least
        key = self.start.expand(place.shape[:-1])
        for k in range(place.shape[-1]):
            key = torch.where(k < self.count, hash_step(key, place[..., k], self.factor[:, k]), key)
        tiles = key % self.cells + self.first, self.rate.to(self.dtype).expand_as(key)
        return torch.cat([tiles[0], cell], -1), torch.cat([tiles[1], (slope.abs() * self.steepest).to(self.dtype)], -1)

    def rates(self, obs: Tensor) -> Tensor:
        """Rows ``(agents, envs, columns)`` -> ``(agents, envs, size)``."""
        out = torch.zeros(*obs.shape[:2], self.size, dtype=self.dtype, device=self.device)
        return out.scatter_(-1, *self.active(obs))

    def to(self, device: torch.device, dtype: torch.dtype) -> HashedTiles:
        """The same cells on a device; places are computed in double precision, whatever the rates' type."""
        self.device, self.dtype = device, dtype
        for name in self.NAMES:
            setattr(self, name, getattr(self, name).to(device))
        return self


def is_table(numbers: list[Number]) -> bool:
    """Whether all combinations of the numbers are few enough for each to have a neuron."""
    return all(number.whole for number in numbers) and _combinations(numbers) <= TABLE


def _combinations(numbers: list[Number]) -> float:
    return math.prod(number.high - number.low + 1.0 for number in numbers)


def plan(numbers: list[Number]) -> list[Tilings]:
    """The tilings for so many numbers."""
    n = len(numbers)
    if is_table(numbers):
        return [Tilings(1, n, (1,), int(_combinations(numbers)))]
    if n == 1:
        return [Tilings(16, 1, (4, 8, 16), 256)]
    if n <= 3:
        return [Tilings(32, n, (3, 6, 12) if n == 2 else (2, 5, 10), 2048)]
    alone, pairs = (
        Tilings(min(256, n if n > 16 else 2 * n), 1, (6, 3, 12), 64),
        Tilings(64 if n > 8 else 32, 2, (3, 6, 12), 256),
    )
    fours, everything = Tilings(48, 4, (2, 4, 8), 512), Tilings(32, n, (2, 4, 8), 1024)
    return [alone, pairs, *[fours] * (n > 6), *[everything] * (n <= 8)]


def members(kind: Tilings, k: int, n: int, random: np.random.Generator) -> np.ndarray:
    """The numbers, of ``n``, that group ``k`` is over: of single ones each in turn, of larger groups any."""
    if kind.size == 1:
        return np.array([k % n if kind.groups >= n else random.integers(n)])
    return np.sort(random.choice(n, kind.size, replace=False))
