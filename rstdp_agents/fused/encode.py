"""From observations to input rates, compiled."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from rstdp_agents.encoders import Encoder, Intensity, OneHot, PlaceCells

GRID, ONE_HOT, INTENSITY, GIVEN = range(4)


class Code(NamedTuple):
    """An encoder, as compiled code takes it."""

    kind: int
    points: np.ndarray
    """GRID: its coordinates, dimension after dimension. INTENSITY: lower bounds."""
    cells: np.ndarray
    """GRID: its size per dimension. ONE_HOT: the first value."""
    scale: np.ndarray
    """GRID: width of a place field, per dimension. INTENSITY: 1 / (high - low)."""


@njit(cache=True)
def encode(obs, code, rates):
    """Input rates ``(I,)`` of one observation ``(D,)``, or ``obs`` itself where they are given. code: a `Code`."""
    if code.kind == GRID:
        encode_grid(obs, code.points, code.cells, code.scale, rates)
    elif code.kind == ONE_HOT:
        rates[:] = 0.0
        rates[int(obs[0]) - code.cells[0]] = 1.0
    elif code.kind == INTENSITY:
        for i in range(rates.shape[0]):
            rates[i] = min(max((obs[i] - code.points[i]) * code.scale[i], 0.0), 1.0)
    else:
        for i in range(rates.shape[0]):
            rates[i] = obs[i]


@njit(cache=True)
def encode_grid(obs, points, cells, sigma, rates):
    """`encoders.PlaceCells.rates`: a Gaussian over a grid is the product of one Gaussian per dimension."""
    bump = np.empty(points.shape[0])
    rates[0] = 1.0
    filled, first = 1, 0
    for d in range(cells.shape[0]):
        n, last = cells[d], first + cells[d] - 1
        x = min(max(obs[d], points[first]), points[last])
        best = 0.0
        for j in range(n):
            bump[j] = math.exp(-0.5 * ((x - points[first + j]) / sigma[d]) ** 2)
            best = max(best, bump[j])
        for i in range(filled - 1, -1, -1):  # backwards, so that nothing is overwritten before it is read
            base = rates[i]
            for j in range(n - 1, -1, -1):
                rates[i * n + j] = base * np.float32(bump[j] / best)
        filled, first = filled * n, first + n


def code_of(encoder: Encoder) -> Code:
    """An encoder as compiled code takes it; GIVEN for one that it does not know."""
    nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    if isinstance(encoder, PlaceCells):
        return Code(GRID, *encoder.grid)
    if isinstance(encoder, OneHot):
        return Code(ONE_HOT, nothing, np.array([encoder.first]), nothing)
    if isinstance(encoder, Intensity):
        return Code(INTENSITY, encoder.low.double().numpy(), none, encoder.scale.double().numpy())
    return Code(GIVEN, nothing, none, nothing)
