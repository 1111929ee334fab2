"""Who looks at the arrays between two steps sees every row up to date, and changes nothing by looking.

`show` keeps the rows that wait (`lazy_rows`) as they are, and brings the arrays up to date. `go_on` puts them back, if what it
finds is what was shown; where somebody has written something else, what was written counts, and no row waits any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.carried import lingers
from rstdp_agents.agent.fused.lazy_rows import RING, dismiss, join, settle, waited, waiting
from rstdp_agents.agent.fused.memory import copy, fill
from rstdp_agents.agent.fused.synapse_pass import earn_window
from rstdp_agents.base.compiled import FAST, entry, jit

BASIS, FACTOR = 0xCBF29CE484222325, 0x100000001B3
"""Of `_digest`."""


def kept_arrays(arrays: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """Room for the rows of the first layer that can wait, H of them, of the fields ``arrays`` of a state.

    Of weight, z, critic, trace, synapse and tagged:
    ``(A, H, P)``, ``(A, K, E, H, P)``, ``(A, H)``, ``(A, E, H)``, ``(A, H, Q)``, ``(A, E, H, Q)``.
    """
    first, most = arrays["layers"][0], np.prod(arrays["index"].shape[2:])
    weight, z = first["weight"], first["z"]
    (agents, inputs, padded), longest = weight.shape, int(arrays["constants"]["lifetime"].max())
    longest += lingers(arrays) if arrays["carries"] else 0
    rows = 0 if arrays["dense"] else inputs if longest > RING else min(inputs, int(most) * longest)
    wide, of_critic = arrays["synapse"].shape[2], (*arrays["trace"].shape[:2], rows)
    shapes = (
        (agents, rows, padded), (*z.shape[:3], rows, padded), (agents, rows), of_critic, (agents, rows, wide), (*of_critic, wide)
    )  # fmt: skip
    return tuple(np.zeros(shape, np.float32) for shape in shapes)


@entry(fastmath=FAST)
def show(s, weight, z, critic, trace, synapse, tagged):
    """Bring everything up to date, and keep the rows that wait in what `kept_arrays` has made."""
    for a in range(s.m.shape[0]):
        c = s.constants[a]
        for i in range(len(s.layers)):
            earn_window(s, s.layers[i], a, s.layers[i].rows[a], s.dense or i > 0, c)
        if s.dense:
            continue
        layer, r = s.layers[0], s.layers[0].rows[a]
        rows = waiting(r, c)
        fit = rows.shape[0] <= critic.shape[1]  # else others wrote them
        for j in range(rows.shape[0] if fit else 0):
            i = rows[j]
            copy(layer.weight[a, i], weight[a, j])
            copy(s.synapse[a, i], synapse[a, j])
            critic[a, j] = s.critic[a, i]
            for e in range(trace.shape[1]):
                trace[a, e, j] = s.trace[a, e, i]
                copy(s.tagged[a, e, i], tagged[a, e, j])
            for k in range(z.shape[1]):
                for e in range(z.shape[2]):
                    copy(layer.z[a, k, e, i], z[a, k, e, j])
        for j in range(rows.shape[0] if fit else 0, critic.shape[1]):
            fill(weight[a, j], 0.0)
            fill(synapse[a, j], 0.0)
            critic[a, j] = 0.0
            for e in range(trace.shape[1]):
                trace[a, e, j] = 0.0
                fill(tagged[a, e, j], 0.0)
            for k in range(z.shape[1]):
                for e in range(z.shape[2]):
                    fill(z[a, k, e, j], 0.0)
        for i in rows:
            settle(r, i, waited(r, i, c), c)
        if not fit:
            _list_what_is_held(s, a, r)
        s.counters[a, 2], s.counters[a, 3] = fit, _digest(s, a, rows)


@entry(fastmath=FAST)
def go_on(s, weight, z, critic, trace, synapse, tagged, for_good):
    """Put back what `show` has kept, unless somebody has written something else or all is to stay up to date ``for_good``."""
    for a in range(s.m.shape[0]):
        c = s.constants[a]
        for i in range(len(s.layers)):
            layer = s.layers[i]
            of_inputs = i == 0 and layer.source.shape[0] == 0
            for row in range(layer.age.shape[1]):
                if layer.age[a, row] > 0:
                    continue
                if _is_eligible(layer, a, row) or (of_inputs and _is_held_by_critic(s, a, row)):
                    layer.age[a, row] = c.lifetime
        if s.dense:
            continue
        layer, r = s.layers[0], s.layers[0].rows[a]
        rows = waiting(r, c)
        stays = for_good or _is_held_elsewhere(s, a)
        if s.counters[a, 2] and not stays and s.counters[a, 3] == _digest(s, a, rows):
            for j in range(rows.shape[0]):
                i = rows[j]
                copy(weight[a, j], layer.weight[a, i])
                copy(synapse[a, j], s.synapse[a, i])
                s.critic[a, i] = critic[a, j]
                for e in range(trace.shape[1]):
                    s.trace[a, e, i] = trace[a, e, j]
                    copy(tagged[a, e, j], s.tagged[a, e, i])
                for k in range(z.shape[1]):
                    for e in range(z.shape[2]):
                        copy(z[a, k, e, j], layer.z[a, k, e, i])
        else:
            _list_what_is_held(s, a, r)
        s.counters[a, 2] = 0


@jit()
def _digest(s, a, rows):
    """A number that tells whether any bit of these rows of agent a has changed (Fowler, Noll and Vo's hash, of words)."""
    digest, layer = uint64(BASIS), s.layers[0]
    for i in rows:
        for word in layer.weight[a, i].view(np.uint32):
            digest = (digest ^ uint64(word)) * uint64(FACTOR)
        for pair in range(layer.z.shape[1] * layer.z.shape[2]):
            for word in layer.z[a, pair // layer.z.shape[2], pair % layer.z.shape[2], i].view(np.uint32):
                digest = (digest ^ uint64(word)) * uint64(FACTOR)
        for word in s.critic[a, i : i + 1].view(np.uint32):
            digest = (digest ^ uint64(word)) * uint64(FACTOR)
        for word in s.synapse[a, i].view(np.uint32):
            digest = (digest ^ uint64(word)) * uint64(FACTOR)
        for e in range(s.trace.shape[1]):
            for word in s.trace[a, e, i : i + 1].view(np.uint32):
                digest = (digest ^ uint64(word)) * uint64(FACTOR)
            for word in s.tagged[a, e, i].view(np.uint32):
                digest = (digest ^ uint64(word)) * uint64(FACTOR)
    return np.int64(digest)


@jit()
def _is_eligible(layer, a, i):
    """Whether row i of a layer of agent a has anything eligible, or its input, if it is that of one alone, traces or spikes."""
    if layer.source.shape[0] > 0:
        return _any(layer.z[a, :, :, i])
    if layer.x.shape[3] > 0 and _any(layer.x[a, 1, :, i]):
        return True
    return _any(layer.z[a, :, :, i]) or _any(layer.bits[a, :, :, i])


@jit()
def _is_held_by_critic(s, a, i):
    """Whether the critic of agent a has a trace of input i."""
    return _any(s.trace[a, :, i]) or _any(s.tagged[a, :, i])


@jit()
def _is_held_elsewhere(s, a):
    """Whether an input of agent a whose row does not wait holds anything: others wrote it."""
    found, layer = False, s.layers[0]
    for i in range(layer.touched.shape[1]):
        found = found or (layer.touched[a, i] < 0 and (_is_eligible(layer, a, i) or _is_held_by_critic(s, a, i)))
    return found


@jit()
def _list_what_is_held(s, a, r):
    """Let the rows of agent a wait that hold anything, all of them up to date."""
    dismiss(r)
    r.queued[2] = 0
    fill(r.owed.reshape(-1), 0.0)
    fill(r.owed_by_critic.reshape(-1), 0.0)
    for i in range(r.touched.shape[0]):
        if _is_eligible(s.layers[0], a, i) or _is_held_by_critic(s, a, i):
            join(r, i)


@jit()
def _any(values):
    found = False
    for value in values.flat:
        found |= value != 0
    return found
