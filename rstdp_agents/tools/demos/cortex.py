"""A thousand of Izhikevich's neurons whose excitatory synapses learn by STDP and dopamine (Izhikevich 2007), compiled.

Each of 800 excitatory and 200 inhibitory neurons projects to a hundred others with a delay of 1 ms, and noise lets every
neuron fire about once a second. An excitatory synapse has an eligibility c of its spike pairs. Whenever the neuron at the end
of the synapse that is watched fires soon after the one at its beginning, dopamine comes one to three seconds later, and all
synapses learn of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rstdp_agents.base.compiled import entry
from rstdp_agents.equations.izhikevich import izhikevich_step
from rstdp_agents.equations.random_numbers import fill_uniform, window_keys
from rstdp_agents.equations.three_factor import weight_step
from rstdp_agents.equations.traces import decay, trace_step

EVERY = 10
"""ms between two updates of the weights."""
LATEST = 4000
"""ms that a reward is under way at most."""


@dataclass(frozen=True)
class Cortex:
    """The network and the experiment, with the constants of the paper; times in ms."""

    excitatory: int = 800
    inhibitory: int = 200
    targets: int = 100
    """Synapses of each neuron."""
    w_start: float = 1.0
    """Weight of an excitatory synapse, and minus that of an inhibitory one (mV)."""
    w_max: float = 4.0
    noise: float = 13.0
    """Width of the uniform current of every neuron and ms (mV/ms)."""
    a_plus: float = 0.1
    """Eligibility of a pair of spikes, pre before post, that are next to each other."""
    a_minus: float = 0.15
    tau: float = 20.0
    """Time constant of the spike traces."""
    tau_c: float = 1000.0
    """Time constant of eligibility."""
    tau_d: float = 200.0
    """Time constant of dopamine."""
    baseline: float = 0.002
    """Dopamine that is there always."""
    dose: float = 0.5
    """Dopamine of a reward."""
    soon: int = 20
    """ms within which the second neuron has to fire after the first."""
    delay: tuple[int, int] = (1000, 3000)
    """How much later dopamine comes, from, to."""


class Network(NamedTuple):
    """State of a network of N neurons, of which E excite, with M synapses each."""

    v: np.ndarray
    """``(N,)``"""
    u: np.ndarray
    """``(N,)``"""
    a: np.ndarray
    """``(N,)``"""
    d: np.ndarray
    """``(N,)``"""
    target: np.ndarray
    """``(N, M)`` int64"""
    weight: np.ndarray
    """``(N, M)``"""
    c: np.ndarray
    """``(E, M)``: eligibility."""
    first: np.ndarray
    """``(N + 1,)`` int64: where the excitatory synapses of each neuron begin in ``incoming``."""
    incoming: np.ndarray
    """``(E M,)`` int64: their places in ``c``, flat."""
    x: np.ndarray
    """``(N,)``: presynaptic trace, of spikes that have arrived."""
    y: np.ndarray
    """``(N,)``: postsynaptic trace."""
    fired: np.ndarray
    """``(N,)`` bool: in the last ms."""
    rewards: np.ndarray
    """``(LATEST,)`` float64, a ring: dopamine that comes in each ms."""
    dopamine: np.ndarray
    """``(1,)``"""
    last: np.ndarray
    """``(1,)`` int64: when the first of the neurons that are watched fired last."""


def network(p: Cortex, seed: int) -> Network:
    """A network at rest, and the first synapse of its first neuron, which is watched, at weight 0."""
    random, n = np.random.default_rng(seed), p.excitatory + p.inhibitory
    target = np.empty((n, p.targets), np.int64)
    for i in range(n):
        among = n if i < p.excitatory else p.excitatory  # inhibition is of excitatory neurons alone
        others = np.delete(np.arange(among), i) if i < among else np.arange(among)
        target[i] = random.choice(others, p.targets, replace=False)
    weight = np.full((n, p.targets), p.w_start)
    weight[p.excitatory :] *= -1.0
    weight[0, 0] = 0.0
    places = target[: p.excitatory].reshape(-1)
    excites = np.arange(n) < p.excitatory
    v = np.full(n, -65.0)
    return Network(
        v, 0.2 * v, np.where(excites, 0.02, 0.1), np.where(excites, 8.0, 2.0), target, weight,
        np.zeros((p.excitatory, p.targets)), *incoming(places, n), np.zeros(n), np.zeros(n), np.zeros(n, bool), np.zeros(LATEST),
        np.zeros(1), np.full(1, -LATEST),
    )  # fmt: skip


def incoming(target: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """The synapses of each of n neurons they lead to: where a neuron's begin ``(n + 1,)``, and their places in ``target``."""
    return np.searchsorted(np.sort(target), np.arange(n + 1)), np.argsort(target, kind="stable")


