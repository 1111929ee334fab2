"""All copies of an environment in arrays: what the vector implementations of this package share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.seeding import np_random
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space


class ArrayVectorEnv(VectorEnv):
    """Rows of an environment that are stepped at once; each has the episodes of the single env with its seed, bit for bit.

    Every row draws from a generator of its own, so that its episodes do not depend on the others
    (``metadata["seed_per_row"]``). Where an episode ends, the next one begins in the same step; all observations before that are
    ``info["final_obs"]``, and ``info["_final_obs"]`` says in which rows they are last ones. Nothing is rendered.

    one: the single env, which has checked its arguments. max_episode_steps: after which a row is truncated; None or,
    as for `gymnasium.make`, -1 for never.
    An implementation adds `begin`, `advance` and `seen`.
    """

    metadata = {"autoreset_mode": AutoresetMode.SAME_STEP, "seed_per_row": True}  # noqa: RUF012 (as VectorEnv declares it)

    def __init__(self, one: gym.Env, num_envs: int, max_episode_steps: int | None) -> None:
        self.num_envs, self.max_episode_steps = num_envs, None if max_episode_steps == -1 else max_episode_steps
        self.single_observation_space, self.single_action_space = one.observation_space, one.action_space
        self.observation_space = batch_space(one.observation_space, num_envs)
        self.action_space = batch_space(one.action_space, num_envs)
        self.all_rows = np.arange(num_envs)
        self.generators: list[np.random.Generator] = []
        self.elapsed = np.zeros(num_envs, np.int64)

    def reset(
        self, *, seed: int | Sequence[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """New episodes in all rows. seed: one per row, or the first row's, from which the others count up."""
        if seed is not None or not self.generators:
            self.seed(self._each(seed))
        self.elapsed[:] = 0
        self.begin(self.all_rows)
        return self.seen(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """One step of all rows; those whose episode ends return the first observation of the next one."""
        rewards, terminated = self.advance(actions)
        self.elapsed += 1
        if self.max_episode_steps is None:
            truncated, done = np.zeros(self.num_envs, dtype=bool), terminated
        else:
            truncated = self.elapsed >= self.max_episode_steps
            done = terminated | truncated
        obs, info = self.seen(), {}
        if np.count_nonzero(done):
            info = {"final_obs": obs, "_final_obs": done}
            self.elapsed[done] = 0
            self.begin(np.flatnonzero(done))
            obs = self.seen()
        return obs, rewards, terminated, truncated, info

    def seed(self, seeds: Sequence[int | None]) -> None:
        """A new generator for every row, as a single env makes it; None for an unpredictable one."""
        self.generators = [np_random(one)[0] for one in seeds]

    def begin(self, rows: np.ndarray) -> None:
        """Begin an episode in each of ``rows (n,)``, all different."""
        raise NotImplementedError

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take a step in every row; returns rewards, float64, and which rows are at their end."""
        raise NotImplementedError

    def seen(self) -> np.ndarray:
        """The observations of all rows, in a new array."""
        raise NotImplementedError

    def _each(self, seed: int | Sequence[int] | None) -> Sequence[int | None]:
        if seed is None:
            return [None] * self.num_envs
        each = range(seed, seed + self.num_envs) if isinstance(seed, int | np.integer) else seed
        if len(each) != self.num_envs:
            raise ValueError(
                f"`seed` must be one number, or one for each of {self.num_envs} rows; received {len(each)}"
            )
        return [int(one) for one in each]


class DrawnAhead(ArrayVectorEnv):
    """Rows that draw only where an episode begins: the numbers of the next `AHEAD` episodes at once, in the same order.

    An implementation adds `draw` and `start` instead of `begin`.
    """

    AHEAD = 32

    def seed(self, seeds: Sequence[int | None]) -> None:
        super().seed(seeds)
        self.ahead = np.stack([self.draw(generator, self.AHEAD) for generator in self.generators])
        self.used = np.zeros(self.num_envs, np.int64)

    def begin(self, rows: np.ndarray) -> None:
        used = self.used[rows]
        empty = used == self.AHEAD
        if np.count_nonzero(empty):
            for i in rows[empty]:
                self.ahead[i] = self.draw(self.generators[i], self.AHEAD)
            used[empty] = 0
        self.used[rows] = used + 1
        self.start(rows, self.ahead[rows, used])

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """What ``count`` episodes begin with, ``(count, ...)``: the numbers that a single env draws in as many resets."""
        raise NotImplementedError

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        """Begin an episode in each of ``rows`` from ``starts (n, ...)``, which were drawn for them."""
        raise NotImplementedError
