"""A critic of spiking neurons, compiled: `spiking_critic.SpikingCritic`.

Q: neurons of both populations, each padded to sixteens. A row is what belongs to one input, as in `lazy_rows`.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from rstdp_agents.agent.fused.lazy_rows import bounds_of_critic, join_all, synapses_now
from rstdp_agents.agent.fused.memory import fill, flat, room
from rstdp_agents.agent.fused.spike_pairs import drive
from rstdp_agents.agent.fused.state import NEXT, NOW
from rstdp_agents.agent.fused.words import BITS, spikes_of
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.critic import critic_step, critic_trace_step, marked_share, td_error
from rstdp_agents.equations.lanes import WIDTH, load, splat, store, total
from rstdp_agents.equations.ops import clip
from rstdp_agents.equations.spiking_value import (
    LEAST,
    MARGIN,
    START,
    calcium_gate,
    critic_tick,
    reach_step,
    relay_tick,
    value_after_error,
    value_needed,
    value_of_rates,
)
from rstdp_agents.equations.traces import trace_step

HALVINGS = 30
"""Of the potentials among which `bar_for` looks, down to their rounding."""
FARTHEST = np.float32(4.0)
"""No potential is as far from 0."""


@jit(fastmath=FAST)
def errors_of_spikes(s, a, r, reward, terminated, restarted, c):
    """Errors of agent a in all envs, written to m, and its critic's learning.

    r: its `lazy_rows.Rows`. c: `constants.Constants`.
    """
    p, m, envs, needed = c.modulator, s.m[a], s.m.shape[1], 0.0
    for e in range(envs):
        if s.silent[a, e]:
            if not s.dense:
                join_all(r, s.index[a, NOW, e, : s.many[a, NOW, e]])
            hear(s, a, r, NOW, e, c)
            mark_window(s, a, r, e, c)
    for e in range(envs):
        before = s.said[a, e]
        hear(s, a, r, NEXT, e, c)
        delta = td_error(reward[e], terminated[e], before, np.float64(s.said[a, e]), p)
        m[e] = 0.0 if restarted[e] else delta
        s.felt[a, e] = m[e] * p.critic_lr / envs
        s.recent[a, e] = trace_step(s.recent[a, e], reward[e] * p.reward_scale, p.gamma)
        needed = max(needed, value_needed(s.recent[a, e], np.float64(s.said[a, e]), c.critic.value_init))
    s.reach[a, 0] = reach_step(s.reach[a, 0], needed, c.critic.keep_reach)
    s.balance[a, 0] = max(s.balance[a, 0], s.reach[a, 0])
    if s.dense:
        for i in range(r.critic.shape[0]):
            learn_row(s, a, r, i, c)


@jit(fastmath=FAST)
def learn_row(s, a, r, i, c):
    """The synapses of input i take a step, of a dense code."""
    low, high = bounds_of_critic(r, i, c)
    for o in range(i * r.wide, (i + 1) * r.wide, WIDTH):
        weight = load(r.synapse, o)
        for e in range(r.trace.shape[0]):
            trace = load(r.tagged, e * r.critic.shape[0] * r.wide + o)
            weight = critic_step(weight, trace, np.float32(s.felt[a, e]))
        store(r.synapse, o, clip(weight, low, high))


@jit(fastmath=FAST)
def hear(s, a, r, which, e, c):
    """A window of the critic in env e: what it says.

    which: `state.NOW` or `state.NEXT`.
    """
    ticks, wide, inputs = s.late.shape[1], r.wide, s.many[a, which, e]
    weights, current = room(inputs * wide, np.float32), room((ticks + 1) * wide, np.float32)
    spikes, own, relayed, words = 0, room(wide, np.float32), flat(s.relayed[a, e]), s.first.words
    for o in range(0, wide, WIDTH):
        store(own, o, load(s.sign, o) * load(s.sign, o))
    fill(current, 0.0)
    gather_rows(s, r, s.index[a, which, e, :inputs], which == NEXT and not s.dense, weights, c)
    relay_spikes(s.value[a, which, e, :inputs], ticks, c.critic.p_max, words, relayed)
    for j in range(inputs):
        spikes += spikes_of(relayed, j * words, words)
        drive(weights, j * wide, current, 0, wide, relayed, j * words, words, ticks, 0, wide)
    s.asked[a, e] = asked_for(weights, inputs, relayed, words, s.sign, c.critic.half)
    per_tick = max(np.float32(spikes) / np.float32(ticks), np.float32(LEAST))
    fired, calcium, of_population = room(wide, np.float32), s.calcium[a, e], room(2, np.float64)
    fill(fired, 0.0)
    fill(of_population, 0.0)
    fire_window(current, per_tick, own, np.float32(s.reach[a, 0]), s.potential[a, e], fired, c.critic)
    for o in range(0, wide, WIDTH):
        of_population[o // (wide // 2)] += total(load(fired, o))
        store(calcium, o, trace_step(load(calcium, o), load(fired, o), np.float32(c.critic.decay_calcium)))
    plus, minus = of_population[0] / (c.critic.half * ticks), of_population[1] / (c.critic.half * ticks)
    s.said[a, e] = c.critic.value_init + value_of_rates(plus, minus, c.critic.tonic, s.reach[a, 0])
    s.silent[a, e] = False


@jit(fastmath=FAST)
def gather_rows(s, r, index, wait, out, c):
    """Rows of weights of the active inputs, up to date, one after the other; ``wait``: whether rows may be waiting."""
    for j in range(index.shape[0]):
        i = np.int64(index[j])
        waits = wait and r.touched[i] >= 0
        for o in range(0, r.wide, WIDTH):
            own = i * r.wide + o
            store(out, j * r.wide + o, synapses_now(r, i, own, c) if waits else load(r.synapse, own))


@jit(fastmath=FAST)
def asked_for(weights, inputs, relayed, words, sign, half):
    """The value that weights ``(n, Q)``, flat, ask for whose ``inputs``, n, fire the spikes ``relayed (n, W)``, flat."""
    wide, spikes, of_all = sign.shape[0], np.float32(0.0), splat(0.0)
    for j in range(inputs):
        many = np.float32(spikes_of(relayed, j * words, words))
        spikes += many
        for o in range(0, wide, WIDTH):
            of_all = of_all + load(sign, o) * many * load(weights, j * wide + o)
    return total(of_all) / (max(spikes, np.float32(LEAST)) * np.float32(2 * half))


@jit(fastmath=FAST)
def relay_spikes(value, ticks, p_max, words, out):
    """Relay spikes of inputs with rates ``value (n,)`` into out ``(n W,)``; words: W."""
    strongest = np.float32(LEAST)
    for j in range(value.shape[0]):
        strongest = max(strongest, value[j])
    for j in range(value.shape[0]):
        v, p = np.float32(START), value[j] / strongest * np.float32(p_max)
        for w in range(words):
            fired = uint64(0)
            for t in range(BITS * w, min(ticks, BITS * (w + 1))):
                spike, v = relay_tick(v, p)
                fired |= uint64(spike) << uint64(t - BITS * w)
            out[j * words + w] = fired


@jit(fastmath=FAST)
def fire_window(current, spikes, own, reach, potential, fired, p):
    """`spiking_critic.fire_together` for a window: writes potential ``(Q,)``, and adds to fired ``(Q,)``.

    current ``(T + 1, Q)``, flat: weights of the inputs that fire in each tick. spikes: how many these are, per tick. own: 1 for
    a neuron, 0 for padding. p: `SpikingCriticConstants`.
    """
    wide, tonic = potential.shape[0], np.float32(p.tonic)
    padded = wide // 2
    for t in range(current.shape[0] // wide - 1):
        for first in range(0, wide, padded):
            held = splat(0.0)
            for o in range(first, first + padded, WIDTH):
                v = critic_tick(load(potential, o), load(current, t * wide + o), spikes, tonic, reach) * load(own, o)
                store(potential, o, v)
                held = held + v
            due = min(int(total(held) - np.float32(0.5 * p.half - MARGIN)), p.half)
            bar, above, few = bar_for(potential, own, first, first + padded, due)
            for o in range(first, first + (p.half if few else 0)):
                if few and bar <= potential[o] < above:
                    potential[o] -= np.float32(1.0)
                    fired[o] += np.float32(1.0)
                    few -= 1
            for o in range(first, first + padded, WIDTH):
                spike = (load(potential, o) >= above) * load(own, o)
                store(potential, o, load(potential, o) - spike)
                store(fired, o, load(fired, o) + spike)


@jit(fastmath=FAST)
def bar_for(potential, own, begin, end, due):
    """What potential neurons need to be among as many as are ``due``, found by halves.

    Returns a bar, another above it that all who have reached it pass, and how many of those between the two are due as well: they
    have the same potential but for rounding.
    """
    low, high, fewer = np.float32(-FARTHEST), FARTHEST, 0
    for _ in range(HALVINGS if due > 0 else 0):
        middle, above = np.float32(0.5) * (low + high), splat(0.0)
        for o in range(begin, end, WIDTH):
            above = above + (load(potential, o) >= middle) * load(own, o)
        many = int(total(above))
        if many == due:
            return middle, middle, 0
        if many > due:
            low = middle
        else:
            high, fewer = middle, many
    return low, high, max(due - fewer, 0)


@jit(fastmath=FAST)
def mark_window(s, a, r, e, c):
    """Let the traces of env e decay, and add what the window heard last has made eligible, that of the state acted on.

    Its value is told what the last error has changed of it.

    Of a sparse code, the rows of its active inputs are up to date, so that their traces have decayed already.
    """
    inputs, wide, all_rows = s.many[a, NOW, e], r.wide, r.critic.shape[0]
    index, relayed, words = s.index[a, NOW, e], flat(s.relayed[a, e]), s.first.words
    weights, eligible = room(inputs * wide, np.float32), room(wide, np.float32)
    gather_rows(s, r, index[:inputs], False, weights, c)
    asks = asked_for(weights, inputs, relayed, words, s.sign, c.critic.half)
    s.said[a, e] = value_after_error(s.said[a, e], s.asked[a, e], asks)
    first, again, of_all, spikes, squares = e * all_rows, splat(0.0), splat(0.0), np.float32(0.0), np.float32(0.0)
    for o in range(first * wide, (first + all_rows) * wide if s.dense else 0, WIDTH):
        store(r.tagged, o, load(r.tagged, o) * np.float32(c.modulator.trace_decay))
    for j in range(inputs):
        row, many = (first + np.int64(index[j])) * wide, np.float32(spikes_of(relayed, j * words, words))
        spikes += many
        squares += many * many
        for o in range(0, wide, WIDTH):
            again = again + load(s.sign, o) * many * load(r.tagged, row + o)
    for o in range(0, wide, WIDTH):
        sign = load(s.sign, o)
        store(eligible, o, calcium_gate(load(s.calcium[a, e], o)) * sign)
        of_all = of_all + load(eligible, o) * sign
    spikes, neurons = max(spikes, np.float32(LEAST)), np.float32(2 * c.critic.half)
    mark, effect = np.float32(0.0), total(of_all) / neurons * squares / (spikes * spikes)
    if effect > np.float32(LEAST):
        again_of_all = total(again) / (spikes * neurons)
        mark = (np.float32(1.0) - np.float32(marked_share(again_of_all, c.modulator.critic_lr))) / effect
    for j in range(inputs):
        row, share = (first + np.int64(index[j])) * wide, np.float32(spikes_of(relayed, j * words, words)) / spikes
        for o in range(0, wide, WIDTH):
            trace = critic_trace_step(load(r.tagged, row + o), load(eligible, o) * share, np.float32(1.0), mark)
            store(r.tagged, row + o, trace)
