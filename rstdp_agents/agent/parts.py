"""What an agent is made of: both backends run these parts, and know nothing of the agent around them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.dopamine import Dopamine
from rstdp_agents.agent.exploration import Exploration
from rstdp_agents.agent.gain import Gain
from rstdp_agents.agent.modulators import Modulator, SharedModulator
from rstdp_agents.agent.novelty import Novelty
from rstdp_agents.agent.statistics import Statistics
from rstdp_agents.codecs.decoders import Decoder
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.base import Precise, computable
from rstdp_agents.codecs.encoders.images import image_shape
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.dale import of_both_signs
from rstdp_agents.spiking.layer import Layer
from rstdp_agents.spiking.network import Network


@dataclass
class AgentParts:
    """The parts of a population of ``agents``, each in ``envs`` envs, and what they share between two env steps."""

    config: AgentConfig
    spaces: tuple[gym.Space, gym.Space]
    """Of observations and of actions."""
    envs: int
    rows: Rows
    """Observations as rows of numbers."""
    encoder: Encoder
    decoder: Decoder
    network: Network
    modulator: Modulator
    gain: Gain
    dopamine: Dopamine
    novelty: Novelty
    exploration: Exploration
    random: AgentRandom
    statistics: Statistics
    lr: Tensor
    """Learning rates as they are now, ``(agents,)``."""
    m: Tensor
    """The last modulator, ``(agents, envs)``."""
    episodes: Tensor
    """Episodes that ended, ``(agents,)``."""
    features: Tensor
    """Input rates of the state acted in, summing to 1, ``(agents, envs, pre)`` (torch backend)."""
    lr_start: Tensor = field(init=False)
    """Learning rates before the first episode, ``(agents,)``."""

    def __post_init__(self) -> None:
        self.lr_start = self.lr.clone()

    @property
    def agents(self) -> int:
        """Number of agents."""
        return self.m.shape[0]

    @property
    def layer(self) -> Layer:
        """The output layer."""
        return self.network.output

    @property
    def device(self) -> torch.device:
        """Where all tensors are."""
        return self.m.device

    @property
    def dtype(self) -> torch.dtype:
        """Number type of all real tensors."""
        return self.m.dtype

    @property
    def p_max(self) -> float:
        """Probability of a spike per tick of the most active input neuron."""
        return self.config.encoder.rate_max * self.config.simulation.dt / 1000.0

    def tensor(self, array: np.ndarray) -> Tensor:
        """An array on the agent's device, in its number type."""
        return torch.as_tensor(array, dtype=self.dtype, device=self.device)

    @property
    def inputs(self) -> int:
        """Number of input neurons: the encoder's, or twice as many where they obey Dale's law."""
        return math.prod(self.network.layers[0].synapse.pre_shape)

    def coded(self, obs: np.ndarray) -> Tensor:
        """Input rates ``(agents, envs, pre)`` for observations ``(agents, envs, *obs)``."""
        return self.relayed(self.encoded(obs))

    def relayed(self, rates: Tensor) -> Tensor:
        """Rates of the encoder's neurons -> of the input neurons, ``(agents, envs, pre)``."""
        shape = image_shape(self.encoder) if self.config.network.conv else rates.shape[-1:]
        return of_both_signs(rates, tuple(shape)) if self.config.network.dale else rates

    def encoded(self, obs: np.ndarray) -> Tensor:
        """Rates of the encoder's neurons, ``(agents, envs, n)``, for observations ``(agents, envs, *obs)``."""
        seen = torch.as_tensor(computable(obs)) if isinstance(self.encoder, Precise) else self.tensor(obs)
        return self.encoder.rates(seen)

    def allowed(self, obs: np.ndarray) -> Tensor | None:
        """The actions that ``obs`` allows, bool ``(agents, envs, actions)``; None where they are not masked."""
        allowed = self.rows.allowed(obs)
        return None if allowed is None else torch.as_tensor(allowed, device=self.device)

    def reset(self, done: np.ndarray) -> None:
        """Forget the episode in the envs where ``done (agents, envs)``; the others stay as they are, bit for bit."""
        mask = torch.as_tensor(done, dtype=torch.bool, device=self.device)
        self.network.reset(mask)
        self.modulator.reset(mask)
        self.exploration.reset(mask)
        self.dopamine.reset(mask)

    def count_episodes(self, ended: Tensor) -> None:
        """Count the episodes that ``ended (agents,)``, on which the learning rates depend."""
        self.episodes += ended
        self.anneal()

    def anneal(self) -> None:
        """Learning rates for the episodes so far: lr / (1 + episodes / lr_halved_after)."""
        half = self.config.plasticity.lr_halved_after
        if half:
            torch.div(self.lr_start, 1 + self.episodes / half, out=self.lr)

    def tensors(self) -> dict[str, Tensor]:
        """The whole state between two env steps, by name, as a checkpoint holds it."""
        own = {
            "agent.episodes": self.episodes,
            "agent.features": self.features,
            "agent.random": self.random.state(),
            "agent.windows": self.statistics.counts(),
        }
        learnt = {
            **self.modulator.tensors(),
            **self.gain.learnt(),
            **self.novelty.learnt(),
            **self.exploration.tensors(),
            **self.dopamine.tensors(),
        }
        return {**self.network.tensors(), **learnt, **self.statistics.tensors(), **own}

    def per_env(self) -> set[str]:
        """Names of the `tensors` that are held for every env, ``(agents, envs, ...)``; all others are an agent's."""
        m = self.modulator
        of_modulator = m.tensors().keys() - m.learnt().keys() if isinstance(m, SharedModulator) else ()
        return {"agent.features", "exploration.trace", *self.dopamine.tensors(), *of_modulator, *self.network.per_env()}


def ended(t: Transition) -> np.ndarray:
    """Episodes that a transition ended, ``(agents,)``."""
    return (t.terminated | t.truncated).sum(1)
