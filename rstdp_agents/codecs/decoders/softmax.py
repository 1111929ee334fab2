"""Output spikes to actions, and the credit of each output neuron for the action taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.policy import softmax_gate

Gate = Literal["centred", "chosen", "none"]


class Decoder(Protocol):
    """From output spikes to actions."""

    @property
    def size(self) -> int:
        """Number of output neurons."""
        ...

    @property
    def draws(self) -> int:
        """Uniform draws that one choice takes."""
        ...

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> rates that decide the action, ``(agents, envs, groups)`` in [0, 1]."""
        ...

    @property
    def actions(self) -> int:
        """Total number of values that can be chosen, over all components of the action: the length of a mask."""
        ...

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Actions ``(agents, envs, *shape)``, and the gate of each output neuron's eligibility ``(agents, envs, out)``.

        uniform: ``(agents, envs, draws)`` in [0, 1). A gate of None lets all pairs pass. allowed: bool ``(agents, envs,
        actions)``, what may be chosen; all of it if None, and where nothing is allowed.
        """
        ...

    def greedy(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The best actions ``(agents, envs, *shape)`` according to the rates."""
        ...

    def to(self, device: torch.device, dtype: torch.dtype) -> Decoder:
        """The same decoder with its constants on a device."""
        ...


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
    start: int = 0
    """The first action."""
    draws = 1

    def __post_init__(self) -> None:
        validate.positive("actions", self.actions)
        validate.positive("neurons_per_action", self.neurons_per_action)
        validate.positive("inverse_temperature", self.inverse_temperature)

    @property
    def size(self) -> int:
        """Number of output neurons."""
        return self.actions * self.neurons_per_action

    def to(self, device: torch.device, dtype: torch.dtype) -> PopulationDecoder:
        return self

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> mean rate of each group, ``(agents, envs, actions)`` in [0, 1]."""
        ticks, agents, envs, _ = spikes.shape
        return spikes.reshape(ticks, agents, envs, self.actions, self.neurons_per_action).mean((0, 4))

    def probabilities(self, rates: Tensor, allowed: Tensor | None = None) -> Tensor:
        """Policy of the stochastic agent: softmax(inverse_temperature * rates) over what is allowed, ``(..., actions)``."""
        return torch.softmax(among(rates * self.inverse_temperature, allowed), -1)

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """An action drawn from the policy, ``(agents, envs)``, and the credit for it."""
        probabilities = self.probabilities(rates, allowed)
        action = sample(probabilities, uniform[..., 0])
        return action + self.start, self.credit(action, probabilities)

    def greedy(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The action of the most active group, ``(agents, envs)``; ties are broken at random."""
        return self.best(rates, uniform[..., 0], allowed) + self.start

    def best(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The most active of the allowed groups ``(..., actions)``, counted from 0; ties are broken at random."""
        rates = among(rates, allowed)
        best = (rates == rates.amax(-1, keepdim=True)).to(rates.dtype)
        return sample(best / best.sum(-1, keepdim=True), uniform)

    def credit(self, action: Tensor, probabilities: Tensor) -> Tensor | None:
        """Gate ``(agents, envs, out)`` of the output neurons' eligibility for actions counted from 0; None for no gate."""
        gate = self.gate_of(action, probabilities)
        return None if gate is None else gate[..., None].expand(*gate.shape, self.neurons_per_action).flatten(-2)

    def gate_of(self, action: Tensor, probabilities: Tensor) -> Tensor | None:
        """Gate of every group, with the axes of ``probabilities``; None for no gate."""
        if self.gate == "none":
            return None
        actions = torch.arange(probabilities.shape[-1], device=action.device)
        chosen = (actions == action[..., None]).to(probabilities.dtype)
        return softmax_gate(chosen, probabilities) if self.gate == "centred" else chosen


def among(scores: Tensor, allowed: Tensor | None) -> Tensor:
    """``scores (..., actions)``, minus infinity where an action is not allowed; unchanged where none is."""
    if allowed is None:
        return scores
    return scores.masked_fill(~allowed & allowed.any(-1, keepdim=True), -math.inf)


def sample(probabilities: Tensor, uniform: Tensor) -> Tensor:
    """Draw actions by inverse transform: ``(..., actions)`` and draws ``(...)`` -> ``(...)``; never one of probability 0."""
    index = (probabilities.cumsum(-1) <= uniform[..., None]).sum(-1)
    last = probabilities.shape[-1] - 1 - (probabilities > 0).flip(-1).to(torch.uint8).argmax(-1)
    return torch.minimum(index, last)
