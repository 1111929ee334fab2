"""Output spikes to actions, and the credit of each output neuron for the action taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from rstdp_agents import validate

Gate = Literal["centred", "chosen", "none"]


@dataclass(frozen=True)
class PopulationDecoder:
    """One group of output neurons per action; a softmax over the groups' mean rates chooses."""

    actions: int
    """Number of actions."""
    neurons_per_action: int = 8
    """Size of each action's group."""
    inverse_temperature: float = 10.0
    """Sharpness of the softmax over mean rates (spikes per neuron and tick)."""
    gate: Gate = "centred"
    """Eligibility of an action's neurons: 1[a] - pi(a) (centred), 1[a] (chosen), or 1 (none)."""

    def __post_init__(self) -> None:
        validate.positive("actions", self.actions)
        validate.positive("neurons_per_action", self.neurons_per_action)
        validate.positive("inverse_temperature", self.inverse_temperature)

    @property
    def size(self) -> int:
        """Number of output neurons."""
        return self.actions * self.neurons_per_action

    def action_rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> mean rate of each group, ``(agents, envs, actions)`` in [0, 1]."""
        ticks, agents, envs, _ = spikes.shape
        return spikes.reshape(ticks, agents, envs, self.actions, self.neurons_per_action).mean((0, 4))

    def probabilities(self, rates: Tensor) -> Tensor:
        """Policy of the stochastic agent: softmax(inverse_temperature * rates), ``(agents, envs, actions)``."""
        return torch.softmax(rates * self.inverse_temperature, -1)

    def greedy(self, rates: Tensor) -> Tensor:
        """Policy of the greedy agent: all on the most active group, shared evenly between equals."""
        best = (rates == rates.amax(-1, keepdim=True)).to(rates.dtype)
        return best / best.sum(-1, keepdim=True)

    def credit(self, action: Tensor, probabilities: Tensor) -> Tensor | None:
        """Gate ``(agents, envs, out)`` of the output neurons' eligibility for actions ``(agents, envs)``; None for no gate."""
        if self.gate == "none":
            return None
        gate = (torch.arange(self.actions, device=action.device) == action[..., None]).to(probabilities.dtype)
        if self.gate == "centred":
            gate -= probabilities
        return gate[..., None].expand(*gate.shape, self.neurons_per_action).flatten(-2)


def sample(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Draw actions by inverse transform: ``(agents, envs, actions)`` and uniforms ``(agents, envs)`` -> ``(agents, envs)``."""
    index = (probabilities.cumsum(-1) <= uniform[..., None]).sum(-1)
    return index.clamp_(max=probabilities.shape[-1] - 1)
