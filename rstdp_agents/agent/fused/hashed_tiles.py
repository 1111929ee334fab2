"""Active neurons of hashed tiles, compiled."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import entry
from rstdp_agents.codecs.encoders.hashed_tiles import FURTHEST, TABLE, HashedTiles
from rstdp_agents.equations.receptive_fields import compressed, hash_step, opponent


class CompiledTiles:
    """`hashed_tiles.HashedTiles.active`, for observations as arrays."""

    def __init__(self, encoder: HashedTiles) -> None:
        self._most, self._least, self._arrays = encoder.most, encoder.least, tuple(t.numpy() for t in encoder.tensors)

    def listed(self, obs: np.ndarray) -> np.ndarray:
        """Observations ``(agents, envs, ...)`` -> ``(agents, envs, 1 + 2 most)``, as `encoders.encode` takes lists."""
        rows = obs.reshape(obs.shape[0] * obs.shape[1], -1)
        out = np.empty((len(rows), 1 + 2 * self._most))
        tile_lists(rows, out, self._least, *self._arrays)
        return out.reshape(*obs.shape[:2], -1)


@entry()
def tile_lists(
    rows, out, least, columns, low, span, held, count, tiles, shift, factor, start, cells, first, rate, ramps, steepest
):
    """How many neurons ``rows (N, columns)`` activate, which, and their rates: out ``(N, 1 + 2 most)``.

    The rest is of `HashedTiles`.
    """
    groups, most, x = held.shape[0], held.shape[0] + ramps.shape[0], np.empty(columns.shape[0])
    for n in range(rows.shape[0]):
        for i in range(columns.shape[0]):
            x[i] = compressed((np.float64(rows[n, columns[i]]) - low[i]) / span[i])
        out[n, 0] = most
        for g in range(groups):
            key = start[g]
            for k in range(count[g]):
                place = np.floor(x[held[g, k]] * tiles[g, k] + shift[g, k])
                key = hash_step(key, np.int64(min(max(place, least), FURTHEST + TABLE)) - least, factor[g, k])
            out[n, 1 + g] = key % cells[g] + first[g]
            out[n, 1 + most + g] = rate[g]
        for j in range(ramps.shape[0]):
            slope = opponent(x[ramps[j]])
            out[n, 1 + groups + j] = first[-1] + cells[-1] + 2 * j + (slope < 0.0)
            out[n, 1 + most + groups + j] = abs(slope) * steepest[()]
