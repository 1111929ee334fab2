"""What follows from an action and its reward, compiled: the modulator, and what a window's spikes make eligible."""

from __future__ import annotations

import numpy as np

from rstdp_agents.agent.fused.neurons import FAST
from rstdp_agents.base.compiled import jit
from rstdp_agents.equations.lanes import WIDTH, load, splat, store


@jit(fastmath=FAST, forceinline=True)
def critic_step(reward, terminated, restarted, rates, after, weight, trace, r_bar, c, m):
    """`modulators.TDError` or `modulators.RewardMinusBaseline` of all envs; writes m ``(E,)`` and learns.

    rates, after, trace ``(E, I)``: input rates of the state acted in and of its successor. weight ``(I,)``, r_bar ``(1,)``.
    """
    envs, inputs = rates.shape
    if c.td == 0.0:
        for e in range(envs):
            m[e] = 0.0 if restarted[e] else reward[e] * c.reward_scale - r_bar[0]
        r_bar[0] += np.float32(c.baseline_rate) * m.mean()
        return
    decay = np.float32(c.trace_decay)
    for e in range(envs):
        value, expected = np.float32(0.0), np.float32(0.0)
        total, total_after = np.float32(0.0), np.float32(0.0)
        for i in range(inputs):
            value += weight[i] * rates[e, i]
            expected += weight[i] * after[e, i]
            total += rates[e, i]
            total_after += after[e, i]
        total, total_after = max(total, np.float32(1e-9)), max(total_after, np.float32(1e-9))
        bootstrap = 0.0 if terminated[e] else c.gamma * expected / total_after
        m[e] = 0.0 if restarted[e] else reward[e] * c.reward_scale + bootstrap - value / total
        share = np.float32(1.0) / total
        for i in range(inputs):
            trace[e, i] = decay * trace[e, i] + share * rates[e, i]
    for e in range(envs):
        step = np.float32(m[e] * c.critic_lr / envs)
        for i in range(inputs):
            weight[i] += step * trace[e, i]
        if abs(m[e]) < c.deadband:
            m[e] = 0.0


@jit(forceinline=True)
def third_factor(m, k, amplitudes, c):
    """`PairRule.factors`: the modulator itself, or an amplitude picked by its sign; amplitudes ``(K, 2)``."""
    if c.switch == 0.0:
        return m
    if m > 0.0:
        return amplitudes[k, 0]
    return -amplitudes[k, 1] if m < 0.0 or c.zero_punishes == 1.0 else 0.0


@jit(inline="always")
def pair_credit(post, gate, plus, minus, late, c, out):
    """What an input spike of tick t makes eligible with each output neuron: out ``(T + 1, P)``, but for tick T.

    The sum of `plasticity.window.pair_kernels`, ordered by input spikes: those of tick t pair with all output spikes from t on
    (``plus``) and up to t (``minus``). post ``(T, P)``; gate ``(P,)``. late ``(T,)``: what is left at the end of the window
    of the pairs of each tick.
    """
    ticks, padded = post.shape
    spikes, credit = post.reshape(-1), out.reshape(-1)
    for o in range(0, padded, WIDTH):
        share = load(gate, o) * splat(np.float32(c.gain))
        trace, keep = splat(np.float32(0.0)), splat(np.float32(c.decay_x))
        for t in range(ticks - 1, -1, -1):
            trace = trace * keep + load(spikes, t * padded + o) * splat(np.float32(plus * late[t]))
            store(credit, t * padded + o, trace * share)
        if minus == 0.0:
            continue
        trace, keep = splat(np.float32(0.0)), splat(np.float32(c.decay_y))
        for t in range(ticks):
            trace = trace * keep + load(spikes, t * padded + o)
            before = load(credit, t * padded + o)
            store(credit, t * padded + o, before + trace * share * splat(np.float32(minus * late[t])))
