"""What goes on from window to window where membranes and spike traces do: a brain does not begin anew at every env step.

A presynaptic trace from before the window earns as a spike just before its first tick would. So rows stay in use while their
input's trace lingers (`lingering_rows`).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.lazy_rows import newest, queued
from rstdp_agents.agent.fused.memory import fill, flat, room
from rstdp_agents.agent.fused.words import BITS, any_spike
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH, load, splat, store
from rstdp_agents.equations.traces import trace_set, trace_step

FAINT = 1e-6
"""Presynaptic traces below it are over: of the rounding of what a spike leaves."""


def lingers(arrays: dict[str, Any]) -> int:
    """Steps for which a presynaptic trace lasts at most, of the fields ``arrays`` of a state."""
    ticks = arrays["late"].shape[1]
    spiked = np.log(FAINT / ticks) / np.log(arrays["constants"]["rule"]["decay_x"].max())
    longest = int(arrays["delay"].max(initial=0))
    return int(np.ceil(spiked / ticks)) + 1 + -(-longest // ticks)


@jit(fastmath=FAST)
def carry_traces(layer, a, r, ticks, c):
    """Presynaptic traces of a layer of agent a after its window, of which the input spikes are there; r: `lazy_rows.Rows`."""
    begin, end = (0, layer.x.shape[3]) if layer.dense else newest(r)
    decay = np.float32(c.rule.decay_x)
    for place in range(begin, end):
        i = place if layer.dense else queued(r, place)
        for e in range(layer.x.shape[2]):
            before, fired = layer.x[a, 1, e, i], r.bits[e, i]
            layer.x[a, 0, e, i] = before
            if before == 0.0 and not any_spike(fired, 0, layer.words):
                continue
            for t in range(ticks):
                spike = np.float32((fired[t // BITS] >> uint64(t % BITS)) & uint64(1))
                before = trace_set(before, spike, decay) if layer.nearest else trace_step(before, spike, decay)
            layer.x[a, 1, e, i] = before if before > FAINT else 0.0


@jit(fastmath=FAST)
def carry_output_traces(spikes, traces, p):
    """Postsynaptic traces ``(P,)`` after a window's ``spikes (T, P)``. p: `RuleConstants`."""
    (ticks, padded), each = spikes.shape, flat(spikes)
    for o in range(0, padded, WIDTH):
        trace = load(traces, o)
        for t in range(ticks):
            spike = load(each, t * padded + o)
            trace = trace_set(trace, spike, p.decay_y) if p.nearest else trace_step(trace, spike, p.decay_y)
        store(traces, o, trace)


@jit()
def come_to_rest(layer, a, e, r, rest):
    """An episode of agent a has ended in env e: neurons of a layer are at ``rest (2,)``, and no trace is left."""
    fill(flat(layer.v[a, e]), rest[0])
    fill(flat(layer.recovery[a, e]), rest[1])
    fill(flat(layer.y[a, e]), 0.0)
    begin, end = (0, layer.x.shape[3]) if layer.dense else newest(r)
    for place in range(begin, end):
        layer.x[a, 1, e, place if layer.dense else queued(r, place)] = 0.0


@jit()
def clear_traces(layer, a, r):
    """Forget the traces of agent a, of a sparse code, that were there before the last window."""
    begin, end = newest(r)
    for place in range(begin, end):
        for e in range(layer.x.shape[2]):
            layer.x[a, 0, e, queued(r, place)] = 0.0


@jit()
def lingering_rows(layer, a, r):
    """The inputs of agent a, of a sparse code, whose trace is not over: some of those whose rows were in use last."""
    begin, end = newest(r)
    found, many = room(end - begin, np.int32), 0
    for place in range(begin, end):
        i = queued(r, place)
        found[many] = i
        for e in range(layer.x.shape[2]):
            if layer.x[a, 1, e, i] > 0.0:
                many += 1
                break
    return found[:many]


@jit()
def rows_to_come(s, a):
    """The inputs of agent a of which a spike is under way."""
    under_way, many = s.under_way[a], 0
    found = room(under_way.shape[1], np.int32)
    for i in range(under_way.shape[1]):
        found[many] = i
        for e in range(under_way.shape[0]):
            if under_way[e, i] != uint64(0):
                many += 1
                break
    return found[:many]


@jit(fastmath=FAST)
def linger_credit(spikes, gate, plus, late, p, out):
    """As `credit.causal_credit`: what a trace of 1 before the window makes eligible, into out ``(P,)``."""
    (ticks, padded), each = spikes.shape, flat(spikes)
    for o in range(0, padded, WIDTH):
        trace = splat(0.0)
        for t in range(ticks - 1, -1, -1):
            trace = trace_step(trace, load(each, t * padded + o), p.decay_x, plus * late[t])
        store(out, o, trace * (load(gate, o) * p.gain) * p.decay_x)
