"""What follows from an action and its reward, compiled: the modulator, and what a window's spikes make eligible."""

from __future__ import annotations

import numpy as np

from rstdp_agents.agent.fused.lazy_rows import join_all, newest, queued
from rstdp_agents.agent.fused.memory import copy, flat, room
from rstdp_agents.agent.fused.spiking_critic import errors_of_spikes
from rstdp_agents.agent.fused.state import NEXT, NOW, TD, TD_SPIKING
from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.base.records import by_value
from rstdp_agents.equations.critic import (
    beyond_deadband,
    critic_step,
    critic_trace_step,
    in_own_units,
    marked_share,
    moment_step,
    novelty,
    own_unit,
    reward_error,
    reward_mean_step,
    reward_with_novelty,
    td_error,
)
from rstdp_agents.equations.dopamine import dopamine_chance, dopamine_said, dopamine_step
from rstdp_agents.equations.lanes import WIDTH, load, splat, store
from rstdp_agents.equations.random_numbers import uniform_at, window_keys
from rstdp_agents.equations.three_factor import switch_factor
from rstdp_agents.equations.traces import trace_set, trace_step
from rstdp_agents.spiking.plasticity.constants import RuleConstants


@jit(fastmath=FAST)
def value_of(s, a, r, which, e):
    """What the critic of agent a expects in env e of a state, and the sum of the rates of the state's active inputs.

    which: `state.NOW` or `state.NEXT`. r: `lazy_rows.Rows` of the agent.
    """
    expected, total = np.float32(0.0), np.float32(0.0)
    index, value = s.index[a, which, e], s.value[a, which, e]
    for j in range(s.many[a, which, e]):
        i, rate = index[j], value[j]
        weight = r.critic[i]
        if not s.dense and which == NEXT and r.touched[i] >= 0:
            for other in range(r.trace.shape[0]):
                weight = critic_step(weight, r.trace[other, i], np.float32(r.owed_by_critic[other, r.touched[i]]))
        expected += weight * rate
        total += rate
    total = max(total, np.float32(1e-9))
    return expected / total, total


@jit(fastmath=FAST)
def mark_state(trace, index, value, total, p):
    """`critic.critic_trace_step` for the active inputs of a state; ``trace (I,)`` has decayed already."""
    again, power = np.float32(0.0), np.float32(0.0)
    for j in range(index.shape[0]):
        feature = value[j] / total
        again += trace[index[j]] * feature
        power += feature * feature
    mark = (np.float32(1.0) - np.float32(marked_share(again, p.critic_lr))) / max(power, np.float32(1e-9))
    for j in range(index.shape[0]):
        trace[index[j]] = critic_trace_step(trace[index[j]], value[j] / total, np.float32(1.0), mark)


@jit(fastmath=FAST)
def with_novelty(s, a, reward, terminated, p):
    """Rewards ``(E,)`` of agent a with what `novelty.Novelty` of the states that came adds to them; s and p as below."""
    out = room(reward.shape[0], np.float64)
    copy(reward, out)
    if p.novelty == 0.0:
        return out
    envs, visits = reward.shape[0], s.visits[a]
    unit = own_unit(s.moments[a, 0], s.moments[a, 1]) if p.adapts else 1.0
    for e in range(envs):
        n = s.many[a, NEXT, e]
        new = 0.0 if terminated[e] else newness(visits, s.index[a, NEXT, e, :n], s.value[a, NEXT, e, :n])
        out[e] = reward_with_novelty(reward[e], new, unit, p)
    for e in range(envs):
        n = s.many[a, NEXT, e]
        count_visit(visits, s.index[a, NEXT, e, :n], s.value[a, NEXT, e, :n], np.float32(envs))
    return out


@jit(fastmath=FAST)
def newness(visits, index, value):
    """How new a state is, from its active inputs ``(n,)``, of which ``visits (I,)`` tell how often each was active."""
    new, power = np.float32(0.0), np.float32(1e-9)
    for j in range(index.shape[0]):
        square = value[j] * value[j]
        new += square * novelty(visits[index[j]])
        power += square
    return new / power


@jit(fastmath=FAST)
def count_visit(visits, index, value, envs):
    """Add a state's active inputs to ``visits (I,)``, the strongest as one visit of one of ``envs``."""
    strongest = np.float32(1e-9)
    for j in range(index.shape[0]):
        strongest = max(strongest, value[j])
    for j in range(index.shape[0]):
        visits[index[j]] += value[j] / (strongest * envs)


@jit(fastmath=FAST)
def modulator_step(s, a, r, reward, terminated, restarted, c):
    """The modulator of agent a in all envs, of `support.KNOWN`: writes m and learns.

    What it writes has gone through the agent's `gain.Gain` and `dopamine.Dopamine`.
    s: `state.State`. r: its `lazy_rows.Rows`. c: `constants.Constants`.
    """
    p = c.modulator
    envs, m, r_bar = s.m.shape[1], s.m[a], s.r_bar[a]
    reward = with_novelty(s, a, reward, terminated, p)
    if s.modulator == TD:
        errors_of_rates(s, a, r, reward, terminated, restarted, p)
    elif s.modulator == TD_SPIKING:
        errors_of_spikes(s, a, r, reward, terminated, restarted, c)
    else:
        for e in range(envs):
            m[e] = 0.0 if restarted[e] else reward_error(reward[e], r_bar[0], p)
        mean = np.float32(0.0)
        for e in range(envs):
            mean += m[e]
        r_bar[0] = reward_mean_step(r_bar[0], mean / np.float32(envs), np.float32(p.mean_share))
    if p.adapts:
        adapt_gain(m, restarted, s.moments[a], p)
    for e in range(envs):
        m[e] = beyond_deadband(m[e], p)
        if p.dopamine_draws > 0:
            m[e] = np.float32(0.0) if restarted[e] else fired_by_dopamine(s, a, e, m[e], p)
        s.dopamine[a, e] = dopamine_step(s.dopamine[a, e], m[e], p.dopamine_share)
        m[e] = s.dopamine[a, e]


