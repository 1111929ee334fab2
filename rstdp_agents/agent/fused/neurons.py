"""Neurons and their homeostasis, compiled: sixteen output neurons at once; ``P`` is their number, padded to sixteens."""

from __future__ import annotations

import numpy as np

from rstdp_agents.base.compiled import jit
from rstdp_agents.equations.lanes import WIDTH, at_least, between, load, select, splat, store
from rstdp_agents.equations.random_numbers import fill_uniform

FAST = {"reassoc", "contract", "arcp", "nsz"}
"""Sums may be reordered and fused, so that loops vectorise; infinities and NaN keep their meaning."""


@jit(fastmath=FAST, forceinline=True)
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


@jit(fastmath=FAST, forceinline=True)
def noisy_thresholds(first, keys, outputs, c, out):
    """`neurons.noisy_threshold`: out ``(T, E, P)``; those of the padding are out of reach.

    first, keys: place of their random numbers, ``(T, E, outputs)``, as in `random.fill_uniform`.
    """
    ticks, envs, padded = out.shape
    flat = out.reshape(-1)
    if c.escape_noise == 0.0:
        flat[:] = c.v_th
    else:
        low, high = np.float32(1e-7), np.float32(1.0 - 1e-7)
        odds = np.full(flat.shape[0], np.float32(0.5))
        for row in range(ticks * envs):
            fill_uniform(odds[row * padded : row * padded + outputs], first + row * outputs, keys)
        for i in range(odds.shape[0]):
            u = min(max(odds[i], low), high)
            odds[i] = u / (np.float32(1.0) - u)
        log32(odds, flat)
        noise, middle = np.float32(c.escape_noise), np.float32(c.v_th)
        for i in range(flat.shape[0]):
            flat[i] = middle + noise * flat[i]
    out[:, :, outputs:] = np.inf


@jit(inline="always")
def fire(current, threshold, offset, e, c, post, counts):
    """`neurons.lif_window` of env e, from rest: writes post ``(T, P)`` and counts ``(P,)``.

    current ``(T + 1, P)``, the last not read; threshold ``(T, E, P)``. offset ``(P,)``: of homeostasis,
    on the current (homeostasis 1) or on the threshold (2).
    """
    if c.lateral_inhibition > 0.0:
        fire_together(current, threshold, offset, e, c, post, counts)
    else:
        fire_apart(current, threshold, offset, e, c, post, counts)


@jit(inline="always")
def fire_apart(current, threshold, offset, e, c, post, counts):
    """`fire` for neurons that know nothing of each other: sixteen of them through all ticks, then the next."""
    ticks, padded = post.shape
    envs, drive, level, spikes = threshold.shape[1], current.reshape(-1), threshold.reshape(-1), post.reshape(-1)
    rest, none = splat(np.float32(c.v_rest)), splat(np.float32(0.0))
    for o in range(0, padded, WIDTH):
        v, blocked, count, shift = rest, none, none, load(offset, o)
        for t in range(ticks):
            above = load(level, (t * envs + e) * padded + o)
            spike, v, blocked = tick(v, blocked, load(drive, t * padded + o), above, shift, c)
            store(spikes, t * padded + o, spike)
            count = count + spike
        store(counts, o, count)


@jit(forceinline=True)
def fire_together(current, threshold, offset, e, c, post, counts):
    """`fire` for neurons that inhibit each other: all of them, tick by tick."""
    ticks, padded = post.shape
    envs, drive, level, spikes = threshold.shape[1], current.reshape(-1), threshold.reshape(-1), post.reshape(-1)
    v, blocked = np.full(padded, np.float32(c.v_rest)), np.zeros(padded, np.float32)
    counts[:] = 0.0
    inhibition = np.float32(c.lateral_inhibition)
    for t in range(ticks):
        total = np.float32(0.0)
        for o in range(0, padded, WIDTH):
            above = load(level, (t * envs + e) * padded + o)
            spike, v_o, blocked_o = tick(
                load(v, o), load(blocked, o), load(drive, t * padded + o), above, load(offset, o), c
            )
            store(spikes, t * padded + o, spike)
            store(v, o, v_o)
            store(blocked, o, blocked_o)
            for i in range(o, o + WIDTH):
                total += post[t, i]
        for i in range(padded):
            v[i] -= inhibition * (total - post[t, i])
            counts[i] += post[t, i]


@jit(inline="always")
def tick(v, blocked, current, threshold, offset, c):
    """One tick of `neurons.lif_window` before any inhibition: spike, potential and the pause that is left."""
    none = splat(np.float32(0.0))
    rest, keep = splat(np.float32(c.v_rest)), splat(np.float32(c.keep_v))
    v = rest + (v - rest) * keep + current + (offset if c.homeostasis == 1.0 else none)
    spike = at_least(v, threshold - (offset if c.homeostasis == 2.0 else none)) * at_least(none, blocked)
    paused = select(blocked, blocked - splat(np.float32(1.0)), none)
    blocked = select(spike, splat(np.float32(c.refractory_ticks)), paused)
    return spike, select(spike, splat(np.float32(c.v_reset)), v), blocked


@jit(inline="always")
def regulate(count, rate, offset, c):
    """`homeostasis.homeostasis_window` for spike counts per env ``(P,)``; writes rate and offset ``(P,)``."""
    mix, hertz = splat(np.float32(c.rate_mix)), splat(np.float32(1000.0 / c.window))
    target, push = splat(np.float32(c.rate_target)), splat(np.float32(c.homeostasis_lr / c.rate_target))
    low, high = splat(np.float32(-c.offset_limit)), splat(np.float32(c.offset_limit))
    for o in range(0, count.shape[0], WIDTH):
        now = load(rate, o)
        now = now + mix * (load(count, o) * hertz - now)
        store(rate, o, now)
        if c.homeostasis > 0.0:
            store(offset, o, between(load(offset, o) + push * (target - now), low, high))
