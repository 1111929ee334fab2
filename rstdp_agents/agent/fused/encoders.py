"""From observations to input rates, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rstdp_agents.base.compiled import jit
from rstdp_agents.codecs.encoders import Encoder, Intensity, OneHot, PlaceCells
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from rstdp_agents.equations.receptive_fields import intensity, place_field, tile_place, tile_shift

GRID, TILES, ONE_HOT, INTENSITY, GIVEN = range(5)


class Code(NamedTuple):
    """An encoder, as compiled code takes it."""

    kind: int
    points: np.ndarray
    """GRID: its coordinates, dimension after dimension. TILES, INTENSITY: lower bounds."""
    cells: np.ndarray
    """GRID, TILES: cells per dimension. ONE_HOT: the first value."""
    scale: np.ndarray
    """GRID: width of a place field. TILES: tiles per unit. INTENSITY: 1 / (high - low). Per dimension."""
    floor: float = 0.0
    """GRID: cells below it are silent."""
    tilings: int = 0


@jit(forceinline=True)
def encode(obs, code, rates):
    """Input rates ``(I,)`` of one observation ``(D,)``, or ``obs`` itself where they are given. code: a `Code`."""
    if code.kind == GRID:
        encode_grid(obs, code.points, code.cells, code.scale, code.floor, rates)
    elif code.kind == TILES:
        encode_tiles(obs, code.points, code.cells, code.scale, code.tilings, rates)
    elif code.kind == ONE_HOT:
        rates[:] = 0.0
        place = np.int64(obs[0]) - code.cells[0]
        if 0 <= place < rates.shape[0]:
            rates[place] = 1.0
    elif code.kind == INTENSITY:
        for i in range(rates.shape[0]):
            rates[i] = intensity(obs[i], code.points[i], code.scale[i])
    else:
        for i in range(rates.shape[0]):
            rates[i] = obs[i]


@jit(forceinline=True)
def encode_grid(obs, points, cells, sigma, floor, rates):
    """`encoders.PlaceCells.rates`: a Gaussian over a grid is the product of one Gaussian per dimension.

    The product grows dimension by dimension, and what has fallen below ``floor`` is not followed any further.
    """
    bump, relative = np.empty(points.shape[0]), np.empty(points.shape[0], np.float32)
    places, values = np.empty((2, rates.shape[0]), np.int64), np.empty((2, rates.shape[0]), np.float32)
    places[0, 0], values[0, 0] = 0, 1.0
    active, first = 1, 0
    for d in range(cells.shape[0]):
        n, last, now, then = cells[d], first + cells[d] - 1, d % 2, 1 - d % 2
        x = min(max(obs[d], points[first]), points[last])
        best = 0.0
        for j in range(n):
            bump[j] = place_field(x, points[first + j], sigma[d])
            best = max(best, bump[j])
        for j in range(n):
            relative[j] = np.float32(bump[j] / best)
        many = 0
        for i in range(active):
            for j in range(n):
                places[then, many], values[then, many] = places[now, i] * n + j, values[now, i] * relative[j]
                many += values[then, many] >= floor
        active, first = many, first + n
    rates[:] = 0.0
    for i in range(active):
        rates[places[cells.shape[0] % 2, i]] = values[cells.shape[0] % 2, i]


@jit(forceinline=True)
def encode_tiles(obs, low, tiles, per_unit, tilings, rates):
    """`tile_coding.TileCoding.rates`."""
    rates[:] = 0.0
    first = 0
    for k in range(tilings):
        cell, size = 0, 1
        for d in range(tiles.shape[0] - 1, -1, -1):
            place = tile_place(obs[d], low[d], per_unit[d], float(tiles[d]), tile_shift(k, d, tilings))
            cell += size * min(max(int(place), 0), tiles[d])  # what is no number has no place
            size *= tiles[d] + 1
        rates[first + cell] = 1.0
        first += size


def code_of(encoder: Encoder) -> Code:
    """An encoder as compiled code takes it; GIVEN for one that it does not know."""
    nothing, none = np.zeros(0), np.zeros(0, dtype=np.int64)
    if type(encoder) is PlaceCells:
        return Code(GRID, *encoder.grid, floor=encoder.floor)
    if type(encoder) is TileCoding:
        return Code(TILES, encoder.low, encoder.tiles, encoder.per_unit, tilings=encoder.tilings)
    if type(encoder) is OneHot:
        return Code(ONE_HOT, nothing, np.array([encoder.first]), nothing)
    if type(encoder) is Intensity:
        low, high = encoder.bounds
        return Code(INTENSITY, low, none, 1.0 / (high - low))
    return Code(GIVEN, nothing, none, nothing)
