"""Active neurons of hashed tiles, compiled."""

from __future__ import annotations

from functools import cache

import numpy as np

from rstdp_agents.agent.fused.memory import room
from rstdp_agents.base.compiled import jit
from rstdp_agents.base.structs import Struct
from rstdp_agents.codecs.encoders.hashed_tiles import FURTHEST, TABLE, HashedTiles, Number
from rstdp_agents.equations.receptive_fields import compressed, hash_step, opponent


class Tiles(Struct):
    """The arrays of `HashedTiles.NAMES`, and ``least``."""

    def __init__(self, encoder: HashedTiles) -> None:
        arrays = {
            name: np.atleast_1d(tensor.numpy()) for name, tensor in zip(encoder.NAMES, encoder.tensors, strict=True)
        }
        super().__init__(**arrays, least=encoder.least)


@cache
def no_tiles() -> Tiles:
    """What stands for them in other codes."""
    return Tiles(HashedTiles([Number(0, 0.0, 1.0, True)]))


@jit()
def encode_hashed(obs, t, index, value):
    """`hashed_tiles.HashedTiles.active` of one row ``(columns,)``. t: `Tiles`."""
    held, count, tiles, shift, factor = t.held, t.count, t.tiles, t.shift, t.factor
    start, cells, first, rate, ramps, columns, low, span = (
        t.start, t.cells, t.first, t.rate, t.ramps, t.columns, t.low, t.span
    )  # fmt: skip
    groups, steepest, least, x = held.shape[0], t.steepest[0], t.least, room(columns.shape[0], np.float64)
    for i in range(columns.shape[0]):
        x[i] = compressed((np.float64(obs[columns[i]]) - low[i]) / span[i])
    for g in range(groups):
        key = start[g]
        for k in range(count[g]):
            place = np.floor(x[held[g, k]] * tiles[g, k] + shift[g, k])
            key = hash_step(key, np.int64(min(max(place, least), FURTHEST + TABLE)) - least, factor[g, k])
        index[g], value[g] = key % cells[g] + first[g], rate[g]
    beyond = first[groups - 1] + cells[groups - 1]
    for j in range(ramps.shape[0]):
        slope = opponent(x[ramps[j]])
        index[groups + j], value[groups + j] = beyond + 2 * j + (slope < 0.0), np.float32(abs(slope) * steepest)
    return groups + ramps.shape[0]
