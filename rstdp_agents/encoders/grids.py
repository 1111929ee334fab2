"""Place cells on many grids at once, each over a few columns of an observation: for composite and high-dimensional ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.spaces.observations import Within

SHARP = 0.05
"""Width of a cell that stands for one value of a Discrete: its neighbours, at a distance of 1, are silent."""


class Axis(NamedTuple):
    """One column of an observation, along which a grid has cells."""

    column: int
    points: np.ndarray
    """Centres ``(n,)``, evenly spaced."""
    sigma: float
    """Width of the cells, in units of the column."""


class Grid(NamedTuple):
    """Cells at every combination of the points of some axes; one cell that always fires where there are none."""

    axes: tuple[Axis, ...]
    within: Within | None = None
    """Where the grid's columns are there; elsewhere its cells are silent."""

    @property
    def size(self) -> int:
        """Number of cells."""
        return math.prod(len(axis.points) for axis in self.axes)


class Grids:
    """Gaussian place cells on several grids; in each, the cell closest to the observation has rate 1.

    A cell's rate is the product, over the axes of its grid, of exp(-0.5 (x - point)^2 / sigma^2), relative to the closest point
    of the axis. Columns beyond the outermost points are moved onto them. Cells below ``floor`` are silent.
    """

    def __init__(self, grids: list[Grid], floor: float = 0.0) -> None:
        self.grids, self.floor = grids, floor
        axes = [axis for grid in grids for axis in grid.axes]
        counts = [len(axis.points) for axis in axes]
        step = [axis.points[1] - axis.points[0] if len(axis.points) > 1 else 1.0 for axis in axes]
        self._columns = torch.tensor([axis.column for axis in axes], dtype=torch.int64)
        self._low, self._high = (_numbers([axis.points[i] for axis in axes]) for i in (0, -1))
        self._step, self._sigma = _numbers(step), _numbers([axis.sigma for axis in axes])
        self._axis_of_point = torch.repeat_interleave(torch.arange(len(axes)), torch.tensor(counts, dtype=torch.int64))
        self._points = torch.from_numpy(np.concatenate([axis.points for axis in axes] or [np.zeros(0)]))
        self._cells = [torch.from_numpy(cells) for cells in _cells(grids)]
        optional = sorted({grid.within for grid in grids if grid.within is not None})
        gate = [optional.index(grid.within) if grid.within else len(optional) for grid in grids]
        self._gate_of_cell = torch.repeat_interleave(torch.tensor(gate), torch.tensor([grid.size for grid in grids]))
        self._gates, self._lowest, self._highest = torch.tensor(optional or [(0, 0, 0)], dtype=torch.int64).unbind(1)
        self._optional = bool(optional)

    @property
    def size(self) -> int:
        return sum(grid.size for grid in self.grids)

    def rates(self, obs: Tensor) -> Tensor:
        """Rows ``(agents, envs, columns)`` -> ``(agents, envs, size)``."""
        x = torch.maximum(torch.minimum(obs[..., self._columns], self._high), self._low)
        place = (x - self._low) / self._step
        closest = (place - place.round()) * self._step / self._sigma
        distance = (x[..., self._axis_of_point] - self._points) / self._sigma[self._axis_of_point]
        bumps = (0.5 * (closest.square()[..., self._axis_of_point] - distance.square())).clamp_(max=0.0).exp_()
        ones = torch.ones(*obs.shape[:-1], 1, dtype=obs.dtype, device=obs.device)
        bumps, first, *others = torch.cat([bumps, ones], -1), *self._cells
        rates = bumps[..., first]
        for cells in others:
            rates *= bumps[..., cells]
        if self._optional:
            gates = obs[..., self._gates]
            there = ((gates >= self._lowest) & (gates <= self._highest)).to(obs.dtype)
            rates *= torch.cat([there, ones], -1)[..., self._gate_of_cell]
        return rates.masked_fill_(rates < self.floor, 0.0) if self.floor else rates

    def to(self, device: torch.device, dtype: torch.dtype) -> Grids:
        for name in ("_low", "_high", "_step", "_sigma", "_points"):
            setattr(self, name, getattr(self, name).to(device=device, dtype=dtype))
        for name in ("_columns", "_axis_of_point", "_gate_of_cell", "_gates", "_lowest", "_highest"):
            setattr(self, name, getattr(self, name).to(device))
        self._cells = [cells.to(device) for cells in self._cells]
        return self


def _numbers(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def _cells(grids: list[Grid]) -> np.ndarray:
    """For every cell the points whose bumps it multiplies, ``(most axes, cells)``, counted over all axes.

    Where a grid has fewer axes, the number after the last point stands for a bump of 1.
    """
    points = sum(len(axis.points) for grid in grids for axis in grid.axes)
    most = max(1, max(len(grid.axes) for grid in grids))
    tables, first = [], 0
    for grid in grids:
        own = []
        for axis in grid.axes:
            own.append(first + np.arange(len(axis.points)))
            first += len(axis.points)
        table = np.full((most, grid.size), points)
        if own:
            table[: len(own)] = np.stack(np.meshgrid(*own, indexing="ij")).reshape(len(own), -1)
        tables.append(table)
    return np.concatenate(tables, 1)
