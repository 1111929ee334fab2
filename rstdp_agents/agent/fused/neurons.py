"""Neurons and their homeostasis, compiled: sixteen output neurons at once; ``P`` is their number, padded to sixteens."""

from __future__ import annotations

import numpy as np

from rstdp_agents.agent.fused.memory import copy, fill
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.base.records import by_value
from rstdp_agents.equations.lanes import WIDTH, load, splat, store, total
from rstdp_agents.equations.neuron import LIFConstants, inhibited, lif_tick, noisy_threshold
from rstdp_agents.equations.random_numbers import fill_uniform
from rstdp_agents.equations.rate_control import HomeostasisConstants, offset_step, running_rate


@jit(fastmath=FAST)
def noisy_thresholds(first, keys, channels, p, out):
    """`neuron.noisy_threshold` of all envs, sites and ticks: out ``(E, S, T, P)``; those of the padding are out of reach.

    first, keys: place of their random numbers, ``(T, E, channels S)``, as in `random_numbers.fill_uniform`.
    p: a record of `neuron.LIFConstants`.
    """
    (envs, sites, ticks), p = out.shape[:3], by_value(p, LIFConstants)
    drawn, flat = np.empty(sites * channels if sites > 1 else 0, np.float32), out.reshape(-1)
    for t in range(ticks):
        for e in range(envs):
            place = first + (t * envs + e) * sites * channels
            if sites == 1:
                fill_uniform(out[e, 0, t, :channels], place, keys)
            else:
                fill_uniform(drawn, place, keys)
                for o in range(channels):
                    for site in range(sites):
                        out[e, site, t, o] = drawn[o * sites + site]
            for site in range(sites):
                fill(out[e, site, t, channels:], 0.5)
    for o in range(0, flat.shape[0], WIDTH):
        store(flat, o, noisy_threshold(load(flat, o), p))
    for o in range(0 if channels == out.shape[3] else flat.shape[0]):
        if o % out.shape[3] >= channels:
            flat[o] = np.inf


@jit(forceinline=True)
def fire(layer, a, e, current, threshold, p, h):
    """`neurons.lif_window` of a layer of agent a in env e, from rest, or if membranes go on from where they are.

    Writes the layer's ``post`` and ``counts``, and where they go on ``v`` and ``pause``. current ``(S, T + 1, P)``, the last not
    read; threshold ``(S, T, P)``. p, h: records of `neuron.LIFConstants` and `rate_control.HomeostasisConstants`.
    """
    if p.lateral_inhibition > 0.0:
        fire_together(layer, a, e, current, threshold, p, h)
    else:
        for site in range(current.shape[0]):
            fire_apart(layer, a, e, site, current[site], threshold[site], p, h)


@jit(forceinline=True)
def shifts(offset, o, h):
    """What homeostasis adds to the currents of sixteen neurons from ``o``, and what it takes off their thresholds."""
    shift, nothing = load(offset, o), splat(0.0)
    return shift if h.moves_bias else nothing, shift if h.moves_threshold else nothing


@jit(fastmath=FAST)
def scale_currents(current, offset):
    """Multiply the currents of all synapses of a neuron, ``current (E, S, T + 1, P)``, by e to its offset ``(S, P)``."""
    for site in range(offset.shape[0]):
        for o in range(offset.shape[1]):
            gain = np.exp(offset[site, o])
            for e in range(current.shape[0]):
                for t in range(current.shape[2]):
                    current[e, site, t, o] *= gain


