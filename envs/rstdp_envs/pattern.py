"""A pattern of spikes that appears in noise, to be told apart from it."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import ArrayVectorEnv

ACROSS = 10
"""Afferents along a row of the picture."""
CHANCE = 0.5
"""Probability that the pattern is in a frame."""


class Pattern(gym.Env):
    """Spikes of many afferents, frame by frame: half of the frames are Bernoulli noise, the others a pattern. Which is it?

    In a noise frame every afferent spikes with probability ``rate``. The pattern has as many spikes as noise has on average; when
    it appears, each afferent does what the pattern says, or, with probability ``jitter``, what noise would do. So the number of
    spikes tells nothing, and no afferent decides alone: what counts is which of them spike together. The question is
    that of Masquelier et al. (2008), with frames instead of continuous time.

    | | |
    | --- | --- |
    | observation | `MultiBinary(afferents)`: who spiked in this frame |
    | action | `Discrete(2)`: 0 for noise, 1 for the pattern |
    | reward | 1 / ``frames`` for a right answer, else 0: the return is the share of right answers |
    | start | the pattern is the same in all episodes: it depends on ``pattern_seed`` alone |
    | end | after ``frames`` frames |
    | returns | at best 1, except for noise that looks like the pattern (under 1 % of frames); a random policy gets 0.5 |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 (as gym.Env declares it)
    action_space = gym.spaces.Discrete(2)

    def __init__(
        self, afferents: int = 50, rate: float = 0.3, jitter: float = 0.2, frames: int = 10, pattern_seed: int = 0,
        render_mode: str | None = None,
    ) -> None:  # fmt: skip
        self.observation_space = gym.spaces.MultiBinary(checks.whole("afferents", afferents, 1))
        self.rate, self.jitter = checks.share("rate", rate), checks.share("jitter", jitter)
        self.frames, self.render_mode = checks.whole("frames", frames, 1), checks.render_mode(render_mode)
        self.pattern = np.random.default_rng(pattern_seed).permutation(afferents) < round(rate * afferents)
        self.spikes, self.present, self.left, self.right = self.pattern, False, frames, None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.left, self.right = self.frames, None
        return self._frame(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.right, self.left = bool(action) == self.present, self.left - 1
        return self._frame(), self.right / self.frames, self.left == 0, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """Who spikes, as lights; below, whether the last answer was right (green) or wrong (red)."""
        if self.render_mode is None:
            return None
        rows = -(-len(self.spikes) // ACROSS)
        cells = drawing.blank(rows + 1, ACROSS)
        cells[:-1].reshape(-1, 3)[np.flatnonzero(self.spikes)] = drawing.LIGHT
        cells[:-1].reshape(-1, 3)[len(self.spikes) :] = drawing.WALL
        if self.right is not None:
            cells[-1] = drawing.verdict(self.right)
        return drawing.picture(cells)

    def _frame(self) -> np.ndarray:
        luck, n = self.np_random.random(1 + 2 * len(self.pattern)), 1 + len(self.pattern)
        self.present = bool(luck[0] < CHANCE)
        self.spikes = frame(self.present, luck[1:n], luck[n:], self.pattern, self.rate, self.jitter)
        return self.spikes.astype(np.int8)


class PatternVector(ArrayVectorEnv):
    """`Pattern` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = Pattern(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.pattern, self.rate, self.jitter, self.frames = one.pattern, one.rate, one.jitter, one.frames
        self.luck, self.left = np.zeros((num_envs, 1 + 2 * len(self.pattern))), np.zeros(num_envs, np.int64)

    def begin(self, rows: np.ndarray) -> None:
        self.left[rows] = self.frames
        for i in rows:
            self.generators[i].random(out=self.luck[i])

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        right = actions == (self.luck[:, 0] < CHANCE)
        self.left -= 1
        for generator, luck in zip(self.generators, self.luck):
            generator.random(out=luck)
        return right / self.frames, self.left == 0

    def seen(self) -> np.ndarray:
        luck, n = self.luck, 1 + len(self.pattern)
        present, noise, jittered = luck[:, :1] < CHANCE, luck[:, 1:n], luck[:, n:]
        return frame(present, noise, jittered, self.pattern, self.rate, self.jitter).astype(np.int8)


def frame(
    present: Any, noise: np.ndarray, jittered: np.ndarray, pattern: np.ndarray, rate: float, jitter: float
) -> np.ndarray:
    """Who spikes ``(..., afferents)``, with the pattern ``present (..., 1)`` or not; noise, jittered: uniform between 0 and 1."""
    return np.where((jittered < jitter) | (present ^ True), noise < rate, pattern)
