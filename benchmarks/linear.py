"""The twin that does not spike: a linear actor-critic on the features of the spiking agents (Sutton and Barto 2018, 13.5).

Its features are the input rates, scaled to sum 1; discount, traces, critic and start value are those of the preset. One step
size, of the actor, is its own (`Task.linear_lr`).
"""

from __future__ import annotations

from typing import Protocol

import gymnasium as gym
import numpy as np
import torch

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.modulators import ModulatorConfig
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import SerialGrid


class Policy(Protocol):
    """From numbers linear in the features to an action, and how each of them made it more likely."""

    outputs: int

    def choose(self, h: np.ndarray, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Actions ``(agents, 1, ...)`` and gates ``(agents, outputs)`` for ``h (agents, outputs)``."""
        ...


class Softmax:
    """One of several actions by preferences h, masked ones never; gate: ``1[a] - pi(a)``."""

    def __init__(self, actions: gym.spaces.Discrete, rows: Rows, seeds: tuple[int, ...]) -> None:
        self.outputs, self._first, self._allowed = int(actions.n), int(actions.start), rows.allowed
        self._random = [np.random.default_rng(seed) for seed in seeds]

    def choose(self, h: np.ndarray, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if (allowed := self._allowed(obs)) is not None:
            h[~allowed[:, 0]] = -np.inf
        p = np.exp(h - h.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        u = np.array([random.random() for random in self._random])
        action = np.minimum((p.cumsum(1) <= u[:, None]).sum(1), p.shape[1] - 1)
        gate = -p
        gate[np.arange(len(action)), action] += 1.0
        return action[:, None] + self._first, gate


class Gaussian:
    """Continuous actions h + exploration * epsilon, in units of half the range, cut to it; gate: epsilon."""

    def __init__(self, actions: gym.spaces.Box, exploration: float, seeds: tuple[int, ...]) -> None:
        low, high = actions.low.reshape(-1).astype(np.float64), actions.high.reshape(-1).astype(np.float64)
        self._centre, self._half, self._shape = (low + high) / 2, (high - low) / 2, actions.shape
        self.outputs, self._exploration = low.size, exploration
        self._random = [np.random.default_rng(seed) for seed in seeds]

    def choose(self, h: np.ndarray, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        epsilon = np.array([random.standard_normal(self.outputs) for random in self._random])
        action = self._centre + self._half * np.clip(h + self._exploration * epsilon, -1.0, 1.0)
        return action.reshape(-1, 1, *self._shape), epsilon


class Linear:
    """Actor ``h = theta . phi``, critic ``V = w . phi``, an eligibility trace for each; envs per agent: 1."""

    def __init__(self, encoder: Encoder, policy: Policy, m: ModulatorConfig, lr: float, agents: int) -> None:
        self._encoder, self._policy, self._m, self._lr = encoder, policy, m, lr
        self._theta = np.zeros((agents, policy.outputs, encoder.size))
        self._value = np.full((agents, encoder.size), m.value_init)
        self._z, self._trace = np.zeros_like(self._theta), np.zeros_like(self._value)

    def begin(self, obs: np.ndarray) -> np.ndarray:
        self._phi = self._features(obs)
        return self._act(obs)

    def step(self, t: Transition) -> np.ndarray:
        now = self._features(t.obs)
        after = now if t.final_obs is None else np.where(t.truncated, self._features(t.final_obs), now)
        expected = self._m.gamma * ~t.terminated[:, 0] * (self._value * after).sum(1)
        delta = self._m.reward_scale * t.reward[:, 0] + expected - (self._value * self._phi).sum(1)
        self._trace = self._m.gamma * self._m.lambda_ * self._trace + self._phi
        self._value += self._m.critic_lr * delta[:, None] * self._trace
        self._theta += self._lr * delta[:, None, None] * self._z
        done = (t.terminated | t.truncated)[:, 0]
        self._trace[done], self._z[done] = 0.0, 0.0
        self._phi = now
        return self._act(t.obs)

    def _features(self, obs: np.ndarray) -> np.ndarray:
        rates = self._encoder.rates(torch.as_tensor(obs))[:, 0].numpy()
        return rates / rates.sum(1, keepdims=True)

    def _act(self, obs: np.ndarray) -> np.ndarray:
        action, gate = self._policy.choose(np.einsum("aki,ai->ak", self._theta, self._phi), obs)
        self._z = self._m.gamma * self._m.lambda_ * self._z + gate[:, :, None] * self._phi[:, None]
        return action


def linear_twin(config: AgentConfig, lr: float, envs: SerialGrid, seeds: tuple[int, ...]) -> Linear:
    """The twin of the agents that ``config`` makes on ``envs``. Raises ValueError for actions other than Discrete and Box."""
    actions = envs.action_space
    encoder = build_encoder(envs.observation_space, config.encoder).to(torch.device("cpu"), torch.float64)
    if isinstance(actions, gym.spaces.Discrete):
        policy = Softmax(actions, envs.rows, seeds)
    else:
        if not isinstance(actions, gym.spaces.Box):
            raise ValueError(f"the linear twin acts in Discrete and Box only; received {type(actions).__name__}")
        policy = Gaussian(actions, config.decoder.exploration, seeds)
    return Linear(encoder, policy, config.modulation, lr, len(seeds))