@jit(forceinline=True)
def fire_apart(layer, a, e, site, current, threshold, p, h):
    """`fire` at a site for neurons that know nothing of each other: sixteen of them through all ticks, then the next."""
    (ticks, padded), p, h = threshold.shape, by_value(p, LIFConstants), by_value(h, HomeostasisConstants)
    drive, level, spikes = current.reshape(-1), threshold.reshape(-1), layer.post[a, e, site].reshape(-1)
    offset, counts, membranes, pauses = (
        layer.offset[a, site],
        layer.counts[a, e, site],
        layer.v[a, e, site],
        layer.pause[a, e, site],
    )
    for o in range(0, padded, WIDTH):
        bias, ease = shifts(offset, o, h)
        v, refractory, count = splat(p.v_rest), splat(0.0), splat(0.0)
        if layer.carries:
            v, refractory = load(membranes, o), load(pauses, o)
        for t in range(ticks):
            now, above = load(drive, t * padded + o) + bias, load(level, t * padded + o) - ease
            spike, v, refractory = lif_tick(v, refractory, now, above, p)
            store(spikes, t * padded + o, spike)
            count = count + spike
        store(counts, o, count)
        if layer.carries:
            store(membranes, o, v)
            store(pauses, o, refractory)


@jit()
def fire_together(layer, a, e, current, threshold, p, h):
    """`fire` for neurons that inhibit each other, at all sites: all of them, tick by tick."""
    (sites, ticks, padded), p, h = threshold.shape, by_value(p, LIFConstants), by_value(h, HomeostasisConstants)
    drive, level, spikes = current.reshape(-1), threshold.reshape(-1), layer.post[a, e].reshape(-1)
    offset, counts = layer.offset[a].reshape(-1), layer.counts[a, e].reshape(-1)
    membranes, pauses = layer.v[a, e].reshape(-1), layer.pause[a, e].reshape(-1)
    v, refractory = np.full(sites * padded, np.float32(p.v_rest)), np.zeros(sites * padded, np.float32)
    if layer.carries:
        copy(membranes, v)
        copy(pauses, refractory)
    fill(counts, 0.0)
    for t in range(ticks):
        of_layer = np.float32(0.0)
        for site in range(sites):
            for place in range(0, padded, WIDTH):
                o, row = site * padded + place, (site * ticks + t) * padded + place
                bias, ease = shifts(offset, o, h)
                now, above = load(drive, row + site * padded) + bias, load(level, row) - ease
                spike, v_o, refractory_o = lif_tick(load(v, o), load(refractory, o), now, above, p)
                store(spikes, row, spike)
                store(v, o, v_o)
                store(refractory, o, refractory_o)
                of_layer += total(spike)
        for site in range(sites):
            for place in range(0, padded, WIDTH):
                o, row = site * padded + place, (site * ticks + t) * padded + place
                spike = load(spikes, row)
                store(v, o, inhibited(load(v, o), spike, of_layer, p))
                store(counts, o, load(counts, o) + spike)
    if layer.carries:
        copy(v, membranes)
        copy(refractory, pauses)


@jit(forceinline=True)
def homeostasis_window(count, rate, offset, channels, h):
    """`homeostasis.homeostasis_window` for spike counts per env ``(S, P)``; writes rate and offset ``(S, P)``.

    channels: neurons of a site that are no padding. h: a record of `rate_control.HomeostasisConstants`.
    """
    h = by_value(h, HomeostasisConstants)
    counts, rates, offsets = count.reshape(-1), rate.reshape(-1), offset.reshape(-1)
    for o in range(0, counts.shape[0], WIDTH):
        store(rates, o, running_rate(load(rates, o), load(counts, o) * h.hertz, h.rate_share))
    if h.moves_bias or h.moves_threshold or h.moves_gain:
        of_layer = splat(layer_mean(rate, channels))
        for o in range(0, counts.shape[0], WIDTH):
            own = load(rates, o)
            store(offsets, o, offset_step(load(offsets, o), of_layer if h.of_layer else own, own, h))


@jit(fastmath=FAST)
def layer_mean(per_neuron, channels):
    """`homeostasis.layer_mean` of ``(S, P)``, of which the first ``channels`` of every site count; the others are padding."""
    sum_of_layer = np.float32(0.0)
    for site in range(per_neuron.shape[0]):
        for o in range(channels):
            sum_of_layer += per_neuron[site, o]
    return sum_of_layer / np.float32(per_neuron.shape[0] * channels)
