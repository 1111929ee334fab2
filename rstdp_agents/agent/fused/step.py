"""A whole env step in one compiled call: learn from the last transition, then simulate a window and choose.

The eligibility of a window is written when the next call comes for it (or `looks.show` does): by then its
action gate is known, and weight and eligibility of a synapse are read and written once per env step.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.carried import (
    carry_output_traces,
    carry_traces,
    clear_traces,
    come_to_rest,
    linger_credit,
    lingering_rows,
    rows_to_come,
)
from rstdp_agents.agent.fused.credit import anticausal_credit, causal_credit, modulator_step, third_factor
from rstdp_agents.agent.fused.decoders import choose, choose_vector, sharpen
from rstdp_agents.agent.fused.dense_rows import lay_aside, remain, remain_listed, retire
from rstdp_agents.agent.fused.encoders import encode
from rstdp_agents.agent.fused.gates import gate_of
from rstdp_agents.agent.fused.lazy_rows import (
    clear_spikes,
    decay_at_rest,
    end_episode,
    make_room,
    next_step,
    use,
)
from rstdp_agents.agent.fused.memory import copy, fill, flat, room
from rstdp_agents.agent.fused.neurons import draw_noise, fire, homeostasis_window, scale_currents
from rstdp_agents.agent.fused.spikes import arrive, draw_spikes, relay_spikes_of
from rstdp_agents.agent.fused.spiking_critic import mark_window
from rstdp_agents.agent.fused.state import NEXT, NOW, TD_SPIKING
from rstdp_agents.agent.fused.synapse_pass import (
    drive_listed,
    learn_and_drive,
    learn_last_and_drive,
    learn_listed,
    modulate_credit,
)
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.lanes import WIDTH
from rstdp_agents.equations.random_numbers import fill_uniform, window_keys
from rstdp_agents.equations.three_factor import shared_gate
from rstdp_agents.equations.traces import trace_step

TILE = 1 << 18
"""Numbers of a window's currents (envs x sites x ticks x outputs) that are worked on together: all of a second-level cache, for
every tile finds the spikes of every input again."""


@jit(fastmath=FAST)
def step(s, a, obs, final_obs, reward, terminated, truncated, restarted, learning):
    """One env step of agent a: learn what came of the last actions if ``learning``, then act.

    s: `state.State`. obs, final_obs ``(E, D)``; final_obs is read where ``truncated``. reward, terminated, truncated,
    restarted ``(E,)``.
    """
    c = s.constants[a]
    if learning:
        _modulate(s, a, obs, final_obs, reward, terminated, truncated, restarted, c)
    for e in range(obs.shape[0]):
        if learning and not truncated[e]:
            s.many[a, NOW, e] = s.many[a, NEXT, e]
            for j in range(s.many[a, NEXT, e]):
                s.index[a, NOW, e, j], s.value[a, NOW, e, j] = s.index[a, NEXT, e, j], s.value[a, NEXT, e, j]
        else:
            s.many[a, NOW, e] = encode(obs[e], s, s.copies, c.plane, s.index[a, NOW, e], s.value[a, NOW, e])
    keys, place = _next_window(s, a)
    done = room(terminated.shape[0], np.bool_)
    for e in range(done.shape[0]):
        done[e] = terminated[e] or truncated[e] or restarted[e]
        if s.delays and done[e]:
            fill(s.under_way[a, e], uint64(0))
    square, more = 0.0, 0.0
    for i in range(len(s.layers)):
        layer = s.layers[i]
        shares, square = _turn(s, layer, a, done, learning, c)
        if i == 0 and learning and s.modulator == TD_SPIKING:
            for e in range(done.shape[0]):
                if not done[e]:
                    mark_window(s, a, layer.rows[a], e, c)
        _see(s, i, a, keys, c)
        more, place = _window(s, layer, a, done, shares, keys, place, c)
    s.sums[a, 2] += (square + more) / (s.output.post_count.shape[1] * s.output.weight.shape[1])
    gate = _choose(s, s.output, a, keys, place, c)
    for i in range(len(s.layers)):
        _remember(s, i, a, gate, c)


@jit(fastmath=FAST)
def _modulate(s, a, obs, final_obs, reward, terminated, truncated, restarted, c):
    """Modulator of agent a in all its envs, and its critic's learning."""
    for e in range(obs.shape[0]):
        came = final_obs[e] if truncated[e] else obs[e]
        s.many[a, NEXT, e] = encode(came, s, s.copies, c.plane, s.index[a, NEXT, e], s.value[a, NEXT, e])
    modulator_step(s, a, s.first.rows[a], reward, terminated, restarted, c)
    sharpen(s.sharpness[a], s.m[a], s.pushes[a], s.sharpening[a])
    for e in range(obs.shape[0]):
        s.sums[a, 0] += s.m[a, e] / obs.shape[0]
        s.sums[a, 1] += s.m[a, e] * s.m[a, e] / obs.shape[0]
        if terminated[e] or truncated[e] or restarted[e]:
            s.dopamine[a, e] = 0.0
            fill(s.pushes[a, e], 0.0)
            s.silent[a, e], s.recent[a, e], s.said[a, e] = True, 0.0, c.critic.value_init
            if s.dense:
                fill(s.trace[a, e], 0.0)
                fill(flat(s.tagged[a, e]), 0.0)


