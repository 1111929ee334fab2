"""One agent's env step without learning, as a `torch.nn.Module`: observation and random numbers in, action out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rstdp_agents.agent.parts import AgentParts
from rstdp_agents.agent.window import Window
from rstdp_agents.agent.window import respond as respond_from
from rstdp_agents.codecs.decoders import PopulationDecoder
from rstdp_agents.codecs.decoders.population_vector import PopulationVector
from rstdp_agents.codecs.decoders.softmax import as_started
from rstdp_agents.spiking.agent_random import AgentRandom


class GivenDraws(AgentRandom):
    """Uniform draws ``(batch, draws)`` that were made elsewhere, handed out to a single agent."""

    def __init__(self, uniform: Tensor) -> None:
        self.given = uniform

    def windows(self, envs: int, ticks: int, layers: tuple[int, ...], draws: int = 1) -> list[Tensor]:
        """As `AgentRandom.windows`, for a single agent."""
        sizes = [*(ticks * neurons for neurons in layers), draws]
        *spikes, choice = self.given.split(sizes, 1)
        return [*(u.unflatten(1, (ticks, -1)).transpose(0, 1)[:, None] for u in spikes), choice[None]]


class InferenceStep(nn.Module):
    """Encoder, spikes of one window and decision, for a batch of observations; nothing is learnt and nothing remembered.

    ``forward(obs, uniform) -> action, rates, policy``. obs: ``(batch, *obs)``, a Discrete one ``(batch,)``, in the agent's
    number type. uniform: ``(batch, draws)`` in [0, 1), all uniform draws of the window. action: ``(batch, *action)``.
    rates: those that decide, ``(batch, groups)``. policy: probabilities ``(batch, actions)``, or the mean of a
    continuous action, ``(batch, *action)``.

    parts: of one agent on the torch backend (`Agent.single`). greedy: the action of the most active group, or the mean. seed:
    with one, the numbers are no argument but the first of this seed, the same for every observation, so that equal
    observations give equal actions. Raises ValueError for membranes that are carried over, and for other action spaces.
    """

    uniform: Tensor | None

    def __init__(self, parts: AgentParts, greedy: bool = False, seed: int | None = None) -> None:
        super().__init__()
        if not parts.config.simulation.fresh_each_window:
            raise ValueError("an exported step has no memory: `simulation.fresh_each_window` must be true")
        if not isinstance(parts.decoder, PopulationDecoder | PopulationVector):
            raise ValueError(f"actions of {type(parts.decoder).__name__} cannot be exported yet; Discrete and Box can")
        self.parts, self.greedy, self._decoder = parts, greedy, parts.decoder
        drawn = rows(AgentRandom((seed or 0,), parts.device, parts.dtype), parts, 1)
        self.draws = drawn.shape[1]
        """Uniform draws that one observation takes."""
        self.register_buffer("uniform", None if seed is None else drawn)
        self.eval()

    def forward(self, obs: Tensor, uniform: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Action, rates and policy; see the class."""
        if self.uniform is not None:
            uniform = self.uniform.expand(obs.shape[0], -1)
        if uniform is None:
            raise ValueError("`uniform` is needed by a step that was made without a seed; received None")
        window = respond(self.parts, obs[None], GivenDraws(uniform))
        decoder, rates, allowed = self._decoder, window.rates, self.parts.rows.allowed(obs[None])
        choose = decoder.greedy if self.greedy else self.parts.exploration.choose
        sharpness = self.parts.exploration.sharpness[:, None]
        policy = decoder.policy(rates, allowed, sharpness if sharpness.numel() else as_started(rates))
        return choose(rates, window.choice, allowed)[0], rates[0], policy[0]


def respond(parts: AgentParts, obs: Tensor, random: AgentRandom) -> Window:
    """One window of a single agent at rest, for observations ``(1, batch, *obs)``."""
    rates = parts.relayed(parts.encoder.rates(obs))
    return respond_from(parts, rates, random, parts.network.fresh_neurons(rates.shape[1]))[0]


def rows(random: AgentRandom, parts: AgentParts, envs: int) -> Tensor:
    """The next uniform draws that ``random``, of a single agent, holds for one window of ``envs`` envs: ``(envs, draws)``."""
    layers = parts.inputs, *parts.network.sizes
    *spikes, choice = random.windows(envs, parts.config.simulation.ticks, layers, parts.decoder.draws)
    return torch.cat([*(u[:, 0].transpose(0, 1).flatten(1) for u in spikes), choice[0]], 1)
