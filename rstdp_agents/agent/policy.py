"""What an agent has learnt, at work: it acts and does not learn."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.agent import Agent, Window
from rstdp_agents.spiking.agent_random import AgentRandom


class FrozenPolicy:
    """An agent that acts and does not learn: its own random numbers and membranes, the weights of ``agent`` as they are.

    Runs on the backend of the agent. seeds: one per agent, apart from those of training. envs: copies of the env per agent,
    whatever the agent trains in.
    """

    def __init__(self, agent: Agent, envs: int, seeds: tuple[int, ...]) -> None:
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
