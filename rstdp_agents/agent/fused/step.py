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
    come_to_rest,
    linger_credit,
    lingering_rows,
)
from rstdp_agents.agent.fused.constants import Constants
from rstdp_agents.agent.fused.credit import modulator_step, pair_credit, third_factor
from rstdp_agents.agent.fused.decoders import choose, choose_vector, sharpen
from rstdp_agents.agent.fused.dense_rows import lay_aside, remain, retire
from rstdp_agents.agent.fused.encoders import Code, encode
from rstdp_agents.agent.fused.lazy_rows import (
    clear_spikes,
    decay_at_rest,
    end_episode,
    make_room,
    next_step,
    rows_of,
    use,
)
from rstdp_agents.agent.fused.neurons import fire, homeostasis_window, noisy_thresholds, scale_currents
from rstdp_agents.agent.fused.spikes import draw_spikes
from rstdp_agents.agent.fused.spiking_critic import mark_window
from rstdp_agents.agent.fused.synapse_pass import (
    drive_listed,
    learn_and_drive,
    learn_last_and_drive,
    learn_listed,
    modulate_credit,
)
from rstdp_agents.base.compiled import FAST, entry, jit
from rstdp_agents.base.records import by_value
from rstdp_agents.equations.lanes import WIDTH
from rstdp_agents.equations.random_numbers import fill_uniform, window_keys
from rstdp_agents.equations.three_factor import shared_gate
from rstdp_agents.equations.traces import trace_step

TILE = 1 << 18
"""Numbers of a window's currents (envs x ticks x outputs) that are worked on together: all of a second-level cache, for every
tile finds the spikes of every input again."""


@entry(fastmath=FAST, nogil=True)
def step(s, begin, end, obs, final_obs, reward, terminated, truncated, restarted, learning):
    """One env step of the agents from ``begin`` to ``end``: learn what came of the last actions if ``learning``, then act.

    s: `state.State`. obs, final_obs ``(A, E, D)``; final_obs is read where ``truncated``. reward, terminated, truncated,
    restarted ``(A, E)``.
    """
    code = Code(s.kind, s.points, s.cells, s.scale, s.hashed, s.floor, s.tilings)
    for a in range(begin, end):
        c = by_value(s.constants[a], Constants)
        if learning:
            _modulate(s, a, obs[a], final_obs[a], reward[a], terminated[a], truncated[a], restarted[a], code, c)
        for e in range(obs.shape[1]):
            if learning and not truncated[a, e]:
                s.many[a, 0, e] = s.many[a, 1, e]
                for j in range(s.many[a, 1, e]):
                    s.index[a, 0, e, j], s.value[a, 0, e, j] = s.index[a, 1, e, j], s.value[a, 1, e, j]
            else:
                s.many[a, 0, e] = encode(obs[a, e], code, s.copies, s.index[a, 0, e], s.value[a, 0, e])
        done = terminated[a] | truncated[a] | restarted[a]
        shares, square = _shares(s, a, learning, c), 0.0
        for e in range(done.shape[0] if s.carries else 0):
            if done[e]:
                come_to_rest(s, a, e, rows_of(s, a), c)
        if s.dense:
            lay_aside(s, a)
        else:
            square = _turn(s, a, done, shares, learning, c)
        for e in range(done.shape[0] if learning and c.critic.half > 0 else 0):
            if not done[e]:
                mark_window(s, a, rows_of(s, a), e, c)
        threshold, choice = _draw(s, a, c)
        if s.dense:
            remain(s, a, c.lifetime)
        current, more = _pass_synapses(s, a, done, shares, learning, c)
        s.sums[a, 2] += (square + more) / (s.post_count.shape[1] * s.weight.shape[1])
        if s.dense and learning:
            retire(s, a, done.all(), c.lifetime)
        if s.carries:
            carry_traces(s, a, rows_of(s, a), c)
        counts, gate = _choose(s, a, current, threshold, choice, c)
        _remember(s, a, counts, gate, c)


