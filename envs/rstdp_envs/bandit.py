"""Two arms whose odds are swapped without notice: an agent that stops learning loses."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import ArrayVectorEnv


class Bandit(gym.Env):
    """One of two arms pays with probability ``odds``, the other with 1 - odds; before any pull they may be swapped.

    The dynamic foraging, or probabilistic reversal, of neuroscience. Nothing tells which arm is better, and the
    observation is always the same: a policy that does not learn while it plays gets 0.5, however it was trained.

    | | |
    | --- | --- |
    | observation | `Discrete(1)`: nothing to see |
    | action | `Discrete(2)`: which arm to pull |
    | reward | 1 / ``pulls`` if the arm pays, else 0: the return is the share of pulls that paid |
    | start | either arm is equally likely to be the better one; then they are swapped with probability ``hazard`` before a pull |
    | end | after ``pulls`` pulls |
    | returns | a random policy gets 0.5; one that always knew the better arm gets 0.8, the odds |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012 (as gym.Env declares it)
    observation_space = gym.spaces.Discrete(1)
    action_space = gym.spaces.Discrete(2)

    def __init__(
        self, odds: float = 0.8, hazard: float = 0.01, pulls: int = 200, render_mode: str | None = None
    ) -> None:
        self.odds, self.hazard = checks.share("odds", odds), checks.share("hazard", hazard)
        self.pulls, self.render_mode = checks.whole("pulls", pulls, 1), checks.render_mode(render_mode)
        self.better, self.pulled, self.paid, self.left = 0, -1, False, pulls

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.better, self.pulled, self.left = better_arm(self.np_random), -1, self.pulls
        return 0, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.pulled, self.left = int(action), self.left - 1
        self.paid = pays(self.np_random.random(), self.odds, self.pulled == self.better)
        self.better ^= self.np_random.random() < self.hazard
        return 0, self.paid / self.pulls, self.left == 0, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """Above, a light over the arm that is better now; below, the pulled arm, green if it paid and red if not."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(2, 2)
        cells[0, self.better] = drawing.LIGHT
        if self.pulled >= 0:
            cells[1, self.pulled] = drawing.verdict(self.paid)
        return drawing.picture(cells)


class BanditVector(ArrayVectorEnv):
    """`Bandit` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = Bandit(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.odds, self.hazard, self.pulls = one.odds, one.hazard, one.pulls
        self.better, self.left = (np.zeros(num_envs, np.int64) for _ in range(2))
        self.luck = np.zeros((num_envs, 2))

    def begin(self, rows: np.ndarray) -> None:
        self.better[rows] = [better_arm(self.generators[i]) for i in rows]
        self.left[rows] = self.pulls

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        for generator, luck in zip(self.generators, self.luck):
            generator.random(out=luck)
        paid = pays(self.luck[:, 0], self.odds, actions == self.better)
        self.better ^= self.luck[:, 1] < self.hazard
        self.left -= 1
        return paid / self.pulls, self.left == 0

    def seen(self) -> np.ndarray:
        return np.zeros(self.num_envs, np.int64)


def better_arm(generator: np.random.Generator) -> int:
    """The better arm at the start, each equally likely."""
    return int(generator.integers(2))


def pays(luck: Any, odds: float, is_better: Any) -> Any:
    """Whether an arm pays: with probability ``odds`` if it is the better one, else 1 - odds. luck: uniform between 0 and 1."""
    return (luck < odds) & is_better | (luck < 1 - odds) & (is_better ^ True)
