"""The twin that does not spike: a linear actor-critic on the features of the spiking agents (Sutton and Barto 2018, 13.5).

Its features are the input rates, scaled to sum 1; discount, traces, critic, start value, gain, novelty and
what is learnt of exploration are the agent's. One step size, of the actor, is its own.
"""

from __future__ import annotations

from typing import Protocol

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rstdp_agents.agent.config import AgentConfig
from rstdp_agents.agent.gain import Gain
from rstdp_agents.agent.modulators import Step, TDError
from rstdp_agents.agent.novelty import Novelty
from rstdp_agents.agent.window import normalised
from rstdp_agents.codecs.decoders.options import DecoderConfig
from rstdp_agents.codecs.encoders import Encoder
from rstdp_agents.codecs.encoders.build import build_encoder
from rstdp_agents.codecs.observation_layout import Rows
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import SerialGrid
from rstdp_agents.equations.critic import reward_with_novelty
from rstdp_agents.equations.policy import sharpness_step, softmax_push, vector_push
from rstdp_agents.equations.traces import decay, trace_step


class Policy(Protocol):
    """From numbers linear in the features to an action, and how each of them made it more likely."""

    outputs: int
    components: int
    """Components of an action, each of which has a sharpness."""
    scale: float
    """Factor on the step size: how far h may move for one unit of a preference."""
    sharpening: float
    """Step size of the sharpness."""

    def choose(
        self, h: np.ndarray, obs: np.ndarray, sharpness: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Actions ``(agents, 1, ...)``, gates ``(agents, outputs)`` and pushes as of `exploration.Exploration`.

        h: ``(agents, outputs)``. sharpness: ``(agents, components)``, as are the pushes.
        """
        ...


class Softmax:
    """One of several actions by preferences h, masked ones never; gate: ``1[a] - pi(a)``."""

    components = 1

    def __init__(self, actions: gym.spaces.Discrete, rows: Rows, p: DecoderConfig, seeds: tuple[int, ...]) -> None:
        self.outputs, self._first, self._allowed, self.scale = int(actions.n), int(actions.start), rows.allowed, 1.0
        self.sharpening = p.temperature_lr
        self._random = [np.random.default_rng(seed) for seed in seeds]

    def choose(
        self, h: np.ndarray, obs: np.ndarray, sharpness: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        scores = h * np.exp(sharpness)
        among = scores if (allowed := self._allowed(obs)) is None else np.where(allowed[:, 0], scores, -np.inf)
        p = np.exp(among - among.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        u = np.array([random.random() for random in self._random])
        action = np.minimum((p.cumsum(1) <= u[:, None]).sum(1), p.shape[1] - 1)
        gate = -p
        gate[np.arange(len(action)), action] += 1.0
        push = softmax_push(scores[np.arange(len(action)), action], (p * scores).sum(1))
        return action[:, None] + self._first, gate, push[:, None]


class Gaussian:
    """Continuous actions h + sigma * epsilon, in units of half the range, cut to it; gate: epsilon.

    sigma starts at ``p.exploration``.
    """

    def __init__(self, actions: gym.spaces.Box, p: DecoderConfig, seeds: tuple[int, ...]) -> None:
        low, high = actions.low.reshape(-1).astype(np.float64), actions.high.reshape(-1).astype(np.float64)
        self._centre, self._half, self._shape = (low + high) / 2, (high - low) / 2, actions.shape
        self.outputs = self.components = low.size
        self._exploration, self.scale = p.exploration, 0.3**2  # the mean moves no further for a noise that grew
        self.sharpening = p.exploration_lr
        self._random = [np.random.default_rng(seed) for seed in seeds]

    def choose(
        self, h: np.ndarray, obs: np.ndarray, sharpness: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        epsilon = np.array([random.standard_normal(self.outputs) for random in self._random])
        action = self._centre + self._half * np.clip(h + self._exploration * np.exp(-sharpness) * epsilon, -1.0, 1.0)
        return action.reshape(-1, 1, *self._shape), epsilon, vector_push(epsilon)


LR = 1.0
"""The one step size of the actor: change of a preference, for the same observation, per unit of modulator."""


class Linear:
    """Actor ``h = theta . phi`` with an eligibility trace, beside the critic and the gain of the agent; envs per agent: 1."""

    def __init__(self, encoder: Encoder, policy: Policy, config: AgentConfig, agents: int) -> None:
        shape, device, p = (agents, 1, encoder.size), torch.device("cpu"), config.modulation
        self._encoder, self._policy = encoder, policy
        self._critic, self._gain = TDError(p, shape, device, torch.float32), Gain(p, agents, device)
        self._novelty, self._p, self._lr = (
            Novelty((agents, encoder.size), device, torch.float32),
            p,
            policy.sharpening,
        )
        self._sharpness, self._pushes = np.zeros((2, agents, policy.components))
        self._decay = decay(config.plasticity.tau_e, config.simulation.ticks * config.simulation.dt)
        self._theta, self._z = torch.zeros(2, agents, policy.outputs, encoder.size)

    def begin(self, obs: np.ndarray) -> np.ndarray:
        self._phi = self._features(obs)
        return self._act(obs)

    def step(self, t: Transition) -> np.ndarray:
        now = self._features(t.obs)
        truncated = torch.from_numpy(t.truncated)[..., None]
        after = now if t.final_obs is None else torch.where(truncated, self._features(t.final_obs), now)
        reward, terminated = (torch.from_numpy(array).float() for array in (t.reward, t.terminated))
        new = self._novelty(after) * (1.0 - terminated)
        reward = reward_with_novelty(reward, new, self._gain.unit.float(), self._p)
        m = self._gain(self._critic(Step(reward, terminated, self._phi, after)))
        self._sharpness = sharpness_step(
            torch.from_numpy(self._sharpness), m.double(), torch.from_numpy(self._pushes), self._lr
        ).numpy()
        self._theta.add_(m[:, :, None] * self._z, alpha=LR * self._policy.scale)
        done = torch.from_numpy(t.terminated | t.truncated)
        self._critic.reset(done)
        self._z[done[:, 0]] = 0.0
        self._pushes[done[:, 0].numpy()] = 0.0
        self._phi = now
        return self._act(t.obs)

    def _features(self, obs: np.ndarray) -> Tensor:
        """``(agents, 1, inputs)``, summing to 1."""
        return normalised(self._encoder.rates(torch.as_tensor(obs)))

    def _act(self, obs: np.ndarray) -> np.ndarray:
        h = (self._theta @ self._phi[:, 0, :, None])[..., 0].double().numpy()
        action, gate, push = self._policy.choose(h, obs, self._sharpness)
        self._pushes = trace_step(self._pushes, push, self._p.gamma * self._p.lambda_)
        share = self._phi / torch.linalg.vecdot(self._phi, self._phi)[..., None]
        self._z.mul_(self._decay).add_(torch.from_numpy(gate).float()[:, :, None] * share)
        return action


def linear_twin(config: AgentConfig, envs: SerialGrid, seeds: tuple[int, ...]) -> Linear:
    """The twin of the agents that ``config`` makes on ``envs``. Raises ValueError for actions other than Discrete and Box."""
    actions = envs.action_space
    encoder = build_encoder(envs.observation_space, config.encoder).to(torch.device("cpu"), torch.float32)
    if isinstance(actions, gym.spaces.Discrete):
        policy = Softmax(actions, envs.rows, config.decoder, seeds)
    else:
        if not isinstance(actions, gym.spaces.Box):
            raise ValueError(f"the linear twin acts in Discrete and Box only; received {type(actions).__name__}")
        policy = Gaussian(actions, config.decoder, seeds)
    return Linear(encoder, policy, config, len(seeds))