class Rates(NamedTuple):
    """What compiled code computes with of a `Cortex`, per ms."""

    noise: float
    a_plus: float
    a_minus: float
    keep_trace: float
    keep_c: float
    """Over `EVERY` ms."""
    keep_d: float
    baseline: float
    dose: float
    w_max: float
    soon: int
    earliest: int
    latest: int


def rates(p: Cortex) -> Rates:
    """The constants of an experiment."""
    return Rates(
        p.noise, p.a_plus, p.a_minus, decay(p.tau, 1.0), decay(p.tau_c, EVERY), decay(p.tau_d, 1.0), p.baseline, p.dose, p.w_max,
        p.soon, *p.delay,
    )  # fmt: skip


@entry()
def live(s, p, seed, begin, end, given, yoked):
    """The ms from ``begin`` to ``end`` of a network. s: `Network`. p: `Rates`.

    Rewards come for what the watched neurons do; if ``yoked``, at the times ``given (n,)`` int64, whatever they do.
    Returns how many spikes there were, and the times at which rewards will come that were earned meanwhile.
    """
    n, excitatory, watched = s.v.shape[0], s.c.shape[0], s.target[0, 0]
    uniform, current, c = np.empty(n, np.float32), np.empty(n), s.c.reshape(-1)
    now, before = np.empty(n, np.int64), np.empty(n, np.int64)
    earned, many, spikes = np.empty(end - begin, np.int64), 0, 0
    for t in range(begin, end):
        keys = window_keys(seed, t)
        fill_uniform(uniform, 0, uniform.shape[0], 0, keys)
        some, arrived = 0, 0
        for i in range(n):
            current[i] = p.noise * (uniform[i] - 0.5)
            s.x[i], s.y[i] = s.x[i] * p.keep_trace, s.y[i] * p.keep_trace
            if s.fired[i]:
                before[arrived] = i
                arrived += 1
            s.fired[i] = s.v[i] >= 30.0
            if s.fired[i]:
                now[some] = i
                some += 1
        for k in range(arrived):  # spikes of the last ms reach their targets, whose traces know nothing of this ms yet
            i = before[k]
            for m in range(s.target.shape[1]):
                current[s.target[i, m]] += s.weight[i, m]
                if i < excitatory:
                    s.c[i, m] -= p.a_minus * s.y[s.target[i, m]]
        for k in range(some):
            i = now[k]
            s.v[i], s.u[i] = -65.0, s.u[i] + s.d[i]
            for place in range(s.first[i], s.first[i + 1]):
                c[s.incoming[place]] += p.a_plus * s.x[s.incoming[place] // s.target.shape[1]]
        spikes += some
        for i in range(n):
            for _ in range(2):
                s.v[i], s.u[i] = izhikevich_step(s.v[i], s.u[i], current[i], 0.5, s.a[i], 0.2)
        for k in range(arrived):
            s.x[before[k]] = 1.0  # the nearest pair counts
        for k in range(some):
            s.y[now[k]] = 1.0
        if s.fired[0]:
            s.last[0] = t
        if s.fired[watched] and 0 < t - s.last[0] < p.soon and not yoked:
            fill_uniform(uniform, 0, 1, n, keys)
            earned[many] = t + p.earliest + np.int64(uniform[0] * (p.latest - p.earliest))
            s.rewards[earned[many] % LATEST] += p.dose
            many += 1
        for k in range(given.shape[0]):
            if given[k] == t:
                s.rewards[t % LATEST] += p.dose
        s.dopamine[0] = trace_step(s.dopamine[0], s.rewards[t % LATEST], p.keep_d)
        s.rewards[t % LATEST] = 0.0
        if t % EVERY == 0:
            for i in range(excitatory):
                for m in range(s.target.shape[1]):
                    change = (p.baseline + s.dopamine[0]) * s.c[i, m]
                    s.weight[i, m] = weight_step(s.weight[i, m], change, 0.0, p.w_max)
                    s.c[i, m] *= p.keep_c
    return spikes, earned[:many]
