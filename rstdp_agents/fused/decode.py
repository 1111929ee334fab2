"""From the spike counts of the output neurons to an action, and the gate of what they make eligible, compiled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from rstdp_agents.decoders import PopulationDecoder
from rstdp_agents.vector_decoder import PopulationVector


@njit(cache=True)
def choose(counts, ticks, uniform, rates, probabilities, c, gate):
    """`decoders.PopulationDecoder.choose` of one env, counted from 0; writes rates, probabilities ``(actions,)``, gate ``(P,)``.

    counts: spikes of the window, ``(P,)``.
    """
    n = rates.shape[0]
    size = int(c.group)
    for a in range(n):
        rates[a] = counts[a * size : (a + 1) * size].sum() / np.float32(size * ticks)
    best, total = rates.max(), 0.0
    for a in range(n):
        probabilities[a] = math.exp(c.inverse_temperature * (rates[a] - best))
        total += probabilities[a]
    cumulative, action = 0.0, 0
    for a in range(n):
        probabilities[a] /= total
        cumulative += probabilities[a]
        action += cumulative <= uniform
    action = min(action, n - 1)
    for a in range(n):
        credit = 1.0 if a == action or c.gate == 2.0 else 0.0
        if c.gate == 0.0:
            credit -= probabilities[a]
        gate[a * size : (a + 1) * size] = credit
    return action


@njit(cache=True)
def point(counts, ticks, uniform, low, high, c, gate, action):
    """`vector_decoder.PopulationVector.choose` of one env; writes gate ``(P,)`` and action ``(D,)``.

    counts: spikes of the window, ``(P,)``. uniform ``(2 D,)``; low, high ``(D,)``.
    """
    size = int(c.group)
    for d in range(low.shape[0]):
        pull, total, step = 0.0, 0.0, 2.0 / (size - 1)
        for i in range(size):
            pull += counts[d * size + i] * (i * step - 1.0)
            total += counts[d * size + i]
        mu = pull / max(total, 1e-9 * ticks)
        epsilon = math.sqrt(-2.0 * math.log1p(-uniform[2 * d])) * math.cos(2.0 * math.pi * uniform[2 * d + 1])
        for i in range(size):
            gate[d * size + i] = epsilon * (i * step - 1.0 - mu)
        tried = min(max(mu + c.exploration * epsilon, -1.0), 1.0)
        action[d] = 0.5 * (low[d] + high[d]) + 0.5 * (high[d] - low[d]) * tried


def decoder_arrays(decoder: PopulationDecoder | PopulationVector, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """The fields of `state.FIELDS` that belong to the decoder, for ``shape (agents, envs)``."""
    continuous = isinstance(decoder, PopulationVector)
    low, high = (decoder.low.numpy(), decoder.high.numpy()) if continuous else (np.zeros(0), np.zeros(0))
    groups = 0 if continuous else decoder.actions
    return {
        "low": low, "high": high, "action": np.zeros(shape, dtype=np.int64), "vector": np.zeros((*shape, len(low))),
        "action_rates": np.zeros((*shape, groups), dtype=np.float32),
    }  # fmt: skip


def chosen(decoder: PopulationDecoder | PopulationVector, arrays: dict[str, Any]) -> np.ndarray:
    """Actions ``(agents, envs, *shape)`` as the env takes them, from the fields ``arrays`` of a state."""
    action = arrays["action"]
    if isinstance(decoder, PopulationVector):
        return arrays["vector"].reshape(*action.shape, *decoder.shape).copy()
    return action + decoder.start
