"""Neurons and their homeostasis, compiled: sixteen output neurons at once; ``P`` is their number, padded to sixteens."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH, load, splat, store, total
from rstdp_agents.equations.neuron import inhibited, lif_tick, noisy_threshold
from rstdp_agents.equations.random_numbers import fill_uniform
from rstdp_agents.equations.rate_control import offset_step, running_rate


@jit(fastmath=FAST, forceinline=True)
def noisy_thresholds(first, keys, outputs, p, out):
    """`neuron.noisy_threshold` of all ticks and envs: out ``(T, E, P)``; those of the padding are out of reach.

    first, keys: place of their random numbers, ``(T, E, outputs)``, as in `random_numbers.fill_uniform`.
    p: `neuron.LIFConstants`.
    """
    ticks, envs, padded = out.shape
    flat = out.reshape(-1)
    for row in range(ticks * envs):
        fill_uniform(flat[row * padded : row * padded + outputs], first + row * outputs, keys)
        flat[row * padded + outputs : (row + 1) * padded] = 0.5
    for o in range(0, flat.shape[0], WIDTH):
        store(flat, o, noisy_threshold(load(flat, o), p))
    out[:, :, outputs:] = np.inf


@jit(inline="always")
def fire(current, threshold, offset, e, c, v, pause, carries, post, counts):
    """`neurons.lif_window` of env e, from rest, or if membranes go on (``carries``) from v and pause ``(P,)``, which it writes.

    Writes post ``(T, P)`` and counts ``(P,)``. current ``(T + 1, P)``, the last not read; threshold ``(T, E, P)``. offset
    ``(P,)``: of homeostasis. c: `Constants`.
    """
    if c.neuron.lateral_inhibition > 0.0:
        fire_together(current, threshold, offset, e, c, v, pause, carries, post, counts)
    else:
        fire_apart(current, threshold, offset, e, c, v, pause, carries, post, counts)


@jit(inline="always")
def shifts(offset, o, p):
    """What homeostasis adds to the currents of sixteen neurons from ``o``, and what it takes off their thresholds."""
    shift, nothing = load(offset, o), splat(0.0)
    return shift if p.moves_bias else nothing, shift if p.moves_threshold else nothing


@jit(fastmath=FAST, forceinline=True)
def scale_currents(current, offset):
    """Multiply the currents of all synapses of a neuron, ``current (E, T + 1, P)``, by e to its offset ``(P,)``, in place."""
    for o in range(offset.shape[0]):
        gain = np.exp(offset[o])
        for e in range(current.shape[0]):
            for t in range(current.shape[1]):
                current[e, t, o] *= gain


@jit(inline="always")
def fire_apart(current, threshold, offset, e, c, membranes, pauses, carries, post, counts):
    """`fire` for neurons that know nothing of each other: sixteen of them through all ticks, then the next."""
    ticks, padded = post.shape
    envs, drive, level, spikes = threshold.shape[1], current.reshape(-1), threshold.reshape(-1), post.reshape(-1)
    for o in range(0, padded, WIDTH):
        bias, ease = shifts(offset, o, c.homeostasis)
        v, refractory, count = splat(c.neuron.v_rest), splat(0.0), splat(0.0)
        if carries:
            v, refractory = load(membranes, o), load(pauses, o)
        for t in range(ticks):
            now, above = load(drive, t * padded + o) + bias, load(level, (t * envs + e) * padded + o) - ease
            spike, v, refractory = lif_tick(v, refractory, now, above, c.neuron)
            store(spikes, t * padded + o, spike)
            count = count + spike
        store(counts, o, count)
        if carries:
            store(membranes, o, v)
            store(pauses, o, refractory)


@jit(forceinline=True)
def fire_together(current, threshold, offset, e, c, membranes, pauses, carries, post, counts):
    """`fire` for neurons that inhibit each other: all of them, tick by tick."""
    ticks, padded = post.shape
    envs, drive, level, spikes = threshold.shape[1], current.reshape(-1), threshold.reshape(-1), post.reshape(-1)
    v, refractory = np.full(padded, np.float32(c.neuron.v_rest)), np.zeros(padded, np.float32)
    if carries:
        v[:], refractory[:] = membranes, pauses
    counts[:] = 0.0
    for t in range(ticks):
        of_layer = np.float32(0.0)
        for o in range(0, padded, WIDTH):
            bias, ease = shifts(offset, o, c.homeostasis)
            now, above = load(drive, t * padded + o) + bias, load(level, (t * envs + e) * padded + o) - ease
            spike, v_o, refractory_o = lif_tick(load(v, o), load(refractory, o), now, above, c.neuron)
            store(spikes, t * padded + o, spike)
            store(v, o, v_o)
            store(refractory, o, refractory_o)
            of_layer += total(spike)
        for o in range(0, padded, WIDTH):
            spike = load(spikes, t * padded + o)
            store(v, o, inhibited(load(v, o), spike, of_layer, c.neuron))
            store(counts, o, load(counts, o) + spike)
    if carries:
        membranes[:], pauses[:] = v, refractory


@jit(inline="always")
def homeostasis_window(count, rate, offset, outputs, p):
    """`homeostasis.homeostasis_window` for spike counts per env ``(P,)``; writes rate and offset ``(P,)``.

    outputs: neurons that are no padding. p: `rate_control.HomeostasisConstants`.
    """
    for o in range(0, count.shape[0], WIDTH):
        store(rate, o, running_rate(load(rate, o), load(count, o) * p.hertz, p.rate_share))
    if p.moves_bias or p.moves_threshold or p.moves_gain:
        of_layer = splat(layer_mean(rate, outputs))
        for o in range(0, count.shape[0], WIDTH):
            own = load(rate, o)
            store(offset, o, offset_step(load(offset, o), of_layer if p.of_layer else own, own, p))


@jit(fastmath=FAST, forceinline=True)
def layer_mean(per_neuron, outputs):
    """`homeostasis.layer_mean` of the first ``outputs`` values of ``(P,)``; the others are padding."""
    sum_of_layer = np.float32(0.0)
    for o in range(outputs):
        sum_of_layer += per_neuron[o]
    return sum_of_layer / np.float32(outputs)
