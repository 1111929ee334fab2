"""N-tuple coding: small groups of an observation's entries, whose values jointly select one of the group's cells."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.encoders.base import Precise

DRAWN_BY = 0
"""Seed of groups and hashes, the same in every run: agents differ in what they learn, not in their input code."""


class Entry(NamedTuple):
    """A number of an observation that can be part of groups."""

    column: int
    low: float
    step: float
    """Width of a level."""
    levels: int
    """Number of levels, starting at ``low``."""


class TupleCoding(Precise):
    """Binary conjunctive cells for observations of many entries: in each group, one cell is active, with rate 1.

    groups: number of groups, and entries in each, drawn at random so that all entries are used about equally often; 0 for
    all entries. A group has a cell for every combination of its entries' levels; if there are more than ``cells``, a hash
    that is the same in every run (a sum of random numbers, one for each entry and level) maps them to ``cells``. Values beyond
    an entry's levels count as its first or last. After the n-tuples of Bledsoe and Browning (1959).
    """

    def __init__(self, entries: list[Entry], groups: tuple[tuple[int, int], ...], cells: int) -> None:
        validate.require(bool(entries), "nothing in the observations varies, and n-tuples need entries that do")
        random, levels = np.random.default_rng(DRAWN_BY), np.array([entry.levels for entry in entries])
        drawn = [group for count, size in groups for group in draw_groups(count, size, len(entries), random)]
        sizes = [min(cells, math.prod(levels[group].tolist())) for group in drawn]
        shape = len(drawn), max(len(group) for group in drawn), int(levels.max())
        held, table = np.zeros(shape[:2], dtype=np.int64), np.zeros(shape, dtype=np.int64)
        for row, numbers, group in zip(held, table, drawn, strict=True):
            row[: len(group)], numbers[: len(group)] = group, keys(levels[group], shape[2], cells, random)
        self.size = sum(sizes)
        self.columns = torch.tensor([entry.column for entry in entries])
        self.low, self.step = (torch.tensor([entry[i] for entry in entries], dtype=torch.float64) for i in (1, 2))
        self.last = torch.from_numpy(levels - 1)
        self.held, self.table = torch.from_numpy(held), torch.from_numpy(table)
        self.cells, self.first = torch.tensor(sizes), torch.tensor(np.cumsum([0, *sizes[:-1]]))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """For every entry its column, lowest value, level width and last level; for every group its entries
        ``(groups, most)``, the numbers that their levels stand for ``(groups, most, levels)``, its cells, and the first of them.
        """
        return self.columns, self.low, self.step, self.last, self.held, self.table, self.cells, self.first

    def active(self, obs: Tensor) -> Tensor:
        """Index of the active cell of every group, ``(agents, envs, groups)`` int64, for rows ``(agents, envs, columns)``."""
        place = (obs.to(self.device)[..., self.columns].double() - self.low).div_(self.step).floor_().long()
        level = torch.minimum(place.clamp_(min=0), self.last)
        groups, members = (torch.arange(n, device=self.device) for n in self.held.shape)
        key = self.table[groups[:, None], members, level[..., self.held]].sum(-1)
        return key.remainder_(self.cells).add_(self.first)

    def rates(self, obs: Tensor) -> Tensor:
        """Rows ``(agents, envs, columns)`` -> ``(agents, envs, size)`` of 0 and 1."""
        out = torch.zeros(*obs.shape[:2], self.size, dtype=self.dtype, device=self.device)
        return out.scatter_(-1, self.active(obs), 1.0)

    def to(self, device: torch.device, dtype: torch.dtype) -> TupleCoding:
        """The same cells on a device; levels are computed in double precision, whatever the rates' type."""
        self.device, self.dtype = device, dtype
        for name in ("columns", "low", "step", "last", "held", "table", "cells", "first"):
            setattr(self, name, getattr(self, name).to(device))
        return self


def draw_groups(count: int, size: int, entries: int, random: np.random.Generator) -> list[list[int]]:
    """``count`` different groups of ``size`` of the numbers below ``entries``, cut from random permutations of all of them.

    size 0, or more than ``entries``: all. Fewer groups than ``count`` if there are no more.
    """
    size = min(size or entries, entries)
    groups: dict[tuple[int, ...], None] = {}
    while len(groups) < min(count, math.comb(entries, size)):
        order = random.permutation(entries).tolist()
        for first in range(0, entries - size + 1, size):
            groups[tuple(sorted(order[first : first + size]))] = None
    return [list(group) for group in groups][:count]


def keys(levels: np.ndarray, most: int, cells: int, random: np.random.Generator) -> np.ndarray:
    """Numbers ``(entries, most)`` whose sum over a group's entries is the index of its cell, or (modulo ``cells``) its hash."""
    if math.prod(levels.tolist()) <= cells:
        return np.outer(np.cumprod([1, *levels[:-1]]), np.arange(most))
    return random.integers(2**40, size=(len(levels), most))