@jit(fastmath=FAST)
def fired_by_dopamine(s, a, e, m, p):
    """`dopamine.Dopamine` of agent a in env e: what its neurons said of the modulator m, in the window that was."""
    key0, key1 = window_keys(s.counters[a, 0], s.counters[a, 1] - 1)
    first = s.m.shape[1] * s.per_env + e * p.dopamine_draws
    chance, spikes = dopamine_chance(m, np.float32(p.dopamine_rest)), 0
    for i in range(p.dopamine_draws):
        spikes += uniform_at(first + i, key0, key1) < chance
    return dopamine_said(np.float32(spikes), np.float32(p.dopamine_draws), np.float32(p.dopamine_rest))


@jit(fastmath=FAST)
def errors_of_rates(s, a, r, reward, terminated, restarted, p):
    """`modulators.TDError` of agent a: its errors, written to m, and its critic's learning; p: of `constants.Constants`."""
    envs, m = s.m.shape[1], s.m[a]
    fade_traces(s, a, r, p)
    for e in range(envs):
        now, total = value_of(s, a, r, NOW, e)
        following, _ = value_of(s, a, r, NEXT, e)
        delta = td_error(
            reward[e], terminated[e], now, np.float64(following), p
        )  # discounted and added in double precision
        m[e] = 0.0 if restarted[e] else delta
        n = s.many[a, NOW, e]
        mark_state(s.trace[a, e], s.index[a, NOW, e, :n], s.value[a, NOW, e, :n], total, p)
    for e in range(envs):
        s.felt[a, e] = m[e] * p.critic_lr / envs
        for i in range(r.critic.shape[0] if s.dense else 0):
            r.critic[i] = critic_step(r.critic[i], r.trace[e, i], np.float32(s.felt[a, e]))


@jit(fastmath=FAST)
def fade_traces(s, a, r, p):
    """Let the traces of the critic of agent a decay by a step; in a sparse code those of the rows of this step (`lazy_rows`)."""
    decay = np.float32(p.trace_decay)
    if not s.dense:
        for e in range(r.trace.shape[0]):
            join_all(r, s.index[a, NOW, e, : s.many[a, NOW, e]])
    begin, end = (0, r.critic.shape[0]) if s.dense else newest(r)
    for place in range(begin, end):
        i = place if s.dense else queued(r, place)
        for e in range(r.trace.shape[0]):
            r.trace[e, i] = critic_trace_step(r.trace[e, i], np.float32(0.0), decay, np.float32(0.0))


@jit()
def adapt_gain(m, restarted, moments, p):
    """`gain.Gain` of all envs: m ``(E,)`` in its own units, and its running sizes ``(3,)``."""
    second, fourth, steps = moments[0], moments[1], moments[2]
    share = max(p.gain_share, 1.0 / (steps + 1.0))
    for e in range(m.shape[0]):
        delta = np.float64(m[e])
        square = delta * delta
        now, now_fourth = moment_step(second, square, share), moment_step(fourth, square * square, share)
        m[e] = in_own_units(delta, now, now_fourth)
        if not restarted[e]:
            moments[0] += (now - second) / m.shape[0]
            moments[1] += (now_fourth - fourth) / m.shape[0]
            moments[2] += 1.0 / m.shape[0]


@jit()
def third_factor(m, k, amplitudes, p):
    """`PairRule.factors`: the modulator itself, or an amplitude picked by its sign; amplitudes ``(K, 2)``. p: `RuleConstants`."""
    return switch_factor(m, amplitudes[k, 0], -amplitudes[k, 1], p.zero_punishes) if p.switches else m


@jit(forceinline=True)
def causal_credit(post, gate, plus, late, p, out):
    """What an input spike of tick t makes eligible with each output neuron that fires then or later: out ``(T + 1, P)``.

    Tick T stays as it is. The sum of `plasticity.window.pair_kernels`, ordered by input spikes. post ``(T, P)``; gate ``(P,)``.
    late ``(T,)``: what is left at the end of the window of the pairs of each tick. p: a record of `RuleConstants`.
    """
    (ticks, padded), p = post.shape, by_value(p, RuleConstants)
    spikes, credit = flat(post), flat(out)
    for o in range(0, padded, WIDTH):
        share, trace = load(gate, o) * p.gain, splat(0.0)
        for t in range(ticks - 1, -1, -1):
            trace = trace_step(trace, load(spikes, t * padded + o), p.decay_x, plus * late[t])
            store(credit, t * padded + o, trace * share)


@jit(forceinline=True)
def anticausal_credit(post, gate, minus, late, before, p, out):
    """As `causal_credit`, with each that has fired by then, added to ``out``. before ``(P,)``: their trace before the window."""
    (ticks, padded), p = post.shape, by_value(p, RuleConstants)
    spikes, credit = flat(post), flat(out)
    for o in range(0, padded, WIDTH):
        share, trace = load(gate, o) * p.gain, load(before, o)
        for t in range(ticks):
            spike = load(spikes, t * padded + o)
            trace = trace_set(trace, spike, p.decay_y) if p.nearest else trace_step(trace, spike, p.decay_y)
            store(credit, t * padded + o, load(credit, t * padded + o) + trace * share * (minus * late[t]))
