"""The backend by operations of torch: for any device, and for every part; the fused backend is held against it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.modulators import Step
from rstdp_agents.agent.parts import AgentParts, ended
from rstdp_agents.agent.window import Window, normalised, respond
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.equations.critic import reward_with_novelty
from rstdp_agents.spiking.agent_random import AgentRandom


class TorchBackend:
    """See `backend.Backend`. `learn` and `regulate` are what an agent whose envs lie in several processes does together."""

    name = "torch"

    def __init__(self, parts: AgentParts) -> None:
        self.parts = parts
        self._nobody = torch.zeros_like(parts.m)
        self._window: Window

    def begin(self, obs: np.ndarray) -> np.ndarray:
        return self._act(self.parts.coded(obs), self.parts.allowed(obs))

    def step(self, t: Transition) -> np.ndarray:
        rates = self.parts.coded(t.obs)
        self.learn(t, normalised(rates))
        if t.forgotten is not None:
            self.reset(t.forgotten)
        action = self._act(rates, self.parts.allowed(t.obs))
        self.count(t)
        return action

    def learn(self, t: Transition, next_features: Tensor) -> None:
        """Turn the transition into a modulator, and write it into the weights."""
        self.update(t, next_features)
        self.parts.network.clamp()

    def update(self, t: Transition, next_features: Tensor) -> None:
        """As `learn`, before the bounds of the weights act."""
        parts = self.parts
        if t.final_obs is not None:
            last = normalised(parts.coded(t.final_obs))
            next_features = torch.where(parts.tensor(t.truncated)[..., None] > 0, last, next_features)
        terminated = parts.tensor(t.terminated) if t.any_done else self._nobody
        restarted = None if t.restarted is None else torch.as_tensor(t.restarted, device=parts.device)
        reward, p = parts.tensor(t.reward), parts.config.modulation
        if p.novelty:
            new = parts.novelty(next_features) * (1.0 - terminated)
            reward = reward_with_novelty(reward, new, parts.gain.unit.to(new), p)
        step = Step(reward, terminated, parts.features, next_features, restarted)
        parts.m = parts.dopamine(parts.gain(parts.modulator(step), restarted), restarted)
        parts.exploration.learn(parts.m)
        if parts.statistics.is_due():
            parts.statistics.add_learning(parts.m, parts.layer.update(parts.m, parts.lr))
        parts.network.learn(parts.m, parts.lr)

    def regulate(self, hertz: list[Tensor]) -> None:
        """Let homeostasis see the mean rates of every layer's neurons in the window, ``(agents, *post)`` each."""
        self.parts.network.regulate(hertz)

    def count(self, t: Transition) -> None:
        """Count the episodes that ended."""
        if t.any_done:
            self.parts.count_episodes(self.parts.tensor(ended(t)))

    def reset(self, done: np.ndarray) -> None:
        self.parts.reset(done)

    def sync(self) -> None:
        pass

    def spikes(self) -> tuple[Tensor, ...]:
        return self._window.spikes

    def features(self) -> Tensor:
        return self.parts.features

    def tensors(self) -> dict[str, Tensor]:
        return {}

    def adopt(self, agents: slice, other: TorchBackend) -> None:
        """Agents differ in nothing but their learning rates, which are not this backend's."""

    def policy(self, envs: int, seeds: tuple[int, ...]) -> TorchPolicy:
        return TorchPolicy(self.parts, envs, seeds)

    def _act(self, rates: Tensor, allowed: Tensor | None) -> np.ndarray:
        parts = self.parts
        parts.features = normalised(rates)
        self._window, parts.network.neurons = respond(parts, rates, parts.random, parts.network.neurons)
        action, gate = parts.exploration.act(self._window.rates, self._window.choice, allowed)
        expected = rates * (parts.p_max * parts.config.simulation.ticks)
        parts.network.remember(self._window.spikes, gate, expected.square().sum(-1))
        self.regulate(parts.network.hertz(self._window.spikes))
        if parts.statistics.passes():
            parts.statistics.add_spikes(self._window.spikes)
        return action.cpu().numpy()


class TorchPolicy:
    """See `backend.Policy`."""

    def __init__(self, parts: AgentParts, envs: int, seeds: tuple[int, ...]) -> None:
        self.parts = parts
        self.random = AgentRandom(seeds, parts.device, parts.dtype)
        self.neurons = parts.network.fresh_neurons(envs)

    def act(self, obs: np.ndarray, greedy: bool) -> np.ndarray:
        window, decoder = self._respond(obs), self.parts.decoder
        allowed = self.parts.allowed(obs)
        if greedy:
            return decoder.greedy(window.rates, window.choice, allowed).cpu().numpy()
        return self.parts.exploration.choose(window.rates, window.choice, allowed).cpu().numpy()

    def rates(self, obs: np.ndarray) -> Tensor:
        return self._respond(obs).rates

    def reset(self, done: np.ndarray) -> None:
        mask = torch.as_tensor(done, dtype=torch.bool, device=self.parts.device)
        self.parts.network.rest(self.neurons, mask)

    def _respond(self, obs: np.ndarray) -> Window:
        window, self.neurons = respond(self.parts, self.parts.coded(obs), self.random, self.neurons)
        return window
