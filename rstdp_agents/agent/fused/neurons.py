"""Neurons and their homeostasis, compiled: sixteen output neurons at once; ``P`` is their number, padded to sixteens."""

from __future__ import annotations

from typing import Any, NamedTuple, get_type_hints

import numpy as np
from numba import types
from numba.extending import overload

from rstdp_agents.agent.fused.memory import copy, fill, flat, room
from rstdp_agents.agent.fused.state import ADEX, ALIF, LIF
from rstdp_agents.base.compiled import FAST, INLINED, jit
from rstdp_agents.base.records import by_value, record_type, records
from rstdp_agents.equations.adex import AdExConstants, adex_tick
from rstdp_agents.equations.alif import ALIFConstants, alif_tick
from rstdp_agents.equations.izhikevich import IzhikevichConstants, izhikevich_tick
from rstdp_agents.equations.lanes import WIDTH, load, splat, store, total
from rstdp_agents.equations.neuron import LIFConstants, inhibited, lif_tick, noise_of_current, noisy_threshold
from rstdp_agents.equations.random_numbers import fill_uniform
from rstdp_agents.equations.rate_control import HomeostasisConstants, offset_step, running_rate


class NeuronConstants(NamedTuple):
    """Constants of a neuron model, in its place; zeros in those of the others."""

    lif: LIFConstants
    alif: ALIFConstants
    adex: AdExConstants
    izhikevich: IzhikevichConstants


MODELS = tuple(get_type_hints(NeuronConstants).values())
"""In the order of `state.LIF` and those that follow. A record of them says by its type which it is."""


def neuron_arrays(constants: tuple[Any, ...], agents: int) -> dict[str, Any]:
    """The fields ``model`` and ``neuron`` of a `state.State`, for constants of one of `MODELS`."""
    made, model = np.zeros(agents, record_type(NeuronConstants)), MODELS.index(type(constants))
    made[NeuronConstants._fields[model]] = records(constants, agents)
    return {"model": model, "neuron": made}


def constants_of_model(p: Any) -> Any:
    """The NamedTuple of `MODELS` that the record ``p`` holds, as `records.by_value`."""
    raise NotImplementedError


def noise_of_tick(uniform: Any, p: Any) -> Any:
    """The noise of a tick, from a uniform draw in [0, 1): of a threshold or of a current, as the model has it. p: of `MODELS`."""
    raise NotImplementedError


def tick(v: Any, recovery: Any, current: Any, noise: Any, ease: Any, p: Any) -> Any:
    """A tick of a neuron: spike (0 or 1), and its two variables after it.

    current: a weight of 1 adds 1. noise: of `noise_of_tick`. ease: by how much homeostasis has lowered the threshold.
    p: of `MODELS`.
    """
    raise NotImplementedError


def of_model(p: types.NamedTuple, lif: Any, alif: Any, adex: Any, izhikevich: Any) -> Any:
    """One of four functions, for constants of this type."""
    return (lif, alif, adex, izhikevich)[MODELS.index(p.instance_class)]


@overload(constants_of_model, jit_options=INLINED)
def _constants_of_model(p):
    kind = next(kind for kind in MODELS if kind._fields == tuple(p.fields))
    return lambda p: by_value(p, kind)


@overload(noise_of_tick, jit_options=INLINED)
def _noise_of_tick(uniform, p):
    def of_current(uniform, p):
        return noise_of_current(uniform, p.noise)

    def of_threshold(uniform, p):
        return noisy_threshold(uniform, p)

    def of_raised(uniform, p):
        return noisy_threshold(uniform, p.lif)

    return of_model(p, of_threshold, of_raised, of_current, of_current)


