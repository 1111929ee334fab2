"""An agent in its environments, step by step: the one loop of training, search, films and benchmarks."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from rstdp_agents.codecs.transition import Transition
from rstdp_agents.training.episodes import Episode, EpisodeTracker


class Player(Protocol):
    """Chooses actions ``(agents, envs, *action)``, and may learn: an `Agent`, or something it is compared with."""

    def begin(self, obs: np.ndarray) -> np.ndarray:
        """The first actions."""
        ...

    def step(self, t: Transition) -> np.ndarray:
        """The next actions, given the transition that the last ones led to."""
        ...


class Envs(Protocol):
    """The environments, as in `environments.EnvGrid`."""

    def reset(self, seeds: tuple[int, ...]) -> np.ndarray:
        """First observations ``(agents, envs, *obs)``."""
        ...

    def step(self, actions: np.ndarray, /) -> Transition:
        """The transition that the actions lead to."""
        ...


class Interaction:
    """Actions and transitions in turn."""

    def __init__(self, player: Player, envs: Envs, tracker: EpisodeTracker) -> None:
        self.player, self.envs, self.tracker = player, envs, tracker
        self.action: Any = None
        """The next one, ``(agents, envs, *action)``; None before `begin`."""

    def begin(self, seeds: tuple[int, ...]) -> np.ndarray:
        """Begin an episode in every env; returns the first observations. seeds: one per agent."""
        obs = self.envs.reset(seeds)
        self.action = self.player.begin(obs)
        return obs

    def step(self, step: int) -> tuple[Transition, list[Episode]]:
        """Act, and let the player learn; returns the transition and the episodes that it ended.

        step: env steps of an agent, this one included. Raises EnvironmentFault, in which case nothing has been learnt.
        """
        transition = self.envs.step(self.action)
        self.action = self.player.step(transition)
        return transition, self.tracker.add(transition, step)
