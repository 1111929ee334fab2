"""The equations of the package for one agent, compiled; each function names the torch function that it must agree with.

Arrays carry the axes of the torch tensors without those of agent (one call, one agent) and, where written ``(I,)`` and the
like, of env. A, E, T, O, I, K: agents, envs, ticks, output neurons, input neurons, halves of the eligibility.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit, uintp

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered and fused, so that loops vectorise; infinities and NaN keep their meaning."""


class Constants(NamedTuple):
    """Numbers of a configuration, in the order of the array that carries them into compiled code."""

    p_max: float
    keep_v: float
    v_th: float
    v_rest: float
    v_reset: float
    refractory_ticks: float
    escape_noise: float
    decay_x: float
    decay_y: float
    decay_z: float
    gain: float
    w_min: float
    w_max: float
    switch: float
    zero_punishes: float
    inverse_temperature: float
    gate: float
    td: float
    reward_scale: float
    gamma: float
    trace_decay: float
    critic_lr: float
    deadband: float
    baseline_rate: float
    homeostasis: float
    rate_target: float
    rate_mix: float
    homeostasis_lr: float
    offset_limit: float
    window: float


@njit(cache=True)
def unpack(c):
    """`Constants` of an array of them."""
    return Constants(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13], c[14],
        c[15], c[16], c[17], c[18], c[19], c[20], c[21], c[22], c[23], c[24], c[25], c[26], c[27], c[28], c[29],
    )  # fmt: skip


