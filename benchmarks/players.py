"""Who plays in the learning benchmark: spiking learners with their controls, and players that do not spike.

A player has ``begin(obs)`` and ``step(transition)``, as `Agent` does. Controls: *frozen*, the same network with the same seed and
a learning rate of zero; *shuffled*, the same learner whose modulator is drawn at random from those that it has met so far,
so that reward no longer tells what was good; *random*, random actions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from benchmarks.tasks import Task
from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.agent.modulators import Modulator, Step
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.episodes import Episode, EpisodeTracker
from rstdp_agents.training.interaction import Interaction, Player

Records = list[dict[str, Any]]


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


class Random:
    """Random actions."""

    def __init__(self, actions: gym.Space, seeds: tuple[int, ...]) -> None:
        self._spaces = [copy.deepcopy(actions) for _ in seeds]
        for space, seed in zip(self._spaces, seeds, strict=True):
            space.seed(seed)

    def begin(self, obs: np.ndarray) -> np.ndarray:
        return np.array([space.sample() for space in self._spaces])[:, None]

    def step(self, t: Transition) -> np.ndarray:
        return self.begin(t.obs)


def spiking(
    config: AgentConfig, envs: SerialGrid, seeds: tuple[int, ...], frozen: bool, backend: BackendName = "auto"
) -> Agent:
    """Learners, or the same networks with a learning rate of zero."""
    scale = torch.zeros(len(seeds)) if frozen else None
    return Agent(config, envs.observation_space, envs.action_space, seeds=seeds, lr_scale=scale, backend=backend)


def shuffled(config: AgentConfig, envs: SerialGrid, seeds: tuple[int, ...]) -> Agent:
    """Learners whose modulator is shuffled in time; torch runs them."""
    agent = Agent(config, envs.observation_space, envs.action_space, seeds=seeds, backend="torch")
    agent.parts.modulator = Shuffled(agent.modulator, seeds)
    return agent


def episodes(
    player: Player, envs: SerialGrid, seeds: tuple[int, ...], steps: int, tracker: EpisodeTracker | None = None
) -> Iterator[list[Episode]]:
    """Let everyone play for ``steps`` env steps; after each step, the episodes that it ended."""
    interaction = Interaction(player, envs, tracker or EpisodeTracker(len(seeds), 1, None))
    interaction.begin(seeds)
    for step in range(1, steps + 1):
        yield interaction.step(step)[1]


def play(player: Player, envs: SerialGrid, task: Task, seeds: tuple[int, ...], episodes_each: int) -> Records:
    """Let everyone play until all have finished ``episodes_each``, or the steps run out; a record for each."""
    tracker = EpisodeTracker(len(seeds), 1, task.solved)
    curves: list[list[float]] = [[] for _ in seeds]
    for ended in episodes(player, envs, seeds, task.max_steps, tracker):
        for e in ended:
            curves[e.agent].append(e.episode_return)
        if ended and all(record.episodes >= episodes_each for record in tracker.records):
            break
    out = []
    for seed, record, curve in zip(seeds, tracker.records, curves, strict=True):
        entry = {"seed": seed, "episodes": record.episodes, "final_mean": record.final_mean}
        entry |= {name: getattr(record, name) for name in ("best_mean", "solved_at_episode", "solved_at_step")}
        out.append({**entry, "returns": curve})
    return out
