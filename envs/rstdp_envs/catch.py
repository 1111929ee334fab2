"""Catch: the smallest task in pixels, where an action pays only steps later."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing

ON = 255


class Catch(gym.Env):
    """A ball falls, one row a step, from a random column of the top row; a paddle in the bottom row has to be below it.

    After Mnih et al. (2014), "Recurrent models of visual attention", in bsuite's size.

    | | |
    | --- | --- |
    | observation | `Box(0, 255, (rows, columns))` uint8: a grey image, 255 at ball and paddle, 0 elsewhere |
    | action | `Discrete(3)`: paddle 0 left, 1 stays, 2 right; walls stop it |
    | reward | in the last step 1 if the ball falls on the paddle, else 0; 0 in all steps before |
    | start | the ball in the top row, each column equally likely; the paddle in the middle |
    | end | when the ball reaches the bottom row, after rows - 1 steps |
    | returns | at best 1, a random policy gets 1 / columns |
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 8}  # noqa: RUF012 (as gym.Env declares it)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, rows: int = 10, columns: int = 5, render_mode: str | None = None) -> None:
        self.rows, self.columns = checks.whole("rows", rows, 2), checks.whole("columns", columns, 2)
        if columns >= 2 * rows:
            raise ValueError(f"`columns` must be below twice `rows`, or no paddle is fast enough; received {columns}")
        self.render_mode = checks.render_mode(render_mode)
        self.observation_space = gym.spaces.Box(0, ON, (rows, columns), np.uint8)
        self.ball, self.height, self.paddle = 0, 0, columns // 2

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        super().reset(seed=seed)
        self.ball, self.height, self.paddle = int(self.np_random.integers(self.columns)), 0, self.columns // 2
        return self._image(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.paddle = min(self.columns - 1, max(0, self.paddle + int(action) - 1))
        self.height += 1
        over = self._over()
        return self._image(), float(over and self.ball == self.paddle), over, False, {}

    def render(self) -> np.ndarray | None:  # pyright: ignore[reportIncompatibleMethodOverride] (None without a render mode)
        """The ball as a light above the paddle; in the end the paddle is green if it caught the ball, or the ball red if not."""
        if self.render_mode is None:
            return None
        cells = drawing.blank(self.rows, self.columns)
        cells[-1, self.paddle] = drawing.AGENT
        verdict = drawing.verdict(self.ball == self.paddle)
        cells[self.height, self.ball] = verdict if self._over() else drawing.LIGHT
        return drawing.picture(cells)

    def _over(self) -> bool:
        return self.height == self.rows - 1

    def _image(self) -> np.ndarray:
        image = np.zeros((self.rows, self.columns), dtype=np.uint8)
        image[self.height, self.ball] = image[-1, self.paddle] = ON
        return image
