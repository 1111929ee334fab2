"""Leaky integrate-and-fire neurons with conductances, whose synapses learn of the rate of one (Legenstein and others 2008).

It runs compiled. Half of all neurons are bombarded by synaptic noise of their own; the other half get a fifth of it, and more
synapses instead. Every synapse depresses. A synapse between excitatory neurons has an eligibility c of its pairs of spikes, which
rises and falls within a second, and the reward d follows the spikes that are rewarded, at a delay:

    dw/dt = lr c(t) d(t)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rstdp_agents.base.compiled import entry
from rstdp_agents.equations.neuron import LIFConstants, LIFParams, conductance_jump, lif_constants, lif_tick
from rstdp_agents.equations.random_numbers import fill_uniform, window_keys
from rstdp_agents.equations.three_factor import weight_step
from rstdp_agents.equations.traces import decay, trace_step
from rstdp_agents.tools.demos.cortex import EVERY, incoming

NEURON = LIFParams(tau_m=30.0, v_th=-59.0, v_rest=-70.0, v_reset=-70.0, t_ref=5.0, escape_noise=0.0)


@dataclass(frozen=True)
class Circuit:
    """The network and the experiment; times in ms, potentials in mV, conductances in nS."""

    excitatory: int = 800
    inhibitory: int = 200
    density: float = 0.08
    """Share of all pairs of neurons that a synapse connects."""
    to_noisy: float = 0.4
    """Factor on this to the half of the neurons that have full noise."""
    between: tuple[float, float] = (1.2, 0.8)
    """Factors on it from inhibitory neurons, to excitatory ones and to inhibitory ones."""
    capacity: float = 300.0
    """Of a membrane (pF)."""
    neuron: LIFParams = NEURON
    e_exc: float = 0.0
    """Reversal potential of excitation."""
    e_inh: float = -75.0
    """Reversal potential of inhibition."""
    tau_s: float = 5.0
    """Time constant of all synapses."""
    w_start: float = 10.8
    """Of an excitatory synapse."""
    w_inh: float = 211.5
    """Of an inhibitory synapse."""
    w_max: float = 21.6
    released: float = 0.5
    """Share of what is left of its transmitter that a synapse releases at a spike."""
    tau_depression: float = 1100.0
    """Time constant of its recovery."""
    noise_exc: tuple[float, float, float] = (12.0, 3.0, 2.7)
    """Excitatory noise of a noisy neuron: mean, standard deviation, time constant."""
    noise_inh: tuple[float, float, float] = (57.0, 6.6, 10.5)
    """Inhibitory noise of a noisy neuron."""
    quiet: float = 0.2
    """Factor on both of the other neurons."""
    a_plus: float = 1.0
    """Eligibility of a pair of spikes, pre before post, that coincide."""
    a_minus: float = 1.05
    tau: float = 30.0
    """Time constant of the spike traces."""
    tau_c: float = 400.0
    """Time after which the eligibility of a pair is highest."""
    delay: int = 200
    """How much later than a spike its reward begins."""
    tau_rise: float = 200.0
    """Time constant of the reward."""
    tau_fall: float = 1000.0
    """Time constant of what is taken back of it."""
    lr: float = 0.2
    """Change of a weight per second and unit of eligibility and reward (nS)."""


class State(NamedTuple):
    """State of N neurons, of which E excite, with S synapses in the order of the neurons they come from; R of these excite."""

    v: np.ndarray
    """``(N,)``"""
    pause: np.ndarray
    """``(N,)``: refractory ticks that are left."""
    noise: np.ndarray
    """``(2, N)``: what the noise differs from its mean by, excitatory and inhibitory."""
    loud: np.ndarray
    """``(N,)``: factor on the noise."""
    g: np.ndarray
    """``(2, N)``: conductances of synapses, excitatory and inhibitory."""
    used: np.ndarray
    """``(N,)``: share of the transmitter that is used up."""
    release: np.ndarray
    """``(N,)``: share of it that was released in the last ms; 0 of neurons that did not fire."""
    x: np.ndarray
    """``(N,)``: presynaptic trace, of spikes that have arrived."""
    y: np.ndarray
    """``(N,)``: postsynaptic trace."""
    leaves: np.ndarray
    """``(N + 1,)`` int64: where the synapses of each neuron begin."""
    source: np.ndarray
    """``(S,)`` int64"""
    target: np.ndarray
    """``(S,)`` int64"""
    weight: np.ndarray
    """``(S,)``"""
    arrives: np.ndarray
    """``(N + 1,)`` int64: where the excitatory synapses to each neuron begin in ``incoming``."""
    incoming: np.ndarray
    """``(R,)`` int64: their places among all synapses."""
    pairs: np.ndarray
    """``(R,)``: trace of spike pairs, which eligibility follows."""
    c: np.ndarray
    """``(R,)``: eligibility."""
    coming: np.ndarray
    """``(delay,)``, a ring: rewards under way."""
    reward: np.ndarray
    """``(2, 2)``: of the two parts of the reward, a trace and what follows it."""


def circuit(p: Circuit, seed: int) -> State:
    """A network at rest, with random synapses."""
    random, e, n = np.random.default_rng(seed), p.excitatory, p.excitatory + p.inhibitory
    noisy = np.concatenate([np.arange(e) >= e // 2, np.arange(n - e) >= (n - e) // 2])
    density = np.full((n, n), p.density)
    density[e:, :e] *= p.between[0]
    density[e:, e:] *= p.between[1]
    density[:, noisy] *= p.to_noisy
    np.fill_diagonal(density, 0.0)
    source, target = np.divmod(np.flatnonzero(random.random((n, n)) < density), n)
    leaves = np.searchsorted(source, np.arange(n + 1))
    learn = int(leaves[e])
    return State(
        np.full(n, p.neuron.v_rest), np.zeros(n), np.zeros((2, n)), np.where(noisy, 1.0, p.quiet), np.zeros((2, n)), np.zeros(n),
        np.zeros(n), np.zeros(n), np.zeros(n), leaves, source, target, np.where(source < e, p.w_start, p.w_inh),
        *incoming(target[:learn], n), np.zeros(learn), np.zeros(learn), np.zeros(p.delay), np.zeros((2, 2)),
    )  # fmt: skip


class Constants(NamedTuple):
    """What compiled code computes with of a `Circuit`, per ms."""

    excitatory: int
    neuron: LIFConstants
    per_nS: float
    """Jump towards a reversal potential that 1 nS makes in a ms."""
    e_exc: float
    e_inh: float
    keep_g: float
    released: float
    keep_used: float
    mean_exc: float
    keep_exc: float
    step_exc: float
    """Factor on a uniform number between -1/2 and 1/2."""
    mean_inh: float
    keep_inh: float
    step_inh: float
    a_plus: float
    a_minus: float
    keep_trace: float
    keep_c: float
    """Over `EVERY` ms."""
    rise_c: float
    keep_rise: float
    rise: float
    keep_fall: float
    fall: float
    tau_rise: float
    tau_fall: float
    lr: float
    """Over `EVERY` ms."""
    w_max: float


def constants(p: Circuit) -> Constants:
    """The constants of an experiment."""
    e, i = (
        (mean, decay(tau, 1.0), deviation * (12.0 * (1.0 - decay(tau, 1.0) ** 2)) ** 0.5)
        for mean, deviation, tau in (p.noise_exc, p.noise_inh)
    )
    return Constants(
        p.excitatory, lif_constants(p.neuron, 1.0), 1.0 / p.capacity, p.e_exc, p.e_inh, decay(p.tau_s, 1.0), p.released,
        decay(p.tau_depression, 1.0), *e, *i, p.a_plus, p.a_minus, decay(p.tau, 1.0), *alpha(p.tau_c, EVERY),
        *alpha(p.tau_rise, 1.0), *alpha(p.tau_fall, 1.0), p.tau_rise / 1000, p.tau_fall / 1000, p.lr * EVERY / 1000, p.w_max,
    )  # fmt: skip


def alpha(tau: float, dt: float) -> tuple[float, float]:
    """Decay and rise with which a trace of a trace is s / tau exp(-s / tau), s after its spike."""
    return decay(tau, dt), decay(tau, dt) * dt / tau


@entry()
def live(s, p, seed, begin, pays, given):
    """As many ms of a network from ``begin`` as ``given`` is long. s: `State`. p: `Constants`.

    pays: ``(N,)``, the reward of a spike of each neuron. given: ``(ms,)``, rewards whatever they do.
    Returns how often each neuron fired ``(N,)``, and the rewards that were earned in each ms.
    """
    n, learn = s.v.shape[0], s.c.shape[0]
    uniform, earned, fired = np.empty(2 * n, np.float32), np.zeros(given.shape[0]), np.zeros(n, np.int64)
    v, pause, loud, used, release, x, y, current = s.v, s.pause, s.loud, s.used, s.release, s.x, s.y, np.empty(n)
    noise_e, noise_i, drawn_e, drawn_i, g_e, g_i = s.noise[0], s.noise[1], uniform[:n], uniform[n:], s.g[0], s.g[1]
    for step in range(given.shape[0]):
        t = begin + step
        fill_uniform(uniform, 0, uniform.shape[0], 0, window_keys(seed, t))
        for i in range(n):
            x[i] *= p.keep_trace
            y[i] *= p.keep_trace
            g_e[i] *= p.keep_g
            g_i[i] *= p.keep_g
        for i in range(n):  # spikes of the last ms reach their targets, whose traces know nothing of this ms yet
            if release[i] > 0.0:
                x[i] += 1.0
                excites = i < p.excitatory
                for k in range(s.leaves[i], s.leaves[i + 1]):
                    j = s.target[k]
                    s.g[0 if excites else 1, j] += s.weight[k] * release[i]
                    if excites and j < p.excitatory:
                        s.pairs[k] -= p.a_minus * y[j]
        for i in range(n):
            noise_e[i] = trace_step(noise_e[i], drawn_e[i] - 0.5, p.keep_exc, p.step_exc)
            noise_i[i] = trace_step(noise_i[i], drawn_i[i] - 0.5, p.keep_inh, p.step_inh)
        for i in range(n):
            excitation = (g_e[i] + max(0.0, p.mean_exc + noise_e[i]) * loud[i]) * p.per_nS
            inhibition = (g_i[i] + max(0.0, p.mean_inh + noise_i[i]) * loud[i]) * p.per_nS
            current[i] = conductance_jump(v[i], excitation, inhibition, p.e_exc, p.e_inh)
        for i in range(n):
            spike, v[i], pause[i] = lif_tick(v[i], pause[i], current[i], p.neuron.v_th, p.neuron)
            release[i] = 1.0 if spike else 0.0
        for i in range(n):
            used[i] *= p.keep_used
            release[i] *= p.released * (1.0 - used[i])
            used[i] += release[i]
        for i in range(n):
            if release[i] > 0.0:
                y[i] += 1.0
                fired[i] += 1
                earned[step] += pays[i]
                if i < p.excitatory:
                    for k in s.incoming[s.arrives[i] : s.arrives[i + 1]]:
                        s.pairs[k] += p.a_plus * x[s.source[k]]
        now = t % s.coming.shape[0]
        s.reward[0, 1] = trace_step(s.reward[0, 1], s.reward[0, 0], p.keep_rise, p.rise)
        s.reward[1, 1] = trace_step(s.reward[1, 1], s.reward[1, 0], p.keep_fall, p.fall)
        s.reward[0, 0] = trace_step(s.reward[0, 0], s.coming[now], p.keep_rise)
        s.reward[1, 0] = trace_step(s.reward[1, 0], s.coming[now], p.keep_fall)
        s.coming[now] = earned[step] + given[step]
        if t % EVERY == 0:
            reward = s.reward[0, 1] / p.tau_rise - s.reward[1, 1] / p.tau_fall
            for k in range(learn):
                s.c[k] = trace_step(s.c[k], s.pairs[k], p.keep_c, p.rise_c)
                s.pairs[k] *= p.keep_c
                s.weight[k] = weight_step(s.weight[k], p.lr * reward * s.c[k], 0.0, p.w_max)
    return fired, earned
