"""One window of a population, by operations of torch."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.codecs.encoders import bernoulli
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.neurons import State


class Window(NamedTuple):
    """What a population did in one window."""

    spikes: tuple[Tensor, ...]
    """Of the input and of every layer, ``(ticks, agents, envs, neurons)``."""
    rates: Tensor
    """What the action is decided by, ``(agents, envs, groups)``, spikes per neuron and tick."""
    choice: Tensor
    """Uniform draws ``(agents, envs, draws)`` left for choosing the action."""


def respond(
    parts: AgentParts, rates: Tensor, random: AgentRandom, neurons: tuple[State, ...]
) -> tuple[Window, tuple[State, ...]]:
    """Simulate one window for input rates ``(agents, envs, pre)``; changes nothing but the generators."""
    envs, ticks = rates.shape[1], parts.config.simulation.ticks
    sizes = parts.inputs, *parts.network.sizes
    of_input, *of_layers, choice = random.windows(envs, ticks, sizes, parts.decoder.draws)
    spikes, neurons = parts.network.forward(bernoulli(rates, of_input, parts.p_max), of_layers, neurons)
    return Window(spikes, parts.decoder.rates(spikes[-1]), choice), neurons


def normalised(rates: Tensor) -> Tensor:
    """Rates scaled to sum 1 over the neurons, unless all are silent: the features of the critic."""
    return rates / rates.sum(-1, keepdim=True).clamp_(min=1e-9)