@jit(fastmath=FAST, forceinline=True)
def _modulate(s, a, obs, final_obs, reward, terminated, truncated, restarted, code, c):
    """Modulator of agent a in all its envs, and its critic's learning."""
    for e in range(obs.shape[0]):
        s.many[a, 1, e] = encode(
            final_obs[e] if truncated[e] else obs[e], code, s.copies, s.index[a, 1, e], s.value[a, 1, e]
        )
    modulator_step(s, a, rows_of(s, a), reward, terminated, restarted, c)
    sharpen(s.sharpness[a], s.m[a], s.pushes[a], s.sharpening[a])
    for e in range(obs.shape[0]):
        s.sums[a, 0] += s.m[a, e] / obs.shape[0]
        s.sums[a, 1] += s.m[a, e] * s.m[a, e] / obs.shape[0]
        if terminated[e] or truncated[e] or restarted[e]:
            s.pushes[a, e], s.dopamine[a, e] = 0.0, 0.0
            s.silent[a, e], s.recent[a, e], s.said[a, e] = True, 0.0, c.critic.value_init
            if s.dense:
                s.trace[a, e], s.tagged[a, e] = 0.0, 0.0


@entry(nogil=True)
def act(s, begin, end, obs):
    """A window of the agents from ``begin`` to ``end`` and their actions, nothing learnt; ``obs`` as in `step`."""
    code = Code(s.kind, s.points, s.cells, s.scale, s.hashed, s.floor, s.tilings)
    for a in range(begin, end):
        c = by_value(s.constants[a], Constants)
        for e in range(obs.shape[1]):
            s.many[a, 0, e] = encode(obs[a, e], code, s.copies, s.index[a, 0, e], s.value[a, 0, e])
        threshold, choice = _draw(s, a, c)
        current, _ = _pass_synapses(s, a, np.empty(0, np.bool_), np.empty(0, np.float32), False, c)
        _choose(s, a, current, threshold, choice, c)
        for e in range(obs.shape[1]):
            for j in range(s.many[a, 0, e]):
                s.bits[a, 0, e, s.index[a, 0, e, j]] = uint64(0)


@jit(fastmath=FAST, forceinline=True)
def _draw(s, a, c):
    """Input spikes, thresholds ``(T, E, P)`` and the uniform draws ``(E, n)`` for choosing, of the next window of agent a."""
    ticks, padded = s.post.shape[2:]
    envs, inputs = s.m.shape[1], s.weight.shape[1]
    outputs, draws = s.post_count.shape[1], s.sizes.shape[0] + 2 * s.low.shape[0]
    keys = window_keys(s.counters[a, 0], s.counters[a, 1])
    s.counters[a, 1] += 1
    for e in range(envs):
        n = s.many[a, 0, e]
        s.power[a, e] = draw_spikes(
            s.index[a, 0, e, :n], s.value[a, 0, e, :n], c.p_max, ticks, envs, e, inputs, keys, s.bits[a, 0, e], s.pre_count[a]
        )  # fmt: skip
    n_pre, n_post = envs * ticks * inputs, envs * ticks * outputs
    threshold, choice = np.empty((ticks, envs, padded), np.float32), np.empty(envs * draws, np.float32)
    noisy_thresholds(n_pre, keys, outputs, c.neuron, threshold)
    fill_uniform(choice, n_pre + n_post, keys)
    return threshold, choice.reshape(envs, draws)


