"""Rates of tuples, compiled."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import entry
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.codecs.encoders.ntuples import TupleCoding


class CompiledTuples:
    """`composite.Composite.rates` of an encoder that consists of tuples alone, for observations as arrays."""

    def __init__(self, encoder: TupleCoding) -> None:
        self.size, self._arrays = encoder.size, tuple(tensor.numpy() for tensor in encoder.tensors)
        self._rate = np.float32(min(1.0, (POWER / len(encoder.cells)) ** 0.5))

    def rates(self, obs: np.ndarray) -> np.ndarray:
        """Observations ``(agents, envs, ...)`` -> ``(agents, envs, size)`` float32."""
        rows = obs.reshape(obs.shape[0] * obs.shape[1], -1).astype(np.float64)
        out = np.zeros((len(rows), self.size), dtype=np.float32)
        tuple_rates(rows, self._rate, out, *self._arrays)
        return out.reshape(*obs.shape[:2], self.size)


@entry()
def tuple_rates(rows, rate, out, columns, low, step, last, held, table, cells, first):
    """`ntuples.TupleCoding.rates` of ``rows (N, columns)`` times ``rate``, into ``out (N, cells)``, which is zero.

    The rest is `TupleCoding.tensors`.
    """
    level = np.empty(columns.shape[0], np.int64)
    for n in range(rows.shape[0]):
        for i in range(columns.shape[0]):
            place = np.floor((rows[n, columns[i]] - low[i]) / step[i])
            level[i] = min(max(np.int64(place), 0), last[i])
        for g in range(held.shape[0]):
            key = 0
            for k in range(held.shape[1]):
                key += table[g, k, level[held[g, k]]]
            out[n, first[g] + key % cells[g]] = rate
