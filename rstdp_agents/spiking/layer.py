"""A projection with its postsynaptic neurons: the state, and thin methods around the pure functions."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.equations.rate_control import HomeostasisParams
from rstdp_agents.equations.three_factor import dale_bounds, soft_change
from rstdp_agents.spiking import neurons as models
from rstdp_agents.spiking.dale import by_sign, presynaptic_signs
from rstdp_agents.spiking.homeostasis import HomeostasisState, homeostasis_init, homeostasis_window
from rstdp_agents.spiking.neurons import Neuron, State
from rstdp_agents.spiking.plasticity.base import PairRule
from rstdp_agents.spiking.plasticity.last_window import (
    add_modulated_last,
    eligible,
    last_init,
    last_window,
    lasts_one_window,
)
from rstdp_agents.spiking.plasticity.update import add_modulated
from rstdp_agents.spiking.plasticity.window import (
    PairState,
    pair_init,
    pair_kernels,
    pair_window,
    pair_window_from_rest,
    traces_init,
)
from rstdp_agents.spiking.synapses import Synapse


class Layer:
    """Synapse, neurons, rule and homeostasis of one layer, for a population of agents.

    Per agent, kept over episodes: `weight` and `homeostasis`. Per env, fresh in each episode: `neurons` and `pairs`, whose z is
    empty where eligibility lasts for one window: then `last` holds it as factors (`plasticity.last_window`).
    """

    def __init__(
        self, name: str, synapse: Synapse, weight: Tensor, envs: int, *, neuron: Neuron, rule: PairRule,
        homeostasis: HomeostasisParams, bounds: tuple[float, float], ticks: int, dt: float, fresh_each_window: bool,
        dale: bool = False, mu: float = 0.0,
    ) -> None:  # fmt: skip
        self.name, self.synapse, self.weight = name, synapse, weight
        self.neuron, self.rule, self.homeostasis_params = neuron, rule, homeostasis
        self.dale, self.mu = dale, mu
        self.bounds, self.dt, self.window_ms, self.fresh_each_window = bounds, dt, ticks * dt, fresh_each_window
        self.agents, self.device, self.dtype = weight.shape[0], weight.device, weight.dtype
        self._kernels = pair_kernels(rule, ticks, dt, self.device, self.dtype)
        per_agent = (self.agents, *synapse.post_shape)
        self.homeostasis: HomeostasisState = homeostasis_init(per_agent, homeostasis, self.device, self.dtype)
        self.neurons: State = self.fresh_neurons(envs)
        like = self.agents, envs, self.device, self.dtype
        one_window = lasts_one_window(self._kernels)
        self.pairs: PairState = traces_init(synapse, *like) if one_window else pair_init(synapse, rule, *like)
        fresh = fresh_each_window
        self.last = last_init(synapse, self._kernels, self.agents, envs, fresh) if one_window else None

    def fresh_neurons(self, envs: int) -> State:
        """Neurons of this layer at rest, in ``envs`` envs per agent."""
        return self.neuron.start((self.agents, envs, *self.synapse.post_shape), self.device, self.dtype)

    def forward(self, pre: Tensor, uniform: Tensor, neurons: State) -> tuple[Tensor, State]:
        """Spikes ``(ticks, agents, envs, *post)`` and neurons after a window; changes nothing in the layer.

        pre: ``(ticks, agents, envs, *pre)``. uniform: numbers in [0, 1) of the axes of the spikes, for the noise of the neurons.
        """
        current = self.synapse.current(pre, self.weight)
        offset, lowered = self.homeostasis.offset[:, None], 0.0
        if self.homeostasis_params.param == "bias":
            current = current + offset
        elif self.homeostasis_params.param == "gain":
            current = current * offset.exp()
        elif self.homeostasis_params.param == "threshold":
            lowered = offset
        if not self.fresh_each_window:
            return self.neuron.window(current, uniform, lowered, neurons, self.dt)
        rest = self.neuron.start(tuple(current.shape[1:]), self.device, self.dtype)
        return self.neuron.window(current, uniform, lowered, rest, self.dt)[0], neurons

    def remember(self, pre: Tensor, post: Tensor, gate: Tensor | None) -> None:
        """Make the spike pairs of the window eligible."""
        if self.last is not None:
            self.last, self.pairs = last_window(self._kernels, pre, post, self.pairs, gate, self.fresh_each_window)
        elif self.fresh_each_window:
            pair_window_from_rest(self.synapse, self._kernels, pre, post, self.pairs.z, gate, self.weight)
        else:
            self.pairs = pair_window(self.synapse, self._kernels, pre, post, self.pairs, gate, self.weight)

    def hertz(self, post: Tensor) -> Tensor:
        """Mean rate of every neuron over a window and the envs, ``(agents, *post)`` Hz."""
        return post.mean((0, 2)).mul_(1000.0 / self.dt)

    def regulate(self, hertz: Tensor) -> None:
        """Let homeostasis see the rates of a window, ``(agents, *post)`` Hz."""
        self.homeostasis = homeostasis_window(hertz, self.homeostasis, self.homeostasis_params, self.window_ms)

    def learn(self, m: Tensor, lr: Tensor) -> None:
        """Write the modulator ``m (agents, envs)`` into the weights with learning rates ``lr (agents,)``; `clamp` follows."""
        if self.mu > 0:
            self.weight += soft_change(self.weight, self.update(m, lr), *self._own_bounds(), self.mu)
        else:
            self._add_update(self.weight, m, lr)

    def _own_bounds(self) -> tuple[float | Tensor, float | Tensor]:
        """Bounds of every weight, those of its neuron by Dale's law, of a shape that broadcasts to the weights."""
        if not self.dale:
            return self.bounds
        excites = presynaptic_signs(self.weight) > 0
        (low, _), (_, high) = (dale_bounds(*self.bounds, inhibitory) for inhibitory in (True, False))
        return torch.where(excites, 0.0, low), torch.where(excites, high, 0.0)

    def clamp(self) -> None:
        """Keep the weights within their bounds, and on their neurons' side of 0 by Dale's law."""
        self.weight.clamp_(*self.bounds)
        if self.dale:
            by_sign(self.weight)

    def update(self, m: Tensor, lr: Tensor) -> Tensor:
        """What `learn` would add to the weights, before the bounds: ``(agents, *weight)``."""
        dw = torch.zeros_like(self.weight)
        self._add_update(dw, m, lr)
        return dw

    def eligibility(self, envs: slice = slice(None)) -> tuple[Tensor, ...]:
        """Eligibility of each term of the rule in some of the envs, ``(agents, envs, *weight)``."""
        if self.last is not None:
            return eligible(self.synapse, self.last, envs)
        return tuple(z[:, envs] for z in self.pairs.z)

    def reset(self, done: Tensor) -> None:
        """Fresh state in the envs that finished, ``done (agents, envs)`` bool; the others stay as they are, bit for bit."""
        models.reset(self.neuron, self.neurons, done)
        for tensor in (self.pairs.x, self.pairs.y, *self.pairs.z, *(self.last.credit if self.last else ())):
            tensor[done] = 0.0

    def tensors(self) -> dict[str, Tensor]:
        """Everything that a checkpoint holds, by name."""
        per_agent = {"weight": self.weight, **self.homeostasis._asdict()}
        return {f"{self.name}.{key}": value for key, value in per_agent.items()} | self.per_env()

    def per_env(self) -> dict[str, Tensor]:
        """Of `tensors`, those that are held for every env, ``(agents, envs, ...)``."""
        eligibility = self.last.tensors() if self.last else {f"z{i}": z for i, z in enumerate(self.pairs.z)}
        state = {**self.neurons._asdict(), **eligibility, "x": self.pairs.x, "y": self.pairs.y}
        return {f"{self.name}.{key}": value for key, value in state.items()}

    def _add_update(self, weight: Tensor, m: Tensor, lr: Tensor) -> None:
        factors = tuple(factor * lr[:, None] for factor in self.rule.factors(m))
        if self.last is None:
            add_modulated(weight, self.pairs.z, factors)
        else:
            add_modulated_last(self.synapse, weight, self.last, factors)
