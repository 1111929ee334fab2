"""What follows from an action and its reward, compiled: the modulator, and what a window's spikes make eligible."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import FAST, jit
from rstdp_agents.equations.critic import beyond_deadband, critic_step, reward_error, reward_mean_step, td_error
from rstdp_agents.equations.lanes import WIDTH, load, splat, store
from rstdp_agents.equations.three_factor import switch_factor
from rstdp_agents.equations.traces import trace_step


@jit(fastmath=FAST, forceinline=True)
def modulator_step(reward, terminated, restarted, rates, after, weight, trace, r_bar, p, m):
    """`modulators.TDError` or `modulators.RewardMinusBaseline` of all envs; writes m ``(E,)`` and learns.

    rates, after, trace ``(E, I)``: input rates of the state acted in and of its successor. weight ``(I,)``, r_bar ``(1,)``.
    p: `modulators.ModulatorConstants`.
    """
    envs, inputs = rates.shape
    if not p.is_td:
        for e in range(envs):
            m[e] = 0.0 if restarted[e] else reward_error(reward[e], r_bar[0], p)
        r_bar[0] = reward_mean_step(r_bar[0], m.mean(), np.float32(p.mean_share))
        return
    decay = np.float32(p.trace_decay)
    for e in range(envs):
        value, expected = np.float32(0.0), np.float32(0.0)
        total, total_after = np.float32(0.0), np.float32(0.0)
        for i in range(inputs):
            value += weight[i] * rates[e, i]
            expected += weight[i] * after[e, i]
            total += rates[e, i]
            total_after += after[e, i]
        total, total_after = max(total, np.float32(1e-9)), max(total_after, np.float32(1e-9))
        following = np.float64(expected) / total_after  # discounted and added in double precision
        delta = td_error(reward[e], terminated[e], value / total, following, p)
        m[e] = 0.0 if restarted[e] else delta
        share = np.float32(1.0) / total
        for i in range(inputs):
            trace[e, i] = trace_step(trace[e, i], rates[e, i], decay, share)
    for e in range(envs):
        step = np.float32(m[e] * p.critic_lr / envs)
        for i in range(inputs):
            weight[i] = critic_step(weight[i], trace[e, i], step)
        m[e] = beyond_deadband(m[e], p)


@jit(forceinline=True)
def third_factor(m, k, amplitudes, p):
    """`PairRule.factors`: the modulator itself, or an amplitude picked by its sign; amplitudes ``(K, 2)``. p: `RuleConstants`."""
    return switch_factor(m, amplitudes[k, 0], -amplitudes[k, 1], p.zero_punishes) if p.switches else m


@jit(inline="always")
def pair_credit(post, gate, plus, minus, late, p, out):
    """What an input spike of tick t makes eligible with each output neuron: out ``(T + 1, P)``, but for tick T.

    The sum of `plasticity.window.pair_kernels`, ordered by input spikes: those of tick t pair with all output spikes from t on
    (``plus``) and up to t (``minus``). post ``(T, P)``; gate ``(P,)``. late ``(T,)``: what is left at the end of the window
    of the pairs of each tick. p: `RuleConstants`.
    """
    ticks, padded = post.shape
    spikes, credit = post.reshape(-1), out.reshape(-1)
    for o in range(0, padded, WIDTH):
        share, trace = load(gate, o) * p.gain, splat(0.0)
        for t in range(ticks - 1, -1, -1):
            trace = trace_step(trace, load(spikes, t * padded + o), p.decay_x, plus * late[t])
            store(credit, t * padded + o, trace * share)
        if minus == 0.0:
            continue
        trace = splat(0.0)
        for t in range(ticks):
            trace = trace_step(trace, load(spikes, t * padded + o), p.decay_y)
            store(credit, t * padded + o, load(credit, t * padded + o) + trace * share * (minus * late[t]))
