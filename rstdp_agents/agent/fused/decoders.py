"""From the spike counts of the output neurons to an action, and the gate of what they make eligible, compiled."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rstdp_agents.agent.fused.memory import fill
from rstdp_agents.base.compiled import jit
from rstdp_agents.codecs.decoders import Decoder, PopulationDecoder
from rstdp_agents.codecs.decoders.factored import FactoredDecoder, MixedDecoder
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.equations.policy import (
    noise,
    preferred_value,
    sharpness_step,
    softmax_gate,
    softmax_push,
    softmax_score,
    standard_normal,
    vector_action,
    vector_gate,
    vector_push,
)


@jit()
def choose(counts, ticks, uniform, allowed, rates, probabilities, sharpness, p, gate):
    """`decoders.PopulationDecoder.decide` of one component: the action, counted from 0, and its push.

    Writes rates, probabilities ``(actions,)`` and gate ``(P,)``. counts: spikes of the window, ``(P,)``. allowed: bool
    ``(actions,)``, some of it true. p: `DecoderConstants`.
    """
    n, size = rates.shape[0], p.neurons_per_action
    for a in range(n):
        spikes = np.float32(0.0)
        for i in range(a * size, (a + 1) * size):
            spikes += counts[i]
        rates[a] = spikes / np.float32(size * ticks)
    best, total, mean = 0.0, 0.0, 0.0
    for a in range(n):
        best = max(best, rates[a]) if allowed[a] else best
    scale = softmax_score(1.0, sharpness, p.inverse_temperature)
    for a in range(n):
        probabilities[a] = math.exp(scale * (rates[a] - best)) if allowed[a] else 0.0
        total += probabilities[a]
    cumulative, action, last = 0.0, 0, 0
    for a in range(n):
        probabilities[a] /= total
        cumulative += probabilities[a]
        mean += probabilities[a] * rates[a]
        action += cumulative <= uniform
        last = a if probabilities[a] > 0.0 else last
    action = min(action, last)
    for a in range(n):
        chosen = 1.0 if a == action or not p.gated else 0.0
        fill(gate[a * size : (a + 1) * size], softmax_gate(chosen, probabilities[a]) if p.centred else chosen)
    return action, softmax_push(scale * rates[action], scale * mean)


@jit()
def choose_vector(counts, ticks, uniform, low, high, sharpness, p, gate, action, pushes):
    """`decoders.population_vector.PopulationVector.decide` of one env; writes gate ``(P,)`` and action ``(D,)``.

    Adds the pushes to ``pushes (D,)``. counts: spikes of the window, ``(P,)``. uniform ``(2 D,)``; low, high, sharpness ``(D,)``.
    p: `DecoderConstants`.
    """
    size = p.neurons_per_action
    for d in range(low.shape[0]):
        pull, total = 0.0, 0.0
        for i in range(size):
            pull += counts[d * size + i] * preferred_value(i, size)
            total += counts[d * size + i]
        mu = pull / max(total, 1e-9 * ticks)
        epsilon = standard_normal(uniform[2 * d], uniform[2 * d + 1])
        for i in range(size):
            gate[d * size + i] = vector_gate(epsilon, preferred_value(i, size), mu)
        action[d] = vector_action(mu, epsilon, noise(sharpness[d], p.exploration), low[d], high[d])
        pushes[d] += vector_push(epsilon)


@jit()
def sharpen(sharpness, m, pushes, lr):
    """`exploration.Exploration.learn` of an agent: sharpness and lr ``(C + D,)``, m ``(E,)``, pushes ``(E, C + D)``."""
    for k in range(sharpness.shape[0]):
        mean = 0.0
        for e in range(m.shape[0]):
            mean += m[e] * pushes[e, k]
        sharpness[k] = sharpness_step(sharpness[k], mean / m.shape[0], 1.0, lr[k])


def components(decoder: Decoder) -> tuple[tuple[int, ...], tuple[int, ...], PopulationVector | None]:
    """How many values every component has that is chosen, the first of them, and the decoder of continuous components."""
    if isinstance(decoder, PopulationDecoder):
        return (decoder.actions,), (decoder.start,), None
    if isinstance(decoder, FactoredDecoder):
        return decoder.sizes, decoder.starts, None
    if isinstance(decoder, MixedDecoder):
        return decoder.values.sizes, decoder.values.starts, decoder.vector
    assert isinstance(decoder, PopulationVector)
    return (), (), decoder


def decoder_arrays(decoder: Decoder, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """The fields of `state.FIELDS` that belong to the decoder, for ``shape (agents, envs)``."""
    sizes, _, vector = components(decoder)
    low, high = vector.bounds if vector else (np.zeros(0), np.zeros(0))
    return {
        "sizes": np.array(sizes, dtype=np.int64), "low": low, "high": high,
        "action": np.zeros((*shape, len(sizes)), dtype=np.int64), "vector": np.zeros((*shape, len(low))),
        "action_rates": np.zeros((*shape, sum(sizes)), dtype=np.float32), "allowed": np.ones((*shape, sum(sizes)), dtype=bool),
    }  # fmt: skip


def allow(allowed: np.ndarray, arrays: dict[str, Any]) -> None:
    """Note in the fields ``arrays`` of a state what may be chosen, ``(agents, envs, actions)``; all of a component if none is."""
    sizes = arrays["sizes"]
    if len(sizes) == 1:
        some = np.logical_or.reduce(allowed, axis=-1, keepdims=True)
    else:
        some = np.repeat(np.logical_or.reduceat(allowed, np.cumsum(sizes) - sizes, axis=-1), sizes, axis=-1)
    np.logical_or(allowed, ~some, out=arrays["allowed"])


def reader(decoder: Decoder, arrays: dict[str, Any]) -> Callable[[], np.ndarray]:
    """What copies actions ``(agents, envs, *shape)``, as `Decoder.choose` has them, from the fields ``arrays`` of a state."""
    index, vector = arrays["action"], arrays["vector"]
    if isinstance(decoder, PopulationDecoder):
        one = index[..., 0]
        return one.copy if decoder.start == 0 else lambda: one + decoder.start
    if isinstance(decoder, PopulationVector):
        return vector.reshape(*vector.shape[:2], *decoder.shape).copy
    starts = np.array(components(decoder)[1])
    if isinstance(decoder, MixedDecoder):
        order = np.argsort(decoder.columns)
        return lambda: np.concatenate([index + starts, vector], -1)[..., order]
    return lambda: index + starts