@jit(fastmath=FAST, forceinline=True)
def _shares(s, a, learning, c):
    """What each eligibility of agent a is multiplied with to be learnt, ``(K E,)``; none if nothing is."""
    envs = s.m.shape[1]
    shares = np.empty(s.terms.shape[0] * envs if learning else 0, np.float32)
    for p in range(shares.shape[0]):
        shares[p] = s.lr[a] * third_factor(s.m[a, p % envs], p // envs, s.amplitudes, c.rule) / envs
    if s.z.shape[2] == 0 and learning:
        modulate_credit(s.credit[a].reshape(-1, *s.credit.shape[3:]), shares)
    return shares


@jit(fastmath=FAST, forceinline=True)
def _turn(s, a, done, shares, learning, c):
    """From the last window of agent a, of a sparse code, to the next: what is learnt, and the rows that come into use.

    Returns the sum of squares of the update.
    """
    r, square, still = rows_of(s, a), 0.0, np.empty(0, np.int32)
    if s.carries:
        make_room(r, c)
        still = lingering_rows(s, a, r)
    if learning:
        square = learn_listed(s, a, r, shares, c)
        clear_spikes(r)
        for e in range(done.shape[0]):
            if done[e]:
                end_episode(r, e, c)
        next_step(r, c)
    else:
        clear_spikes(r)
        decay_at_rest(r)
    for e in range(done.shape[0]):
        use(r, s.index[a, 0, e, : s.many[a, 0, e]], c)
    use(r, still, c)
    return square


@jit(fastmath=FAST, forceinline=True)
def _pass_synapses(s, a, done, shares, learning, c):
    """Currents ``(E, T + 1, P)`` of the window of agent a, which learns first if its code is dense; and its sum of squares."""
    ticks, padded = s.post.shape[2:]
    envs = s.m.shape[1]
    current, square = np.zeros((envs, ticks + 1, padded), np.float32), 0.0
    tile = max(WIDTH, TILE // (envs * ticks) // WIDTH * WIDTH)
    for begin in range(0, padded, tile):
        end = min(begin + tile, padded)
        if not s.dense:
            drive_listed(s, a, begin, end, current)
        elif s.z.shape[2] == 0:
            square += learn_last_and_drive(s, a, begin, end, learning, current, c)
        else:
            square += learn_and_drive(s, a, begin, end, learning, done, shares, current, c)
    return current, square


@jit(fastmath=FAST, forceinline=True)
def _choose(s, a, current, threshold, choice, c):
    """Run the output neurons of agent a in all envs and choose actions: their spike counts and their gate, both ``(E, P)``."""
    envs, ticks, padded = s.post.shape[1:]
    counts, gate = np.empty((envs, padded), np.float32), np.zeros((envs, padded), np.float32)
    probabilities, components, size = (
        np.empty(s.action_rates.shape[2], np.float32),
        s.sizes.shape[0],
        c.decoder.neurons_per_action,
    )
    if c.homeostasis.moves_gain:
        scale_currents(current, s.offset[a])
    for e in range(envs):
        fire(current[e], threshold, s.offset[a], e, c, s.v[a, e], s.pause[a, e], s.carries, s.post[a, e], counts[e])
        for k in range(s.pushes.shape[2]):
            s.pushes[a, e, k] = trace_step(s.pushes[a, e, k], 0.0, c.modulator.trace_decay)
        first = 0
        for k in range(components):
            groups = slice(first, first + s.sizes[k])
            own = slice(first * size, (first + s.sizes[k]) * size)
            s.action[a, e, k], push = choose(
                counts[e, own], ticks, choice[e, k], s.allowed[a, e, groups], s.action_rates[a, e, groups],
                probabilities[groups], s.sharpness[a, k], c.decoder, gate[e, own],
            )  # fmt: skip
            s.pushes[a, e, k] += push
            first += s.sizes[k]
        if s.low.shape[0] > 0:
            rest = slice(first * size, s.post_count.shape[1])
            choose_vector(
                counts[e, rest], ticks, choice[e, components:], s.low, s.high, s.sharpness[a, components:], c.decoder,
                gate[e, rest], s.vector[a, e], s.pushes[a, e, components:],
            )  # fmt: skip
    return counts, gate


@jit(fastmath=FAST, forceinline=True)
def _remember(s, a, counts, gate, c):
    """What the spikes of agent a's output neurons make eligible, and what homeostasis and the statistics keep of them."""
    envs, padded = counts.shape
    mean = np.zeros(padded, np.float32)
    for e in range(envs):
        for o in range(s.post_count.shape[1]):
            gate[e, o] = shared_gate(gate[e, o], s.power[a, e])
            s.post_count[a, o] += counts[e, o]
            mean[o] += counts[e, o] / np.float32(envs)
        for k in range(s.terms.shape[0]):
            pair_credit(
                s.post[a, e], gate[e], s.terms[k, 0], s.terms[k, 1], s.late[a], s.y[a, e], c.rule, s.credit[a, k, e]
            )
            if s.carries:
                linger_credit(s, a, k, e, s.late[a], gate[e], c.rule)
        if s.carries:
            carry_output_traces(s, a, e, c.rule)
    homeostasis_window(mean, s.rate[a], s.offset[a], s.post_count.shape[1], c.homeostasis)
    s.counters[a, 2] = 1
