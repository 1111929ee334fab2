"""A whole env step in one compiled call: learn from the last transition, then simulate a window and choose.

The eligibility of a window is written when the next call comes for it (or `fold` does): by then its action gate is known, and
weight and eligibility of a synapse are read and written once per env step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit, uintp

from rstdp_agents.fused.kernels import (
    FAST,
    add_update,
    choose,
    critic_step,
    currents,
    draw_spikes,
    fire,
    make_eligible,
    noisy_thresholds,
    pre_factors,
    regulate,
    third_factor,
    unpack,
)
from rstdp_agents.fused.random import fill_uniform, window_keys

STRETCH = 1024
"""Inputs of a row that are worked on together: three such stretches fit the first-level cache."""


class Weights(NamedTuple):
    """Per agent."""

    weight: np.ndarray
    """``(A, O, I)``."""
    rate: np.ndarray
    """``(A, O)``."""
    offset: np.ndarray
    """``(A, O)``."""
    critic: np.ndarray
    """``(A, I)``."""
    r_bar: np.ndarray
    """``(A, 1)``."""
    lr: np.ndarray
    """``(A,)``."""
    sums: np.ndarray
    """``(A, 3)`` float64, of `statistics.Statistics`."""
    pre_count: np.ndarray
    """Input spikes since it was cleared, ``(A, I)``."""
    post_count: np.ndarray
    """Output spikes since it was cleared, ``(A, O)``."""
    counters: np.ndarray
    """``(A, 3)`` int64: seed, windows drawn, whether a window waits for its eligibility."""


class Envs(NamedTuple):
    """Per agent and env."""

    z: np.ndarray
    """``(K, A, E, O, I)``."""
    trace: np.ndarray
    """Of the critic, ``(A, E, I)``."""
    rates: np.ndarray
    """Input rates acted on, ``(A, E, I)``."""
    pre: np.ndarray
    """Input spikes ``(A, E, T, I)``."""
    factors: np.ndarray
    """Of `kernels.pre_factors`, ``(A, E, K, T, I)``."""
    post: np.ndarray
    """Output spikes ``(A, E, O, T)``."""
    gate: np.ndarray
    """``(A, E, O)``."""
    m: np.ndarray
    """``(A, E)``."""
    action_rates: np.ndarray
    """``(A, E, actions)``."""
    action: np.ndarray
    """``(A, E)`` int64."""


class Rule(NamedTuple):
    """Constant arrays of the rule."""

    late: np.ndarray
    """``(T,)``: what is left at the end of a window of the pairs of each tick."""
    halves: np.ndarray
    """``(K, 2)``."""
    amplitudes: np.ndarray
    """``(K, 2)``, of a reward switch."""


@njit(cache=True, fastmath=FAST, inline="always")
def _learn_row(a, o, done, shares, w, s, rule, learning, c):
    """Eligibility of the last window, update and reset of output neuron o; returns the sum of squares of the update.

    shares ``(E, K)``: what each eligibility is multiplied with. The row is worked through in stretches that stay in the
    fastest cache.
    """
    halves, envs, inputs = rule.halves.shape[0], s.m.shape[1], s.pre.shape[3]
    row, low, high, square = w.weight[a, o], np.float32(c.w_min), np.float32(c.w_max), np.float32(0.0)
    joint, pending = envs * halves > 1, w.counters[a, 2] > 0
    change = np.empty(STRETCH if joint else 1, np.float32)
    for first in range(0, inputs, STRETCH):
        last = min(first + STRETCH, inputs)
        change[:] = 0.0
        for e in range(envs):
            for k in range(halves):
                z = s.z[k, a, e, o]
                if pending:
                    post, gate = s.post[a, e, o], s.gate[a, e, o]
                    make_eligible(z, s.factors[a, e, k], post, gate, c.decay_z, c.gain, first, last)
                if learning:
                    share = shares[e, k]
                    if joint:
                        for j in range(last - first):
                            change[j] += share * z[uintp(first + j)]
                    else:
                        square += add_update(row, z, share, low, high, first, last)
                    if done[a, e]:
                        z[first:last] = 0.0
        if learning and joint:
            square += add_update(row[first:last], change, np.float32(1.0), low, high, 0, last - first)
    return square


@njit(cache=True, fastmath=FAST)
def _agent(a, after, next_rates, reward, terminated, done, uniform, learning, w, s, rule, c):
    """`step` for agent a: modulator, noise, then one output neuron after the other learns and runs its window."""
    envs, ticks, inputs = s.pre.shape[1:]
    outputs = s.post.shape[2]
    if learning:
        critic_step(reward[a], terminated[a], s.rates[a], after[a], w.critic[a], s.trace[a], w.r_bar[a], c, s.m[a])
    s.rates[a] = next_rates[a]
    n_pre, n_post = envs * ticks * inputs, envs * ticks * outputs
    if uniform.shape[0]:
        u = uniform[a]
    else:
        u = np.empty(n_pre + n_post + envs, np.float32)
        fill_uniform(u, window_keys(w.counters[a, 0], w.counters[a, 1]))
        w.counters[a, 1] += 1
    pre_u = u[:n_pre].reshape(ticks, envs, inputs)
    thresholds = np.empty(n_post, np.float32)
    noisy_thresholds(u[n_pre : n_pre + n_post], np.empty(n_post, np.float32), c, thresholds)
    threshold = thresholds.reshape(ticks, envs, outputs)
    index = np.empty((envs, ticks * inputs + 1), np.int32)
    starts = np.empty((envs, ticks + 1), np.int32)
    current = np.empty(ticks, np.float32)
    for e in range(envs):
        draw_spikes(s.rates[a, e], pre_u, e, c.p_max, s.pre[a, e], index[e], starts[e])
    shares = np.empty((envs, rule.halves.shape[0]), np.float32)
    for e in range(envs):
        for k in range(shares.shape[1]):
            shares[e, k] = w.lr[a] * third_factor(s.m[a, e], k, rule.amplitudes, c) / envs
    square = 0.0
    s.action_rates[a] = 0.0
    size = outputs // s.action_rates.shape[2]
    for o in range(outputs):
        square += _learn_row(a, o, done, shares, w, s, rule, learning, c)
        total = 0
        for e in range(envs):
            currents(w.weight[a, o], s.pre[a, e], index[e], starts[e], current)
            count = fire(current, w.offset[a, o], threshold, e, o, c, s.post[a, e, o])
            s.action_rates[a, e, o // size] += np.float32(count) / np.float32(size * ticks)
            total += count
        w.post_count[a, o] += total
        regulate(total / envs, w.rate[a], w.offset[a], o, c)
    _count(a, index, starts, square / (outputs * inputs), w, s)
    _credit(a, done, learning, u[n_pre + n_post :], size, w, s, rule, c)


@njit(cache=True, fastmath=FAST)
def _count(a, index, starts, dw_square, w, s):
    """`statistics.Statistics.add`, but for the output spikes."""
    envs, last = starts.shape[0], starts.shape[1] - 1
    for e in range(envs):
        for j in range(starts[e, last]):
            w.pre_count[a, index[e, j]] += np.float32(1.0)
        w.sums[a, 0] += s.m[a, e] / envs
        w.sums[a, 1] += s.m[a, e] * s.m[a, e] / envs
    w.sums[a, 2] += dw_square


@njit(cache=True, fastmath=FAST)
def _credit(a, done, learning, choice, size, w, s, rule, c):
    """Choose the actions, and gate what they make eligible."""
    envs = s.pre.shape[1]
    probabilities = np.empty(s.action_rates.shape[2], np.float32)
    for e in range(envs):
        action = choose(s.action_rates[a, e], choice[e], probabilities, c)
        s.action[a, e] = action
        for o in range(s.gate.shape[2]):
            chosen = 1.0 if o // size == action else 0.0
            if c.gate == 2.0:
                chosen = 1.0
            s.gate[a, e, o] = chosen - (probabilities[o // size] if c.gate == 0.0 else 0.0)
        pre_factors(s.pre[a, e], rule.late, rule.halves, c.decay_x, c.decay_y, s.factors[a, e])
        if learning and done[a, e]:
            s.trace[a, e] = 0.0
    w.counters[a, 2] = 1


@njit(cache=True, fastmath=FAST)
def step(
    after, next_rates, reward, terminated, done, uniform, learning, constants,
    weight, rate, offset, critic, r_bar, lr, sums, pre_count, post_count, counters,
    z, trace, rates, pre, factors, post, gate, m, action_rates, action,
    late, halves, amplitudes,
):  # fmt: skip
    """One env step of all agents. Learns from what came of the last actions if ``learning``; then acts on ``next_rates``.

    after, next_rates ``(A, E, I)``: input rates of the states that came of the actions, and of those to act on. reward,
    terminated, done ``(A, E)``. uniform: ``(A, numbers)`` in the order of `AgentRandom.windows`, or ``(0, 0)`` to draw them
    here. constants: of `kernels.Constants`. The others: fields of `Weights`, `Envs` and `Rule`, written in place.
    """
    w = Weights(weight, rate, offset, critic, r_bar, lr, sums, pre_count, post_count, counters)
    s = Envs(z, trace, rates, pre, factors, post, gate, m, action_rates, action)
    rule, c = Rule(late, halves, amplitudes), unpack(constants)
    for a in range(weight.shape[0]):
        _agent(a, after, next_rates, reward, terminated, done, uniform, learning, w, s, rule, c)


@njit(cache=True, fastmath=FAST)
def fold(constants, z, factors, post, gate, counters):
    """Write the eligibility that waits for the next call of `step`, so that z is what the torch path would show."""
    c, inputs = unpack(constants), z.shape[4]
    for a in range(z.shape[1]):
        if counters[a, 2]:
            for k in range(z.shape[0]):
                for e in range(z.shape[2]):
                    for o in range(z.shape[3]):
                        pairs, spikes = factors[a, e, k], post[a, e, o]
                        make_eligible(z[k, a, e, o], pairs, spikes, gate[a, e, o], c.decay_z, c.gain, 0, inputs)
            counters[a, 2] = 0