@njit(cache=True, fastmath=FAST)
def draw_spikes(rates, uniform, e, p_max, spikes, index, starts):
    """`encoders.poisson` of env e: rates ``(I,)``, uniform ``(T, E, I)``, spikes ``(T, I)``; also lists who fires when.

    The inputs that fire in tick t are ``index[starts[t]:starts[t + 1]]``.
    """
    ticks, inputs = spikes.shape
    chance = np.empty(inputs, np.float32)
    for i in range(inputs):
        chance[i] = rates[i] * np.float32(p_max)
    fired = np.zeros((inputs + 7) // 8 * 8, np.uint8)
    eights = fired.view(np.uint64)
    count = 0
    for t in range(ticks):
        starts[t] = count
        for i in range(inputs):
            hit = uniform[t, e, i] < chance[i]
            fired[i] = hit
            spikes[t, i] = hit
        for block in range(eights.shape[0]):  # most inputs are silent: pass over eight of them at once
            if eights[block]:
                for i in range(8 * block, 8 * block + 8):
                    if fired[i]:
                        index[count] = i
                        count += 1
    starts[ticks] = count


@njit(cache=True, fastmath=FAST)
def pre_factors(pre, late, halves, decay_x, decay_y, out):
    """`plasticity.window.pair_kernels` applied to a window: what each input has paired with an output spike of tick t.

    pre ``(T, I)``, late ``(T,)``, halves ``(K, 2)``, out ``(K, T, I)``.
    """
    ticks, inputs = pre.shape
    trace = np.empty(inputs, np.float32)
    for k in range(halves.shape[0]):
        trace[:] = 0.0
        for t in range(ticks):
            plus = np.float32(halves[k, 0] * late[t])
            for i in range(inputs):
                trace[i] = np.float32(decay_x) * trace[i] + pre[t, i]
                out[k, t, i] = plus * trace[i]
        if halves[k, 1] == 0.0:
            continue
        minus = np.float32(halves[k, 1])
        trace[:] = 0.0
        for t in range(ticks - 1, -1, -1):
            w = np.float32(late[t])
            for i in range(inputs):
                trace[i] = np.float32(decay_y) * trace[i] + w * pre[t, i]
                out[k, t, i] += minus * trace[i]


@njit(cache=True, fastmath=FAST, inline="always")
def make_eligible(z, factors, post, gate, decay, gain, first, last):
    """`plasticity.window.pair_window` for one output neuron and its inputs from ``first`` to ``last``.

    z ``(I,)``, factors ``(T, I)``, post: the neuron's spikes ``(T,)``.
    """
    share, decay = np.float32(gain * gate), np.float32(decay)
    for j in range(last - first):
        i = uintp(first + j)  # unsigned: a place that might be negative would keep the loop from vectorising
        z[i] *= decay
    for t in range(post.shape[0]):
        if post[t]:
            for j in range(last - first):
                i = uintp(first + j)
                z[i] += share * factors[t, i]


@njit(cache=True, fastmath=FAST, inline="always")
def add_update(weight, z, share, low, high, first, last):
    """`plasticity.update.apply_update` of share * z for the inputs from ``first`` to ``last``; returns its sum of squares."""
    square = np.float32(0.0)
    for j in range(last - first):
        i = uintp(first + j)
        change = share * z[i]
        square += change * change
        weight[i] = min(max(weight[i] + change, low), high)
    return square


@njit(cache=True, fastmath=FAST, inline="always")
def currents(weight, pre, index, starts, out):
    """`synapses.Linear.current` of one output neuron: weight ``(I,)``, pre ``(T, I)``, out ``(T,)``."""
    ticks, inputs = pre.shape
    if starts[ticks] * 16 < ticks * inputs or ticks % 2:
        for t in range(ticks):
            total = np.float32(0.0)
            for j in range(starts[t], starts[t + 1]):
                total += weight[index[j]]
            out[t] = total
    else:  # two ticks share each weight that is read
        for t in range(0, ticks, 2):
            first, second = np.float32(0.0), np.float32(0.0)
            for i in range(inputs):
                first += weight[i] * pre[t, i]
                second += weight[i] * pre[t + 1, i]
            out[t], out[t + 1] = first, second


@njit(cache=True, fastmath=FAST)
def log32(x, out):
    """Natural logarithm of positive float32 ``x (n,)`` to float32 rounding, in loops that vectorise; overwrites x.

    x = m 2^e with m in [sqrt(1/2), sqrt(2)), and log m by a polynomial in m - 1.
    """
    bits = x.view(np.int32)
    for i in range(x.shape[0]):
        shifted = bits[i] - 0x3F3504F3
        out[i] = np.float32(shifted >> 23)
        bits[i] = (shifted & 0x7FFFFF) + 0x3F3504F3
    for i in range(x.shape[0]):
        m = x[i] - np.float32(1.0)
        p = np.float32(7.0376836292e-2)
        p = p * m + np.float32(-1.1514610310e-1)
        p = p * m + np.float32(1.1676998740e-1)
        p = p * m + np.float32(-1.2420140846e-1)
        p = p * m + np.float32(1.4249322787e-1)
        p = p * m + np.float32(-1.6668057665e-1)
        p = p * m + np.float32(2.0000714765e-1)
        p = p * m + np.float32(-2.4999993993e-1)
        p = p * m + np.float32(3.3333331174e-1)
        square = m * m
        out[i] = m + (square * (m * p - np.float32(0.5)) + out[i] * np.float32(0.69314718056))


@njit(cache=True, fastmath=FAST)
def noisy_thresholds(uniform, room, c, out):
    """`neurons.noisy_threshold`: uniform, out and ``room`` to work in ``(n,)``."""
    if c.escape_noise == 0.0:
        out[:] = c.v_th
        return
    low, high = np.float32(1e-7), np.float32(1.0 - 1e-7)
    for i in range(out.shape[0]):
        u = min(max(uniform[i], low), high)
        room[i] = u / (np.float32(1.0) - u)
    log32(room, out)
    noise, middle = np.float32(c.escape_noise), np.float32(c.v_th)
    for i in range(out.shape[0]):
        out[i] = middle + noise * out[i]


@njit(cache=True, inline="always")
def fire(current, offset, threshold, e, o, c, out):
    """`neurons.lif_window` of neuron o in env e, from rest; returns the number of its spikes.

    current, out ``(T,)``, threshold ``(T, E, O)``. offset: excitability from homeostasis, on the current (homeostasis 1) or on
    the threshold (2).
    """
    v, blocked, count = np.float32(c.v_rest), 0, 0
    keep, rest = np.float32(c.keep_v), np.float32(c.v_rest)
    extra = offset if c.homeostasis == 1.0 else np.float32(0.0)
    lower = offset if c.homeostasis == 2.0 else np.float32(0.0)
    for t in range(current.shape[0]):
        v = rest + (v - rest) * keep + current[t] + extra
        spike = v >= threshold[t, e, o] - lower and blocked == 0
        if blocked > 0:
            blocked -= 1
        out[t] = spike
        if spike:
            v, blocked = np.float32(c.v_reset), int(c.refractory_ticks)
            count += 1
    return count


@njit(cache=True)
def choose(rates, uniform, probabilities, c):
    """`decoders.PopulationDecoder.probabilities` and `decoders.sample`: rates, probabilities ``(actions,)``."""
    n = rates.shape[0]
    best, total = rates.max(), 0.0
    for a in range(n):
        probabilities[a] = math.exp(c.inverse_temperature * (rates[a] - best))
        total += probabilities[a]
    cumulative, action = 0.0, 0
    for a in range(n):
        probabilities[a] /= total
        cumulative += probabilities[a]
        action += cumulative <= uniform
    return min(action, n - 1)


@njit(cache=True)
def third_factor(m, k, amplitudes, c):
    """`PairRule.factors`: the modulator itself, or an amplitude picked by its sign; amplitudes ``(K, 2)``."""
    if c.switch == 0.0:
        return m
    if m > 0.0:
        return amplitudes[k, 0]
    return -amplitudes[k, 1] if m < 0.0 or c.zero_punishes == 1.0 else 0.0


@njit(cache=True, fastmath=FAST)
def critic_step(reward, terminated, rates, after, weight, trace, r_bar, c, m):
    """`modulators.TDError` or `modulators.RewardMinusBaseline` of all envs; writes m ``(E,)`` and learns.

    rates, after, trace ``(E, I)``: input rates of the state acted in and of its successor. weight ``(I,)``, r_bar ``(1,)``.
    """
    envs, inputs = rates.shape
    if c.td == 0.0:
        for e in range(envs):
            m[e] = reward[e] * c.reward_scale - r_bar[0]
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
        bootstrap = 0.0 if terminated[e] else c.gamma * expected / total_after
        m[e] = reward[e] * c.reward_scale + bootstrap - value / total
        share = np.float32(1.0) / total
        for i in range(inputs):
            trace[e, i] = decay * trace[e, i] + share * rates[e, i]
    for e in range(envs):
        step = np.float32(m[e] * c.critic_lr / envs)
        for i in range(inputs):
            weight[i] += step * trace[e, i]
        if abs(m[e]) < c.deadband:
            m[e] = 0.0


@njit(cache=True, inline="always")
def regulate(count, rate, offset, o, c):
    """`homeostasis.homeostasis_window` of neuron o with ``count`` spikes per env; writes rate and offset ``(O,)``."""
    rate[o] += np.float32(c.rate_mix) * (np.float32(count * 1000.0 / c.window) - rate[o])
    if c.homeostasis > 0.0:
        drive = c.homeostasis_lr * (c.rate_target - rate[o]) / c.rate_target
        offset[o] = min(max(offset[o] + drive, -c.offset_limit), c.offset_limit)
