"""Output spikes to actions of several components, each with its own neurons, which are credited for it alone."""

from __future__ import annotations

import torch
from torch import Tensor

from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.decoders.softmax import Decision, PopulationDecoder, as_started


class FactoredDecoder:
    """A separate softmax for every component of the action, over groups of neurons that stand for its values.

    The policy is the product of the components' policies, so the gate of a component's neurons is 1[a_k] - pi_k(a_k), as for a
    single one. sizes: number of values of each component. starts: their first values. one: settings shared by all.
    """

    def __init__(self, sizes: tuple[int, ...], starts: tuple[int, ...], one: PopulationDecoder) -> None:
        self.sizes, self.starts, self.one = sizes, starts, one
        self.actions, self.draws = sum(sizes), len(sizes)
        self._real = torch.arange(max(sizes)) < torch.tensor(sizes)[:, None]
        self._places, self._starts = self._real.flatten().nonzero()[:, 0], torch.tensor(starts)

    @property
    def size(self) -> int:
        """Number of output neurons."""
        return self.actions * self.one.neurons_per_action

    def to(self, device: torch.device, dtype: torch.dtype) -> FactoredDecoder:
        self._real, self._places, self._starts = (t.to(device) for t in (self._real, self._places, self._starts))
        return self

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> mean rate of each group, ``(agents, envs, actions)`` in [0, 1]."""
        return spikes.unflatten(-1, (self.actions, -1)).mean((0, 4))

    @property
    def components(self) -> int:
        """Number of components."""
        return len(self.sizes)

    @property
    def choices(self) -> int:
        """All of them."""
        return self.components

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Actions ``(agents, envs, components)`` drawn from the policy, and the credit for them ``(agents, envs, out)``."""
        return self.decide(rates, uniform, allowed, as_started(rates))[:2]

    def decide(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Decision:
        """See `softmax.Explorer.decide`."""
        action, gate, push = self.one.drawn(self._scores(rates, allowed, sharpness), uniform)
        if gate is not None:
            gate = gate.flatten(-2)[..., self._places].repeat_interleave(self.one.neurons_per_action, -1)
        return Decision(self._started(action), gate, push)

    def policy(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        """See `softmax.Explorer.policy`."""
        return torch.softmax(self._scores(rates, allowed, sharpness), -1).flatten(-2)[..., self._places]

    def greedy(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The values of the most active groups, ``(agents, envs, components)``; ties are broken at random."""
        rows, allowed = self._rows(rates, allowed)
        return self._started(self.one.best(rows, uniform, allowed))

    def _scores(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        rows, allowed = self._rows(rates, allowed)
        return self.one.scores(rows, allowed, sharpness[..., None])

    def _rows(self, rates: Tensor, allowed: Tensor | None) -> tuple[Tensor, Tensor]:
        """Rates and allowed values of each component, ``(agents, envs, components, most values)``."""
        rows = self._placed(rates)
        if allowed is None:
            return rows, self._real.expand_as(rows)
        may = self._placed(allowed)
        return rows, (may | ~may.any(-1, keepdim=True)) & self._real

    def _placed(self, groups: Tensor) -> Tensor:
        """``(..., actions)`` as ``(..., components, most values)``, zero where a component has fewer values."""
        rows = groups.new_zeros(*groups.shape[:-1], self._real.numel())
        return rows.index_copy_(-1, self._places, groups).unflatten(-1, self._real.shape)

    def _started(self, action: Tensor) -> Tensor:
        return action + self._starts


class MixedDecoder:
    """Actions with components of both kinds: discrete values by a `FactoredDecoder`, numbers by a `PopulationVector`.

    columns: columns of the action's row, those of the discrete values first.
    """

    def __init__(self, values: FactoredDecoder, vector: PopulationVector, columns: tuple[int, ...]) -> None:
        self.values, self.vector, self.columns = values, vector, columns
        self.actions, self.size, self.draws = (
            values.actions,
            values.size + vector.size,
            values.draws + vector.draws,
        )
        self._order = torch.argsort(torch.tensor(columns))

    def to(self, device: torch.device, dtype: torch.dtype) -> MixedDecoder:
        self.values, self.vector = self.values.to(device, dtype), self.vector.to(device, dtype)
        self._order = self._order.to(device)
        return self

    def rates(self, spikes: Tensor) -> Tensor:
        """Output spikes ``(ticks, agents, envs, out)`` -> mean rates of the values' groups, then of the other neurons."""
        values, vector = spikes.split((self.values.size, self.vector.size), -1)
        return torch.cat([self.values.rates(values), self.vector.rates(vector)], -1)

    @property
    def components(self) -> int:
        """Number of components, those of the discrete values first."""
        return self.values.components + self.vector.components

    @property
    def choices(self) -> int:
        """Those of the discrete values."""
        return self.values.components

    def choose(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Rows ``(agents, envs, columns)`` float64, and the gate of each output neuron ``(agents, envs, out)``."""
        sharpness = as_started(rates).expand(-1, -1, self.components)
        return self.decide(rates, uniform, allowed, sharpness)[:2]

    def decide(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Decision:
        """See `softmax.Explorer.decide`."""
        (of_values, of_vector), (first, rest) = self._split(rates, uniform)
        sharp = sharpness.split((self.values.components, self.vector.components), -1)
        value, gate, push = self.values.decide(of_values, first, allowed, sharp[0])
        point, pull, wider = self.vector.decide(of_vector, rest, None, sharp[1])
        assert pull is not None  # a population vector has a gate
        if gate is None:
            gate = torch.ones(*rates.shape[:2], self.values.size, dtype=rates.dtype, device=rates.device)
        return Decision(self._row(value, point), torch.cat([gate, pull], -1), torch.cat([push, wider], -1))

    def policy(self, rates: Tensor, allowed: Tensor | None, sharpness: Tensor) -> Tensor:
        """Probabilities of the discrete values, then the means of the numbers, ``(agents, envs, actions + numbers)``."""
        of_values, of_vector = rates.split((self.values.actions, self.vector.size), -1)
        sharp = sharpness[..., : self.values.components]
        means = self.vector.policy(of_vector, None, sharpness)
        return torch.cat([self.values.policy(of_values, allowed, sharp), means], -1)

    def greedy(self, rates: Tensor, uniform: Tensor, allowed: Tensor | None = None) -> Tensor:
        """The most active values and the numbers without exploration, ``(agents, envs, columns)`` float64."""
        (of_values, of_vector), (first, rest) = self._split(rates, uniform)
        return self._row(self.values.greedy(of_values, first, allowed), self.vector.greedy(of_vector, rest))

    def _split(self, rates: Tensor, uniform: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        return (
            rates.split((self.values.actions, self.vector.size), -1),
            uniform.split((self.values.draws, self.vector.draws), -1),
        )

    def _row(self, values: Tensor, point: Tensor) -> Tensor:
        return torch.cat([values.double(), point.double()], -1)[..., self._order]
