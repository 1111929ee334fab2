"""Feed-forward network of Florian (2007): input, hidden and one output neuron, all-to-all, learning within each presentation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.neuron import LIFParams
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.neurons import LIFState, lif_init, lif_window
from rstdp_agents.spiking.plasticity import PairRule
from rstdp_agents.spiking.plasticity.rewarded_window import rewarded_window
from rstdp_agents.spiking.plasticity.update import apply_update
from rstdp_agents.spiking.plasticity.window import PairState, pair_init
from rstdp_agents.spiking.synapses import Linear

NEURON = LIFParams(tau_m=20.0, v_rest=-70.0, v_th=-54.0, v_reset=-70.0, t_ref=0.0, escape_noise=0.0)
"""Voltages in mV; a hard threshold and no refractory period."""
Timing = Literal["instant", "delayed", "lagged"]
"""Instant: a spike reaches the next layer in its own tick, and the reward modulates the eligibility of its own. Delayed: a spike
reaches it one tick later. Lagged: so it does, and the reward modulates the eligibility of the tick before, as in Florian's
discrete equations."""


@dataclass(frozen=True)
class NetworkParams:
    """Size, bounds and learning."""

    inputs: int
    hidden: int
    w_max: float
    """Largest weight (mV of postsynaptic potential per spike)."""
    fixed_signs: bool
    """Every other input neuron is inhibitory, weights in [-w_max, 0], the others excitatory, [0, w_max]; otherwise all input
    weights are free in [-w_max, w_max]. Weights to the output are always excitatory."""
    timing: Timing
    """When a spike reaches the next layer, and whose eligibility the reward of an output spike modulates."""
    window: int = 10
    """Ticks between weight changes; 1 is the paper's online form."""

    def __post_init__(self) -> None:
        validate.positive("w_max", self.w_max, "mV")
        validate.one_of("timing", self.timing, get_args(Timing))
        validate.positive("window", self.window, "ticks")


class Network:
    """A population of networks: weights ``(agents, hidden, inputs)`` and ``(agents, 1, hidden)``, uniform within their bounds."""

    def __init__(self, p: NetworkParams, rule: PairRule, lr: Tensor, random: AgentRandom, dt: float) -> None:
        """lr: ``(agents,)``, mV; a whole number of agents for every generator of ``random``, twins of the same start."""
        self.p, self.rule, self.dt, self.lr = p, rule, dt, lr.reshape(-1, 1, 1)
        self.synapses = Linear(p.inputs, p.hidden), Linear(p.hidden, 1)
        upper, lower = torch.full((p.inputs,), p.w_max), torch.full((p.inputs,), -p.w_max)
        if p.fixed_signs:
            upper[1::2], lower[::2] = 0.0, 0.0
        outward = torch.full((p.hidden,), p.w_max)
        self.bounds = (lower.to(lr), upper.to(lr)), (torch.zeros_like(outward).to(lr), outward.to(lr))
        copies = len(lr) // len(random.generators)
        self.weights = tuple(
            (low + (high - low) * random.uniform(s.post * s.pre).reshape(-1, s.post, s.pre)).repeat(copies, 1, 1)
            for s, (low, high) in zip(self.synapses, self.bounds, strict=True)
        )

    def respond(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, 1)`` of neurons that start at rest; nothing is learnt."""
        return self._window(spikes, *self._rest(spikes))[0][-1]

    def learn(self, spikes: Tensor, target: Tensor) -> Tensor:
        """One presentation with learning, from rest; every output spike earns ``target (agents, envs)`` in its tick.

        spikes: ``(ticks, agents, envs, inputs)``. Returns the output spikes ``(ticks, agents, envs, 1)``.
        """
        neurons, last = self._rest(spikes)
        agents, envs = spikes.shape[1:3]
        pairs = [pair_init(s, self.rule, agents, envs, spikes.device, spikes.dtype) for s in self.synapses]
        output = []
        for now in spikes.split(self.p.window):
            layers, neurons, last = self._window(now, neurons, last)
            reward = target * layers[-1][..., 0]
            pairs = [self._update(i, layers[i], layers[i + 1], reward, pairs[i]) for i in range(len(pairs))]
            output.append(layers[-1])
        return torch.cat(output)

    def _update(self, i: int, pre: Tensor, post: Tensor, reward: Tensor, pairs: PairState) -> PairState:
        """Update the weights of one layer by the eligibility that the window's rewards modulated; returns its new pairs."""
        lagged = self.p.timing == "lagged"
        dw, pairs = rewarded_window(self.synapses[i], self.rule, pre, post, reward, pairs, self.dt, lagged=lagged)
        apply_update(self.weights[i], self.lr * dw, -self.p.w_max, self.p.w_max)
        self.weights[i].clamp_(*self.bounds[i])
        return pairs

    def _rest(self, spikes: Tensor) -> tuple[list[LIFState], list[Tensor]]:
        """Neurons at rest and no spikes in transit."""
        lead = spikes.shape[1:3]
        neurons = [lif_init((*lead, s.post), NEURON, spikes.device, spikes.dtype) for s in self.synapses]
        return neurons, [spikes.new_zeros(1, *lead, s.pre) for s in self.synapses]

    def _window(
        self, spikes: Tensor, neurons: list[LIFState], last: list[Tensor]
    ) -> tuple[list[Tensor], list[LIFState], list[Tensor]]:
        """Spikes of input, hidden and output layer, each in transit for one tick; the states; the spikes still in transit."""
        layers, after = [spikes], []
        for synapse, weight, state, before in zip(self.synapses, self.weights, neurons, last, strict=True):
            arriving = layers[-1] if self.p.timing == "instant" else torch.cat([before, layers[-1][:-1]])
            current = synapse.current(arriving, weight)
            post, state = lif_window(current, state, torch.full_like(current, NEURON.v_th), NEURON, self.dt)
            layers.append(post)
            after.append(state)
        return layers, after, [layer[-1:] for layer in layers[:-1]]
