"""A projection with its postsynaptic neurons: the state, and thin methods around the pure functions."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.homeostasis import HomeostasisParams, HomeostasisState, homeostasis_init, homeostasis_window
from rstdp_agents.neurons import LIFParams, LIFState, lif_init, lif_window, noisy_threshold
from rstdp_agents.plasticity.base import PairRule
from rstdp_agents.plasticity.update import apply_update, modulate
from rstdp_agents.plasticity.window import PairState, pair_init, pair_kernels, pair_window
from rstdp_agents.synapses import Synapse


class Layer:
    """Synapse, neurons, rule and homeostasis of one layer, for a population of agents.

    Per agent (kept over episodes): `weight`, `homeostasis`. Per env (fresh in each episode): `neurons`, `pairs`.
    """

    def __init__(
        self, name: str, synapse: Synapse, weight: Tensor, envs: int, *, neuron: LIFParams, rule: PairRule,
        homeostasis: HomeostasisParams, bounds: tuple[float, float], ticks: int, dt: float, fresh_each_window: bool,
    ) -> None:  # fmt: skip
        self.name, self.synapse, self.weight = name, synapse, weight
        self.neuron, self.rule, self.homeostasis_params = neuron, rule, homeostasis
        self.bounds, self.ticks, self.dt, self.fresh_each_window = bounds, ticks, dt, fresh_each_window
        self.agents, self.envs = weight.shape[0], envs
        self.device, self.dtype = weight.device, weight.dtype
        self._kernels = pair_kernels(rule, ticks, dt, self.device, self.dtype)
        self.homeostasis: HomeostasisState = homeostasis_init(
            (self.agents, *synapse.post_shape), homeostasis, self.device, self.dtype
        )
        self.neurons: LIFState = self._fresh_neurons()
        self.pairs: PairState = pair_init(synapse, rule, self.agents, envs, self.device, self.dtype)

    def forward(self, pre: Tensor, uniform: Tensor) -> Tensor:
        """Spikes ``(ticks, agents, envs, *post)`` for input spikes and uniforms of the same axes; moves the neurons on."""
        if self.fresh_each_window:
            self.neurons = self._fresh_neurons()
        current = self.synapse.current(pre, self.weight)
        threshold = noisy_threshold(uniform, self.neuron)
        offset = self.homeostasis.offset[:, None]
        if self.homeostasis_params.param == "bias":
            current = current + offset
        elif self.homeostasis_params.param == "threshold":
            threshold = threshold - offset
        spikes, self.neurons = lif_window(current, self.neurons, threshold, self.neuron, self.dt)
        return spikes

    def remember(self, pre: Tensor, post: Tensor, gate: Tensor | None) -> None:
        """Make the spike pairs of the window eligible, and let homeostasis see its rates."""
        pairs = self.pairs
        if self.fresh_each_window:
            pairs = PairState(torch.zeros_like(pairs.x), torch.zeros_like(pairs.y), pairs.z)
        self.pairs = pair_window(self.synapse, self._kernels, pre, post, pairs, gate)
        self.homeostasis = homeostasis_window(
            post.sum(0), self.homeostasis, self.homeostasis_params, self.ticks * self.dt
        )

    def learn(self, m: Tensor, lr: Tensor) -> None:
        """Write the modulator ``m (agents, envs)`` into the weights with learning rates ``lr (agents,)``."""
        dw = modulate(self.pairs.z, self.rule.factors(m))
        apply_update(self.weight, dw * lr.reshape(-1, *[1] * (dw.ndim - 1)), *self.bounds)

    def reset(self, done: Tensor) -> None:
        """Fresh state in the envs that finished, ``done (agents, envs)`` bool; the others stay as they are, to the bit."""
        fresh = self._fresh_neurons()
        for tensor, start in zip(self.neurons, fresh, strict=True):
            tensor[done] = start[done]
        for tensor in (self.pairs.x, self.pairs.y, *self.pairs.z):
            tensor[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by name."""
        named = {
            "weight": self.weight, "rate": self.homeostasis.rate, "offset": self.homeostasis.offset,
            "v": self.neurons.v, "refractory": self.neurons.refractory, "x": self.pairs.x, "y": self.pairs.y,
        }  # fmt: skip
        named.update({f"z{i}": z for i, z in enumerate(self.pairs.z)})
        return {f"{self.name}.{key}": value for key, value in named.items()}

    def _fresh_neurons(self) -> LIFState:
        return lif_init((self.agents, self.envs, *self.synapse.post_shape), self.neuron, self.device, self.dtype)