@jit()
def act(s, a, obs):
    """A window of agent a and its actions, nothing learnt; ``obs`` as in `step`."""
    nobody, nothing, c = room(0, np.bool_), room(0, np.float32), s.constants[a]
    for e in range(obs.shape[0]):
        s.many[a, NOW, e] = encode(obs[e], s, s.copies, c.plane, s.index[a, NOW, e], s.value[a, NOW, e])
    keys, place = _next_window(s, a)
    for i in range(len(s.layers)):
        _see(s, i, a, keys, c)
        _, place = _respond(s, s.layers[i], a, nobody, nothing, keys, place, c)
    _choose(s, s.output, a, keys, place, c)
    for e in range(obs.shape[0]):
        for j in range(s.many[a, NOW, e]):
            fill(s.first.bits[a, 0, e, s.index[a, NOW, e, j]], uint64(0))
        if s.delays and s.first.carries:
            fill(flat(s.first.bits[a, 0, e]), uint64(0))


@jit()
def _next_window(s, a):
    """The keys of the random numbers of the next window of agent a, and the place of the first beyond the input spikes."""
    keys = window_keys(s.counters[a, 0], s.counters[a, 1])
    s.counters[a, 1] += 1
    return keys, s.m.shape[1] * s.late.shape[1] * s.critic.shape[1]


@jit(fastmath=FAST)
def _turn(s, layer, a, done, learning, c):
    """From the last window of a layer of agent a to the next: what rows learn that are not dense, and those that come into use.

    Returns what each eligibility is multiplied with to be learnt, ``(K E,)``, none if nothing is; and the sum of squares of
    the update so far.
    """
    r, shares = layer.rows[a], _shares(s, layer, a, learning, c)
    if layer.carries:
        for e in range(done.shape[0]):
            if done[e]:
                come_to_rest(layer, a, e, r, s.rest[a])
    if layer.dense:
        lay_aside(layer, a)
        return shares, 0.0
    return shares, _turn_listed(s, layer, a, r, done, shares, learning, c)


@jit(fastmath=FAST)
def _turn_listed(s, layer, a, r, done, shares, learning, c):
    """`_turn` of rows that are not dense; r: `lazy_rows.Rows`. Returns the sum of squares of the update."""
    square, still = 0.0, room(0, np.int32)
    if layer.carries:
        make_room(r, c)
        still = lingering_rows(layer, a, r)
    if learning:
        square = learn_listed(s, layer, a, r, shares, c)
    if layer.carries:
        clear_traces(layer, a, r)
    clear_spikes(r)
    if learning:
        for e in range(done.shape[0]):
            if done[e]:
                end_episode(r, e, c)
        next_step(r, c)
    else:
        decay_at_rest(r)
    for e in range(done.shape[0]):
        use(r, s.index[a, NOW, e, : s.many[a, NOW, e]], c)
    use(r, still, c)
    if s.delays and layer.carries:
        use(r, rows_to_come(s, a), c)
    return square