@overload(tick, jit_options=INLINED)
def _tick(v, recovery, current, noise, ease, p):
    def lif(v, recovery, current, noise, ease, p):
        return lif_tick(v, recovery, current, noise - ease, p)

    def alif(v, recovery, current, noise, ease, p):
        return alif_tick(v, recovery, current, noise - ease, p)

    def adex(v, recovery, current, noise, ease, p):
        return adex_tick(v, recovery, (current + noise) * p.pa, p.v_t - ease * p.lift, p)

    def izhikevich(v, recovery, current, noise, ease, p):
        return izhikevich_tick(v, recovery, (current + noise) * p.unit, p.v_peak - ease * p.lift, p)

    return of_model(p, lif, alif, adex, izhikevich)


@jit(fastmath=FAST)
def draw_noise(s, a, first, keys, channels, out):
    """`noise_of_tick` of agent a in all envs, sites and ticks: out ``(E, S, T, P)``.

    first, keys: place of their random numbers, ``(T, E, channels S)``, as in `random_numbers.fill_uniform`.
    """
    draw_uniform(first, keys, channels, out)
    if s.model == LIF:
        become_noise(flat(out), s.neuron[a].lif)
    elif s.model == ALIF:
        become_noise(flat(out), s.neuron[a].alif)
    elif s.model == ADEX:
        become_noise(flat(out), s.neuron[a].adex)
    else:
        become_noise(flat(out), s.neuron[a].izhikevich)


@jit(fastmath=FAST)
def become_noise(uniform, p):
    """`noise_of_tick` in place of uniform draws ``(n,)``. p: a record of `MODELS`."""
    p = constants_of_model(p)
    for o in range(0, uniform.shape[0], WIDTH):
        store(uniform, o, noise_of_tick(load(uniform, o), p))


@jit(fastmath=FAST)
def draw_uniform(first, keys, channels, out):
    """The uniform draws of `draw_noise`; what is padding gets 0.5."""
    envs, sites, ticks, padded = out.shape
    drawn, every = room(sites * channels if sites > 1 else 0, np.float32), flat(out)
    for t in range(ticks):
        for e in range(envs):
            place, row = first + (t * envs + e) * sites * channels, (e * sites * ticks + t) * padded
            if sites == 1:
                fill_uniform(every, row, row + channels, place, keys)
            else:
                fill_uniform(drawn, 0, sites * channels, place, keys)
                for o in range(channels):
                    for site in range(sites):
                        every[row + site * ticks * padded + o] = drawn[o * sites + site]
            for site in range(sites):
                for o in range(row + site * ticks * padded + channels, row + (site * ticks + 1) * padded):
                    every[o] = 0.5


@jit(fastmath=FAST)
def fire(s, layer, a, e, current, noise):
    """`Neuron.window` of a layer of agent a in env e, from rest, or if membranes go on from where they are.

    Writes the layer's ``post`` and ``counts``, and where they go on ``v`` and ``recovery``. current ``(S, T + 1, P)``, the last
    not read; noise ``(S, T, P)``.
    """
    rest, h = s.rest[a], layer.homeostasis[a]
    if s.model == LIF:
        fire_by(layer, a, e, current, noise, s.neuron[a].lif, rest, h)
    elif s.model == ALIF:
        fire_by(layer, a, e, current, noise, s.neuron[a].alif, rest, h)
    elif s.model == ADEX:
        fire_by(layer, a, e, current, noise, s.neuron[a].adex, rest, h)
    else:
        fire_by(layer, a, e, current, noise, s.neuron[a].izhikevich, rest, h)


def fire_by(layer: Any, a: Any, e: Any, current: Any, noise: Any, p: Any, rest: Any, h: Any) -> None:
    """`fire` by a model. rest ``(2,)``; p, h: records of `MODELS` and of `rate_control.HomeostasisConstants`."""
    raise NotImplementedError


