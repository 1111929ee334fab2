"""Place cells, compiled: a Gaussian over a grid is the product of one Gaussian per dimension."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True)
def encode_grid(obs, points, cells, sigma, floor, out):
    """`encoders.PlaceCells.rates`: obs ``(A, E, D)`` -> out ``(A, E, I)``.

    points: the grid's coordinates, dimension after dimension ``(sum of cells,)``. cells, sigma ``(D,)``.
    floor: cells below it are silent.
    """
    bump = np.empty(points.shape[0])
    for a in range(obs.shape[0]):
        for e in range(obs.shape[1]):
            rates = out[a, e]
            rates[0] = 1.0
            filled, first = 1, 0
            for d in range(cells.shape[0]):
                n, last = cells[d], first + cells[d] - 1
                x = min(max(obs[a, e, d], points[first]), points[last])
                best = 0.0
                for j in range(n):
                    bump[j] = math.exp(-0.5 * ((x - points[first + j]) / sigma[d]) ** 2)
                    best = max(best, bump[j])
                for i in range(filled - 1, -1, -1):  # backwards, so that nothing is overwritten before it is read
                    base = rates[i]
                    for j in range(n - 1, -1, -1):
                        rates[i * n + j] = base * np.float32(bump[j] / best)
                filled, first = filled * n, first + n
            if floor > 0.0:
                for i in range(rates.shape[0]):
                    if rates[i] < floor:
                        rates[i] = 0.0
