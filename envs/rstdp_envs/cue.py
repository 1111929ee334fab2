"""A contextual bandit: for each cue one action is right."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing
from .array_vector import DrawnAhead


class Cue(gym.Env):
    """One of ``cues`` cues is shown, the action of the same number is rewarded, and that was the episode.

    | | |
    | --- | --- |
    | observation | `Discrete(cues)`: the cue, each equally likely |
    | action | `Discrete(cues)`: the answer |
    | reward | 1 if the answer is the number of the cue, else 0 |
    | end | after one step |
    | returns | at best 1, a random policy gets 1 / cues |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 2}  # noqa: RUF012 (as gym.Env declares it)

    def __init__(self, cues: int = 4, render_mode: str | None = None) -> None:
        self.cues, self.render_mode = checks.whole("cues", cues, 2), checks.render_mode(render_mode)
        self.observation_space, self.action_space = gym.spaces.Discrete(cues), gym.spaces.Discrete(cues)
        self.cue, self.answer = 0, -1

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.cue, self.answer = int(drawn(self.np_random, self.cues)), -1
        return self.cue, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.answer = int(action)
        return self.cue, float(self.answer == self.cue), True, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """Above the cue as a light, below the answer in green or red."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(2, self.cues)
        cells[0, self.cue] = drawing.LIGHT
        if self.answer >= 0:
            cells[1, self.answer] = drawing.verdict(self.answer == self.cue)
        return drawing.picture(cells)


class CueVector(DrawnAhead):
    """`Cue` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = Cue(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.cues, self.cue = one.cues, np.zeros(num_envs, np.int64)

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, self.cues, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.cue[rows] = starts

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return (actions == self.cue).astype(np.float64), np.ones(self.num_envs, dtype=bool)

    def seen(self) -> np.ndarray:
        return self.cue.copy()


def drawn(generator: np.random.Generator, cues: int, count: int | None = None) -> Any:
    """The cue of an episode, each equally likely; those of ``count`` episodes, one after the other."""
    return generator.integers(cues, size=count)