@overload(fire_by, jit_options=INLINED)
def _fire_by(layer, a, e, current, noise, p, rest, h):
    def apart(layer, a, e, current, noise, p, rest, h):
        for site in range(current.shape[0]):
            fire_apart(layer, a, e, site, current[site], noise[site], p, rest, h)

    def apart_or_not(layer, a, e, current, noise, p, rest, h):
        if p.lateral_inhibition > 0.0:
            fire_together(layer, a, e, current, noise, p, rest, h)
        else:
            for site in range(current.shape[0]):
                fire_apart(layer, a, e, site, current[site], noise[site], p, rest, h)

    return apart_or_not if "lateral_inhibition" in p.fields else apart


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
def fire_apart(layer, a, e, site, current, noise, p, rest, h):
    """`fire` at a site for neurons that know nothing of each other: sixteen of them through all ticks, then the next."""
    (ticks, padded), p, h = noise.shape, constants_of_model(p), by_value(h, HomeostasisConstants)
    drive, noises, spikes, offset = (
        flat(current),
        flat(noise),
        flat(layer.post[a, e, site]),
        layer.offset[a, site],
    )
    counts, membranes, recoveries, own = (
        layer.counts[a, e, site],
        layer.v[a, e, site],
        layer.recovery[a, e, site],
        layer.own,
    )
    for o in range(0, padded, WIDTH):
        (bias, ease), exists = shifts(offset, o, h), load(own, o)
        v, recovery, count = splat(rest[0]), splat(rest[1]), splat(0.0)
        if layer.carries:
            v, recovery = load(membranes, o), load(recoveries, o)
        for t in range(ticks):
            place = t * padded + o
            spike, v, recovery = tick(v, recovery, load(drive, place) + bias, load(noises, place), ease, p)
            spike = spike * exists
            store(spikes, place, spike)
            count = count + spike
        store(counts, o, count)
        if layer.carries:
            store(membranes, o, v)
            store(recoveries, o, recovery)


@jit()
def fire_together(layer, a, e, current, noise, p, rest, h):
    """`fire` for neurons that inhibit each other, at all sites: all of them, tick by tick."""
    (sites, ticks, padded), p, h = noise.shape, constants_of_model(p), by_value(h, HomeostasisConstants)
    drive, noises, spikes = flat(current), flat(noise), flat(layer.post[a, e])
    offset, counts, own = flat(layer.offset[a]), flat(layer.counts[a, e]), layer.own
    membranes, recoveries = flat(layer.v[a, e]), flat(layer.recovery[a, e])
    v, recovery = room(sites * padded, np.float32), room(sites * padded, np.float32)
    fill(v, rest[0])
    fill(recovery, rest[1])
    if layer.carries:
        copy(membranes, v)
        copy(recoveries, recovery)
    fill(counts, 0.0)
    for t in range(ticks):
        of_layer = np.float32(0.0)
        for site in range(sites):
            for place in range(0, padded, WIDTH):
                o, row = site * padded + place, (site * ticks + t) * padded + place
                (bias, ease), now = shifts(offset, o, h), load(drive, row + site * padded)
                spike, v_o, recovery_o = tick(load(v, o), load(recovery, o), now + bias, load(noises, row), ease, p)
                spike = spike * load(own, place)
                store(spikes, row, spike)
                store(v, o, v_o)
                store(recovery, o, recovery_o)
                of_layer += total(spike)
        for site in range(sites):
            for place in range(0, padded, WIDTH):
                o, row = site * padded + place, (site * ticks + t) * padded + place
                spike = load(spikes, row)
                store(v, o, inhibited(load(v, o), spike, of_layer, p))
                store(counts, o, load(counts, o) + spike)
    if layer.carries:
        copy(v, membranes)
        copy(recovery, recoveries)


@jit(forceinline=True)
def homeostasis_window(count, rate, offset, channels, h):
    """`homeostasis.homeostasis_window` for spike counts per env ``(S, P)``; writes rate and offset ``(S, P)``.

    channels: neurons of a site that are no padding. h: a record of `rate_control.HomeostasisConstants`.
    """
    h = by_value(h, HomeostasisConstants)
    counts, rates, offsets = flat(count), flat(rate), flat(offset)
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
