"""Place cells on many grids, each over a few columns of an observation: for composite and high-dimensional observations."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.codecs.encoders.base import Precise
from rstdp_agents.codecs.encoders.span import Span
from rstdp_agents.codecs.row_layout import Within

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
    """Cells at every combination of the points of some axes; without axes, one cell that always fires."""

    axes: tuple[Axis, ...]
    within: Within | None = None
    """When the grid's columns are present; otherwise its cells are silent."""

    @property
    def size(self) -> int:
        """Number of cells."""
        return math.prod(len(axis.points) for axis in self.axes)


class Grids(Precise):
    """Gaussian place cells on several grids; in each, the cell closest to the observation has rate 1.

    A cell's rate is the product, over the axes of its grid, of exp(-0.5 (x - point)^2 / sigma^2), relative to the closest point
    of the axis. Columns beyond the outermost points are clipped to them. Cells below ``floor`` are silent.
    """

    def __init__(self, grids: list[Grid], floor: float = 0.0) -> None:
        self.grids, self.floor = grids, floor
        axes = [axis for grid in grids for axis in grid.axes]
        self.columns = torch.tensor([axis.column for axis in axes], dtype=torch.int64)
        counts, points = counts_of(axes), points_of(axes)
        last = np.cumsum(counts) - 1
        first = last - counts + 1
        step = np.where(counts > 1, points[np.minimum(first + 1, last)] - points[first], 1.0)
        low, high, sigma = points[first], points[last], np.array([axis.sigma for axis in axes], dtype=np.float64)
        self._span, of_point = Span(low, high), np.repeat(np.arange(len(axes)), counts)
        place, unit = self._span.place, self._span.unit
        numbers = place(low), place(high), step / unit, sigma / unit
        self._low, self._high, self._step, self._sigma = map(torch.from_numpy, numbers)
        self._axis_of_point = torch.from_numpy(of_point)
        self._points = torch.from_numpy(Span(low[of_point], high[of_point]).place(points))
        sizes, cells = _cells(np.array([len(grid.axes) for grid in grids]), counts)
        self._cells, self.size = [torch.from_numpy(row) for row in cells], int(sizes.sum())
        optional = {within: i for i, within in enumerate(sorted({g.within for g in grids if g.within is not None}))}
        gate = np.array([optional[grid.within] if grid.within else len(optional) for grid in grids])
        self._gate_of_cell = torch.from_numpy(np.repeat(gate, sizes))
        self.gates, self._lowest, self._highest = torch.tensor([*optional] or [(0, 0, 0)], dtype=torch.int64).unbind(1)
        self._optional = bool(optional)

    def rates(self, obs: Tensor) -> Tensor:
        """Rows ``(agents, envs, columns)`` -> ``(agents, envs, size)``."""
        x = torch.maximum(torch.minimum(self._span.relative(obs[..., self.columns]), self._high), self._low)
        place = (x - self._low) / self._step
        closest = (place - place.round()) * self._step / self._sigma
        distance = (x[..., self._axis_of_point] - self._points) / self._sigma[self._axis_of_point]
        bumps = (0.5 * (closest.square()[..., self._axis_of_point] - distance.square())).clamp_(max=0.0).exp_()
        ones = torch.ones(*obs.shape[:-1], 1, dtype=self.dtype, device=self.device)
        bumps, first, *others = torch.cat([bumps, ones], -1), *self._cells
        rates = bumps[..., first]
        for cells in others:
            rates *= bumps[..., cells]
        if self._optional:
            gates = obs[..., self.gates].to(self.device)
            there = ((gates >= self._lowest) & (gates <= self._highest)).to(self.dtype)
            rates *= torch.cat([there, ones], -1)[..., self._gate_of_cell]
        return rates.masked_fill_(rates < self.floor, 0.0) if self.floor else rates

    def to(self, device: torch.device, dtype: torch.dtype) -> Grids:
        self.device, self.dtype = device, dtype
        self._span.to(device, dtype)
        for name in ("_low", "_high", "_step", "_sigma", "_points"):
            setattr(self, name, getattr(self, name).to(device=device, dtype=dtype))
        for name in ("_axis_of_point", "_gate_of_cell", "_lowest", "_highest"):
            setattr(self, name, getattr(self, name).to(device))
        self._cells = [cells.to(device) for cells in self._cells]
        return self


def counts_of(axes: list[Axis]) -> np.ndarray:
    """Points of every axis ``(axes,)``."""
    return np.array([len(axis.points) for axis in axes], dtype=np.int64)


def points_of(axes: list[Axis]) -> np.ndarray:
    """Points of all axes, one after the other."""
    return np.concatenate([axis.points for axis in axes] or [np.zeros(0)]).astype(np.float64)


def _cells(axes: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Cells of every grid ``(grids,)``, and for each the points whose bumps it multiplies, ``(most axes, cells)``.

    axes ``(grids,)``: number of axes of each grid; counts: points of every axis, one after the other. Points are numbered over
    all axes; if a grid has fewer axes than others, the number after the last point stands for a bump of 1.
    """
    there = np.arange(max(1, axes.max())) < axes[:, None]
    many, first = np.ones(there.shape, dtype=np.int64), np.full(there.shape, counts.sum())
    many[there], first[there] = counts, np.cumsum(counts) - counts
    sizes = many.prod(1)
    stride = sizes[:, None] // many.cumprod(1)
    cell = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = [
        np.repeat(f, sizes) + cell // np.repeat(s, sizes) % np.repeat(m, sizes)
        for f, s, m in zip(first.T, stride.T, many.T)
    ]
    return sizes, np.stack(rows)
