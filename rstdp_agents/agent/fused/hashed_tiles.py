"""Active neurons of hashed tiles, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.experimental import structref

from rstdp_agents.base.compiled import entry
from rstdp_agents.codecs.encoders.hashed_tiles import FURTHEST, TABLE, HashedTiles
from rstdp_agents.equations.receptive_fields import compressed, hash_step, opponent


@structref.register
class TilesType(types.StructRef):
    """The type of `Tiles` in compiled code."""

    def preprocess_fields(self, fields: Any) -> Any:
        return tuple((name, types.unliteral(kind)) for name, kind in fields)


class Tiles(structref.StructRefProxy):
    """The arrays of `HashedTiles.NAMES`, and ``least``, in one object: passing them one by one would take 2 us a call."""

    def __new__(cls, encoder: HashedTiles) -> Tiles:
        return structref.StructRefProxy.__new__(cls, *(tensor.numpy() for tensor in encoder.tensors), encoder.least)


structref.define_proxy(Tiles, TilesType, [*HashedTiles.NAMES, "least"])


class CompiledTiles:
    """`hashed_tiles.HashedTiles.active`, for observations as arrays."""

    def __init__(self, encoder: HashedTiles) -> None:
        self._most, self._tiles = encoder.most, Tiles(encoder)

    def listed(self, obs: np.ndarray) -> np.ndarray:
        """Observations ``(agents, envs, ...)`` -> ``(agents, envs, 1 + 2 most)``, as `encoders.encode` takes lists."""
        rows = obs.reshape(obs.shape[0] * obs.shape[1], -1)
        out = np.empty((len(rows), 1 + 2 * self._most))
        tile_lists(rows, out, self._tiles)
        return out.reshape(*obs.shape[:2], -1)


@entry()
def tile_lists(rows, out, t):
    """How many neurons ``rows (N, columns)`` activate, which, and their rates: out ``(N, 1 + 2 most)``. t: `Tiles`."""
    groups, most, x = t.held.shape[0], t.held.shape[0] + t.ramps.shape[0], np.empty(t.columns.shape[0])
    beyond = t.first[groups - 1] + t.cells[groups - 1]
    for n in range(rows.shape[0]):
        for i in range(t.columns.shape[0]):
            x[i] = compressed((np.float64(rows[n, t.columns[i]]) - t.low[i]) / t.span[i])
        out[n, 0] = most
        for g in range(groups):
            key = t.start[g]
            for k in range(t.count[g]):
                place = np.floor(x[t.held[g, k]] * t.tiles[g, k] + t.shift[g, k])
                key = hash_step(key, np.int64(min(max(place, t.least), FURTHEST + TABLE)) - t.least, t.factor[g, k])
            out[n, 1 + g] = key % t.cells[g] + t.first[g]
            out[n, 1 + most + g] = t.rate[g]
        for j in range(t.ramps.shape[0]):
            slope = opponent(x[t.ramps[j]])
            out[n, 1 + groups + j] = beyond + 2 * j + (slope < 0.0)
            out[n, 1 + most + groups + j] = abs(slope) * t.steepest[()]
