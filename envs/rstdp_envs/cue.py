"""A contextual bandit: for each cue one action is right."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing


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
        self.cue, self.answer = int(self.np_random.integers(self.cues)), -1
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
