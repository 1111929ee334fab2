"""A whole env step in one compiled call: learn from the last transition, then simulate a window and choose.

The eligibility of a window is written when the next call comes for it (or `synapses.fold` does): by then its action gate is
known, and weight and eligibility of a synapse are read and written once per env step.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from rstdp_agents.fused.constants import unpack
from rstdp_agents.fused.decode import choose, point
from rstdp_agents.fused.encode import Code, encode
from rstdp_agents.fused.lanes import WIDTH
from rstdp_agents.fused.learning import critic_step, pair_credit, third_factor
from rstdp_agents.fused.neurons import FAST, fire, noisy_thresholds, regulate
from rstdp_agents.fused.random import fill_uniform, window_keys
from rstdp_agents.fused.spikes import draw_spikes
from rstdp_agents.fused.synapses import learn_and_drive

TILE = 1 << 16
"""Numbers of a window's currents (envs x ticks x outputs) that are worked on together: half a second-level cache."""


@njit(cache=True, fastmath=FAST, nogil=True)
def step(s, begin, end, obs, final_obs, reward, terminated, truncated, restarted, uniform, learning):
    """One env step of the agents from ``begin`` to ``end``: learn what came of the last actions if ``learning``, then act.

    s: `state.State`. obs, final_obs ``(A, E, D)``; final_obs is read where ``truncated``. reward, terminated, truncated,
    restarted ``(A, E)``. uniform: ``(A, numbers)`` in the order of `AgentRandom.windows`, or ``(0, 0)`` to draw them here.
    """
    c, code = unpack(s.constants), Code(s.kind, s.points, s.cells, s.scale, s.floor, s.tilings)
    for a in range(begin, end):
        if learning:
            _feel(s, a, obs[a], final_obs[a], reward[a], terminated[a], truncated[a], restarted[a], code, c)
        for e in range(obs.shape[1]):
            if learning and not truncated[a, e]:
                for i in range(s.rates.shape[2]):
                    s.rates[a, e, i] = s.after[a, e, i]
            else:
                encode(obs[a, e], code, s.rates[a, e])
        done = terminated[a] | truncated[a] | restarted[a]
        _learn_and_act(s, a, done, uniform[a] if uniform.shape[0] else uniform.reshape(-1), learning, c)


@njit(cache=True, fastmath=FAST)
def _feel(s, a, obs, final_obs, reward, terminated, truncated, restarted, code, c):
    """Modulator of agent a in all its envs, and its critic's learning."""
    for e in range(obs.shape[0]):
        encode(final_obs[e] if truncated[e] else obs[e], code, s.after[a, e])
    critic_step(
        reward, terminated, restarted, s.rates[a], s.after[a], s.critic[a], s.trace[a], s.r_bar[a], c, s.m[a]
    )  # fmt: skip
    for e in range(obs.shape[0]):
        s.sums[a, 0] += s.m[a, e] / obs.shape[0]
        s.sums[a, 1] += s.m[a, e] * s.m[a, e] / obs.shape[0]
        if terminated[e] or truncated[e] or restarted[e]:
            s.trace[a, e] = 0.0


@njit(cache=True, fastmath=FAST)
def _learn_and_act(s, a, done, given, learning, c):
    """Spikes and noise of a window, one pass over the synapses, then the output neurons of agent a."""
    halves, envs, inputs, padded = s.z.shape[1:]
    ticks, outputs = s.post.shape[2], s.post_count.shape[1]
    keys = window_keys(s.counters[a, 0], s.counters[a, 1])
    s.counters[a, 1] += 1
    for e in range(envs):
        bits, before = s.bits[a, 0, e], s.bits[a, 1, e]
        draw_spikes(s.rates[a, e], c.p_max, ticks, envs, e, given, keys, bits, before, s.pre_count[a])
    n_pre, n_post = envs * ticks * inputs, envs * ticks * outputs
    numbers = max(1, 2 * s.low.shape[0])
    threshold, choice = np.empty((ticks, envs, padded), np.float32), np.empty(envs * numbers, np.float32)
    noisy_thresholds(n_pre, given, keys, outputs, c, threshold)
    fill_uniform(choice, n_pre + n_post, given, keys)
    shares = np.empty(halves * envs, np.float32)
    for p in range(halves * envs):
        shares[p] = s.lr[a] * third_factor(s.m[a, p % envs], p // envs, s.amplitudes, c) / envs
    current, square = np.zeros((envs, ticks + 1, padded), np.float32), 0.0
    tile = max(WIDTH, TILE // (envs * ticks) // WIDTH * WIDTH)
    for begin in range(0, padded, tile):
        square += learn_and_drive(s, a, begin, min(begin + tile, padded), learning, done, shares, current, c)
    s.sums[a, 2] += square / (outputs * inputs)
    _fire_and_choose(s, a, current, threshold, choice, c)
    s.counters[a, 2] = 1


@njit(cache=True, fastmath=FAST)
def _fire_and_choose(s, a, current, threshold, choice, c):
    """Run the output neurons of all envs, choose actions, and note what the spikes make eligible."""
    envs, ticks, padded = s.post.shape[1:]
    outputs, numbers = s.post_count.shape[1], choice.shape[0] // envs
    counts, mean = np.empty(padded, np.float32), np.zeros(padded, np.float32)
    gate, probabilities = np.zeros(padded, np.float32), np.empty(s.action_rates.shape[2], np.float32)
    for e in range(envs):
        fire(current[e], threshold, s.offset[a], e, c, s.post[a, e], counts)
        for o in range(outputs):
            s.post_count[a, o] += counts[o]
            mean[o] += counts[o] / np.float32(envs)
        uniform = choice[e * numbers : (e + 1) * numbers]
        if s.low.shape[0] == 0:
            s.action[a, e] = choose(counts, ticks, uniform[0], s.action_rates[a, e], probabilities, c, gate)
        else:
            point(counts, ticks, uniform, s.low, s.high, c, gate, s.vector[a, e])
        for k in range(s.halves.shape[0]):
            pair_credit(s.post[a, e], gate, s.halves[k, 0], s.halves[k, 1], s.late, c, s.credit[a, k, e])
    regulate(mean, s.rate[a], s.offset[a], c)
