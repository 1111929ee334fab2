"""Output spikes to actions, and the credit of each output neuron for the action taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import gymnasium as gym
import torch
from torch import Tensor

from rstdp_agents import validate
from rstdp_agents.vector_decoder import PopulationVector

Gate = Literal["centred", "chosen", "none"]


class Decoder(Protocol):
    """From output spikes to actions."""

    @property
    def size(self) -> int:
        """Number of output neurons."""
        ...

    @property
    def numbers(self) -> int:
        """Uniform numbers that one choice takes."""
        ...

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> the rates that decide, ``(agents, envs, groups)`` in [0, 1]."""
        ...

    def choose(self, rates: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor | None]:
        """Actions ``(agents, envs, *shape)``, and the gate of each output neuron's eligibility ``(agents, envs, out)``.

        uniform: ``(agents, envs, numbers)`` in [0, 1). A gate of None lets all pairs pass.
        """
        ...

    def greedy(self, rates: Tensor, uniform: Tensor) -> Tensor:
        """The best actions ``(agents, envs, *shape)`` as far as the rates tell."""
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
    numbers = 1

    def __post_init__(self) -> None:
        validate.positive("actions", self.actions)
        validate.positive("neurons_per_action", self.neurons_per_action)
        validate.positive("inverse_temperature", self.inverse_temperature)

    @property
    def size(self) -> int:
        """Number of output neurons."""
        return self.actions * self.neurons_per_action

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> mean rate of each group, ``(agents, envs, actions)`` in [0, 1]."""
        ticks, agents, envs, _ = spikes.shape
        return spikes.reshape(ticks, agents, envs, self.actions, self.neurons_per_action).mean((0, 4))

    def probabilities(self, rates: Tensor) -> Tensor:
        """Policy of the stochastic agent: softmax(inverse_temperature * rates), ``(agents, envs, actions)``."""
        return torch.softmax(rates * self.inverse_temperature, -1)

    def choose(self, rates: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor | None]:
        """An action drawn from the policy, ``(agents, envs)``, and the credit for it."""
        probabilities = self.probabilities(rates)
        action = sample(probabilities, uniform[..., 0])
        return action + self.start, self.credit(action, probabilities)

    def greedy(self, rates: Tensor, uniform: Tensor) -> Tensor:
        """The action of the most active group, ``(agents, envs)``; drawn between equals."""
        best = (rates == rates.amax(-1, keepdim=True)).to(rates.dtype)
        return sample(best / best.sum(-1, keepdim=True), uniform[..., 0]) + self.start

    def credit(self, action: Tensor, probabilities: Tensor) -> Tensor | None:
        """Gate ``(agents, envs, out)`` of the output neurons' eligibility for actions counted from 0; None for no gate."""
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


def build_decoder(
    space: gym.Space, neurons_per_action: int, inverse_temperature: float, gate: Gate, exploration: float
) -> PopulationDecoder | PopulationVector:
    """The decoder for an action space. Raises ValueError naming the space where there is none."""
    if isinstance(space, gym.spaces.Discrete):
        return PopulationDecoder(int(space.n), neurons_per_action, inverse_temperature, gate, int(space.start))
    if isinstance(space, gym.spaces.Box):
        return PopulationVector(space.low, space.high, neurons_per_action, exploration)
    raise ValueError(f"action space {space} is not supported yet; supported are Discrete and bounded Box")
