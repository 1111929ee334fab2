"""Output spikes to actions, and the credit of each output neuron for the action taken."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor

from rstdp_agents.base import validate
from rstdp_agents.equations.policy import softmax_gate, softmax_push, softmax_score

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


class Decision(NamedTuple):
    """An action, and what learns from it."""

    action: Tensor
    """``(agents, envs, *shape)``."""
    gate: Tensor | None
    """Of each output neuron's eligibility, ``(agents, envs, out)``; None lets all pairs pass."""
    push: Tensor
    """``policy.softmax_push`` or ``policy.vector_push`` of each component, ``(agents, envs, components)``."""


@runtime_checkable
class Explorer(Decoder, Protocol):
    """A decoder whose randomness can be learnt, for each component of an action."""

    @property
    def components(self) -> int:
        """How many they are."""
        ...

    @property
    def choices(self) -> int:
        """How many of them, the first, are choices among values; the others are continuous."""
        ...

    def decide(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Decision:
        """As `choose`, at a sharpness ``(agents, 1, components)``."""
        ...

    def policy(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        """Probabilities of values ``(agents, envs, actions)``, or the mean of a continuous action, ``(agents, envs, *shape)``."""
        ...


def explorer(decoder: Decoder) -> Explorer | None:
    """The decoder, if its randomness can be learnt: not if it has a `choose` of its own beside a `decide` that it inherits."""
    if not isinstance(decoder, Explorer):
        return None
    choose, decide = (next(c for c in type(decoder).__mro__ if name in vars(c)) for name in ("choose", "decide"))
    return decoder if issubclass(decide, choose) else None


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
    components = choices = 1

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

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """An action drawn from the policy, ``(agents, envs)``, and the credit for it."""
        return self.decide(rates, uniform, allowed, as_started(rates))[:2]

    def decide(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Decision:
        """See `Explorer.decide`."""
        action, gate, push = self.drawn(self.scores(rates, allowed, sharpness), uniform[..., 0])
        if gate is not None:
            gate = gate[..., None].expand(*gate.shape, self.neurons_per_action).flatten(-2)
        return Decision(action + self.start, gate, push[..., None])

    def policy(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        """See `Explorer.policy`."""
        return torch.softmax(self.scores(rates, allowed, sharpness), -1)

    def scores(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        """What the softmax compares, with the axes of ``rates (..., actions)``; minus infinity where an action is not allowed."""
        return among(softmax_score(rates, sharpness, self.inverse_temperature), allowed)

    def drawn(self, scores: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """For scores ``(..., actions)``: actions ``(...)`` counted from 0, the gate of every group, and the push ``(...)``."""
        probabilities = torch.softmax(scores, -1)
        action = sample(probabilities, uniform)
        finite = scores.masked_fill(probabilities == 0, 0.0)
        own = finite.gather(-1, action[..., None])[..., 0]
        return (
            action,
            self.gate_of(action, probabilities),
            softmax_push(own, torch.linalg.vecdot(probabilities, finite)),
        )

    def greedy(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The action of the most active group, ``(agents, envs)``; ties are broken at random."""
        return self.best(rates, uniform[..., 0], allowed) + self.start

    def best(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The most active of the allowed groups ``(..., actions)``, counted from 0; ties are broken at random."""
        rates = among(rates, allowed)
        best = (rates == rates.amax(-1, keepdim=True)).to(rates.dtype)
        return sample(best / best.sum(-1, keepdim=True), uniform)

    def gate_of(self, action: Tensor, probabilities: Tensor) -> Tensor | None:
        """Gate of every group, with the axes of ``probabilities``; None for no gate."""
        if self.gate == "none":
            return None
        actions = torch.arange(probabilities.shape[-1], device=action.device)
        chosen = (actions == action[..., None]).to(probabilities.dtype)
        return softmax_gate(chosen, probabilities) if self.gate == "centred" else chosen


def as_started(rates: Tensor) -> Tensor:
    """Sharpness of a decoder that has learnt none, for rates ``(agents, envs, groups)``."""
    return rates.new_zeros(1, 1, 1)


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
