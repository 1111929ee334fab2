"""Rows most of whose inputs can be active at once: every step goes through all that have something to learn.

Which these are is a number of steps for each row, its ``age``, counted down from the moment at which it was active last.
"""

from __future__ import annotations

from numba import uint64

from rstdp_agents.agent.fused.memory import copy, fill, flat
from rstdp_agents.agent.fused.state import NOW
from rstdp_agents.agent.fused.words import any_spike
from rstdp_agents.base.compiled import jit


@jit()
def lay_aside(layer, a):
    """Make room for the input spikes of the next window of agent a; those of the last are kept beside them."""
    now, last = flat(layer.bits[a, 0]), flat(layer.bits[a, 1])
    copy(now, last)
    fill(now, uint64(0))


@jit()
def remain(layer, a, lifetime):
    """Rows of agent a whose input has fired in this window have something to learn for ``lifetime`` steps; of a kernel all."""
    age, shared = layer.age[a], layer.source.shape[0] > 0
    for i in range(age.shape[0]):
        active = shared
        for e in range(0 if shared else layer.bits.shape[2]):
            active = active or any_spike(layer.bits[a, 0, e, i], 0, layer.words)
        if active:
            age[i] = lifetime


@jit()
def remain_listed(s, layer, a, lifetime):
    """As `remain`, rows of the first layer whose input is active."""
    age = layer.age[a]
    for e in range(s.many.shape[2]):
        for j in range(s.many[a, NOW, e]):
            age[s.index[a, NOW, e, j]] = lifetime


@jit()
def retire(s, layer, a, done, lifetime):
    """Let rows of agent a forget, after a step, what they had eligible ``lifetime`` steps ago.

    done ``(E,)``: where all episodes have ended, nothing is eligible any more: all have nothing to learn but what is active now.
    """
    age, all_done = layer.age[a], True
    for e in range(done.shape[0]):
        all_done = all_done and done[e]
    for i in range(age.shape[0]):
        if age[i] == 0 or (age[i] == lifetime and all_done):
            continue
        age[i] = 0 if all_done else age[i] - 1
        if age[i] == 0:
            _forget(s, layer, a, i)


@jit()
def _forget(s, layer, a, i):
    """Nothing of row i of agent a is left to learn."""
    for e in range(layer.bits.shape[2]):
        fill(layer.bits[a, 1, e, i], uint64(0))
        if layer.of_inputs:
            s.trace[a, e, i] = 0.0
            fill(s.tagged[a, e, i], 0.0)
    for k in range(layer.z.shape[1]):
        for e in range(layer.z.shape[2]):
            fill(layer.z[a, k, e, i], 0.0)
