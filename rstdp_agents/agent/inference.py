"""One agent's env step without learning, as a `torch.nn.Module`: observation and random numbers in, action out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from rstdp_agents.agent.window import Window
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.spiking.agent_random import AgentRandom

if TYPE_CHECKING:
    from rstdp_agents.agent.agent import Agent


class Given(AgentRandom):
    """Numbers ``(batch, numbers)`` that were drawn elsewhere, handed out to a single agent."""

    def __init__(self, uniform: Tensor) -> None:
        self.given = uniform

    def windows(self, envs: int, ticks: int, layers: tuple[int, ...], numbers: int = 1) -> list[Tensor]:
        """As `AgentRandom.windows`, for a single agent."""
        sizes = [*(ticks * neurons for neurons in layers), numbers]
        *spikes, choice = self.given.split(sizes, 1)
        return [*(u.unflatten(1, (ticks, -1)).transpose(0, 1)[:, None] for u in spikes), choice[None]]


class InferenceStep(nn.Module):
    """Encoder, spikes of one window and decision, for a batch of observations; nothing is learnt and nothing remembered.

    ``forward(obs, uniform) -> action, rates, policy``. obs: ``(batch, *obs)``, a Discrete one ``(batch,)``, in the agent's
    number type. uniform: ``(batch, numbers)`` in [0, 1), all random numbers of the window. action: ``(batch, *action)``.
    rates: those that decide, ``(batch, groups)``. policy: probabilities ``(batch, actions)``, or the mean of a
    continuous action, ``(batch, *action)``.

    agent: a single one on the torch backend (`Agent.alone`). greedy: the action of the most active group, or the mean. seed:
    with one, the numbers are no argument but the first of this seed, the same for every observation, so that equal
    observations give equal actions. Raises ValueError for membranes that are carried over, and for other action spaces.
    """

    uniform: Tensor | None

    def __init__(self, agent: Agent, greedy: bool = False, seed: int | None = None) -> None:
        super().__init__()
        if not agent.config.simulation.fresh_each_window:
            raise ValueError("an exported step has no memory: `simulation.fresh_each_window` must be true")
        if not isinstance(agent.decoder, PopulationDecoder | PopulationVector):
            raise ValueError(f"actions of {type(agent.decoder).__name__} cannot be exported yet; Discrete and Box can")
        self.agent, self.greedy = agent, greedy
        numbers = rows(AgentRandom((seed or 0,), agent.device, agent.dtype), agent, 1)
        self.numbers = numbers.shape[1]
        """Random numbers of one observation."""
        self.register_buffer("uniform", None if seed is None else numbers)
        self.eval()

    def forward(self, obs: Tensor, uniform: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Action, rates and policy; see the class."""
        if self.uniform is not None:
            uniform = self.uniform.expand(obs.shape[0], -1)
        if uniform is None:
            raise ValueError("`uniform` is needed by a step that was made without a seed; received None")
        window = respond(self.agent, obs[None], Given(uniform))
        decoder, rates, allowed = self.agent.decoder, window.rates, self.agent.rows.allowed(obs[None])
        choose = decoder.greedy if self.greedy else lambda *numbers: decoder.choose(*numbers)[0]
        one = isinstance(decoder, PopulationDecoder)
        policy = decoder.probabilities(rates, allowed) if one else decoder.greedy(rates, window.choice)
        return choose(rates, window.choice, allowed)[0], rates[0], policy[0]


def respond(agent: Agent, obs: Tensor, random: AgentRandom) -> Window:
    """One window of a single agent at rest, for observations ``(1, batch, *obs)``."""
    rates = agent.encoder.rates(obs)
    return agent.respond(rates, random, agent.network.fresh_neurons(rates.shape[1]))[0]


def rows(random: AgentRandom, agent: Agent, envs: int) -> Tensor:
    """The next numbers that ``random``, of a single agent, holds for one window of ``envs`` envs: ``(envs, numbers)``."""
    layers = agent.encoder.size, *agent.network.sizes
    *spikes, choice = random.windows(envs, agent.config.simulation.ticks, layers, agent.decoder.numbers)
    return torch.cat([*(u[:, 0].transpose(0, 1).flatten(1) for u in spikes), choice[0]], 1)
