"""The inputs that have something to learn: those that have fired, or been felt by the critic, not too long ago.

They are listed, so that a step costs what is active and not what there is. In a code most of whose inputs are active at once
(`state.FIELDS`, ``dense``) all inputs are listed always, in their order.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.base.compiled import entry, jit

FORGOTTEN = 1e-8
"""What is left of a trace when it counts as none: less than the rounding of what it was."""


@jit(forceinline=True)
def lay_aside(s, a):
    """Make room for the input spikes of the next window of agent a; those of the last are kept beside them."""
    for r in range(s.rows[a]):
        i = s.live[a, r]
        for e in range(s.bits.shape[2]):
            s.bits[a, 1, e, i] = s.bits[a, 0, e, i]
            s.bits[a, 0, e, i] = uint64(0)


@jit(forceinline=True)
def enlist(s, a, e, lifetime):
    """List the active inputs of agent a in env e."""
    for j in range(s.many[a, 0, e]):
        i = s.index[a, 0, e, j]
        if s.age[a, i] == 0 and not s.dense:
            s.live[a, s.rows[a]] = i
            s.rows[a] += 1
        s.age[a, i] = lifetime


@jit(forceinline=True)
def retire(s, a, all_done, lifetime):
    """Take from the list of agent a, after a step, what has been idle for ``lifetime`` steps, and forget what it had eligible.

    Where all episodes have ended, nothing is eligible any more: all goes but what is active now.
    """
    kept = 0
    for r in range(s.rows[a]):
        i = s.live[a, r]
        left = max(s.age[a, i] - 1, 0)
        if all_done and s.age[a, i] < lifetime:
            left = 0
        if left == 0:
            s.bits[a, 1, :, i] = uint64(0)
        if left == 0 and not all_done and s.age[a, i] > 0:
            s.z[a, :, :, i] = 0.0
            s.trace[a, :, i] = 0.0
        s.age[a, i] = left
        s.live[a, kept] = i
        kept += s.dense or left > 0
    s.rows[a] = kept


@entry()
def list_what_is_held(s):
    """List, in all agents, inputs that have anything eligible, a trace or spikes, and are not listed: others wrote them."""
    for a in range(s.live.shape[0]):
        lifetime = np.int64(s.constants[a].lifetime)
        for i in range(s.live.shape[1]):
            if s.age[a, i] == 0 and (_any(s.z[a, :, :, i]) or _any(s.trace[a, :, i]) or _any(s.bits[a, :, :, i])):
                s.age[a, i] = lifetime
                if not s.dense:
                    s.live[a, s.rows[a]] = i
                    s.rows[a] += 1


@jit(forceinline=True)
def _any(values):
    found = False
    for value in values.flat:
        found |= value != 0
    return found
