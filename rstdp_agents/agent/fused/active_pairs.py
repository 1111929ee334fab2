"""Active neurons of what is unusual, compiled."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import entry, jit
from rstdp_agents.codecs.encoders.active_pairs import ALONE, ALWAYS, MOST, PAIRS, TOGETHER, VALUES, ActivePairs
from rstdp_agents.codecs.encoders.composite import POWER
from rstdp_agents.equations.receptive_fields import even_rate, hash_step


class CompiledPairs:
    """`active_pairs.ActivePairs.active`, for observations as arrays."""

    def __init__(self, encoder: ActivePairs) -> None:
        self._most = encoder.most
        self._arrays = encoder.columns.numpy(), encoder.usual.numpy(), encoder.hashes.numpy()
        self._taken, self._now = np.zeros(encoder.size, np.int64), np.zeros(1, np.int64)

    def listed(self, obs: np.ndarray) -> np.ndarray:
        """Observations ``(agents, envs, ...)`` -> ``(agents, envs, 1 + 2 most)``, as `encoders.encode` takes lists."""
        rows = obs.reshape(obs.shape[0] * obs.shape[1], -1)
        out = np.empty((len(rows), 1 + 2 * self._most))
        pair_lists(rows, out, *self._arrays, self._taken, self._now)
        return out.reshape(*obs.shape[:2], -1)


@entry()
def pair_lists(rows, out, columns, usual, hashes, taken, now):
    """How many neurons ``rows (N, columns)`` activate, which, and their rates: out ``(N, 1 + 2 most)``.

    taken ``(cells,)``: the number of the row that took a cell last, now ``(1,)``: the last number.
    """
    most, token = (out.shape[1] - 1) // 2, np.empty(MOST, np.int64)
    for n in range(rows.shape[0]):
        now[0] += 1
        count, key = 0, hashes[3]
        for i in range(columns.shape[0]):
            number = np.float64(rows[n, columns[i]])
            if number != usual[i]:
                one = hash_step(np.int64(i) * VALUES, np.int64(number) % VALUES, hashes[0])
                key = hash_step(key, one, hashes[2])
                if count < MOST:
                    token[count] = one
                    count += 1
        active, pairs = 0, count * (count - 1) // 2
        alone, paired = even_rate(POWER / 3, float(count)), even_rate(POWER / 3, float(pairs))
        for j in range(count):
            active = _take(out[n], active, most, token[j] % ALONE, alone, taken, now[0])
        for j in range(count):
            half = hash_step(token[j], 0, hashes[1])
            for k in range(j):
                place = ALONE + hash_step(half, token[k], hashes[1]) % PAIRS
                active = _take(out[n], active, most, place, paired, taken, now[0])
        active = _take(out[n], active, most, ALONE + PAIRS + key % TOGETHER, even_rate(POWER / 3, 1.0), taken, now[0])
        out[n, 0] = _take(out[n], active, most, ALONE + PAIRS + TOGETHER, ALWAYS, taken, now[0])


@jit()
def _take(out, active, most, place, rate, taken, now):
    """List a cell, unless it is listed already; returns how many are."""
    out[1 + active], out[1 + most + active] = place, rate
    fresh = taken[place] != now
    taken[place] = now
    return active + fresh
