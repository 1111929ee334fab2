"""Catch: the smallest task in pixels, where an action pays only steps later."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from . import checks, drawing, single
from .array_vector import DrawnAhead

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
        self.ball, self.height, self.paddle = int(drawn(self.np_random, self.columns)), 0, self.columns // 2
        return self._image(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self.paddle = moved(self.paddle, int(action), self.columns, single)
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
        return image_of((self.rows, self.columns), self.height, self.ball, self.paddle)


class CatchVector(DrawnAhead):
    """`Catch` in arrays."""

    def __init__(self, num_envs: int, max_episode_steps: int | None = None, **arguments: Any) -> None:
        one = Catch(**arguments)
        super().__init__(one, num_envs, max_episode_steps)
        self.rows, self.columns = one.rows, one.columns
        self.ball, self.height, self.paddle = (np.zeros(num_envs, np.int64) for _ in range(3))

    def draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        return drawn(generator, self.columns, count)

    def start(self, rows: np.ndarray, starts: np.ndarray) -> None:
        self.ball[rows], self.height[rows], self.paddle[rows] = starts, 0, self.columns // 2

    def advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.paddle = moved(self.paddle, actions, self.columns, np)
        self.height += 1
        over = self.height == self.rows - 1
        return (over & (self.ball == self.paddle)).astype(np.float64), over

    def seen(self) -> np.ndarray:
        shape = (self.num_envs, self.rows, self.columns)
        return image_of(shape, self.height, self.ball, self.paddle, self.all_rows)


def drawn(generator: np.random.Generator, columns: int, count: int | None = None) -> Any:
    """The column of the ball, each equally likely; those of ``count`` episodes, one after the other."""
    return generator.integers(columns, size=count)


def moved(paddle: Any, action: Any, columns: int, maths: Any) -> Any:
    """Where the paddle is after an action; integers if ``maths`` is `single`, arrays if it is NumPy."""
    return maths.minimum(columns - 1, maths.maximum(0, paddle + action - 1))


def image_of(shape: tuple[int, ...], height: Any, ball: Any, paddle: Any, *image: np.ndarray) -> np.ndarray:
    """An image of ``shape (rows, columns)``, or one for each of several ``image`` numbers in front."""
    pixels = np.zeros(shape, dtype=np.uint8)
    pixels[*image, height, ball] = pixels[*image, -1, paddle] = ON
    return pixels