@jit(fastmath=FAST)
def _shares(s, layer, a, learning, c):
    """What each eligibility of a layer of agent a is multiplied with to be learnt, ``(K E,)``; none if nothing is."""
    envs = s.m.shape[1]
    shares = room(s.terms.shape[0] * envs if learning else 0, np.float32)
    lr = s.lr[a] * np.float32(layer.lr_scale)
    for p in range(shares.shape[0]):
        shares[p] = lr * third_factor(s.m[a, p % envs], p // envs, s.amplitudes, c.rule) / envs
    if layer.forgets and learning:
        modulate_credit(flat(layer.credit[a]), shares)
        if layer.carries:
            modulate_credit(flat(layer.lingering[a]), shares)
    return shares


@jit(fastmath=FAST)
def _draw_spikes(s, layer, a, keys, c):
    """Input spikes of the next window of agent a."""
    ticks, (envs, inputs) = s.late.shape[1], layer.bits.shape[2:4]
    for e in range(envs):
        n = s.many[a, NOW, e]
        layer.power[a, e] = draw_spikes(
            s.index[a, NOW, e, :n], s.value[a, NOW, e, :n], c.p_max, ticks, envs, e, inputs, keys, layer.bits[a, 0, e],
            s.pre_count[a],
        )  # fmt: skip
    if s.delays:
        arrive(s, layer, a)


@jit()
def _see(s, i, a, keys, c):
    """The input of layer number i of agent a: spikes drawn for the first, those of the layer before for the others."""
    if not s.is_deep or i == 0:
        _draw_spikes(s, s.first, a, keys, c)
    else:
        relay_spikes_of(s.layers[i - 1], s.layers[i], a)


@jit(fastmath=FAST)
def _window(s, layer, a, done, shares, keys, place, c):
    """The window of a layer of agent a, whose input spikes are there, and what it learns first if its rows are dense.

    shares: of `_turn`. Returns the sum of squares of the update, and the place of the random numbers of what follows.
    """
    if layer.dense:
        if layer.of_inputs:
            remain_listed(s, layer, a, c.lifetime)
        if s.delays or not layer.of_inputs:
            remain(layer, a, c.lifetime)
    square, place = _respond(s, layer, a, done, shares, keys, place, c)
    if layer.dense and shares.shape[0] > 0:
        retire(s, layer, a, done, c.lifetime)
    if layer.carries:
        carry_traces(layer, a, layer.rows[a], s.late.shape[1], c)
    return square, place


@jit(fastmath=FAST)
def _respond(s, layer, a, done, shares, keys, place, c):
    """Currents and spikes of a layer of agent a in a window, which learns first if its rows are dense and there are ``shares``.

    place: of the random numbers of its neurons. Returns the sum of squares of the update, and the place beyond them.
    """
    (envs, sites, ticks, padded), neurons = layer.post.shape[1:], layer.post_count.shape[1]
    h, square = layer.homeostasis[a], 0.0
    noise = room((envs, sites, ticks, padded), np.float32)
    draw_noise(s, a, place, keys, neurons // sites, noise)
    current = room((envs, sites, ticks + 1, padded), np.float32)
    fill(flat(current), 0.0)
    tile = max(WIDTH, TILE // (envs * sites * ticks) // WIDTH * WIDTH)
    for begin in range(0, padded, tile):
        end = min(begin + tile, padded)
        if not layer.dense:
            drive_listed(s, layer, a, begin, end, current)
        elif layer.forgets:
            square += learn_last_and_drive(layer, a, begin, end, shares, current, c)
        else:
            square += learn_and_drive(s, layer, a, begin, end, done, shares, current, c)
    if h.moves_gain:
        scale_currents(current, layer.offset[a])
    for e in range(envs):
        fire(s, layer, a, e, current[e], noise[e])
    return square, place + envs * ticks * neurons


@jit(fastmath=FAST)
def _choose(s, layer, a, keys, place, c):
    """Choose actions of agent a in all envs by the spikes of the output layer; returns their gate ``(E, outputs)``.

    place: of the random numbers for it.
    """
    envs, ticks, outputs = s.m.shape[1], s.late.shape[1], layer.post_count.shape[1]
    draws = s.sizes.shape[0] + 2 * s.low.shape[0]
    choice, gate = room((envs, draws), np.float32), room((envs, outputs), np.float32)
    fill_uniform(flat(choice), 0, envs * draws, place, keys)
    fill(flat(gate), 0.0)
    probabilities = room(s.action_rates.shape[2], np.float32)
    components, size = s.sizes.shape[0], c.decoder.neurons_per_action
    for e in range(envs):
        counts = layer.counts[a, e, 0]
        for k in range(s.pushes.shape[2]):
            s.pushes[a, e, k] = trace_step(s.pushes[a, e, k], 0.0, c.modulator.trace_decay)
        first = 0
        for k in range(components):
            groups = slice(first, first + s.sizes[k])
            own = slice(first * size, (first + s.sizes[k]) * size)
            s.action[a, e, k], push = choose(
                counts[own], ticks, choice[e, k], s.allowed[a, e, groups], s.action_rates[a, e, groups],
                probabilities[groups], s.sharpness[a, k], c.decoder, gate[e, own],
            )  # fmt: skip
            s.pushes[a, e, k] += push
            first += s.sizes[k]
        if s.low.shape[0] > 0:
            rest = slice(first * size, outputs)
            choose_vector(
                counts[rest], ticks, choice[e, components:], s.low, s.high, s.sharpness[a, components:], c.decoder,
                gate[e, rest], s.vector[a, e], s.pushes[a, e, components:],
            )  # fmt: skip
    return gate


@jit(fastmath=FAST)
def _remember(s, number, a, gate, c):
    """What the spikes of layer ``number`` of agent a make eligible, and what homeostasis and the statistics keep of them.

    gate: of the output neurons, ``(E, outputs)``.
    """
    layer = s.layers[number]
    envs, sites, padded = layer.counts.shape[1:]
    channels = layer.post_count.shape[1] // sites
    own, mean = room((sites, padded), np.float32), room((sites, padded), np.float32)
    fill(flat(mean), 0.0)
    for e in range(envs):
        gate_of(s, number, a, gate[e], own)
        for site in range(sites):
            for o in range(channels):
                own[site, o] = shared_gate(own[site, o], layer.power[a, e])
                layer.post_count[a, o * sites + site] += layer.counts[a, e, site, o]
                mean[site, o] += layer.counts[a, e, site, o] / np.float32(envs)
            post, before = layer.post[a, e, site], layer.y[a, e, site]
            for k in range(s.terms.shape[0]):
                plus, minus, late = s.terms[k, 0], s.terms[k, 1], s.late[a]
                credit = layer.credit[a, k, e, site]
                causal_credit(post, own[site], plus, late, c.rule, credit)
                if layer.nearest or layer.weighs:
                    copy(flat(credit), flat(layer.causal[a, k, e, site]))
                if minus != 0.0:
                    anticausal_credit(post, own[site], minus, late, before, c.rule, credit)
                if layer.carries:
                    linger_credit(post, own[site], plus, late, c.rule, layer.lingering[a, k, e, site])
            if layer.carries:
                carry_output_traces(post, before, c.rule)
    homeostasis_window(mean, layer.rate[a], layer.offset[a], channels, layer.homeostasis[a])
    layer.pending[a] = True
