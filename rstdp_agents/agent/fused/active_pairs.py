"""Active neurons of what is unusual, compiled."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import entry, jit
from rstdp_agents.codecs.encoders.active_pairs import (
    ALONE,
    ALWAYS,
    FEW,
    LEVELS,
    MOST,
    NOWHERE,
    PAIRED,
    PAIRS,
    RELATIVE,
    TOGETHER,
    VALUES,
    ActivePairs,
)
from rstdp_agents.equations.receptive_fields import even_rate, hash_step


class CompiledPairs:
    """`active_pairs.ActivePairs.active`, for observations as arrays."""

    def __init__(self, encoder: ActivePairs) -> None:
        self._most, self._power = encoder.most, encoder.power
        self._arrays = tuple(tensor.numpy() for tensor in encoder.tensors)
        self._times, self._unusual = np.zeros(encoder.things, np.int64), np.zeros((3, len(encoder.columns)), np.int64)
        self._taken, self._now = np.zeros(encoder.size, np.int64), np.zeros(1, np.int64)

    def listed(self, obs: np.ndarray) -> np.ndarray:
        """Observations ``(agents, envs, ...)`` -> ``(agents, envs, 1 + 2 most)``, as `encoders.encode` takes lists."""
        rows = obs.reshape(obs.shape[0] * obs.shape[1], -1)
        out = np.empty((len(rows), 1 + 2 * self._most))
        pair_lists(rows, self._power, out, self._times, self._unusual, self._taken, self._now, *self._arrays)
        return out.reshape(*obs.shape[:2], -1)


@entry()
def pair_lists(rows, power, out, times, unusual, taken, now, columns, usual, low, kind, board, place, hashes):
    """How many neurons ``rows (N, columns)`` activate, which, and their rates: out ``(N, 1 + 2 most)``.

    power: of a kind of neurons. times ``(things,)``: all 0. unusual ``(3, numbers)``: of the unusual numbers, rare ones first,
    which they are, the things they are, and their tokens. taken ``(cells,)``: the number of the row that took a cell last, now
    ``(1,)``: the last number. The rest is `ActivePairs.tensors`.
    """
    most = (out.shape[1] - 1) // 2
    which, thing, token = unusual[0], unusual[1], unusual[2]
    for n in range(rows.shape[0]):
        now[0] += 1
        count, together = 0, hashes[3]
        for i in range(columns.shape[0]):
            number = np.float64(rows[n, columns[i]])
            if number != usual[i]:
                one = hash_step(np.int64(i) * VALUES, np.int64(number) % VALUES, hashes[0])
                together = hash_step(together, one, hashes[2])
                level = min(max(np.int64(number - low[i]), 0), LEVELS - 1)
                which[count], thing[count], token[count] = i, kind[i] * LEVELS + level, one
                times[thing[count]] += 1
                count += 1
        _rare_first(unusual, count, times)
        counts = min(count, MOST)
        pairs = 0
        for j in range(counts):
            if times[thing[j]] <= FEW:
                pairs = min(pairs + counts - 1 - j, PAIRED)
        active, alone, paired = 0, even_rate(power, float(counts)), even_rate(power, float(pairs))
        for j in range(counts):
            active = _take(out[n], active, most, token[j] % ALONE, alone, taken, now[0])
        left = pairs
        for j in range(counts):
            for k in range(j + 1, min(counts, j + 1 + left)):
                a, b = (j, k) if which[j] < which[k] else (k, j)
                pair = hash_step(hash_step(token[b], 0, hashes[1]), token[a], hashes[1])
                active = _take(out[n], active, most, ALONE + pair % PAIRS, paired, taken, now[0])
            left -= min(left, counts - 1 - j)
        left, begin = pairs, active
        for j in range(counts):
            for k in range(j + 1, min(counts, j + 1 + left) if times[thing[j]] == 1 else 0):
                a, b = (j, k) if which[j] < which[k] else (k, j)
                first, second = which[a], which[b]
                if board[first] == board[second] and board[first] != NOWHERE:
                    pair = hash_step(hash_step(thing[b], 0, hashes[1]), thing[a], hashes[1])
                    where = hash_step(pair, place[second] - place[first], hashes[1]) % RELATIVE
                    active = _take(out[n], active, most, ALONE + PAIRS + TOGETHER + 1 + where, 1.0, taken, now[0])
            left -= min(left, counts - 1 - j)
        near = even_rate(power, float(active - begin))
        for j in range(begin, active):
            out[n, 1 + most + j] = near
        active = _take(out[n], active, most, ALONE + PAIRS + together % TOGETHER, even_rate(power, 1.0), taken, now[0])
        out[n, 0] = _take(out[n], active, most, ALONE + PAIRS + TOGETHER, ALWAYS, taken, now[0])
        for j in range(count):
            times[thing[j]] = 0


@jit()
def _rare_first(unusual, count, times):
    """Sort the first ``count`` of ``unusual (3, numbers)`` by how often their things are there; equals stay in order."""
    for j in range(1, count):
        which, thing, token = unusual[0, j], unusual[1, j], unusual[2, j]
        k = j
        while k > 0 and times[unusual[1, k - 1]] > times[thing]:
            for of in range(3):
                unusual[of, k] = unusual[of, k - 1]
            k -= 1
        unusual[0, k], unusual[1, k], unusual[2, k] = which, thing, token


@jit()
def _take(out, active, most, place, rate, taken, now):
    """List a cell, unless it is listed already; returns how many are."""
    out[1 + active], out[1 + most + active] = place, rate
    fresh = taken[place] != now
    taken[place] = now
    return active + fresh
