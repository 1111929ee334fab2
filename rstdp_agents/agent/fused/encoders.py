"""From observations to input rates, compiled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rstdp_agents.agent.fused.hashed_tiles import Tiles, encode_hashed, no_tiles
from rstdp_agents.agent.fused.memory import room
from rstdp_agents.base.compiled import jit
from rstdp_agents.codecs.encoders import Encoder, Intensity, OneHot, PlaceCells
from rstdp_agents.codecs.encoders.active_pairs import ActivePairs
from rstdp_agents.codecs.encoders.hashed_tiles import HashedTiles
from rstdp_agents.codecs.encoders.tile_coding import TileCoding
from rstdp_agents.equations.receptive_fields import intensity, place_field, tile_place, tile_shift

GRID, TILES, HASHED, ONE_HOT, INTENSITY, LISTED, GIVEN = range(7)


class Code(NamedTuple):
    """An encoder, as compiled code takes it; a `state.State` has the same fields."""

    kind: int
    points: np.ndarray
    """GRID: its coordinates, dimension after dimension. TILES, INTENSITY: lower bounds."""
    cells: np.ndarray
    """GRID, TILES: cells per dimension. ONE_HOT: the first value, and how many there are."""
    scale: np.ndarray
    """GRID: width of a place field. TILES: tiles per unit. INTENSITY: 1 / (high - low). Per dimension."""
    hashed: Tiles
    """HASHED: its tilings."""
    floor: float = 0.0
    """GRID: cells below it are silent."""
    tilings: int = 0


@jit()
def encode(obs, code, copies, plane, index, value):
    """As `encode_once`, of input neurons of which each of the encoder's channels, ``plane`` neurons, has so many in a row."""
    most = index.shape[0] // copies
    many = encode_once(obs, code, index[:most], value[:most])
    for j in range(many - 1 if copies > 1 else -1, -1, -1):
        place, rate = index[j], value[j]
        for k in range(copies):
            index[copies * j + k], value[copies * j + k] = (place // plane * copies + k) * plane + place % plane, rate
    return copies * many


@jit()
def encode_once(obs, code, index, value):
    """The inputs that an observation ``(D,)`` activates: writes their places and rates, returns how many. code: a `Code`.

    index, value: as many as can be active at once. The places come in the same order for the same observation.
    """
    if code.kind == GRID:
        return encode_grid(obs, code.points, code.cells, code.scale, code.floor, index, value)
    if code.kind == TILES:
        return encode_tiles(obs, code.points, code.cells, code.scale, code.tilings, index, value)
    if code.kind == HASHED:
        return encode_hashed(obs, code.hashed, index, value)
    many = 0
    if code.kind == ONE_HOT:
        place = np.int64(obs[0]) - code.cells[0]
        if 0 <= place < code.cells[1]:
            index[0], value[0], many = place, 1.0, 1
    elif code.kind == LISTED:
        many = np.int64(obs[0])
        for j in range(many):
            index[j], value[j] = np.int32(obs[1 + j]), np.float32(obs[1 + index.shape[0] + j])
    elif code.kind == INTENSITY:
        for i in range(index.shape[0]):
            index[many], value[many] = i, intensity(obs[i], code.points[i], code.scale[i])
            many += value[many] > 0.0
    else:
        for i in range(index.shape[0]):
            index[many], value[many] = i, obs[i]
            many += value[many] > 0.0
    return many


@jit()
def encode_grid(obs, points, cells, sigma, floor, index, value):
    """`encoders.PlaceCells.rates`: a Gaussian over a grid is the product of one Gaussian per dimension.

    The product grows dimension by dimension, and what has fallen below ``floor`` is not followed any further.
    """
    bump, relative = room(points.shape[0], np.float64), room(points.shape[0], np.float32)
    places, values = room((2, index.shape[0]), np.int64), room((2, index.shape[0]), np.float32)
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
    for i in range(active):
        index[i], value[i] = places[cells.shape[0] % 2, i], values[cells.shape[0] % 2, i]
    return active


@jit()
def encode_tiles(obs, low, tiles, per_unit, tilings, index, value):
    """`tile_coding.TileCoding.rates`."""
    first = 0
    for k in range(tilings):
        cell, size = 0, 1
        for d in range(tiles.shape[0] - 1, -1, -1):
            place = tile_place(obs[d], low[d], per_unit[d], float(tiles[d]), tile_shift(k, d, tilings))
            cell += size * min(max(int(place), 0), tiles[d])  # what is no number has no place
            size *= tiles[d] + 1
        index[k], value[k] = first + cell, 1.0
        first += size
    return tilings


def code_of(encoder: Encoder) -> Code:
    """An encoder as compiled code takes it; LISTED or GIVEN, as `Observations` hands them over, for one that it does not know.

    What is derived from an encoder is another one, which is asked itself.
    """
    nothing, none, untiled = np.zeros(0), np.zeros(0, dtype=np.int64), no_tiles()
    if type(encoder) is PlaceCells:
        return Code(GRID, *encoder.grid, untiled, floor=encoder.floor)
    if type(encoder) is TileCoding:
        return Code(TILES, encoder.low, encoder.tiles, encoder.per_unit, untiled, tilings=encoder.tilings)
    if type(encoder) is OneHot:
        return Code(ONE_HOT, nothing, np.array([encoder.first, encoder.size]), nothing, untiled)
    if type(encoder) is Intensity:
        low, high = encoder.bounds
        return Code(INTENSITY, low, none, 1.0 / (high - low), untiled)
    if type(encoder) is HashedTiles:
        return Code(HASHED, nothing, none, nothing, Tiles(encoder))
    if type(encoder) is ActivePairs:
        return Code(LISTED, nothing, none, nothing, untiled)
    return Code(GIVEN, nothing, none, nothing, untiled)


def most_active(encoder: Encoder) -> int:
    """Most inputs that an observation can activate."""
    if type(encoder) is HashedTiles or type(encoder) is ActivePairs:
        return encoder.most
    if type(encoder) is TileCoding:
        return encoder.tilings
    return 1 if type(encoder) is OneHot else encoder.size
