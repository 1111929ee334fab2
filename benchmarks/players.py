"""Who plays in the learning benchmark: spiking learners with their controls, and players that do not spike.

A player has ``begin(obs)`` and ``step(transition)``, as `Agent` does. Controls: *frozen*, the same network with the same seed and
a learning rate of zero; *shuffled*, the same learner whose modulator is drawn at random from those that it has met so far,
so that reward no longer tells what was good; *random*, actions by chance.
"""

from __future__ import annotations

import copy
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from benchmarks.tasks import Task
from rstdp_agents.agent import Agent
from rstdp_agents.config import AgentConfig, Backend, ModulatorConfig
from rstdp_agents.encoders import Encoder
from rstdp_agents.encoders.coding import build_encoder
from rstdp_agents.environments import SerialGrid
from rstdp_agents.episodes import EpisodeTracker
from rstdp_agents.modulators import Modulator, Step
from rstdp_agents.spaces.observations import Rows
from rstdp_agents.transition import Transition

Records = list[dict[str, Any]]


class Player(Protocol):
    """Chooses actions ``(agents, envs)``, and may learn."""

    def begin(self, obs: np.ndarray) -> np.ndarray: ...

    def step(self, t: Transition) -> np.ndarray: ...


class Shuffled:
    """A modulator that tells the size of past surprises, but not when they happened.

    m is drawn at random from a thousand values that the modulator within has had, for each agent and env by itself; a new value
    takes the place of any of them.
    """

    LENGTH = 1000

    def __init__(self, within: Modulator, seeds: tuple[int, ...]) -> None:
        self._within, self._random = within, [np.random.default_rng(seed) for seed in seeds]
        self._seen, self._count = torch.empty(0), 0
        self.tensors, self.value, self.reset = within.tensors, within.value, within.reset

    def __call__(self, step: Step) -> Tensor:
        m = self._within(step)
        if not self._count:
            self._seen = m.new_empty(self.LENGTH, *m.shape)
        full = self._count == self.LENGTH
        self._seen[int(self._random[0].integers(self.LENGTH)) if full else self._count] = m
        self._count = min(self._count + 1, self.LENGTH)
        drawn = np.array([random.integers(self._count, size=m.shape[1]) for random in self._random])
        return self._seen[torch.from_numpy(drawn), torch.arange(m.shape[0])[:, None], torch.arange(m.shape[1])]


class Linear:
    """Actor-critic with eligibility traces on the features of the spiking agents, without spikes (Sutton and Barto 2018, 13.5).

    Softmax over linear preferences of the actions that are not masked. The features are the input rates, scaled to sum 1;
    envs per agent: 1.
    """

    def __init__(
        self,
        encoder: Encoder,
        rows: Rows,
        m: ModulatorConfig,
        actions: gym.spaces.Discrete,
        lr: float,
        seeds: tuple[int, ...],
    ) -> None:
        agents = len(seeds)
        self._encoder, self._allowed, self._m, self._lr, self._first = encoder, rows.allowed, m, lr, int(actions.start)
        self._theta = np.zeros((agents, int(actions.n), encoder.size))
        self._value = np.full((agents, encoder.size), m.value_init)
        self._z, self._trace = np.zeros_like(self._theta), np.zeros_like(self._value)
        self._random = [np.random.default_rng(seed) for seed in seeds]
        self._rows = np.arange(agents)

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
        rates = self._encoder.rates(torch.as_tensor(obs, dtype=torch.float64))[:, 0].numpy()
        return rates / rates.sum(1, keepdims=True)

    def _act(self, obs: np.ndarray) -> np.ndarray:
        preference = np.einsum("aki,ai->ak", self._theta, self._phi)
        if (allowed := self._allowed(obs)) is not None:
            preference[~allowed[:, 0]] = -np.inf
        p = np.exp(preference - preference.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        u = np.array([random.random() for random in self._random])
        action = np.minimum((p.cumsum(1) <= u[:, None]).sum(1), p.shape[1] - 1)
        gate = -p
        gate[self._rows, action] += 1.0
        self._z = self._m.gamma * self._m.lambda_ * self._z + gate[:, :, None] * self._phi[:, None]
        return action[:, None] + self._first


class Random:
    """Actions by chance."""

    def __init__(self, actions: gym.Space, seeds: tuple[int, ...]) -> None:
        self._spaces = [copy.deepcopy(actions) for _ in seeds]
        for space, seed in zip(self._spaces, seeds, strict=True):
            space.seed(seed)

    def begin(self, obs: np.ndarray) -> np.ndarray:
        return np.array([space.sample() for space in self._spaces])[:, None]

    def step(self, t: Transition) -> np.ndarray:
        return self.begin(t.obs)


def spiking(
    config: AgentConfig, envs: SerialGrid, seeds: tuple[int, ...], frozen: bool, backend: Backend = "auto"
) -> Agent:
    """Learners, or the same networks with a learning rate of zero."""
    scale = torch.zeros(len(seeds)) if frozen else None
    return Agent(config, envs.observation_space, envs.action_space, seeds=seeds, lr_scale=scale, backend=backend)


def shuffled(config: AgentConfig, envs: SerialGrid, seeds: tuple[int, ...]) -> Agent:
    """Learners whose modulator is shuffled in time; torch runs them."""
    agent = Agent(config, envs.observation_space, envs.action_space, seeds=seeds, backend="torch")
    agent.modulator = Shuffled(agent.modulator, seeds)
    return agent


def not_spiking(name: str, config: AgentConfig, lr: float, envs: SerialGrid, seeds: tuple[int, ...]) -> Player:
    """The linear twin (for Discrete actions), or chance."""
    actions = envs.action_space
    if name == "random":
        return Random(actions, seeds)
    assert isinstance(actions, gym.spaces.Discrete)
    encoder = build_encoder(envs.observation_space, config.encoder).to(torch.device("cpu"), torch.float64)
    return Linear(encoder, envs.rows, config.modulation, actions, lr, seeds)


def play(player: Player, envs: SerialGrid, task: Task, seeds: tuple[int, ...], episodes: int) -> Records:
    """Let everyone play until all have finished ``episodes``, or the steps run out; a record for each."""
    tracker = EpisodeTracker(len(seeds), 1, task.solved)
    curves: list[list[float]] = [[] for _ in seeds]
    action = player.begin(envs.reset(seeds))
    for step in range(1, task.max_steps + 1):
        transition = envs.step(action)
        action = player.step(transition)
        ended = tracker.add(transition, step)
        for e in ended:
            curves[e.agent].append(e.episode_return)
        if ended and all(record.episodes >= episodes for record in tracker.records):
            break
    out = []
    for seed, record, curve in zip(seeds, tracker.records, curves, strict=True):
        entry = {"seed": seed, "episodes": record.episodes, "final_mean": record.final_mean}
        entry |= {name: getattr(record, name) for name in ("best_mean", "solved_at_episode", "solved_at_step")}
        out.append({**entry, "returns": [float(f"{r:.6g}") for r in curve]})
    return out
