"""Who looks at the arrays between two steps sees every row up to date, and changes nothing by looking.

`show` keeps the rows that wait (`lazy_rows`) as they are, and brings the arrays up to date. `go_on` puts them back, if what it
finds is what was shown; where somebody has written something else, what was written counts, and no row waits any more.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.carried import lingers
from rstdp_agents.agent.fused.constants import Constants
from rstdp_agents.agent.fused.lazy_rows import RING, dismiss, join, rows_of, settle, waited, waiting
from rstdp_agents.agent.fused.synapse_pass import earn
from rstdp_agents.base.compiled import FAST, entry, jit
from rstdp_agents.base.records import by_value

BASIS, FACTOR = 0xCBF29CE484222325, 0x100000001B3
"""Of `_digest`."""


def kept_arrays(arrays: dict[str, Any]) -> tuple[np.ndarray, ...]:
    """Room for the rows that can wait, H of them, of the fields ``arrays`` of a state.

    Of weight, z, critic, trace, synapse and tagged:
    ``(A, H, P)``, ``(A, K, E, H, P)``, ``(A, H)``, ``(A, E, H)``, ``(A, H, Q)``, ``(A, E, H, Q)``.
    """
    weight, z, most = arrays["weight"], arrays["z"], np.prod(arrays["index"].shape[2:])
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
    for a in range(s.weight.shape[0]):
        c, r = by_value(s.constants[a], Constants), rows_of(s, a)
        earn(s, a, r, c)
        if s.dense:
            continue
        rows = waiting(r, c)
        fit = rows.shape[0] <= critic.shape[1]  # else others wrote them
        for j in range(rows.shape[0] if fit else 0):
            i = rows[j]
            weight[a, j], z[a, :, :, j] = s.weight[a, i], s.z[a, :, :, i]
            critic[a, j], trace[a, :, j] = s.critic[a, i], s.trace[a, :, i]
            synapse[a, j], tagged[a, :, j] = s.synapse[a, i], s.tagged[a, :, i]
        rest = rows.shape[0] if fit else 0
        weight[a, rest:], z[a, :, :, rest:], critic[a, rest:], trace[a, :, rest:] = 0.0, 0.0, 0.0, 0.0
        synapse[a, rest:], tagged[a, :, rest:] = 0.0, 0.0
        for i in rows:
            settle(r, i, waited(r, i, c), c)
        if not fit:
            _list_what_is_held(s, a, r)
        s.counters[a, 3], s.counters[a, 4] = fit, _digest(s, a, rows)


@entry(fastmath=FAST)
def go_on(s, weight, z, critic, trace, synapse, tagged, for_good):
    """Put back what `show` has kept, unless somebody has written something else or all is to stay up to date ``for_good``."""
    for a in range(s.weight.shape[0]):
        c, r = by_value(s.constants[a], Constants), rows_of(s, a)
        if s.dense:
            for i in range(s.age.shape[1]):
                if s.age[a, i] == 0 and _is_held(s, a, i):
                    s.age[a, i] = c.lifetime
            continue
        rows = waiting(r, c)
        stays = for_good or _is_held_elsewhere(s, a)
        if s.counters[a, 3] and not stays and s.counters[a, 4] == _digest(s, a, rows):
            for j in range(rows.shape[0]):
                i = rows[j]
                s.weight[a, i], s.z[a, :, :, i] = weight[a, j], z[a, :, :, j]
                s.critic[a, i], s.trace[a, :, i] = critic[a, j], trace[a, :, j]
                s.synapse[a, i], s.tagged[a, :, i] = synapse[a, j], tagged[a, :, j]
        else:
            _list_what_is_held(s, a, r)
        s.counters[a, 3] = 0


@jit(forceinline=True)
def _digest(s, a, rows):
    """A number that tells whether any bit of these rows of agent a has changed (Fowler, Noll and Vo's hash, of words)."""
    digest = uint64(BASIS)
    for i in rows:
        for word in s.weight[a, i].view(np.uint32):
            digest = (digest ^ uint64(word)) * uint64(FACTOR)
        for pair in range(s.z.shape[1] * s.z.shape[2]):
            for word in s.z[a, pair // s.z.shape[2], pair % s.z.shape[2], i].view(np.uint32):
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


@jit(forceinline=True)
def _is_held(s, a, i):
    """Whether input i of agent a has anything eligible, traces or spikes."""
    if s.carries and _any(s.x[a, 1, :, i]):
        return True
    return _any(s.z[a, :, :, i]) or _any(s.trace[a, :, i]) or _any(s.tagged[a, :, i]) or _any(s.bits[a, :, :, i])


@jit(forceinline=True)
def _is_held_elsewhere(s, a):
    """Whether an input of agent a whose row does not wait holds anything: others wrote it."""
    found = False
    for i in range(s.touched.shape[1]):
        found = found or (s.touched[a, i] < 0 and _is_held(s, a, i))
    return found


@jit(forceinline=True)
def _list_what_is_held(s, a, r):
    """Let the rows of agent a wait that hold anything, all of them up to date."""
    dismiss(r)
    r.queued[2] = 0
    r.owed[:] = 0.0
    r.owed_by_critic[:] = 0.0
    for i in range(s.touched.shape[1]):
        if _is_held(s, a, i):
            join(r, i)


@jit(forceinline=True)
def _any(values):
    found = False
    for value in values.flat:
        found |= value != 0
    return found
