"""What an agent has learnt, at work: it acts and does not learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from rstdp_agents.agent.fused.policy import FusedPolicy
from rstdp_agents.agent.window import Window
from rstdp_agents.base import validate
from rstdp_agents.base.wording import short
from rstdp_agents.codecs.action_layout import Actions
from rstdp_agents.codecs.decoders import Decoder
from rstdp_agents.codecs.observation_layout import MASK, Rows
from rstdp_agents.environments.guard import contains, outside
from rstdp_agents.environments.masks import with_mask
from rstdp_agents.spiking.agent_random import AgentRandom
from rstdp_agents.spiking.network import Network
from rstdp_agents.spiking.neurons import State


class Learner(Protocol):
    """What a policy needs of an `Agent`."""

    device: torch.device
    dtype: torch.dtype
    random: AgentRandom
    network: Network
    decoder: Decoder

    def fused_policy(self, envs: int, seeds: tuple[int, ...]) -> FusedPolicy | None: ...
    def coded(self, obs: np.ndarray) -> Tensor: ...
    def allowed(self, obs: np.ndarray) -> Tensor | None: ...
    def respond(
        self, rates: Tensor, random: AgentRandom, neurons: tuple[State, ...]
    ) -> tuple[Window, tuple[State, ...]]: ...


class FrozenPolicy:
    """An agent that acts and does not learn: its own random numbers and membranes, the weights of ``agent`` as they are.

    Runs on the backend of the agent. seeds: one per agent, apart from those of training. envs: copies of the env per agent,
    whatever the agent trains in.
    """

    def __init__(self, agent: Learner, envs: int, seeds: tuple[int, ...]) -> None:
        self.agent, self._fused = agent, agent.fused_policy(envs, seeds)
        self.random = AgentRandom(seeds, agent.device, agent.dtype)
        self.neurons = agent.network.fresh_neurons(envs)

    def act(self, obs: np.ndarray, greedy: bool) -> np.ndarray:
        """Actions ``(agents, envs, *action)`` for observations ``(agents, envs, *obs)``."""
        if self._fused:
            return self._fused.act(obs, greedy)
        window, decoder = self._respond(obs), self.agent.decoder
        allowed = self.agent.allowed(obs)
        if greedy:
            return decoder.greedy(window.rates, window.choice, allowed).cpu().numpy()
        return decoder.choose(window.rates, window.choice, allowed)[0].cpu().numpy()

    def rates(self, obs: np.ndarray) -> Tensor:
        """Rates that decide, ``(agents, envs, groups)``, in one window for observations ``(agents, envs, *obs)``."""
        return self._fused.rates(obs) if self._fused else self._respond(obs).rates

    def reset(self, done: np.ndarray) -> None:
        """Membranes at rest in the envs where ``done (agents, envs)``."""
        mask = torch.as_tensor(done, dtype=torch.bool, device=self.agent.device)
        self.agent.network.rest(self.neurons, mask)

    def _respond(self, obs: np.ndarray) -> Window:
        rates = self.agent.coded(obs)
        window, self.neurons = self.agent.respond(rates, self.random, self.neurons)
        return window


def seeds_of(agent: Learner) -> tuple[int, ...]:
    """A seed for each agent of a population, apart from those of training and evaluation."""
    return tuple(int(np.random.SeedSequence([int(seed), 2]).generate_state(1)[0]) for seed in agent.random.seeds)


def observation_of(space: gym.Space, rows: Rows, obs: Any, mask: Any = None) -> np.ndarray:
    """One plain observation as agents take it, ``(*obs)``. Raises ValueError for one that is not of the space.

    mask: of allowed actions, where the agent learnt with masks that came in ``info``; all are allowed if None.
    """
    if rows.mask is not None and not (isinstance(obs, Mapping) and MASK in obs):
        obs = with_mask(obs, np.ones(rows.mask.stop - rows.mask.start, np.int8) if mask is None else mask)
    what, beyond = ("", False) if contains(space, obs) else outside(space, obs)
    wanted = short(str(space))
    validate.require(not what or beyond, f"`obs` must be one of the space {wanted}; received an observation{what}")
    array = rows.array([obs])[0]
    validate.require(bool(np.isfinite(array).all()), f"`obs` must be finite; received {short(str(obs))}")
    return array


def action_of(space: gym.Space, action: np.ndarray) -> Any:
    """One plain action of what a policy chose in a single env, ``(1, *action)``; an int of a Discrete."""
    (one,) = Actions(space).each(action[None])
    return int(one) if isinstance(space, spaces.Discrete) else one
