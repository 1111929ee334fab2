"""Small environments of the generality benchmark that no package has: tracking, a contextual bandit, a grid in two integers."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


class Track(gym.Env):
    """A hand follows a target that wanders about, in any number of dimensions.

    Observation: hand and target, ``Box(-1, 1, (2 * dimensions,))``. Action: the hand's velocity, ``Box(-1, 1, (dimensions,))``.
    Reward: minus the distance. It never ends by itself.
    """

    SPEED, WANDER = 0.3, 0.1

    def __init__(self, dimensions: int = 1) -> None:
        self._shape = (dimensions,)
        self.observation_space = spaces.Box(-1.0, 1.0, (2 * dimensions,), np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, self._shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._hand, self._target = self.np_random.uniform(-1.0, 1.0, (2, *self._shape))
        return self._seen(), {}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._hand = np.clip(self._hand + self.SPEED * np.clip(action, -1.0, 1.0), -1.0, 1.0)
        distance = float(np.linalg.norm(self._hand - self._target))
        wander = self.np_random.normal(0.0, self.WANDER, self._shape)
        self._target = np.clip(self._target + wander, -1.0, 1.0)
        return self._seen(), -distance, False, False, {}

    def _seen(self) -> np.ndarray:
        return np.concatenate([self._hand, self._target]).astype(np.float32)


class ContextualBandit(gym.Env):
    """Twenty questions an episode: which of four fixed directions has the largest product with the numbers that are seen?

    Observation: independent normal numbers, unbounded, ``(numbers,)``. Action: ``Discrete(4)``. Reward: 1 if right. The
    directions are the same for every copy of the environment.
    """

    ROUNDS, ARMS = 20, 4

    def __init__(self, numbers: int = 10) -> None:
        self.observation_space = spaces.Box(-np.inf, np.inf, (numbers,), np.float32)
        self.action_space = spaces.Discrete(self.ARMS)
        self._directions = np.random.default_rng(numbers).standard_normal((self.ARMS, numbers))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self._left = self.ROUNDS
        return self._ask(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        right = float(action == int(np.argmax(self._directions @ self._context)))
        self._left -= 1
        return self._ask(), right, self._left == 0, False, {}

    def _ask(self) -> np.ndarray:
        self._context = self.np_random.standard_normal(self.observation_space.shape)
        return self._context.astype(np.float32)


class GridWorld(gym.Env):
    """From a random cell of an empty square to its last corner, in four directions.

    Observation: row and column, ``MultiDiscrete([side, side])``. Action: ``Discrete(4)``. Reward: -0.01 a step, and 1 at the
    goal, where the episode ends.
    """

    MOVES = np.array([[-1, 0], [1, 0], [0, -1], [0, 1]])

    def __init__(self, side: int = 8) -> None:
        self.observation_space, self.action_space = spaces.MultiDiscrete([side, side]), spaces.Discrete(len(self.MOVES))
        self._last = side - 1

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        start = int(self.np_random.integers((self._last + 1) ** 2 - 1))
        self._place = np.array(divmod(start, self._last + 1))
        return self._place.copy(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._place = np.clip(self._place + self.MOVES[action], 0, self._last)
        arrived = bool((self._place == self._last).all())
        return self._place.copy(), arrived - 0.01, arrived, False, {}
