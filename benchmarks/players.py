"""Who plays in the learning benchmark: spiking learners with their controls, and players that do not spike.

A player has ``begin(obs)`` and ``step(transition)``, as `Agent` does. Controls: *frozen*, the same network with the same seed and
a learning rate of zero; *random sign*, the same learner whose updates have a sign that a coin gives them, so that the modulator
still says how much happened, but no longer what was good; *random*, random actions.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from benchmarks.tasks import Task
from rstdp_agents.agent.agent import Agent
from rstdp_agents.agent.config import AgentConfig, BackendName
from rstdp_agents.codecs.transition import Transition
from rstdp_agents.environments import SerialGrid
from rstdp_agents.training.config import RunConfig, source_of
from rstdp_agents.training.episodes import Episode, EpisodeTracker
from rstdp_agents.training.interaction import Interaction, Player
from rstdp_agents.training.ranged import with_range

Records = list[dict[str, Any]]


class RandomSign:
    """A learner that does not know good from bad: in every step a coin says whether what it learns counts as it is or reversed.

    All that the modulator changes goes with the same coin: weights, and what is learnt of exploration. The critic learns as ever.
    """

    def __init__(self, agent: Agent, seeds: tuple[int, ...]) -> None:
        self._agent, self._random = agent, [np.random.default_rng(seed) for seed in seeds]

    def begin(self, obs: np.ndarray) -> np.ndarray:
        return self._agent.begin(obs)

    def step(self, t: Transition) -> np.ndarray:
        signs = torch.tensor([1.0 - 2.0 * random.integers(2) for random in self._random])
        self._agent.lr.copysign_(signs)
        self._agent.parts.exploration.lr.copysign_(signs[:, None])
        return self._agent.step(t)


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


def prepared(made: RunConfig, agents: int) -> tuple[SerialGrid, AgentConfig]:
    """The envs of so many agents of a run, one for each, and what its agents are once the range of observations is known."""
    source, kwargs = source_of(made)
    envs = SerialGrid(source, kwargs, agents, 1)
    return envs, with_range(made, envs.observation_space, source, kwargs).agent


def spiking(
    config: AgentConfig, envs: SerialGrid, seeds: tuple[int, ...], frozen: bool, backend: BackendName = "auto"
) -> Agent:
    """Learners, or the same networks with a learning rate of zero."""
    scale = torch.zeros(len(seeds)) if frozen else None
    return Agent(config, envs.observation_space, envs.action_space, seeds=seeds, lr_scale=scale, backend=backend)


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
            curves[e.agent].append(round(e.episode_return, 4))
        if ended and all(record.episodes >= episodes_each for record in tracker.records):
            break
    out = []
    for seed, record, curve in zip(seeds, tracker.records, curves, strict=True):
        entry = {"seed": seed, "episodes": record.episodes, "final_mean": record.final_mean}
        entry |= {name: getattr(record, name) for name in ("best_mean", "solved_at_episode", "solved_at_step")}
        out.append({**entry, "returns": curve})
    return out
