"""Output spikes to continuous actions: a population vector for each dimension of the action."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.codecs.decoders.softmax import Decision, as_started
from rstdp_agents.equations.policy import (
    noise,
    preferred_value,
    standard_normal,
    vector_action,
    vector_gate,
    vector_push,
)


class PopulationVector:
    """Each output neuron stands for one value of one dimension of the action; their mean, weighted by rates, is the action.

    In units of half the range, neurons prefer p from -1 to 1, evenly. With rates r, mu = sum r p / sum r (0 if all are silent),
    and the action taken is mu + sigma epsilon, epsilon standard normal, cut to the range. The eligibility of a neuron's
    pairs is gated by ``epsilon (p - mu)``: by how far its spikes pull towards the action taken (Williams 1992, for a normal
    policy, up to the factor 1 / (sigma sum r)). sigma starts at ``exploration``. low, high: bounds of the action, any shape.
    neurons: per dimension.
    """

    def __init__(self, low: np.ndarray, high: np.ndarray, neurons: int, exploration: float) -> None:
        validate.require(
            neurons >= 2, f"`neurons_per_action` must be 2 or more for continuous actions; received {neurons}"
        )
        validate.not_negative("exploration", exploration)
        finite = bool(np.isfinite(low).all() and np.isfinite(high).all())
        validate.require(finite, f"continuous actions must be bounded; received bounds {low} and {high}")
        self.shape, self.dims, self.neurons, self.exploration = low.shape, low.size, neurons, exploration
        self.bounds = tuple(bound.reshape(-1).astype(np.float64) for bound in (low, high))
        self.low, self.high = (torch.from_numpy(bound) for bound in self.bounds)
        self.actions = 0  # nothing can be masked
        self.preferred = preferred_value(torch.arange(neurons, dtype=torch.float64), neurons)

    @property
    def size(self) -> int:
        """Number of output neurons."""
        return self.dims * self.neurons

    @property
    def components(self) -> int:
        """Number of dimensions."""
        return self.dims

    @property
    def choices(self) -> int:
        """None of them."""
        return 0

    @property
    def draws(self) -> int:
        """Uniform draws that one choice takes."""
        return 2 * self.dims

    def to(self, device: torch.device, dtype: torch.dtype) -> PopulationVector:
        for name in ("low", "high", "preferred"):
            setattr(self, name, getattr(self, name).to(device=device, dtype=dtype))
        return self

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> rate of each neuron, ``(agents, envs, out)`` in [0, 1]."""
        return spikes.mean(0)

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Action ``(agents, envs, *shape)`` and gate ``(agents, envs, out)``; uniform ``(agents, envs, draws)`` in [0, 1)."""
        return self.decide(rates, uniform, allowed, as_started(rates))[:2]

    def decide(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Decision:
        """See `softmax.Explorer.decide`; a component is a dimension."""
        mu, epsilon = self._mean(rates), standard_normal(*uniform.unflatten(-1, (-1, 2)).unbind(-1))
        gate = vector_gate(epsilon[..., None], self.preferred.to(rates), mu[..., None])
        action = self._action(mu, epsilon, noise(sharpness, self.exploration))
        return Decision(action, gate.flatten(-2), vector_push(epsilon))

    def policy(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        """See `softmax.Explorer.policy`."""
        return self._action(self._mean(rates), 0.0, 0.0)

    def greedy(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The action without exploration, ``(agents, envs, *shape)``."""
        return self._action(self._mean(rates), 0.0, 0.0)

    def _mean(self, rates: Tensor) -> Tensor:
        grouped = rates.unflatten(-1, (self.dims, self.neurons))
        return grouped @ self.preferred.to(rates) / grouped.sum(-1).clamp_(min=1e-9)

    def _action(self, mean: Tensor, epsilon: Tensor | float, sigma: Tensor | float) -> Tensor:
        action = vector_action(mean, epsilon, sigma, self.low.to(mean), self.high.to(mean))
        return action.reshape(*mean.shape[:-1], *self.shape)
